/* SPDX-License-Identifier: ISC */
/* keeper/join.c - what the service says of itself, and joining by an invitation. */
#include "base/clock.h"
#include "base/log.h"
#include "keeper/life.h"
#include "keeper/record.h"
#include "keeper/serve_priv.h"

/* --- the service --- */

static void put_said(struct buf *b, const char *word, struct words w, struct arena *a)
{
	struct words s = life_sentences(a, w);

	buf_blob(b, str_of(word));
	buf_blob(b, s.de);
	buf_blob(b, s.en);
}

enum err call_service(struct asked *q)
{
	struct life l;

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = life_read(q->k->store, q->a, &l);
	if (e)
		return e;
	bool open = l.mode == LIFE_OPEN;
	struct words w = open ? (struct words){ 0 } : life_no_joining(&l, q->a);
	buf_blob(q->out, str_of(life_word(l.mode)));
	put_said(q->out, "notice", life_notice(&l, clock_wall(), q->a), q->a);
	put_said(q->out, open ? "open" : "closed", w, q->a);
	return OK;
}

/* --- invitations --- */

struct refusal {
	const char *word; /* "ok": none */
	struct words why;
};

static struct refusal refusal(const char *word, const char *de, const char *en)
{
	return (struct refusal){ word, { str_of(de), str_of(en), S("") } };
}

static struct refusal unknown(void)
{
	return refusal(
		"unknown",
		"Diese Einladung gibt es nicht: sie wurde schon benutzt, zurückgezogen, oder "
		"ihre Frist ist abgelaufen",
		"There is no such invitation: it was used or withdrawn, or its time is over");
}

static struct refusal exists(void)
{
	return refusal("exists", "Die Adresse ist inzwischen vergeben",
		       "Somebody else has got the address by now");
}

/* The invitation of this token, and whether it can be used. */
static enum err look_at(struct asked *q, struct str token, struct invitation *inv,
			struct refusal *out)
{
	uint8_t digest[INVITE_DIGEST];
	struct life l;
	enum err e = life_read(q->k->store, q->a, &l);

	if (e)
		return e;
	*out = (struct refusal){ .word = "ok" };
	if (l.mode != LIFE_OPEN) {
		*out = (struct refusal){ "closed", life_no_joining(&l, q->a) };
		return OK;
	}
	e = E_NOTFOUND;
	if (invite_read(token, digest))
		e = directory_invitation(q->k->store, digest, clock_wall(), q->a, inv);
	if (e == E_NOTFOUND)
		*out = unknown();
	return e == E_NOTFOUND ? OK : e;
}

enum err call_invitation(struct asked *q)
{
	struct str token = scan_blob(q->in);
	struct invitation inv = { 0 };
	struct refusal r;

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = look_at(q, token, &inv, &r);
	if (e)
		return e;
	put_said(q->out, r.word, r.why, q->a);
	if (str_is(str_of(r.word), "ok")) {
		buf_blob(q->out, name_text(q->a, inv.name));
		buf_u64(q->out, (uint64_t)inv.until);
		buf_u64(q->out, inv.quota);
	}
	return OK;
}

static enum err refuse(struct asked *q, struct refusal r)
{
	put_said(q->out, r.word, r.why, q->a);
	buf_u8(q->out, 0);
	buf_blob(q->out, S(""));
	buf_blob(q->out, S(""));
	return OK;
}

/* The password is judged and hashed first; that the invitation is still good is seen again in the
 * update that makes the user. */
static enum err join(struct asked *q, const struct invitation *inv, struct str password,
		     struct str ip)
{
	struct str address = name_text(q->a, inv->name);
	struct password_verdict v = password_judge(q->k, password, address);
	struct secret fresh;
	uint32_t account = 0;
	enum err e = OK;

	if (!v.fault) {
		e = login_hash(q->k->logins, address, password, q->a, &fresh);
		if (!e)
			e = directory_join(q->k->store, inv, &fresh, &account);
	}
	if (e == E_NOTFOUND || e == E_EXISTS)
		return refuse(q, e == E_EXISTS ? exists() : unknown());
	if (e)
		return e;
	log_event(LOG_INFO, v.fault ? "invite.password.refused" : "invite.used",
		  KV("user", address), KVN("account", account), KV("ip", ip),
		  KVC("reason", v.word));
	password_put(q->out, &v);
	return OK;
}

enum err call_join(struct asked *q)
{
	struct str token = scan_blob(q->in), password = scan_blob(q->in), ip = scan_blob(q->in);
	struct invitation inv = { 0 };
	struct refusal r;

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = look_at(q, token, &inv, &r);
	if (e)
		return e;
	return str_is(str_of(r.word), "ok") ? join(q, &inv, password, ip) : refuse(q, r);
}
