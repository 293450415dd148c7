/* SPDX-License-Identifier: ISC */
/* imap/parse.c - the small words of the grammar: atoms, strings, mailboxes, flags. */
#include "imap/parse_priv.h"
#include "base/encode.h"
#include "mail/date.h"
#include "mail/flags.h"
#include "box/box.h"

bool imap_literal_tail(struct str line, struct str *head, struct imap_literal *out)
{
	size_t open = str_rfind(line, '{'), last = line.n;

	if (!str_ends(line, S("}")) || open == line.n)
		return false;
	bool plus = line.p[--last - 1] == '+'; /* open is before last, so last - 1 is in the line */

	if (plus)
		last--;
	if (last < open + 2)
		return false;
	uint64_t n = 0;

	for (size_t i = open + 1; i < last; i++) {
		if (!ascii_digit(line.p[i]))
			return false;
		n = n > UINT64_MAX / 10 - 10 ? UINT64_MAX : n * 10 + (uint64_t)(line.p[i] - '0');
	}
	*head = str_part(line, 0, open);
	*out = (struct imap_literal){ n, !plus };
	return true;
}

/* ATOM-CHAR: RFC 3501 9 */
bool imap_atom_char(char c)
{
	return c > ' ' && c < 127 && !str_has(S("(){%*\"\\]"), c);
}

static bool astring_char(char c)
{
	return imap_atom_char(c) || c == ']';
}

static bool tag_char(char c)
{
	return astring_char(c) && c != '+';
}

static bool list_char(char c)
{
	return astring_char(c) || c == '%' || c == '*';
}

static struct str some(struct scan *in, bool (*is)(char c))
{
	struct str s = scan_span(in, is);

	if (s.n == 0)
		scan_fail(in);
	return s;
}

struct str imap_tag(struct scan *in)
{
	return some(in, tag_char);
}

struct str imap_atom(struct scan *in)
{
	return some(in, imap_atom_char);
}

static struct str literal(struct scan *in)
{
	scan_lit(in, "{");
	uint64_t n = scan_num(in, UINT32_MAX);

	scan_opt(in, "+");
	scan_lit(in, "}\r\n");
	struct str s = scan_take(in, (size_t)n);

	if (str_has(s, '\0')) /* CHAR8 */
		scan_fail(in);
	return s;
}

/* The length of a quoted string's inside; fails the scanner if it has no good end. */
static size_t quoted_inside(struct scan *in, bool *escaped)
{
	struct str s = in->rest;

	for (size_t i = 0; i < s.n && s.p[i] != '\r' && s.p[i] != '\n' && s.p[i]; i++) {
		if (s.p[i] == '"')
			return i;
		if (s.p[i] != '\\')
			continue;
		*escaped = true;
		if (++i == s.n || (s.p[i] != '"' && s.p[i] != '\\'))
			break;
	}
	scan_fail(in);
	return 0;
}

/* Octets above 126 are taken: clients send names and passwords so. */
static struct str quoted(struct scan *in, struct arena *a)
{
	bool escaped = false;

	scan_lit(in, "\"");
	struct str inside = scan_take(in, quoted_inside(in, &escaped));

	scan_lit(in, "\"");
	if (in->bad || !escaped)
		return in->bad ? S_NONE : inside;
	char *plain = arena_alloc(a, inside.n);
	size_t n = 0;

	for (size_t i = 0; i < inside.n; i++) {
		if (inside.p[i] == '\\')
			i++;
		plain[n++] = inside.p[i];
	}
	return STR(plain, n);
}

struct str imap_string(struct scan *in, struct arena *a)
{
	return scan_at(in, '{') ? literal(in) : quoted(in, a);
}

struct str imap_nstring(struct scan *in, struct arena *a)
{
	return scan_opt(in, "NIL") ? S_NONE : imap_string(in, a);
}

static struct str word_or_string(struct scan *in, struct arena *a, bool (*is)(char c))
{
	if (scan_at(in, '"') || scan_at(in, '{'))
		return imap_string(in, a);
	return some(in, is);
}

struct str imap_astring(struct scan *in, struct arena *a)
{
	return word_or_string(in, a, astring_char);
}

struct str imap_list_mailbox(struct scan *in, struct arena *a)
{
	return word_or_string(in, a, list_char);
}

struct str imap_mailbox(struct scan *in, struct arena *a, const char **why)
{
	struct str raw = imap_astring(in, a), name;

	*why = "the mailbox name is not possible: no control characters, *, % or empty levels";
	if (in->bad)
		return S_NONE;
	if (raw.n > 4 * MAILBOX_NAME_MAX) {
		*why = "the mailbox name is too long";
		return S_NONE;
	}
	if (!utf7_decode(a, raw, &name)) {
		*why = "the mailbox name is not in modified UTF-7";
		return S_NONE;
	}
	name = mailbox_name_clean(a, name);
	if (name.n > MAILBOX_NAME_MAX) {
		*why = "the mailbox name is too long";
		return S_NONE;
	}
	return mailbox_name_ok(name) ? name : S_NONE;
}

/* Adds one flag; the same keyword twice is one. \Recent is the server's alone: RFC 3501 2.3.2. */
static void flag(struct scan *in, struct imap_flags *f, struct str *keywords)
{
	bool system = scan_opt(in, "\\");
	struct str name = imap_atom(in);

	if (in->bad)
		return;
	if (system) {
		uint64_t bit = flag_system(STR(name.p - 1, name.n + 1));

		if (!bit)
			scan_fail(in);
		f->system |= bit;
		return;
	}
	for (size_t i = 0; i < f->n; i++)
		if (str_ieq(keywords[i], name))
			return;
	if (f->n == FLAGS_MAX || !keyword_ok(name)) {
		scan_fail(in);
		return;
	}
	keywords[f->n++] = name;
}

struct imap_flags imap_flags_bare(struct scan *in, struct arena *a)
{
	struct str *keywords = ARENA_ARRAY(a, struct str, FLAGS_MAX);
	struct imap_flags f = { .keywords = keywords };

	do
		flag(in, &f, keywords);
	while (scan_opt(in, " "));
	return f;
}

struct imap_flags imap_flag_list(struct scan *in, struct arena *a)
{
	struct imap_flags none = { 0 };

	scan_lit(in, "(");
	if (scan_opt(in, ")"))
		return none;
	struct imap_flags f = imap_flags_bare(in, a);

	scan_lit(in, ")");
	return in->bad ? none : f;
}

void imap_append_head(struct scan *in, struct arena *a, struct imap_append *out)
{
	*out = (struct imap_append){ 0 };
	out->mailbox = imap_mailbox(in, a, &out->why);
	scan_lit(in, " ");
	if (scan_at(in, '(')) {
		out->flags = imap_flag_list(in, a);
		scan_lit(in, " ");
	}
	if (scan_at(in, '"')) {
		struct date d;

		if (date_imap_parse(imap_string(in, a), &d))
			scan_fail(in);
		else
			out->arrived = d.utc;
		out->dated = true;
		scan_lit(in, " ");
	}
	out->binary = scan_opt(in, "~");
}
