/* SPDX-License-Identifier: ISC */
#include "courier/tlsrpt_read.h"

#include <jansson.h>
#include <zlib.h>

#include "base/encode.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/mime.h"

enum { DAY_S = 86400, GUNZIP = 16 + MAX_WBITS, PLAIN_TEXT_MAX = 128, DOMAIN_MAX = 253 };

/* --- the mail --- */

/* RFC 8460 6.4, 6.5, and what others call the same. */
static const struct {
	const char *subtype;
	bool packed;
} types[] = {
	{ "TLSRPT+GZIP", true }, { "TLSRPT+JSON", false }, { "GZIP", true },
	{ "X-GZIP", true },      { "JSON", false },
};

static const struct mime_part *find(const struct mime_part *p, bool *packed)
{
	const struct mime_part *found = NULL;

	if (p->kind == MIME_LEAF && str_is(p->type, "APPLICATION"))
		for (size_t i = 0; i < LENGTH(types); i++) {
			if (!str_is(p->subtype, types[i].subtype))
				continue;
			*packed = types[i].packed;
			return p;
		}
	if (p->kind == MIME_MULTIPART) /* bounded: MIME_DEPTH_MAX */
		for (p = p->first; p && !found; p = p->next)
			found = find(p, packed);
	return found;
}

static enum err gunzip(struct arena *a, struct str in, struct str *out)
{
	z_stream z = { 0 };
	char *p = arena_alloc(a, TLSRPT_JSON_MAX + 1);

	BUG_IF(inflateInit2(&z, GUNZIP) != Z_OK);
	z.next_in = (Bytef *)(uintptr_t)in.p;
	z.avail_in = (uInt)in.n;
	z.next_out = (Bytef *)p;
	z.avail_out = TLSRPT_JSON_MAX + 1;
	int got = inflate(&z, Z_FINISH);
	*out = STR(p, z.total_out);
	inflateEnd(&z);
	if (out->n > TLSRPT_JSON_MAX)
		return E_LIMIT;
	return got == Z_STREAM_END ? OK : E_SYNTAX;
}

enum err tlsrpt_read_mail(struct arena *a, struct str mail, struct str *json)
{
	struct mime_parser *parser = mime_parser_new(a);
	bool packed = false;

	if (mail.n > TLSRPT_MAIL_MAX)
		return E_LIMIT;
	mime_feed(parser, mail);
	const struct mime_part *root = mime_end(parser), *p = find(root, &packed);
	if (!p)
		return E_NOTFOUND;
	struct str body = str_part(mail, p->body_off, p->body_size);
	body = cte_decode(a, p->encoding, body, TLSRPT_MAIL_MAX);
	if (packed)
		return gunzip(a, body, json);
	*json = body;
	return body.n > TLSRPT_JSON_MAX ? E_LIMIT : OK;
}

/* --- JSON --- */

/* Before the library, which recurses and takes memory for each value, sees it. */
static bool is_bounded(struct str text)
{
	size_t depth = 0, values = 0;
	bool quoted = false;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (quoted) {
			i += c == '\\';
			quoted = c != '"';
			continue;
		}
		quoted = c == '"';
		values += c == ',' || c == '[' || c == '{';
		if (c == '[' || c == '{')
			depth++;
		else if ((c == ']' || c == '}') && depth)
			depth--;
		if (depth > TLSRPT_DEPTH_MAX || values > TLSRPT_VALUES_MAX)
			return false;
	}
	return true;
}

static struct str text_of(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_string(v) ? STR(json_string_value(v), json_string_length(v)) : S("");
}

/* For people: no control characters, no line ends, and not long. */
static struct str plain(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, PLAIN_TEXT_MAX + 4);
	size_t n = 0;

	while (s.n && n < PLAIN_TEXT_MAX) {
		uint32_t c = utf8_next(&s);

		n += utf8_put(p + n, utf8_harmless(c) ? c : ' ');
	}
	return STR(p, n);
}

static bool is_name(char c)
{
	return ascii_alpha(c) || ascii_digit(c) || c == '-' || c == '.' || c == '_' || c == '*';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || ascii_digit(c) || c == '-';
}

/* A name of a host or domain; "" if it is none. */
static struct str name(struct arena *a, struct str s)
{
	struct scan in = scan(s);

	scan_span(&in, is_name);
	return scan_end(&in) && s.n <= DOMAIN_MAX ? str_lower(a, s) : S("");
}

static struct str word(struct arena *a, struct str s)
{
	struct scan in = scan(s);

	scan_span(&in, is_word);
	return s.n && s.n <= TLSRPT_WORD_MAX && scan_end(&in) ? str_dup(a, s) : S("other");
}

static uint64_t count(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	json_int_t n = json_is_integer(v) ? json_integer_value(v) : 0;

	return n < 0 ? 0 : n > TLSRPT_SESSIONS_MAX ? TLSRPT_SESSIONS_MAX : (uint64_t)n;
}

static void take_failures(struct arena *a, const json_t *list, struct tlsrpt_got_policy *out)
{
	size_t n = json_array_size(list);

	if (n > TLSRPT_GOT_FAILURES_MAX)
		n = TLSRPT_GOT_FAILURES_MAX;
	out->failure = ARENA_ARRAY(a, struct tlsrpt_failure, n);
	for (size_t i = 0; i < n; i++) {
		const json_t *f = json_array_get(list, i);

		out->failure[out->n++] = (struct tlsrpt_failure){
			.word = word(a, text_of(f, "result-type")),
			.mx = name(a, text_of(f, "receiving-mx-hostname")),
			.sessions = count(f, "failed-session-count"),
		};
	}
}

static bool take_policy(struct arena *a, const json_t *p, struct tlsrpt_got_policy *out)
{
	const json_t *summary = json_object_get(p, "summary");

	out->domain = name(a, text_of(json_object_get(p, "policy"), "policy-domain"));
	out->good = count(summary, "total-successful-session-count");
	out->bad = count(summary, "total-failure-session-count");
	take_failures(a, json_object_get(p, "failure-details"), out);
	return out->domain.n && json_is_object(summary);
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a + b < TLSRPT_SESSIONS_MAX ? a + b : TLSRPT_SESSIONS_MAX;
}

/* One domain may have several kinds of policies in a report (RFC 8460 4.4): their sessions are
 * counted together. False: it is the first one of its domain. */
static bool add_policy(struct arena *a, struct tlsrpt_got *r, const struct tlsrpt_got_policy *p)
{
	struct tlsrpt_got_policy *to = r->policy;
	struct tlsrpt_failure *all;
	size_t n;

	while (to < r->policy + r->n && !str_eq(to->domain, p->domain))
		to++;
	if (to == r->policy + r->n)
		return false;
	n = to->n + p->n < TLSRPT_GOT_FAILURES_MAX ? to->n + p->n : TLSRPT_GOT_FAILURES_MAX;
	all = ARENA_ARRAY(a, struct tlsrpt_failure, n);
	for (size_t i = 0; i < n; i++)
		all[i] = i < to->n ? to->failure[i] : p->failure[i - to->n];
	*to = (struct tlsrpt_got_policy){ to->domain, sum(to->good, p->good), sum(to->bad, p->bad),
					  n, all };
	return true;
}

/* "2016-04-01T00:00:00Z"; its day. */
static bool take_day(struct str text, uint32_t *day)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct scan in = scan(text);
	char date[16];
	int64_t utc;

	unsigned y = (unsigned)scan_num(&in, 9999);
	scan_lit(&in, "-");
	unsigned m = (unsigned)scan_num(&in, 12);
	scan_lit(&in, "-");
	unsigned d = (unsigned)scan_num(&in, 31);
	if (in.bad || !m || y < 2000)
		return false;
	snprintf(date, sizeof date, "%u-%s-%04u", d, months[m - 1], y);
	if (date_imap_day(str_of(date), &utc))
		return false;
	*day = (uint32_t)(utc / DAY_S);
	return true;
}

static enum err take_report(struct arena *a, const json_t *j, struct tlsrpt_got *out)
{
	const json_t *list = json_object_get(j, "policies");
	size_t n = json_array_size(list);

	out->organization = plain(a, text_of(j, "organization-name"));
	out->id = plain(a, text_of(j, "report-id"));
	if (!json_is_array(list) || !out->id.n ||
	    !take_day(text_of(json_object_get(j, "date-range"), "start-datetime"), &out->day))
		return E_SYNTAX;
	if (n > TLSRPT_GOT_POLICIES_MAX)
		n = TLSRPT_GOT_POLICIES_MAX;
	out->policy = ARENA_ARRAY(a, struct tlsrpt_got_policy, n);
	for (size_t i = 0; i < n; i++) {
		struct tlsrpt_got_policy *p = &out->policy[out->n];

		if (take_policy(a, json_array_get(list, i), p) && !add_policy(a, out, p))
			out->n++;
	}
	return out->n ? OK : E_SYNTAX;
}

enum err tlsrpt_read_json(struct arena *a, struct str json, struct tlsrpt_got *out)
{
	json_error_t why;

	*out = (struct tlsrpt_got){ 0 };
	if (json.n > TLSRPT_JSON_MAX || !is_bounded(json))
		return E_LIMIT;
	json_t *j = json_loadb(json.p ? json.p : "", json.n, JSON_ALLOW_NUL, &why);
	if (!j)
		return E_SYNTAX;
	enum err e = take_report(a, j, out);
	json_decref(j);
	return e;
}
