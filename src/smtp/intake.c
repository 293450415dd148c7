/* SPDX-License-Identifier: ISC */
#include <sys/random.h>

#include <openssl/evp.h>

#include "base/encode.h"
#include "smtp/intake.h"
#include "smtp/partly.h"
#include "smtp/trace.h"

enum {
	TRACE_MAX = 4096, /* octets of our own fields */
	TIMES_MAX =
		3, /* that a mail is sent on, for aliases may lead here again, to several each */
};
static const char circles[] = "too many hops: this message runs in circles";

static void close_it(void *arg)
{
	struct intake *it = arg;

	incoming_close(&it->in);
	buf_free(&it->header);
	signing_close(&it->signing);
	EVP_MD_CTX_free(it->digest);
	it->digest = NULL;
}

void intake_refuse(struct intake *it, struct reply r)
{
	if (it->refused.code)
		return;
	it->refused = r;
	close_it(it);
}

static void put(struct intake *it, struct str octets)
{
	if (it->refused.code || !octets.n)
		return;
	enum err e =
		it->signing ? signing_take(it->signing, octets) : incoming_write(it->in, octets);

	if (e)
		intake_refuse(it, reply_err(e));
}

static struct str fresh_id(struct arena *a)
{
	uint8_t octets[8];

	BUG_IF(getrandom(octets, sizeof octets, 0) != sizeof octets);
	return hex_encode(a, STR((const char *)octets, sizeof octets));
}

static void put_trace(struct intake *it)
{
	struct smtp *s = it->s;
	struct tls_info tls = io_tls(s->io);
	struct trace t = {
		.from = s->mail.from,
		.helo = s->helo,
		.ip = io_peer(s->io).ip,
		.hostname = s->conf->hostname,
		.id = it->id,
		.lmtp = s->kind == SMTP_LMTP,
		.esmtp = s->esmtp,
		.utf8 = s->mail.utf8,
		.authenticated = s->authenticated,
		.tls_version = tls.on ? tls.version : NULL,
		.tls_cipher = tls.cipher,
		.tls_group = tls.group,
		.when = clock_wall(),
	};
	struct buf b = buf_new(TRACE_MAX);

	if (s->mail.prioritized)
		t.priority = str_c(s->tx, str_fmt(s->tx, "%d", s->mail.priority));
	if (s->nrcpt == 1)
		t.to = path_text(s->tx, s->first->args.to);
	trace_put(&b, &t, s->tx);
	BUG_IF(b.full);
	it->return_path = (uint32_t)str_find_str(buf_str(&b), S("\r\n")) + 2;
	put(it, buf_str(&b));
	buf_free(&b);
}

struct intake *intake_open(struct smtp *s)
{
	struct intake *it = ARENA_NEW(s->tx, struct intake);
	bool remembered = false;

	*it = (struct intake){
		.s = s,
		.in = incoming_new(s->srv->store),
		.id = fresh_id(s->tx),
		.header = buf_new(HEADER_MAX),
		.started = clock_ms(),
	};
	arena_cleanup(s->tx, close_it, it);

	enum err e = partly_any(s->srv->store, &remembered);

	if (e)
		intake_refuse(it, reply_err(e));
	else if (remembered || s->nto + s->naway > 1)
		it->digest = partly_digest();
	put_trace(it);
	return it;
}

/* The header of a submitted message is whole: only now it is known what it lacks. */
static void submitted(struct intake *it)
{
	struct buf text = buf_new(TRACE_MAX + HEADER_MAX);
	struct path author = { 0 };
	struct reply r = submit_header(it->s, buf_str(&it->header), it->id, &text, &author);

	if (!r.code && it->wish.unknown)
		r = reply(554, "5.6.0", "X-Tecsmail-Send is neither encrypted nor authenticated");
	if (!r.code) {
		wish_put(&text, buf_str(&it->header));
		it->signing = signing_open(it->s, author, buf_str(&text), &r);
	}
	if (r.code)
		intake_refuse(it, r);
	else if (!it->signing)
		put(it, buf_str(&text));
	buf_free(&text);
}

/* Two servers with an alias each that leads to the other's: where one leads to more than one, the
 * copies would double with each round until they have hops_max. */
static void sent_on(struct intake *it)
{
	if (trace_count(buf_str(&it->header), it->s->conf->hostname) >= TIMES_MAX)
		intake_refuse(it, reply(554, "5.4.6", circles));
}

static void header_whole(struct intake *it)
{
	it->wish = wish_look(buf_str(&it->header));
	if (is_submission(it->s)) {
		submitted(it);
	} else {
		it->wish.least = GUARANTEE_NONE; /* a field of our users, not of strangers */
		sent_on(it);
	}
	buf_free(&it->header);
}

/* Does anybody want to read it? Users' is looked at in any case; RFC 8689 4.1 wants that of all
 * that goes on. */
static bool header_matters(const struct intake *it)
{
	return is_submission(it->s) || it->s->naway;
}

static enum err put_signed(void *arg, struct str octets)
{
	struct intake *it = arg;

	return octets.n ? incoming_write(it->in, octets) : OK;
}

/* The last octet is there: signatures, then what waited for them. */
static void sign(struct intake *it)
{
	enum err e = signing_end(it->signing, put_signed, it);

	if (e)
		intake_refuse(it, reply_err(e));
	else
		signing_close(&it->signing);
}

static void take_header(struct intake *it, struct str octets)
{
	size_t n = head_feed(&it->head, octets);
	struct str header = str_part(octets, 0, n);

	it->header8 |= !str_ascii(header);
	it->body8 |= !str_ascii(str_from(octets, n));
	if (it->head.received > it->s->conf->hops_max) {
		intake_refuse(it, reply(554, "5.4.6", circles));
		return;
	}
	if (!is_submission(it->s))
		put(it, header);
	if (header_matters(it))
		buf_put(&it->header, header);
	if (it->header.full)
		intake_refuse(it, reply(554, "5.6.0", "the header is too large"));
	else if (it->head.ended && header_matters(it))
		header_whole(it);
	put(it, str_from(octets, n));
}

void intake_take(struct intake *it, struct str octets)
{
	it->size += octets.n;
	if (it->size > it->s->conf->message_max)
		intake_refuse(it, reply(552, "5.3.4", "message too large"));
	if (it->refused.code || !octets.n)
		return;
	if (it->digest)
		partly_digest_add(it->digest, octets);
	if (it->head.ended) {
		it->body8 |= !str_ascii(octets);
		put(it, octets);
	} else {
		take_header(it, octets);
	}
}

struct reply intake_finish(struct intake *it)
{
	if (it->s->mail.body != BODY_BINARYMIME && dots_bare(&it->dots))
		intake_refuse(it, reply(554, "5.6.0", "a line ends with CR or LF alone"));
	if (!it->refused.code && header_matters(it) && !it->head.ended)
		header_whole(it);
	if (!it->refused.code && it->signing)
		sign(it);
	if (!it->refused.code) {
		enum err e = incoming_finish(it->in);

		if (e)
			intake_refuse(it, reply_err(e));
	}
	return it->refused;
}
