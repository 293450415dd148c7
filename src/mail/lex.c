/* SPDX-License-Identifier: ISC */
#include "mail/lex.h"

bool lex_white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool lex_token(char c)
{
	return (unsigned char)c > ' ' && c != 127 && !strchr("()<>@,;:\\\"/[]?=", c);
}

int lex_hex(char c)
{
	char low = ascii_lower(c);

	return ascii_digit(c) ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

struct str lex_comment(struct scan *in)
{
	struct str inside = str_from(in->rest, 1);
	unsigned depth = 0;

	do {
		char c = scan_char(in);

		if (c == '\\' && scan_more(in))
			scan_char(in);
		else if (c == '(')
			depth++;
		else if (c == ')')
			depth--;
	} while (depth && scan_more(in));
	size_t n = inside.n - in->rest.n;

	return str_part(inside, 0, depth ? n : n - 1);
}

void lex_cfws(struct scan *in)
{
	for (;;) {
		scan_span(in, lex_white);
		if (!scan_at(in, '('))
			return;
		lex_comment(in);
	}
}

size_t lex_quoted(struct scan *in, char *out)
{
	size_t n = 0;

	scan_lit(in, "\"");
	while (scan_more(in)) {
		char c = scan_char(in);

		if (c == '"')
			break;
		if (c == '\\' && scan_more(in))
			c = scan_char(in);
		if (c != '\r' && c != '\n')
			out[n++] = c;
	}
	return n;
}
