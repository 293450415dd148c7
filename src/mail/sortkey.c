/* SPDX-License-Identifier: ISC */
#include <unicase.h>
#include <uninorm.h>

#include "base/encode.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/mime_priv.h"
#include "mail/sortkey.h"

enum {
	WHOLE_MAX = 4 * SUBJECT_MAX, /* octets of a text that is hashed */
	FIELD_MAX = 4096,            /* octets of an address field: only the first one counts */
};

/* --- texts --- */

/* Appends a character decomposed as far as it goes, each octet in its place or none of them. */
static void decompose(struct buf *b, ucs4_t c)
{
	ucs4_t parts[UC_DECOMPOSITION_MAX_LENGTH];
	int tag, n = uc_decomposition(c, &tag, parts);
	char octets[4];

	if (n <= 0)
		buf_put(b, STR(octets, utf8_put(octets, c)));
	for (int i = 0; i < n; i++)
		decompose(b, parts[i]);
}

/* What is no UTF-8 becomes U+FFFD. RFC 5051 2 */
struct str sort_text(struct arena *a, struct str utf8, size_t max)
{
	struct buf b = buf_new(max);

	while (utf8.n && !b.full) {
		if ((unsigned char)*utf8.p < 128) {
			buf_c(&b, ascii_upper(*utf8.p));
			utf8 = str_from(utf8, 1);
			continue;
		}
		uint32_t c = utf8_next(&utf8);

		decompose(&b, uc_totitle(c == UINT32_MAX ? 0xfffd : c));
	}
	struct str out = str_dup(a, buf_str(&b));

	buf_free(&b);
	return out;
}

/* "a"@b and a@b are one; in quotes a character may have a backslash before it. */
uint64_t sort_msgid(struct arena *a, struct str id)
{
	char *plain = arena_alloc(a, id.n);
	size_t n = 0;

	for (size_t i = 0; i < id.n; i++) {
		if (id.p[i] == '"')
			continue;
		if (id.p[i] == '\\' && i + 1 < id.n)
			i++;
		plain[n++] = id.p[i];
	}
	return mail_hash(STR(plain, n));
}

/* --- making one --- */

static struct address first_address(struct arena *a, struct str field)
{
	struct address *list = address_list(a, str_part(field, 0, FIELD_MAX));

	return list ? *list : (struct address){ 0 };
}

static struct str mailbox(struct arena *a, const struct address *at)
{
	return sort_text(a, at->mailbox, SORT_TEXT_MAX);
}

/* RFC 5957 3 */
static struct str display(struct arena *a, const struct address *at)
{
	struct str name = header_decode(a, at->name);

	if (!name.n && at->domain.p)
		name = str_fmt(a, "%.*s@%.*s", FMT(at->mailbox), FMT(at->domain));
	else if (!name.n)
		name = at->mailbox;
	return sort_text(a, name, SORT_TEXT_MAX);
}

/* A message that begins its thread refers to nothing: the summary says so. */
bool sortkey_wants_header(const struct summary *sum)
{
	return sum->thread && !(sum->message_id.n && sum->thread == mail_hash(sum->message_id));
}

static void add_ref(struct sortkey *k, uint64_t ref)
{
	if (k->nrefs == SORT_REFS_MAX) {
		memmove(k->refs + 1, k->refs + 2, (SORT_REFS_MAX - 2) * sizeof *k->refs);
		k->nrefs--;
	}
	k->refs[k->nrefs++] = ref;
}

/* All of References, else the first of In-Reply-To: RFC 5256 "REFERENCES". */
static void references(struct arena *a, struct str header, struct sortkey *k)
{
	struct field f;
	size_t n = 0;
	struct str *ids = NULL;

	if (field_find(header, "References", &f))
		ids = header_msgids(a, f.body, SIZE_MAX, &n);
	if (n == 0 && field_find(header, "In-Reply-To", &f))
		ids = header_msgids(a, f.body, 1, &n);
	for (size_t i = 0; i < n; i++)
		add_ref(k, sort_msgid(a, ids[i]));
}

void sortkey_make(struct arena *a, const struct summary *sum, struct str header,
		  struct sortkey *out)
{
	struct sortkey k = { .sent = sum->sent };
	struct str subject = header_decode(a, str_part(sum->subject, 0, SUBJECT_MAX));
	struct address from = first_address(a, sum->from), to = first_address(a, sum->to),
		       cc = first_address(a, sum->cc);
	struct str base = sort_text(a, subject_base(a, subject, &k.reply), WHOLE_MAX);

	k.base = str_part(base, 0, SORT_TEXT_MAX);
	k.subject = base.n ? mail_hash(base) : 0;
	k.id = sum->message_id.n ? sort_msgid(a, sum->message_id) : 0;
	k.from = mailbox(a, &from);
	k.to = mailbox(a, &to);
	k.cc = mailbox(a, &cc);
	k.display_from = display(a, &from);
	k.display_to = display(a, &to);
	references(a, header, &k);
	*out = k;
}

void sortkey_dup(struct arena *a, struct sortkey *k)
{
	struct str *texts[] = {
		&k->base, &k->from, &k->to, &k->cc, &k->display_from, &k->display_to
	};

	for (size_t i = 0; i < LENGTH(texts); i++)
		*texts[i] = str_dup(a, *texts[i]);
}

/* --- as octets: numbers are little-endian, a text is u8 length and octets --- */

static void put_text(struct buf *b, struct str s)
{
	BUG_IF(s.n > SORT_TEXT_MAX);
	buf_u8(b, (uint8_t)s.n);
	buf_put(b, s);
}

void sortkey_put(struct buf *b, const struct sortkey *k)
{
	buf_u64(b, (uint64_t)k->sent);
	buf_u64(b, k->id);
	buf_u64(b, k->subject);
	buf_u8(b, k->reply);
	buf_u8(b, (uint8_t)k->nrefs);
	for (size_t i = 0; i < k->nrefs; i++)
		buf_u64(b, k->refs[i]);
	put_text(b, k->base);
	put_text(b, k->from);
	put_text(b, k->to);
	put_text(b, k->cc);
	put_text(b, k->display_from);
	put_text(b, k->display_to);
}

static struct str scan_text(struct scan *in)
{
	uint8_t n = scan_u8(in);

	if (n > SORT_TEXT_MAX)
		scan_fail(in);
	return scan_take(in, n);
}

void sortkey_scan(struct scan *in, struct sortkey *out)
{
	struct sortkey *k = out;

	k->sent = (int64_t)scan_u64(in);
	k->id = scan_u64(in);
	k->subject = scan_u64(in);
	uint8_t reply = scan_u8(in);

	k->reply = reply;
	k->nrefs = scan_u8(in);
	if (reply > 1 || k->nrefs > SORT_REFS_MAX) {
		scan_fail(in);
		k->nrefs = 0;
	}
	for (size_t i = 0; i < k->nrefs; i++)
		k->refs[i] = scan_u64(in);
	k->base = scan_text(in);
	k->from = scan_text(in);
	k->to = scan_text(in);
	k->cc = scan_text(in);
	k->display_from = scan_text(in);
	k->display_to = scan_text(in);
}
