/* SPDX-License-Identifier: ISC */
#include "base/encode.h"
#include "dns/rdata.h"
#include "trust/mta_sts.h"

enum { NAME_MAX_STS = 32 }; /* of a field that we do not know: RFC 8461 3.1 */

static bool alnum(char c)
{
	return ascii_alpha(c) || ascii_digit(c);
}

static bool wsp(char c)
{
	return c == ' ' || c == '\t';
}

static bool name_char(char c)
{
	return alnum(c) || c == '_' || c == '-' || c == '.';
}

static bool value_char(char c)
{
	return c > ' ' && c < 127 && c != '=' && c != ';';
}

static bool name_ok(struct str name)
{
	return name.n >= 1 && name.n <= NAME_MAX_STS && alnum(name.p[0]);
}

/* --- the record: RFC 8461 3.1 --- */

/* *WSP ";" *WSP */
static bool delimiter(struct scan *in)
{
	scan_span(in, wsp);
	bool found = scan_opt(in, ";");

	scan_span(in, wsp);
	return found;
}

static void field(struct scan *in, struct str *id)
{
	struct str name = scan_span(in, name_char);

	scan_lit(in, "=");
	bool is_id = str_is(name, "id");
	struct str value = is_id ? scan_span(in, alnum) : scan_span(in, value_char);

	if (!name_ok(name) || !value.n || (is_id && (value.n > MTA_STS_ID_MAX || id->n)))
		scan_fail(in);
	if (is_id)
		*id = value;
}

static bool record(struct str text, struct str *id)
{
	struct scan in = scan(str_from(text, sizeof "v=STSv1" - 1));

	*id = S_NONE;
	while (scan_more(&in)) {
		if (!delimiter(&in))
			scan_fail(&in);
		if (scan_more(&in))
			field(&in, id);
	}
	return scan_end(&in) && id->n;
}

/* Other records of the name are none of ours; what begins as one of ours counts, broken or not. */
static bool ours(struct str text)
{
	struct scan in = scan(str_from(text, sizeof "v=STSv1" - 1));

	return str_starts(text, S("v=STSv1")) && delimiter(&in);
}

enum err mta_sts_record(const struct str *txt, size_t n, struct str *id)
{
	size_t count = 0;
	bool good = false;

	*id = S_NONE;
	for (size_t i = 0; i < n; i++) {
		if (!ours(txt[i]))
			continue;
		count++;
		good = record(txt[i], id);
	}
	if (count == 1 && good)
		return OK;
	*id = S_NONE;
	return E_NOTFOUND;
}

/* --- the policy: RFC 8461 3.2 --- */

struct seen {
	bool version, mode, max_age;
};

/* ["*."] Domain */
static bool pattern_ok(struct str s)
{
	struct str domain = str_starts(s, S("*.")) ? str_from(s, 2) : s;

	return domain.n && dns_name_ok(domain) && !str_has(domain, '*') &&
	       !str_ends(domain, S("."));
}

static bool mode(struct str value, enum mta_sts_mode *out)
{
	static const char *const words[] = { "none", "testing", "enforce" };
	size_t i = 0;

	while (i < LENGTH(words) && !str_is(value, words[i]))
		i++;
	*out = (enum mta_sts_mode)i;
	return i < LENGTH(words);
}

static bool max_age(struct str value, uint32_t *out)
{
	struct scan in = scan(value);
	uint64_t n = scan_num(&in, UINT64_C(9999999999));

	*out = n < MTA_STS_AGE_MAX ? (uint32_t)n : MTA_STS_AGE_MAX;
	return scan_end(&in) && value.n <= 10;
}

/* Of a field that may stand there once the first one counts: RFC 8461 3.2. */
static bool first(bool *seen)
{
	bool is_first = !*seen;

	*seen = true;
	return is_first;
}

static bool known_field(struct arena *a, struct str name, struct str value, struct seen *seen,
			struct mta_sts *out)
{
	if (str_is(name, "version"))
		return !first(&seen->version) || str_is(value, "STSv1");
	if (str_is(name, "mode"))
		return !first(&seen->mode) || mode(value, &out->mode);
	if (str_is(name, "max_age"))
		return !first(&seen->max_age) || max_age(value, &out->max_age);
	if (!str_is(name, "mx"))
		return true;
	if (!pattern_ok(value))
		return false;
	if (out->nmx < MTA_STS_MX_MAX)
		out->mx[out->nmx] = str_lower(a, value);
	out->nmx++;
	return true;
}

static struct str trim_end(struct str s)
{
	while (s.n && wsp(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* One line without its end. */
static bool line(struct arena *a, struct str text, struct seen *seen, struct mta_sts *out)
{
	struct scan in = scan(trim_end(text));
	struct str name = scan_span(&in, name_char);

	if (!in.rest.n && !name.n) /* lenient about empty lines, as most are */
		return true;
	scan_lit(&in, ":");
	scan_span(&in, wsp);
	return !in.bad && name_ok(name) && utf8_ok(in.rest) &&
	       known_field(a, name, in.rest, seen, out);
}

enum err mta_sts_policy(struct arena *a, struct str file, struct mta_sts *out)
{
	struct scan in = scan(file);
	struct seen seen = { 0 };
	bool good = true;

	*out = (struct mta_sts){ .mode = MTA_STS_NONE };
	if (file.n > MTA_STS_FILE_MAX)
		return E_LIMIT;
	out->mx = ARENA_ARRAY(a, struct str, MTA_STS_MX_MAX);
	while (good && scan_more(&in)) {
		struct str text = scan_take(&in, str_find(in.rest, '\n'));

		scan_opt(&in, "\n");
		text.n -= str_ends(text, S("\r"));
		good = line(a, text, &seen, out);
	}
	if (!good || !seen.version || !seen.mode || !seen.max_age)
		return E_SYNTAX;
	if (out->nmx > MTA_STS_MX_MAX)
		return E_LIMIT;
	return out->nmx || out->mode == MTA_STS_NONE ? OK : E_SYNTAX;
}

/* The wildcard is one label, no more and no fewer: RFC 8461 4.1, RFC 6125 6.4.3. */
static bool matches(struct str pattern, struct str host)
{
	if (!str_starts(pattern, S("*.")))
		return str_ieq(pattern, host);
	size_t dot = str_find(host, '.');

	return dot > 0 && str_ieq(str_from(pattern, 1), str_from(host, dot));
}

bool mta_sts_knows(const struct mta_sts *policy, struct str host)
{
	bool known = false;

	host.n -= str_ends(host, S("."));
	for (size_t i = 0; i < policy->nmx && !known; i++)
		known = host.n && matches(policy->mx[i], host);
	return known;
}
