/* SPDX-License-Identifier: ISC */
/* keeper/operate_life.c - the operator's calls about the service's life and invitations. */
#include <sodium.h>

#include "base/clock.h"
#include "base/log.h"
#include "keeper/life.h"
#include "keeper/record.h"
#include "keeper/serve_priv.h"

enum err op_life_show(struct asked *q)
{
	struct life l;

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = life_read(q->k->store, q->a, &l);
	if (e)
		return e;
	buf_u8(q->out, (uint8_t)l.mode);
	buf_u32(q->out, l.last_day);
	buf_u64(q->out, (uint64_t)l.changed);
	buf_blob(q->out, l.notice);
	buf_u8(q->out, life_takes_mail(&l, clock_wall()));
	return OK;
}

enum err op_life_set(struct asked *q)
{
	unsigned mode = scan_u8(q->in);
	struct life l = { .mode = (enum life_mode)mode,
			  .last_day = scan_u32(q->in),
			  .changed = clock_wall() };

	l.notice = scan_blob(q->in);
	if (!scan_end(q->in) || mode < LIFE_OPEN || mode > LIFE_ENDED)
		return E_SYNTAX;
	if ((l.mode == LIFE_ENDED) != (l.last_day != 0))
		return op_say(q, E_SYNTAX, "a last day is for an end, and for nothing else",
			      S("--on"));
	if (!life_text_ok(l.notice, LIFE_NOTICE_MAX))
		return op_say(q, E_SYNTAX, "a notice is one line of at most 300 octets, UTF-8",
			      S("--notice"));
	enum err e = life_write(q->k->store, &l);
	if (!e)
		log_event(LOG_INFO, "service", KVC("state", life_word(l.mode)),
			  KVN("last_day", l.last_day), KV("notice", l.notice));
	return e;
}

/* --- invitations --- */

enum err op_invite(struct asked *q)
{
	struct str text = scan_blob(q->in);
	struct invitation inv = { .created = clock_wall(), .quota = scan_u64(q->in) };
	uint32_t seconds = scan_u32(q->in);
	char token[INVITE_TEXT + 1];
	struct life l;

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = op_address(q, text, false, &inv.name);
	if (e)
		return e;
	if (seconds > INVITE_FOR_MAX_S)
		return op_say(q, E_LIMIT, "an invitation lasts a year at most", text);
	inv.until = inv.created + (seconds ? seconds : INVITE_FOR_S);
	e = life_read(q->k->store, q->a, &l);
	if (e)
		return e;
	invite_make(token, inv.digest);
	e = directory_invite(q->k->store, &inv);
	if (!e) {
		log_event(LOG_INFO, "invite.add", KV("user", text), KVN("until", inv.until));
		buf_blob(q->out, str_of(token));
		buf_u64(q->out, (uint64_t)inv.until);
		buf_u8(q->out, (uint8_t)l.mode);
	}
	sodium_memzero(token, sizeof token);
	if (e == E_EXISTS)
		return op_say(q, e, "a user or an alias has this address already", text);
	if (e == E_NOTFOUND)
		return op_say(q, e, "its domain is not one of ours: add it first (domain add)",
			      text);
	return e;
}

/* Row: blob address, u64 created, u64 until, u64 quota. */
enum err op_invite_list(struct asked *q)
{
	struct invitation *inv;
	struct page p;
	enum err e = op_page(q, &p);
	size_t i;

	if (!e)
		e = directory_invitations(q->k->store, &p, q->a, &inv);
	if (e)
		return e;
	for (i = 0; op_row(q, i, &p); i++) {
		buf_blob(q->out, name_text(q->a, inv[i].name));
		buf_u64(q->out, (uint64_t)inv[i].created);
		buf_u64(q->out, (uint64_t)inv[i].until);
		buf_u64(q->out, inv[i].quota);
	}
	op_page_end(q, i, &p, i ? key_invitation(q->a, inv[i - 1].name) : p.after);
	return OK;
}

enum err op_invite_delete(struct asked *q)
{
	struct str text = scan_blob(q->in);
	struct name n;

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = op_address(q, text, false, &n);
	if (e)
		return e;
	e = directory_invite_delete(q->k->store, n);
	if (e == E_NOTFOUND)
		return op_say(q, e, "there is no invitation to this address", text);
	if (!e)
		log_event(LOG_INFO, "invite.delete", KV("user", text));
	return e;
}
