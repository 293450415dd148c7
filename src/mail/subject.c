/* SPDX-License-Identifier: ISC */
/* mail/subject.c - the base subject: RFC 5256 2.1, 5; functions are named like its rules. */
#include "mail/sortkey.h"

static bool wsp(char c)
{
	return c == ' ' || c == '\t';
}

/* (1) but for the encoded words: blanks of any kind and number become one space. */
static struct str one_space(struct arena *a, struct str s)
{
	char *out = arena_alloc(a, s.n);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		bool blank = wsp(s.p[i]) || s.p[i] == '\r' || s.p[i] == '\n';

		if (!blank)
			out[n++] = s.p[i];
		else if (n == 0 || out[n - 1] != ' ')
			out[n++] = ' ';
	}
	return STR(out, n);
}

static void skip_wsp(struct scan *in)
{
	scan_span(in, wsp);
}

static bool iends(struct str s, struct str tail)
{
	return s.n >= tail.n && str_ieq(str_from(s, s.n - tail.n), tail);
}

/* (2) *subj-trailer */
static struct str drop_trailers(struct str s, bool *reply)
{
	for (;;) {
		while (s.n && wsp(s.p[s.n - 1]))
			s.n--;
		if (!iends(s, S("(fwd)")))
			return s;
		s.n -= 5;
		*reply = true;
	}
}

/* "[" *BLOBCHAR "]" *WSP; false: none is here, and nothing is taken. */
static bool subj_blob(struct scan *in)
{
	struct scan at = *in;

	if (!scan_opt(&at, "["))
		return false;
	while (scan_more(&at) && *at.rest.p != '[' && *at.rest.p != ']' && *at.rest.p)
		at.rest = str_from(at.rest, 1);
	if (!scan_opt(&at, "]"))
		return false;
	skip_wsp(&at);
	*in = at;
	return true;
}

/* ("re" / ("fw" ["d"])) *WSP [subj-blob] ":" */
static bool subj_refwd(struct scan *in)
{
	struct scan at = *in;

	if (!scan_opt(&at, "re") && !scan_opt(&at, "fwd") && !scan_opt(&at, "fw"))
		return false;
	skip_wsp(&at);
	subj_blob(&at);
	if (!scan_opt(&at, ":"))
		return false;
	*in = at;
	return true;
}

/*
 * (3) to (5). Where no "re:" stands behind the blobs, none stands behind some of them: then all
 * of them go at once, but for the last if it would leave nothing.
 */
static struct str drop_leaders(struct str s, bool *reply)
{
	struct scan in = scan(s), last;

	for (;;) {
		skip_wsp(&in);
		struct scan at = in;

		last = in;
		while (scan_at(&at, '[')) {
			struct scan before = at;

			if (!subj_blob(&at))
				break;
			last = before;
		}
		if (!subj_refwd(&at))
			return scan_more(&at) ? at.rest : last.rest;
		*reply = true;
		in = at;
	}
}

struct str subject_base(struct arena *a, struct str subject, bool *reply)
{
	struct str s = one_space(a, str_part(subject, 0, SUBJECT_MAX));

	*reply = false;
	for (;;) {
		s = drop_leaders(drop_trailers(s, reply), reply);
		/* (6) */
		if (s.n < 6 || !str_istarts(s, S("[fwd:")) || s.p[s.n - 1] != ']')
			return s;
		s = str_part(s, 5, s.n - 6);
		*reply = true;
	}
}
