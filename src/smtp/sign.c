/* SPDX-License-Identifier: ISC */
#include "smtp/sign.h"

#include "base/clock.h"
#include "base/log.h"
#include "ipc/ipc.h"
#include "smtp/spool.h"
#include "trust/dkim.h"

enum { TRIES = 2, SIGN_MEMORY = (TRIES * (1 + SIGNERS_MAX) + 1) * IPC_MAX };

struct signing {
	struct smtp *s;
	struct arena *a; /* owned */
	struct path author;
	struct keeper_signers signers;
	struct buf header; /* owned; with the empty line */
	struct dkim_body *body;
	struct spool spool;
};

void signing_close(struct signing **g)
{
	if (!*g)
		return;
	spool_close(&(*g)->spool);
	dkim_body_free(&(*g)->body);
	buf_free(&(*g)->header);
	arena_free(&(*g)->a);
	free(*g);
	*g = NULL;
}

/* Up to the empty line and with it. A header that does not end in a line is not signed: what others
 * would read then is not sure. */
static bool split(struct str text, struct str *header, struct str *rest)
{
	size_t at = str_starts(text, S("\r\n")) ? 0 : str_find_str(text, S("\r\n\r\n"));

	if (at == text.n && !str_ends(text, S("\r\n")))
		return false;
	*header = str_part(text, 0, at == text.n ? at : at == 0 ? 2 : at + 4);
	*rest = str_from(text, header->n);
	return true;
}

static enum err ask(struct signing *g)
{
	enum err e = keeper_signers(g->s->srv->keeper, g->s->login.account, g->author, g->a,
				    &g->signers);

	return e == E_DENIED || e == E_NOTFOUND ? OK : e; /* no domain of ours */
}

struct signing *signing_open(struct smtp *s, struct path author, struct str text, struct reply *r)
{
	struct signing *g;
	struct str header, rest;

	if (!author.domain.n || !split(text, &header, &rest))
		return NULL;
	g = NEW(struct signing);
	g->s = s;
	g->a = arena_new(SIGN_MEMORY);
	g->author.local = str_dup(g->a, author.local);
	g->author.domain = str_dup(g->a, author.domain);
	g->author.utf8 = author.utf8;
	g->spool = spool_new(s->conf->spool);
	enum err e = ask(g);
	if (!e && g->signers.n) {
		g->header = buf_new(header.n);
		buf_put(&g->header, header);
		g->body = dkim_body_new(true, UINT64_MAX);
		e = signing_take(g, rest);
	}
	if (e)
		*r = reply_err(e);
	if (e || !g->signers.n)
		signing_close(&g);
	return g;
}

enum err signing_take(struct signing *g, struct str octets)
{
	dkim_body_add(g->body, octets);
	return spool_write(&g->spool, octets);
}

/* E_NOTFOUND: the keys were rotated meanwhile. */
static enum err sign(struct signing *g, const uint8_t body[DKIM_DIGEST], struct buf *out)
{
	struct dkim_signing how = {
		.domain = g->signers.domain,
		.when = clock_wall(),
		.header = buf_str(&g->header),
		.body = body,
	};
	enum err e = OK;

	buf_clear(out);
	for (size_t i = 0; i < g->signers.n && !e; i++) {
		uint8_t digest[DKIM_DIGEST];
		struct str signature;

		how.algorithm = g->signers.by[i].ed25519 ? DKIM_ED25519 : DKIM_RSA;
		how.selector = g->signers.by[i].selector;
		struct str field = dkim_field(g->a, &how, digest);
		if (!field.p)
			break;
		e = keeper_sign(g->s->srv->keeper, g->s->login.account, g->author, how.selector,
				STR((const char *)digest, sizeof digest), g->a, &signature);
		if (!e)
			buf_put(out, dkim_signed(g->a, field, signature));
	}
	return e;
}

enum err signing_end(struct signing *g, enum err (*put)(void *arg, struct str octets), void *arg)
{
	struct buf fields = buf_new(80 << 10);
	uint8_t body[DKIM_DIGEST];
	enum err e = E_NOTFOUND;

	(void)dkim_body_end(g->body, body);
	for (unsigned i = 0; i < TRIES && e == E_NOTFOUND; i++) {
		e = i ? ask(g) : OK;
		if (!e)
			e = sign(g, body, &fields);
	}
	if (!e && !fields.n)
		log_event(LOG_WARN, "dkim.left.out", KV("domain", g->signers.domain));
	BUG_IF(fields.full);
	if (!e)
		e = put(arg, buf_str(&fields));
	if (!e)
		e = put(arg, buf_str(&g->header));
	if (!e)
		e = spool_copy(&g->spool, put, arg);
	buf_free(&fields);
	return e == E_NOTFOUND ? E_AGAIN : e;
}
