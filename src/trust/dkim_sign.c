/* SPDX-License-Identifier: ISC */
/* trust/dkim_sign.c - which fields are signed, and the signature's own field: RFC 6376 3.5, 5.4. */
#include "base/encode.h"
#include "mail/header.h"
#include "trust/dkim_priv.h"

enum {
	SAME_MAX = 16, /* of one name that are signed, the last ones */
	COLUMNS = 76,
	FIELD_MAX = 16384,
};

/*
 * What readers see and programs go by. ONCE: named once more than it is there, so that none can be
 * added (RFC 6376 8.15). Those of lists are signed where they are there: RFC 8058 4 asks for two.
 */
enum { ONCE = 1 };
static const struct {
	const char *name;
	unsigned how;
} signed_fields[] = {
	{ "from", ONCE },
	{ "to", ONCE },
	{ "cc", ONCE },
	{ "subject", ONCE },
	{ "date", ONCE },
	{ "message-id", ONCE },
	{ "reply-to", ONCE },
	{ "mime-version", ONCE },
	{ "content-type", ONCE },
	{ "content-transfer-encoding", ONCE },
	{ "sender", 0 },
	{ "in-reply-to", 0 },
	{ "references", 0 },
	{ "resent-date", 0 },
	{ "resent-from", 0 },
	{ "resent-to", 0 },
	{ "resent-cc", 0 },
	{ "list-id", 0 },
	{ "list-help", 0 },
	{ "list-unsubscribe", 0 },
	{ "list-unsubscribe-post", 0 },
	{ "list-subscribe", 0 },
	{ "list-post", 0 },
	{ "list-owner", 0 },
	{ "list-archive", 0 },
	{ "autocrypt", 0 },
};

static size_t count(struct str header, const char *name)
{
	struct str rest = header;
	struct field f;
	size_t n = 0;

	while (field_next(&rest, &f))
		n += str_iis(f.name, name);
	return n < SAME_MAX ? n : SAME_MAX;
}

/* Text that may be folded between words: RFC 5322 2.2.3. */
struct folding {
	struct buf *out;
	size_t column;
};

static void word(struct folding *f, const char *sep, struct str text)
{
	if (f->column + strlen(sep) + text.n > COLUMNS) {
		buf_put(f->out, S("\r\n\t"));
		f->column = 8;
	} else {
		buf_put(f->out, str_of(sep));
		f->column += strlen(sep);
	}
	buf_put(f->out, text);
	f->column += text.n;
}

static void names(struct folding *f, struct str header)
{
	bool first = true;

	for (size_t i = 0; i < LENGTH(signed_fields); i++) {
		size_t n = count(header, signed_fields[i].name);

		if (signed_fields[i].how & ONCE)
			n++;
		while (n--) {
			if (!first)
				buf_c(f->out, ':');
			f->column += !first;
			first = false;
			word(f, "", str_of(signed_fields[i].name));
		}
	}
}

/* The names again, as dkim_header_digest wants them. */
static struct str between(struct arena *a, struct str text, size_t from)
{
	char *p = arena_alloc(a, text.n - from);
	size_t n = 0;

	for (size_t i = from; i < text.n; i++)
		if (!str_has(S(" \t\r\n"), text.p[i]))
			p[n++] = text.p[i];
	return STR(p, n);
}

struct str dkim_field(struct arena *a, const struct dkim_signing *s, uint8_t digest[DKIM_DIGEST])
{
	struct buf b = buf_new(FIELD_MAX);
	struct folding f = { &b, 0 };

	word(&f, "", str_fmt(a, "DKIM-Signature: v=1; a=%s;", dkim_algorithm_word(s->algorithm)));
	word(&f, " ", S("c=relaxed/relaxed;"));
	word(&f, " ", str_fmt(a, "d=%.*s;", FMT(s->domain)));
	word(&f, " ", str_fmt(a, "s=%.*s;", FMT(s->selector)));
	word(&f, " ", str_fmt(a, "t=%lld;", (long long)s->when));
	word(&f, " ", S("h="));
	size_t from = b.n;
	names(&f, s->header);
	struct str h = between(a, buf_str(&b), from);
	buf_c(&b, ';');
	f.column++;
	struct str bh = base64_encode(a, STR((const char *)s->body, DKIM_DIGEST));
	word(&f, " ", str_fmt(a, "bh=%.*s;", FMT(bh)));
	word(&f, " ", S("b="));
	BUG_IF(b.full);
	struct str field = str_dup(a, buf_str(&b));
	buf_free(&b);
	return dkim_header_digest(s->header, h, true, field, digest) ? S_NONE : field;
}

struct str dkim_signed(struct arena *a, struct str field, struct str signature)
{
	struct str text = base64_encode(a, signature);
	struct buf b = buf_new(FIELD_MAX);

	buf_put(&b, field);
	while (text.n) {
		buf_put(&b, S("\r\n\t"));
		buf_put(&b, str_part(text, 0, COLUMNS - 8));
		text = str_from(text, COLUMNS - 8);
	}
	buf_put(&b, S("\r\n"));
	BUG_IF(b.full);
	struct str out = str_dup(a, buf_str(&b));
	buf_free(&b);
	return out;
}
