/* SPDX-License-Identifier: ISC */
/* keeper/admin_life.c - the operator's calls about the service's life, invitations and the state
 * of accounts, the asking side. */
#include "keeper/admin_priv.h"

enum err admin_user_set(struct peer *p, struct str address, unsigned what,
			const struct admin_state *s, struct arena *a, struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;

	buf_blob(&b, address);
	buf_u8(&b, (uint8_t)what);
	buf_u8(&b, s->locked ? USER_LOCKED : USER_ACTIVE);
	buf_u8(&b, s->send_blocked);
	buf_u32(&b, s->expires);
	buf_u64(&b, s->quota);
	buf_u8(&b, (uint8_t)s->guarantees.sending);
	buf_u8(&b, s->guarantees.receiving);
	buf_blob(&b, s->reason);
	return admin_ask(p, CALL_USER_SET, &b, a, &in, why);
}

enum err admin_life_show(struct peer *p, struct arena *a, struct life *out, bool *takes_mail,
			 struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;
	enum err e = admin_ask(p, CALL_LIFE_SHOW, &b, a, &in, why);

	if (e)
		return e;
	unsigned mode = scan_u8(&in);
	out->mode = (enum life_mode)mode;
	out->last_day = scan_u32(&in);
	out->changed = (int64_t)scan_u64(&in);
	out->notice = scan_blob(&in);
	*takes_mail = scan_u8(&in) != 0;
	return scan_end(&in) && mode >= LIFE_OPEN && mode <= LIFE_ENDED ? OK
									: admin_misunderstood(why);
}

enum err admin_life_set(struct peer *p, const struct life *l, struct arena *a, struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;

	buf_u8(&b, (uint8_t)l->mode);
	buf_u32(&b, l->last_day);
	buf_blob(&b, l->notice);
	return admin_ask(p, CALL_LIFE_SET, &b, a, &in, why);
}

enum err admin_invite(struct peer *p, struct str address, uint64_t quota, uint32_t seconds,
		      struct arena *a, struct admin_invitation *out, struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;

	buf_blob(&b, address);
	buf_u64(&b, quota);
	buf_u32(&b, seconds);
	enum err e = admin_ask(p, CALL_INVITE, &b, a, &in, why);
	if (e)
		return e;
	out->token = scan_blob(&in);
	out->until = (int64_t)scan_u64(&in);
	out->mode = (enum life_mode)scan_u8(&in);
	return scan_end(&in) ? OK : admin_misunderstood(why);
}

enum err admin_invite_delete(struct peer *p, struct str address, struct arena *a, struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;

	buf_blob(&b, address);
	return admin_ask(p, CALL_INVITE_DELETE, &b, a, &in, why);
}
