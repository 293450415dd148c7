/* SPDX-License-Identifier: ISC */
/*
 * client_send.c - one message to several recipients over a connection that stands.
 *
 * Commands are numbered: 0 is MAIL, 1..n are RCPTs, n + 1 is DATA (not before BDAT, which waits
 * for the others). As many as the server allows go out together, then each reply is taken for its
 * command: RFC 2920 3.1.
 */
#include "base/encode.h"
#include "smtp/client_priv.h"

enum { TOGETHER = 64 /* commands in one write */, PATH_TEXT_MAX = 1024 };

struct tx {
	struct smtp_client *c;
	struct client_mail *m;
	struct arena *a;
	struct client_rcpt **to; /* those asked for in this transaction */
	size_t n, accepted;
	bool bdat, utf8;
	bool mail_taken, data_taken;
};

static bool undecided(const struct client_rcpt *r)
{
	return r->out.verdict == NOT_TRIED;
}

/* What happens to all of whom nothing else is known yet. */
static bool fate(struct tx *t, const struct outcome *o)
{
	for (size_t i = 0; i < t->n; i++)
		if (undecided(t->to[i]))
			t->to[i]->out = *o;
	return false;
}

/* --- what can be told without asking --- */

static bool clean(struct str s, bool spaces)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f || (s.p[i] == ' ' && !spaces))
			return false;
	return true;
}

/* In the scratch arena. False: not to be said in a command. */
static bool path_clean(struct smtp_client *c, struct path p, struct str *text)
{
	*text = S_NONE;
	if (p.local.n > PATH_LOCAL_MAX || p.domain.n > PATH_DOMAIN_MAX)
		return false;
	arena_reset(c->scratch);
	*text = path_text(c->scratch, p);
	return text->n <= PATH_TEXT_MAX && clean(*text, true) && clean(p.domain, false) &&
	       !str_has(p.domain, '>') && utf8_ok(*text);
}

/* Proven TLS all the way, or not at all: RFC 8689 4.2.1. */
static bool may_require_tls(const struct smtp_client *c)
{
	return io_tls(c->io).proof != TLS_UNPROVEN && c->offer.requiretls;
}

/* Why none of it goes to this server; WHY_SAID: nothing stands against it. */
static enum client_why refused(const struct tx *t, bool from_clean)
{
	const struct client_mail *m = t->m;
	const struct offer *o = &t->c->offer;
	bool chunks = o->chunking && !t->c->conf.no_chunking;

	if (!from_clean || !clean(m->envid, false) || m->envid.n > ENVID_MAX)
		return WHY_ADDRESS;
	if (m->require_tls && !may_require_tls(t->c))
		return WHY_REQUIRETLS;
	if (m->by && m->by_return && !o->deliver_by)
		return WHY_DELIVERBY; /* RFC 2852 4: mode R goes to nobody who does not know it */
	if (o->size_max && m->size > o->size_max)
		return WHY_TOO_LARGE;
	if (m->body == BODY_8BITMIME && !o->eightbit)
		return WHY_8BITMIME;
	if (m->body == BODY_BINARYMIME && !(o->binary && chunks))
		return WHY_BINARYMIME;
	return t->utf8 && !o->utf8 ? WHY_SMTPUTF8 : WHY_SAID;
}

/* Those who are asked for in this transaction: no more than the server takes (RFC 9422 4.1), and
 * nobody whose address it cannot be told. */
static void choose(struct tx *t)
{
	const struct offer *offer = &t->c->offer;

	for (size_t i = 0; i < t->m->nrcpt; i++) {
		struct client_rcpt *r = &t->m->rcpt[i];
		struct str text;
		bool good = path_clean(t->c, r->to, &text) && text.n && clean(r->orcpt, false) &&
			    r->orcpt.n <= ORCPT_MAX;
		bool utf8 = !str_ascii(text);

		if (offer->rcpt_max && t->n == offer->rcpt_max)
			break;
		if (good && (!utf8 || offer->utf8)) {
			t->utf8 |= utf8;
			t->to[t->n++] = r;
		} else {
			r->out = (struct outcome){ .verdict = PERMANENT,
						   .stage = AT_RCPT,
						   .why = good ? WHY_SMTPUTF8 : WHY_ADDRESS };
		}
	}
}

static bool prepare(struct tx *t)
{
	struct str from;
	bool from_clean = path_clean(t->c, t->m->from, &from);

	t->utf8 = t->m->utf8 || !str_ascii(from);
	choose(t);
	struct outcome o = { .verdict = PERMANENT,
			     .stage = AT_MAIL,
			     .why = refused(t, from_clean) };

	if (o.why != WHY_SAID)
		return fate(t, &o);
	t->bdat = t->c->offer.chunking && !t->c->conf.no_chunking;
	return t->n > 0;
}

/* --- the commands --- */

static void say_mail(struct tx *t)
{
	static const char *const bodies[] = { "", " BODY=8BITMIME", " BODY=BINARYMIME" };
	const struct client_mail *m = t->m;
	const struct offer *offer = &t->c->offer;
	struct io *io = t->c->io;
	struct str from;

	(void)path_clean(t->c, m->from, &from);
	io_fmt(io, "MAIL FROM:<%.*s>", FMT(from));
	if (offer->size)
		io_fmt(io, " SIZE=%llu", (unsigned long long)m->size);
	io_fmt(io, "%s%s", bodies[m->body], t->utf8 ? " SMTPUTF8" : "");
	if (offer->dsn && m->ret)
		io_fmt(io, " RET=%s", m->ret == RET_FULL ? "FULL" : "HDRS");
	if (offer->dsn && m->envid.n)
		io_fmt(io, " ENVID=%.*s", FMT(m->envid));
	if (offer->priority && m->priority)
		io_fmt(io, " MT-PRIORITY=%d", m->priority);
	if (offer->deliver_by && m->by)
		io_fmt(io, " BY=%lld;%c", (long long)m->by_time, m->by_return ? 'R' : 'N');
	io_fmt(io, "%s\r\n", m->require_tls ? " REQUIRETLS" : "");
}

/* RFC 3461 4.1 */
static void say_notify(struct io *io, unsigned notify)
{
	static const char *const words[] = { "NEVER", "SUCCESS", "FAILURE", "DELAY" };
	const char *before = " NOTIFY=";

	for (size_t i = 0; i < LENGTH(words); i++) {
		if (!(notify & 1u << i))
			continue;
		io_fmt(io, "%s%s", before, words[i]);
		before = ",";
	}
}

static void say_rcpt(struct tx *t, const struct client_rcpt *r)
{
	struct io *io = t->c->io;
	struct str to;

	(void)path_clean(t->c, r->to, &to);
	io_fmt(io, "RCPT TO:<%.*s>", FMT(to));
	if (t->c->offer.dsn) {
		say_notify(io, r->notify);
		/* "utf-8;" as it stands is for SMTPUTF8 alone: RFC 6533 3 */
		if (r->orcpt.n && (t->utf8 || str_ascii(r->orcpt)))
			io_fmt(io, " ORCPT=%.*s", FMT(r->orcpt));
	}
	io_put(io, S("\r\n"));
}

static void say(struct tx *t, size_t number)
{
	if (number == 0)
		say_mail(t);
	else if (number <= t->n)
		say_rcpt(t, t->to[number - 1]);
	else
		io_put(t->c->io, S("DATA\r\n"));
}

/* --- the replies --- */

/* RFC 5321 4.5.3.1.10: by 552 some mean that there are too many recipients, which is no fault of
 * this one; where an enhanced code says otherwise, that counts. */
static void judge_552(struct outcome *o)
{
	if (o->said.code == 552 && (!o->said.esc[0] || str_is(str_of(o->said.esc), "5.5.3")))
		o->verdict = TEMPORARY;
}

static void hear_rcpt(struct tx *t, struct client_rcpt *r, const struct outcome *o, bool good)
{
	r->said = o->said;
	if (good) {
		t->accepted += undecided(r);
		return;
	}
	if (!undecided(r))
		return;
	r->out = *o;
	judge_552(&r->out);
}

/* Takes the reply to one command. False: the connection is dead and all is decided. */
static bool hear(struct tx *t, size_t number)
{
	enum client_stage at = number == 0 ? AT_MAIL : number <= t->n ? AT_RCPT : AT_DATA;
	struct outcome o;
	bool good = client_expect(t->c, at, t->a, at == AT_DATA ? 3 : 2, &o);

	if (at == AT_RCPT)
		hear_rcpt(t, t->to[number - 1], &o, good);
	else
		t->m->said[at] = o.said;
	if (at == AT_MAIL)
		t->mail_taken = good;
	if (at == AT_DATA)
		t->data_taken = good;
	if (!good && (at != AT_RCPT || t->c->dead))
		fate(t, &o);
	return !t->c->dead;
}

/* Is there any use in this command? */
static bool useful(const struct tx *t, size_t number)
{
	return number == 0 || (t->mail_taken && (number <= t->n || t->accepted));
}

/* False: the connection is dead. */
static bool envelope(struct tx *t)
{
	const struct smtp_client *c = t->c;
	size_t together = c->offer.pipelining && !c->conf.no_pipelining ? TOGETHER : 1;
	size_t all = t->n + (t->bdat ? 1 : 2), said = 0, heard = 0;

	while (heard < all && useful(t, heard)) {
		client_deadline(t->c, c->conf.times.mail);
		while (said < all && said - heard < together)
			say(t, said++);
		while (heard < said)
			if (!hear(t, heard++))
				return false;
	}
	return true;
}

/* RFC 2920 3.1: told to go on with nobody to send to, one says nothing. */
static void say_nothing(struct tx *t)
{
	struct outcome o;

	io_put(t->c->io, S(".\r\n"));
	(void)client_expect(t->c, AT_BODY, t->a, 2, &o);
	t->m->said[AT_BODY] = o.said;
}

static bool reset(struct tx *t)
{
	struct outcome o;

	if (!t->c->dirty)
		return true;
	io_put(t->c->io, S("RSET\r\n"));
	bool good = client_expect(t->c, AT_RESET, t->a, 2, &o);

	t->m->said[AT_RESET] = o.said;
	if (!good) {
		t->c->dead = true; /* what state it is in nobody knows */
		return fate(t, &o);
	}
	t->c->dirty = false;
	return true;
}

static void transact(struct tx *t)
{
	struct smtp_client *c = t->c;
	struct outcome o = { .stage = AT_RESET };

	/* A connection that was kept and has ended meanwhile is no fault of this message. */
	if (!client_quiet(c, &o)) {
		if (!c->messages)
			fate(t, &o);
		return;
	}
	if (!reset(t))
		return;
	c->messages++;
	c->dirty = true;
	t->m->dsn_told = c->offer.dsn;
	if (!envelope(t))
		return;
	bool somebody = t->mail_taken && t->accepted;

	if (somebody && (t->bdat || t->data_taken)) {
		client_body(c, t->m, t->bdat, t->a, &o);
		t->m->said[AT_BODY] = o.said;
		fate(t, &o);
	} else if (t->data_taken) {
		say_nothing(t);
	}
}

void smtp_client_send(struct smtp_client *c, struct client_mail *m, struct arena *a)
{
	struct tx t = { .c = c, .m = m, .a = a };

	m->dsn_told = false;
	for (size_t i = 0; i < CLIENT_STAGES; i++)
		m->said[i] = (struct answer){ 0 };
	for (size_t i = 0; i < m->nrcpt; i++) {
		m->rcpt[i].said = (struct answer){ 0 };
		m->rcpt[i].out = (struct outcome){ 0 };
	}
	if (!smtp_client_ready(c) || !m->nrcpt)
		return;
	int64_t octets_ms = (int64_t)(m->size / c->conf.times.rate) * 1000;

	c->until = clock_in(c->conf.times.message_ms);
	c->until = c->until > NEVER - octets_ms ? NEVER : c->until + octets_ms;
	t.to = ARENA_ARRAY(a, struct client_rcpt *, m->nrcpt);
	if (prepare(&t))
		transact(&t);
}
