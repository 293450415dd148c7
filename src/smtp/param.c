/* SPDX-License-Identifier: ISC */
#include "smtp/param.h"
#include "base/encode.h"

struct param_row {
	const char *name;
	bool valued;
	bool (*take)(struct str value, void *out); /* false: the value is not in the grammar */
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
	{ "RET", true, take_ret },
	{ "SMTPUTF8", false, take_utf8 },
	{ "ENVID", true, take_envid },
	{ "AUTH", true, take_auth },
	{ NULL },
};
static const struct param_row rcpt_params[] = {
	{ "NOTIFY", true, take_notify },
	{ "ORCPT", true, take_orcpt },
	{ NULL },
};

/* *(SP esmtp-param) to the end; spaces too many do no harm. */
static struct reply params(struct scan *in, const struct param_row *rows, void *out)
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
		while (row->name && !str_iis(name, row->name))
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

struct reply mail_args(struct scan *in, struct arena *a, struct mail_args *out)
{
	*out = (struct mail_args){ 0 };
	bool utf8 = utf8_ok(in->rest);

	scan_lit(in, "FROM:");
	scan_opt(in, " "); /* not in the grammar, but common */
	out->from = path_scan(in, a, true);
	if (in->bad || !utf8)
		return reply(501, "5.1.7", "usage: MAIL FROM:<address> [parameters]");

	struct reply r = params(in, mail_params, out);

	if (!r.code && out->from.utf8 && !out->utf8) /* RFC 6531 3.5 */
		return reply(553, "5.6.7", "this address needs SMTPUTF8");
	return r;
}

struct reply rcpt_args(struct scan *in, struct arena *a, struct rcpt_args *out)
{
	*out = (struct rcpt_args){ 0 };
	bool utf8 = utf8_ok(in->rest);

	scan_lit(in, "TO:");
	scan_opt(in, " ");
	out->to = path_scan(in, a, false);
	if (in->bad || !utf8)
		return reply(501, "5.1.3", "usage: RCPT TO:<address> [parameters]");
	return params(in, rcpt_params, out);
}
