/* SPDX-License-Identifier: ISC */
#include <endian.h>

#include "mail/date.h"
#include "mail/mime_priv.h"

/*
 * The summary, version 1. Numbers are little-endian, a blob is u32 length and octets:
 *
 *   u8 version, u64 thread, u64 sent, u32 sent_zone (both two's complement), then blobs:
 *   envelope, body, bodystructure, subject, message_id, from, to, cc, parts
 *
 * parts is the tree in preorder. A part is
 *
 *   u32 octets of this part with all below it, these four included
 *   u8 kind, u8 length and octets of the encoding
 *   u64 header_off, u64 header_size, u64 body_size; the body follows the header
 *
 * A format that differs in anything gets another version: what is stored stays readable.
 */
enum { VERSION = 1, ENCODING_MAX = 32 };

/* What a field keeps if a summary would pass SUMMARY_MAX. */
enum { FIELD_CUT = 4096 };

/* --- threads --- */

/*
 * FNV-1a, 64 bits. Written out here and not taken from base: the ids are stored, so this
 * function is part of the format and never changes. 0 means "no ids", so it is no result.
 */
#if defined(__clang__)
__attribute__((no_sanitize("unsigned-integer-overflow")))
#endif
uint64_t
mail_hash(struct str s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	return h ? h : 1;
}

/* The first id of a field: in brackets, else (some programs forget them) a first word with "@". */
static struct str first_id(struct arena *a, struct str field)
{
	size_t n;
	struct str *ids = header_msgids(a, field, 1, &n);

	if (n)
		return ids[0];
	struct str word = str_trim(field);

	for (size_t i = 0; i < word.n; i++)
		if ((unsigned char)word.p[i] <= ' ')
			word.n = i;
	return str_has(word, '@') && !str_has(word, '<') ? word : S_NONE;
}

uint64_t thread_id(const struct envelope_fields *env)
{
	struct str fields[] = { env->references, env->in_reply_to, env->message_id };
	uint64_t id = 0;

	for (size_t i = 0; i < LENGTH(fields) && !id; i++) {
		struct arena *a = arena_new(fields[i].n + 1024);
		struct str root = first_id(a, fields[i]);

		if (root.n)
			id = mail_hash(root);
		arena_free(&a);
	}
	return id;
}

/* --- writing --- */

/* Room for a length that is known only when what it counts has been written. */
static size_t length_begin(struct buf *b)
{
	buf_u32(b, 0);
	return b->n;
}

static void length_end(struct buf *b, size_t begun, size_t extra)
{
	uint32_t n = htole32((uint32_t)(b->n - begun + extra));

	if (!b->full)
		memcpy(b->p + begun - sizeof n, &n, sizeof n);
}

static void part_put(struct buf *b, const struct mime_part *part)
{
	size_t begun = length_begin(b);
	struct str encoding = str_part(part->encoding, 0, ENCODING_MAX);

	buf_u8(b, (uint8_t)part->kind);
	buf_u8(b, (uint8_t)encoding.n);
	buf_put(b, encoding);
	buf_u64(b, part->header_off);
	buf_u64(b, part->header_size);
	buf_u64(b, part->body_size);
	for (const struct mime_part *c = part->first; c; c = c->next)
		part_put(b, c);
	length_end(b, begun, sizeof(uint32_t));
}

static void summary_put(struct buf *b, const struct mime_part *root, struct str message_id)
{
	const struct envelope_fields *env = root->env;
	struct date sent;
	bool dated = env->date.n && date_parse(env->date, &sent) == OK;
	size_t begun;

	buf_u8(b, VERSION);
	buf_u64(b, thread_id(env));
	buf_u64(b, (uint64_t)(dated ? sent.utc : INT64_MIN));
	buf_u32(b, dated ? (uint32_t)sent.zone : 0);
	begun = length_begin(b);
	imap_envelope(b, env);
	length_end(b, begun, 0);
	begun = length_begin(b);
	imap_body(b, root, false);
	length_end(b, begun, 0);
	begun = length_begin(b);
	imap_body(b, root, true);
	length_end(b, begun, 0);
	buf_blob(b, env->subject);
	buf_blob(b, message_id);
	buf_blob(b, env->from);
	buf_blob(b, env->to);
	buf_blob(b, env->cc);
	begun = length_begin(b);
	part_put(b, root);
	length_end(b, begun, 0);
}

/* The message as one leaf with short fields: what is left of one that was made to be large. */
static struct mime_part flat(const struct mime_part *root, struct envelope_fields *env)
{
	struct str *fields[] = { &env->date,        &env->subject,    &env->from,      &env->sender,
				 &env->reply_to,    &env->to,         &env->cc,        &env->bcc,
				 &env->in_reply_to, &env->message_id, &env->references };

	*env = *root->env;
	for (size_t i = 0; i < LENGTH(fields); i++)
		*fields[i] = str_part(*fields[i], 0, FIELD_CUT);
	return (struct mime_part){
		.kind = MIME_LEAF,
		.header_off = root->header_off,
		.header_size = root->header_size,
		.body_off = root->body_off,
		.body_size = root->body_size,
		.header_lines = root->header_lines,
		.body_lines = root->body_lines,
		.type = S("APPLICATION"),
		.subtype = S("OCTET-STREAM"),
		.encoding = str_part(root->encoding, 0, ENCODING_MAX),
		.env = env,
	};
}

struct str summary_make(struct arena *a, const struct mime_part *root)
{
	struct buf b = buf_new(SUMMARY_MAX);

	summary_put(&b, root, first_id(a, root->env->message_id));
	if (b.full) {
		struct envelope_fields env;
		struct mime_part small = flat(root, &env);

		buf_clear(&b);
		summary_put(&b, &small, first_id(a, env.message_id));
	}
	BUG_IF(b.full);
	struct str octets = str_dup(a, buf_str(&b));

	buf_free(&b);
	return octets;
}

/* --- reading --- */

enum err summary_open(struct str octets, struct summary *out)
{
	struct scan in = scan(octets);

	*out = (struct summary){ 0 };
	uint8_t version = scan_u8(&in);

	if (!in.bad && version != VERSION)
		return E_VERSION;
	struct summary s = { 0 };

	s.thread = scan_u64(&in);
	s.sent = (int64_t)scan_u64(&in);
	s.sent_zone = (int32_t)scan_u32(&in);
	s.envelope = scan_blob(&in);
	s.body = scan_blob(&in);
	s.bodystructure = scan_blob(&in);
	s.subject = scan_blob(&in);
	s.message_id = scan_blob(&in);
	s.from = scan_blob(&in);
	s.to = scan_blob(&in);
	s.cc = scan_blob(&in);
	s.parts = scan_blob(&in);
	if (!scan_end(&in))
		return E_CORRUPT;
	*out = s;
	return OK;
}

/* One part of the tree as it is stored. */
struct node {
	enum mime_kind kind;
	struct str encoding;
	uint64_t header_off, header_size, body_size;
	struct str below; /* its children, one behind the other */
};

/* Takes one part, with what is below it, off the list. */
static struct node node_next(struct scan *in)
{
	struct scan ahead = *in;
	uint32_t size = scan_u32(&ahead);
	struct scan at = scan(scan_take(in, size));
	struct node n = { 0 };

	scan_take(&at, sizeof size);
	uint8_t kind = scan_u8(&at);

	n.kind = (enum mime_kind)kind;
	n.encoding = scan_take(&at, scan_u8(&at));
	n.header_off = scan_u64(&at);
	n.header_size = scan_u64(&at);
	n.body_size = scan_u64(&at);
	n.below = at.rest;
	if (at.bad || kind > MIME_MESSAGE || n.header_size > INT64_MAX || n.header_off > INT64_MAX)
		scan_fail(in);
	return n;
}

/* Counts from 1; false: there are fewer. `bad` is left in the scanner by what makes no sense. */
static bool child(struct scan *below, uint32_t number, struct node *out)
{
	for (uint32_t i = 0; i < number; i++) {
		if (!scan_more(below))
			return false;
		*out = node_next(below);
	}
	return number > 0 && !below->bad;
}

/*
 * One step of a part number: RFC 3501 6.4.5. In a multipart it counts the children. A message
 * that is no multipart has one part, 1: its own body. `entity`: n stands for a message's content.
 */
static enum err step(struct node *n, bool *entity, uint32_t number)
{
	struct scan below = scan(n->below);

	if (!*entity && n->kind == MIME_MESSAGE) {
		*n = node_next(&below);
		if (below.bad)
			return E_CORRUPT;
		below = scan(n->below);
		*entity = true;
	}
	if (n->kind == MIME_MULTIPART) {
		*entity = false;
		return child(&below, number, n) ? OK : below.bad ? E_CORRUPT : E_NOTFOUND;
	}
	if (!*entity || number != 1)
		return E_NOTFOUND;
	*entity = false;
	return OK;
}

enum err summary_part(const struct summary *s, const uint32_t *path, size_t n,
		      struct part_info *out)
{
	struct scan tree = scan(s->parts);
	struct node at = node_next(&tree), inner;
	bool entity = true;

	*out = (struct part_info){ 0 };
	if (!scan_end(&tree))
		return E_CORRUPT;
	for (size_t i = 0; i < n; i++) {
		enum err e = step(&at, &entity, path[i]);

		if (e)
			return e;
	}
	inner = at;
	if (n && at.kind == MIME_MESSAGE) {
		struct scan below = scan(at.below);

		inner = node_next(&below);
		if (below.bad)
			return E_CORRUPT;
	}
	*out = (struct part_info){
		.kind = at.kind,
		.header_off = at.header_off,
		.header_size = at.header_size,
		.body_off = at.header_off + at.header_size,
		.body_size = at.body_size,
		.message = n == 0 || at.kind == MIME_MESSAGE,
		.encoding = at.encoding,
	};
	if (out->message) {
		out->msg_header_off = inner.header_off;
		out->msg_header_size = inner.header_size;
		out->msg_body_off = inner.header_off + inner.header_size;
		out->msg_body_size = inner.body_size;
	}
	return OK;
}
