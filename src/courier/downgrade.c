/* SPDX-License-Identifier: ISC */
#include "courier/downgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "courier/sign.h"
#include "mail/header.h"
#include "mail/recode.h"

enum {
	READ_MAX = 64 * 1024,
	HEAD_MAX = MIME_HEADER_MAX + 64,
	SIGN_MEMORY = MIME_HEADER_MAX + OWN_SIGN_MEMORY,
};

struct downgraded {
	struct str head; /* with the signatures; in a */
	struct arena *a; /* owned */
	int fd;          /* owned: the body */
	uint64_t body;   /* octets of it */
	char piece[READ_MAX];
};

struct making {
	struct store *store;
	struct keeper *keeper;
	struct blob_id blob;
	uint64_t skip;       /* octets of it, in front of the mail */
	struct arena *a;     /* owned: the tree and the recoder */
	struct arena *piece; /* owned; emptied for each */
	struct mime_parser *parser;
	uint64_t header; /* octets of it that are still to come */
	struct recoder *recoder;
	struct dkim_body *digest; /* owned */
	struct buf head, out;     /* owned */
	struct downgraded *d;
};

/* Calls fn for all octets of the message, in pieces. */
static enum err each_piece(struct making *m, enum err (*fn)(struct making *m, struct str octets))
{
	enum err e = OK;
	struct str octets;

	for (uint64_t off = m->skip; !e; off += octets.n) {
		arena_reset(m->piece);
		e = blob_read(m->store, m->blob, off, RECODE_PIECE, m->piece, &octets);
		if (!e && !octets.n)
			break;
		if (!e)
			e = fn(m, octets);
	}
	return e;
}

static enum err parse(struct making *m, struct str octets)
{
	mime_feed(m->parser, octets);
	return OK;
}

static enum err look(struct making *m, struct str octets)
{
	recode_look(m->recoder, octets);
	return OK;
}

static enum err put_body(struct making *m, struct str octets)
{
	struct downgraded *d = m->d;

	dkim_body_add(m->digest, octets);
	while (octets.n) {
		ssize_t n = pwrite(d->fd, octets.p, octets.n, (off_t)d->body);

		if (n <= 0)
			return errno == ENOSPC ? E_NOSPACE : E_IO;
		d->body += (uint64_t)n;
		octets = str_from(octets, (size_t)n);
	}
	return OK;
}

/* The header waits in memory for its signatures. */
static enum err write_out(struct making *m, struct str octets)
{
	struct str header =
		str_part(octets, 0, m->header < octets.n ? (size_t)m->header : octets.n);

	m->header -= header.n;
	recode_write(m->recoder, header, &m->out);
	buf_put(&m->head, buf_str(&m->out));
	recode_write(m->recoder, str_from(octets, header.n), &m->out);
	return m->head.full ? E_DENIED : put_body(m, buf_str(&m->out));
}

/* --- signatures --- */

/* Is this a signature of a domain of ours? Then *domain is that. */
static enum err is_own(struct making *m, const struct field *f, struct str *domain, bool *own)
{
	struct dkim_signature s;
	struct keeper_signers signers;

	*own = false;
	if (!str_iis(f->name, "DKIM-Signature") || dkim_parse(m->d->a, f->body, &s))
		return OK;
	struct path from = { .local = S("postmaster"), .domain = s.domain };
	enum err e = keeper_signers(m->keeper, 0, from, m->d->a, &signers);

	*own = !e && signers.n;
	if (*own)
		*domain = s.domain;
	return e == E_DENIED || e == E_NOTFOUND ? OK : e;
}

/* The header without signatures of ours, with new ones in front where there were some. */
static enum err sign_again(struct making *m)
{
	struct str rest = buf_str(&m->head), domain = S_NONE, fields = S("");
	struct buf kept = buf_new(HEAD_MAX);
	uint8_t body[DKIM_DIGEST];
	const char *from = rest.p, *end = rest.p + rest.n;
	struct field f;
	enum err e = OK;

	while (!e && field_next(&rest, &f)) {
		bool own;

		e = is_own(m, &f, &domain, &own);
		if (!own)
			continue;
		buf_put(&kept, STR(from, (size_t)(f.whole.p - from)));
		from = f.whole.p + f.whole.n;
	}
	buf_put(&kept, STR(from, (size_t)(end - from)));
	(void)dkim_body_end(m->digest, body);
	if (!e && domain.n)
		e = own_sign_body(m->keeper,
				  (struct path){ .local = S("postmaster"), .domain = domain },
				  buf_str(&kept), body, m->d->a, &fields);
	m->d->head = str_fmt(m->d->a, "%.*s%.*s", FMT(fields), FMT(buf_str(&kept)));
	buf_free(&kept);
	return e;
}

/* --- all of it --- */

static enum err make(struct making *m)
{
	m->parser = mime_parser_new(m->a);
	enum err e = each_piece(m, parse);

	if (e)
		return e;
	const struct mime_part *root = mime_end(m->parser);

	m->header = root->header_size;
	m->recoder = recoder_new(m->a, root);
	e = each_piece(m, look);
	if (!e)
		e = recode_begin(m->recoder);
	if (!e)
		e = each_piece(m, write_out);
	return e ? e : sign_again(m);
}

enum err downgrade_make(struct store *st, struct keeper *k, struct blob_id blob, uint64_t skip,
			struct str folder, struct downgraded **out)
{
	struct downgraded *d = NEW(struct downgraded);
	struct making m = {
		.store = st,
		.keeper = k,
		.blob = blob,
		.skip = skip,
		.a = arena_new(2 * (size_t)MIME_ARENA_MAX),
		.piece = arena_new(2 * RECODE_PIECE),
		.digest = dkim_body_new(true, UINT64_MAX),
		.head = buf_new(HEAD_MAX),
		.out = buf_new(RECODE_OUT),
		.d = d,
	};

	d->a = arena_new(SIGN_MEMORY + 4 * HEAD_MAX);
	d->fd = open(str_c(d->a, folder), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	enum err e = d->fd < 0 ? E_IO : make(&m);

	buf_free(&m.head);
	buf_free(&m.out);
	dkim_body_free(&m.digest);
	arena_free(&m.piece);
	arena_free(&m.a);
	if (e)
		downgrade_close(&d);
	*out = d;
	return e;
}

uint64_t downgrade_size(const struct downgraded *d)
{
	return d->head.n + d->body;
}

enum err downgrade_read(void *arg, uint64_t off, size_t max, struct str *out)
{
	struct downgraded *d = arg;

	if (off < d->head.n) {
		*out = str_part(str_from(d->head, (size_t)off), 0, max);
		return OK;
	}
	ssize_t n =
		pread(d->fd, d->piece, max < READ_MAX ? max : READ_MAX, (off_t)(off - d->head.n));

	*out = STR(d->piece, n > 0 ? (size_t)n : 0);
	return n < 0 ? E_IO : n ? OK : E_CORRUPT;
}

void downgrade_close(struct downgraded **d)
{
	if (!*d)
		return;
	if ((*d)->fd >= 0)
		close((*d)->fd);
	arena_free(&(*d)->a);
	free(*d);
	*d = NULL;
}
