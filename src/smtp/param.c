/* SPDX-License-Identifier: ISC */
#include "smtp/param.h"
#include "base/encode.h"
#include "mail/date.h"

struct param_row {
	const char *name;
	bool valued;
	bool (*take)(struct str value, void *out); /* false: the value is not in the grammar */
	unsigned needs;                            /* PARAM_..., or always known */
};

static bool is_keyword(char c)
{
	return ascii_alpha(c) || ascii_digit(c) || c == '-';
}

/* esmtp-value: RFC 5321 4.1.2, and UTF-8 beyond it: RFC 6531 3.3, RFC 6533 3. */
static bool is_value(char c)
{
	return (unsigned char)c > ' ' && c != '=' && c != 0x7f;
}

/* xtext: RFC 3461 4, for printable ASCII. */
static bool xtext_ok(struct str s)
{
	struct scan in = scan(s);

	while (scan_more(&in)) {
		char c = scan_char(&in);
		uint64_t v = c == '+' ? scan_hex(&in, 2) : (unsigned char)c;

		if (v < ' ' || v > '~')
			return false;
	}
	return !in.bad;
}

static bool take_size(struct str value, void *out)
{
	struct scan in = scan(value);

	((struct mail_args *)out)->size = scan_num(&in, INT64_MAX);
	return scan_end(&in) && value.n <= 20;
}

static bool take_body(struct str value, void *out)
{
	struct mail_args *m = out;

	if (str_iis(value, "8BITMIME"))
		m->body = BODY_8BITMIME;
	else if (str_iis(value, "BINARYMIME"))
		m->body = BODY_BINARYMIME;
	else
		return str_iis(value, "7BIT");
	return true;
}

static bool take_utf8(struct str value, void *out)
{
	(void)value;
	return ((struct mail_args *)out)->utf8 = true;
}

static bool take_ret(struct str value, void *out)
{
	struct mail_args *m = out;

	m->ret = str_iis(value, "FULL") ? RET_FULL : RET_HDRS;
	return m->ret == RET_FULL || str_iis(value, "HDRS");
}

static bool take_envid(struct str value, void *out)
{
	((struct mail_args *)out)->envid = value;
	return value.n <= ENVID_MAX && xtext_ok(value);
}

/* Who the client says it submits for. Nobody here is trusted to say so: RFC 4954 5. */
static bool take_auth(struct str value, void *out)
{
	(void)out;
	return str_is(value, "<>") || xtext_ok(value);
}

static bool take_requiretls(struct str value, void *out)
{
	(void)value;
	return ((struct mail_args *)out)->requiretls = true;
}

/* One of the two, not both: RFC 4865 4. */
static bool take_holdfor(struct str value, void *out)
{
	struct mail_args *m = out;
	struct scan in = scan(value);
	bool twice = m->hold;

	m->hold = true;
	m->hold_for = (int64_t)scan_num(&in, 999999999);
	return scan_end(&in) && value.n <= 9 && !twice;
}

static bool take_holduntil(struct str value, void *out)
{
	struct mail_args *m = out;
	bool twice = m->hold;

	m->hold = true;
	return !date_iso_parse(value, &m->hold_until) && !twice;
}

/* by-time ";" by-mode [by-trace]: RFC 2852 4; what is to come back has some time. */
static bool take_by(struct str value, void *out)
{
	struct mail_args *m = out;
	struct scan in = scan(value);
	bool minus = scan_opt(&in, "-");

	if (!minus)
		scan_opt(&in, "+");
	size_t before = in.rest.n;

	m->by_time = (int64_t)scan_num(&in, 999999999) * (minus ? -1 : 1);
	if (before - in.rest.n > 9)
		scan_fail(&in);
	scan_lit(&in, ";");
	m->by_return = scan_at(&in, 'R') || scan_at(&in, 'r');
	if (!m->by_return && !scan_at(&in, 'N') && !scan_at(&in, 'n'))
		scan_fail(&in);
	scan_char(&in);
	m->by_trace = scan_opt(&in, "T") || scan_opt(&in, "t");
	m->by = true;
	return scan_end(&in) && (!m->by_return || m->by_time > 0);
}

static bool take_priority(struct str value, void *out)
{
	struct mail_args *m = out;
	struct scan in = scan(value);
	bool minus = scan_opt(&in, "-");
	size_t before = in.rest.n;
	int n = (int)scan_num(&in, PRIORITY_MAX);

	m->prioritized = true;
	m->priority = (int8_t)(minus ? -n : n);
	return before - in.rest.n == 1 && scan_end(&in) && !(minus && n == 0);
}

static bool take_notify(struct str value, void *out)
{
	static const char *const words[] = { "NEVER", "SUCCESS", "FAILURE", "DELAY" };
	struct rcpt_args *r = out;

	for (struct str rest = value;;) {
		size_t n = str_find(rest, ','), i = 0;

		while (i < LENGTH(words) && !str_iis(STR(rest.p, n), words[i]))
			i++;
		if (i == LENGTH(words))
			return false;
		r->notify |= 1u << i;
		if (n == rest.n)
			break;
		rest = str_from(rest, n + 1);
	}
	return !(r->notify & NOTIFY_NEVER) || r->notify == NOTIFY_NEVER;
}

static bool take_orcpt(struct str value, void *out)
{
	struct scan in = scan(value);
	struct str type = scan_until(&in, ';');

	((struct rcpt_args *)out)->orcpt = value;
	if (in.bad || type.n == 0 || in.rest.n == 0 || value.n > ORCPT_MAX)
		return false;
	return str_iis(type, "utf-8") || xtext_ok(in.rest);
}

static const struct param_row mail_params[] = {
	{ "SIZE", true, take_size },
	{ "BODY", true, take_body },
	{ "RET", true, take_ret, PARAM_DSN }, /* RFC 3461 4.3, 4.4 */
	{ "SMTPUTF8", false, take_utf8 },
	{ "ENVID", true, take_envid, PARAM_DSN },
	{ "AUTH", true, take_auth },
	{ "REQUIRETLS", false, take_requiretls, PARAM_REQUIRETLS }, /* RFC 8689 2 */
	{ "HOLDFOR", true, take_holdfor, PARAM_HOLD },              /* RFC 4865 4 */
	{ "HOLDUNTIL", true, take_holduntil, PARAM_HOLD },
	{ "BY", true, take_by, PARAM_BY },                      /* RFC 2852 4 */
	{ "MT-PRIORITY", true, take_priority, PARAM_PRIORITY }, /* RFC 6710 4.1 */
	{ NULL },
};
static const struct param_row rcpt_params[] = {
	{ "NOTIFY", true, take_notify, PARAM_DSN }, /* RFC 3461 4.1, 4.2 */
	{ "ORCPT", true, take_orcpt, PARAM_DSN },
	{ NULL },
};

/* *(SP esmtp-param) to the end; spaces too many do no harm. */
static struct reply params(struct scan *in, const struct param_row *rows, unsigned offered,
			   void *out)
{
	unsigned seen = 0;

	while (scan_opt(in, " ")) {
		struct str name = scan_span(in, is_keyword), value = S_NONE;
		const struct param_row *row = rows;
		bool valued = scan_opt(in, "=");

		/* AUTH=<> and xtext have no "=" in them, so the first one is the only one */
		if (valued)
			value = scan_span(in, is_value);
		if (name.n == 0 && !valued && (scan_at(in, ' ') || scan_end(in)))
			continue;
		if (name.n == 0 || (in->rest.n && !scan_at(in, ' ')))
			return reply(501, "5.5.4", "parameter not understood");
		while (row->name && (!str_iis(name, row->name) || row->needs & ~offered))
			row++;
		if (!row->name)
			return reply(555, "5.5.4", "parameter not known");
		if (seen & 1u << (row - rows))
			return reply(501, "5.5.4", "parameter given twice");
		seen |= 1u << (row - rows);
		if (row->valued != (value.n > 0) || !row->take(value, out))
			return reply(501, "5.5.4", "parameter value not understood");
	}
	if (!scan_end(in))
		return reply(501, "5.5.4", "parameters not understood");
	return (struct reply){ 0 };
}

struct reply mail_args(struct scan *in, struct arena *a, unsigned offered, struct mail_args *out)
{
	*out = (struct mail_args){ 0 };
	bool utf8 = utf8_ok(in->rest);

	scan_lit(in, "FROM:");
	scan_opt(in, " "); /* not in the grammar, but common */
	out->from = path_scan(in, a, true);
	if (in->bad || !utf8)
		return reply(501, "5.1.7", "usage: MAIL FROM:<address> [parameters]");

	struct reply r = params(in, mail_params, offered, out);

	if (!r.code && out->from.utf8 && !out->utf8) /* RFC 6531 3.5 */
		return reply(553, "5.6.7", "this address needs SMTPUTF8");
	return r;
}

struct reply rcpt_args(struct scan *in, struct arena *a, unsigned offered, struct rcpt_args *out)
{
	*out = (struct rcpt_args){ 0 };
	bool utf8 = utf8_ok(in->rest);

	scan_lit(in, "TO:");
	scan_opt(in, " ");
	out->to = path_scan(in, a, false);
	if (in->bad || !utf8)
		return reply(501, "5.1.3", "usage: RCPT TO:<address> [parameters]");
	return params(in, rcpt_params, offered, out);
}
