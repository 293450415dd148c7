/* SPDX-License-Identifier: ISC */
/* keeper/operate_state.c - the operator's call about the state of an account. */
#include "base/clock.h"
#include "base/log.h"
#include "keeper/life.h"
#include "keeper/serve_priv.h"

enum {
	KNOWN = SET_STATE | SET_SENDING | SET_EXPIRES | SET_QUOTA | SET_SENDING_GUARANTEE |
		SET_RECEIVING_GUARANTEE
};

static void log_state(const struct user *u, struct str text, unsigned what)
{
	log_event(
		LOG_INFO, "user.set", KV("user", text), KVN("account", u->account),
		KVC("state", what & SET_STATE ? u->state == USER_LOCKED ? "locked" : "active" : ""),
		KVC("sending", what & SET_SENDING ? u->send_blocked ? "blocked" : "allowed" : ""),
		KVN("expires", u->expires), KVN("quota", u->quota),
		KVC("sending_guarantee", guarantee_word(u->guarantees.sending)),
		KVC("receiving_guarantee", guarantee_receiving_word(u->guarantees.receiving)));
}

enum err op_user_set(struct asked *q)
{
	struct str text = scan_blob(q->in), reason;
	unsigned what = scan_u8(q->in);
	struct user u = { .state = scan_u8(q->in) };
	struct name n;

	u.send_blocked = scan_u8(q->in) != 0;
	u.expires = scan_u32(q->in);
	u.quota = scan_u64(q->in);
	unsigned sending = scan_u8(q->in);
	u.guarantees = (struct guarantees){ (enum guarantee)sending, scan_u8(q->in) != 0 };
	u.lock_reason = u.send_reason = reason = scan_blob(q->in);
	if (!scan_end(q->in) || !what || what & ~(unsigned)KNOWN || u.state < USER_ACTIVE ||
	    u.state > USER_LOCKED || sending >= GUARANTEES)
		return E_SYNTAX;
	enum err e = op_address(q, text, false, &n);
	if (e)
		return e;
	if (!life_text_ok(reason, REASON_MAX))
		return op_say(q, E_SYNTAX, "a reason is one line of at most 300 octets, UTF-8",
			      S("--reason"));
	e = directory_user_set(q->k->store, n, what, q->a, &u);
	if (e == E_NOTFOUND)
		return op_say(q, e, "there is no such user here", text);
	if (e)
		return e;
	if (what & SET_STATE && u.state == USER_LOCKED)
		password_changed(q, u.account, 0, LOCKED);
	else if (what & SET_EXPIRES && day_over(u.expires, clock_wall()))
		password_changed(q, u.account, 0, EXPIRED);
	log_state(&u, text, what);
	return OK;
}
