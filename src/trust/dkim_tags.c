/* SPDX-License-Identifier: ISC */
/* Lists of tags (RFC 6376 3.2), and what a signature (3.5) and a key (3.6.1) say with them. */
#include "base/buf.h"
#include "base/encode.h"
#include "mail/address.h"
#include "trust/dkim_priv.h"

enum { TAGS_MAX = 32, KEY_OCTETS_MAX = 4096 };

struct tag {
	struct str name, value;
};
struct tags {
	struct tag tag[TAGS_MAX];
	size_t n;
};

static bool name_char(char c)
{
	return ascii_alpha(c) || ascii_digit(c) || c == '_';
}

static bool tags_read(struct str text, struct tags *out)
{
	struct str rest = str_trim(text);

	out->n = 0;
	while (rest.n) {
		size_t end = str_find(rest, ';');
		struct str part = str_part(rest, 0, end);
		size_t eq = str_find(part, '=');
		struct tag t = { str_trim(str_part(part, 0, eq)),
				 str_trim(str_from(part, eq + 1)) };
		struct scan in = scan(t.name);

		scan_span(&in, name_char);
		if (eq == part.n || !t.name.n || !scan_end(&in) || !ascii_alpha(*t.name.p) ||
		    out->n == TAGS_MAX)
			return false;
		for (size_t i = 0; i < out->n; i++) /* a second one: the list is invalid */
			if (str_eq(out->tag[i].name, t.name))
				return false;
		out->tag[out->n++] = t;
		rest = str_trim(str_from(rest, end + 1));
	}
	return out->n > 0;
}

/* S_NONE where it is not there. */
static struct str tag(const struct tags *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_is(t->tag[i].name, name))
			return t->tag[i].value;
	return S_NONE;
}

/* Without the white space that folding may put anywhere. */
static struct str packed(struct arena *a, struct str text)
{
	char *p = arena_alloc(a, text.n);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		if (!str_has(S(" \t\r\n"), text.p[i]))
			p[n++] = text.p[i];
	return STR(p, n);
}

static bool decoded(struct arena *a, struct str text, struct str *out)
{
	return base64_decode(a, packed(a, text), out);
}

/* A time or a length; what is not given stays as it is. */
static bool number(const struct tags *t, const char *name, int64_t *out)
{
	struct str text = tag(t, name);
	struct scan in = scan(text);

	if (!text.p)
		return true;
	*out = (int64_t)scan_num(&in, INT64_MAX);
	return scan_end(&in);
}

/* Is the word in the list, colons between? */
static bool listed(struct str list, const char *word)
{
	while (list.n) {
		size_t end = str_find(list, ':');

		if (str_iis(str_trim(str_part(list, 0, end)), word))
			return true;
		list = str_from(list, end + 1);
	}
	return false;
}

static bool algorithm_of(struct str text, enum dkim_algorithm *out)
{
	*out = str_iis(text, "ed25519-sha256") ? DKIM_ED25519 : DKIM_RSA;
	return str_iis(text, dkim_algorithm_word(*out));
}

/* "relaxed/simple"; the second is simple where it is not given. */
static bool forms(struct str text, struct dkim_signature *out)
{
	size_t slash = str_find(text, '/');
	struct str head = str_part(text, 0, slash), body = str_from(text, slash + 1);

	if (!text.p)
		return true;
	out->relaxed_header = str_iis(head, "relaxed");
	out->relaxed_body = str_iis(body, "relaxed");
	return (out->relaxed_header || str_iis(head, "simple")) &&
	       (out->relaxed_body || str_iis(body, "simple") || slash == text.n);
}

/* Is it the domain, or below it? */
static bool is_within(struct str name, struct str domain)
{
	if (name.n <= domain.n)
		return str_ieq(name, domain);
	return str_ieq(str_from(name, name.n - domain.n), domain) &&
	       name.p[name.n - domain.n - 1] == '.';
}

/* Each name costs a look through the header. */
static bool is_fields(struct str list)
{
	size_t n = 1;

	for (size_t i = 0; i < list.n; i++)
		n += list.p[i] == ':';
	return n <= DKIM_NAMES_MAX && listed(list, "from");
}

/* A selector is labels with dots between: RFC 6376 3.1. What is neither would be asked of the DNS.
 */
static bool is_name(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!name_char(text.p[i]) && text.p[i] != '-' && text.p[i] != '.')
			return false;
	return text.n > 0 && text.n <= 253 && !str_starts(text, S(".")) && !str_ends(text, S("."));
}

enum err dkim_parse(struct arena *a, struct str field, struct dkim_signature *out)
{
	struct tags t;
	int64_t limit = -1;

	*out = (struct dkim_signature){ .when = -1, .expires = -1 };
	if (!tags_read(field, &t))
		return E_SYNTAX;
	if (!str_is(tag(&t, "v"), "1") || !algorithm_of(tag(&t, "a"), &out->algorithm))
		return E_VERSION;
	struct str query = tag(&t, "q");
	if (query.p && !listed(query, "dns/txt"))
		return E_VERSION;
	out->domain = str_lower(a, packed(a, tag(&t, "d")));
	out->selector = str_lower(a, packed(a, tag(&t, "s")));
	out->fields = packed(a, tag(&t, "h"));
	out->identity = tag(&t, "i");
	if (!out->identity.p)
		out->identity = str_fmt(a, "@%.*s", FMT(out->domain));
	size_t at = str_rfind(out->identity, '@');
	bool good = is_name(out->domain) && is_name(out->selector) && at < out->identity.n &&
		    is_within(str_from(out->identity, at + 1), out->domain) &&
		    is_fields(out->fields) && forms(tag(&t, "c"), out) &&
		    decoded(a, tag(&t, "b"), &out->signature) && out->signature.n &&
		    decoded(a, tag(&t, "bh"), &out->body) && out->body.n == DKIM_DIGEST &&
		    number(&t, "t", &out->when) && number(&t, "x", &out->expires) &&
		    number(&t, "l", &limit);
	out->limit = limit < 0 ? UINT64_MAX : (uint64_t)limit;
	if (out->when >= 0 && out->expires >= 0 && out->expires <= out->when)
		good = false;
	return good ? OK : E_SYNTAX;
}

enum err dkim_key_parse(struct arena *a, struct str text, struct dkim_key *out)
{
	return dkim_key_parse_for(a, text, "email", out);
}

enum err dkim_key_parse_for(struct arena *a, struct str text, const char *service,
			    struct dkim_key *out)
{
	struct tags t;

	*out = (struct dkim_key){ .algorithm = DKIM_RSA };
	if (text.n > KEY_OCTETS_MAX || !tags_read(text, &t))
		return E_SYNTAX;
	struct str v = tag(&t, "v"), k = tag(&t, "k"), h = tag(&t, "h"), s = tag(&t, "s");
	if (v.p && !(str_is(v, "DKIM1") && str_is(t.tag[0].name, "v")))
		return E_VERSION;
	if (k.p && str_iis(k, "ed25519"))
		out->algorithm = DKIM_ED25519;
	else if (k.p && !str_iis(k, "rsa"))
		return E_VERSION;
	if ((h.p && !listed(h, "sha256")) ||
	    (s.p && !listed(s, "*") && !listed(s, "email") && !listed(s, service)))
		return E_VERSION;
	struct str p = tag(&t, "p");
	if (!p.p || !decoded(a, p, &out->key))
		return E_SYNTAX;
	out->testing = listed(tag(&t, "t"), "y");
	out->strict = listed(tag(&t, "t"), "s");
	return OK;
}

struct str dkim_key_record(struct arena *a, enum dkim_algorithm algorithm, struct str key)
{
	struct str p = base64_encode(a, key);

	return str_fmt(a, "v=DKIM1; k=%s; p=%.*s", algorithm == DKIM_RSA ? "rsa" : "ed25519",
		       FMT(p));
}
