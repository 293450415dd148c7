/* SPDX-License-Identifier: ISC */
#include "smtp/client_reply.h"
#include "base/encode.h"

void answer_begin(struct answer_parser *p, bool hello)
{
	*p = (struct answer_parser){ .hello = hello, .text = buf_new(ANSWER_TEXT_MAX) };
}

void answer_free(struct answer_parser *p)
{
	buf_free(&p->text);
}

/* 1*3DIGIT, without zeros in front: RFC 3463 2. */
static bool esc_number(struct scan *in)
{
	struct str digits = scan_span(in, ascii_digit);

	return digits.n >= 1 && digits.n <= 3 && (digits.n == 1 || *digits.p != '0');
}

/* Takes an enhanced code of the reply's class off the text: its length, 0: there is none. */
static size_t esc_length(unsigned code, struct str text)
{
	struct scan in = scan(text);
	char kind = scan_char(&in);

	if (in.bad || kind != (char)('0' + code / 100) || kind == '3' || !scan_opt(&in, ".") ||
	    !esc_number(&in) || !scan_opt(&in, ".") || !esc_number(&in))
		return 0;
	size_t n = text.n - in.rest.n;

	return in.rest.n == 0 || scan_at(&in, ' ') || scan_at(&in, '\t') ? n : 0;
}

/* One character of what the peer says, for people: nothing that moves a cursor or ends a line. */
static void put_clean(struct buf *b, uint32_t c)
{
	char octets[4] = { '?' };
	size_t n = 1;

	if (c == '\t')
		octets[0] = ' ';
	else if (utf8_harmless(c))
		n = utf8_put(octets, c);
	buf_put(b, STR(octets, n));
}

static void keep(struct answer_parser *p, struct str text)
{
	if (p->lines > 1)
		buf_c(&p->text, '\n');
	/* an octet NUL is a character that utf8_next cannot tell from the end */
	while (text.n && !p->text.full) {
		if (*text.p) {
			put_clean(&p->text, utf8_next(&text));
		} else {
			put_clean(&p->text, 0);
			text = str_from(text, 1);
		}
	}
}

enum answer_step answer_line(struct answer_parser *p, struct str line)
{
	struct scan in = scan(line);
	unsigned code = 0;

	for (int i = 0; i < 3; i++) {
		char c = scan_char(&in);

		if (!ascii_digit(c))
			return ANSWER_BAD;
		code = code * 10 + (unsigned)(c - '0');
	}
	if (code < 200 || code > 599 || (p->lines && code != p->code) ||
	    p->lines == ANSWER_LINES_MAX)
		return ANSWER_BAD;
	p->code = code;
	p->lines++;
	bool more = scan_opt(&in, "-");

	if (!more && !scan_opt(&in, " ") && in.rest.n)
		return ANSWER_BAD;
	size_t n = p->hello ? 0 : esc_length(code, in.rest);

	if (n && !p->esc[0])
		memcpy(p->esc, in.rest.p, n);
	keep(p, n ? str_trim(str_from(in.rest, n)) : in.rest);
	return more ? ANSWER_MORE : ANSWER_DONE;
}

struct answer answer_end(const struct answer_parser *p, struct arena *a)
{
	struct answer r = { .code = p->code, .text = str_dup(a, buf_str(&p->text)) };

	memcpy(r.esc, p->esc, sizeof r.esc);
	return r;
}

/* --- EHLO --- */

static void offer_size(struct offer *o, struct scan *in)
{
	uint64_t max = scan_num(in, INT64_MAX);

	o->size = true;
	o->size_max = in->bad ? 0 : max;
}

static void offer_auth(struct offer *o, struct scan *in)
{
	while (scan_more(in))
		o->auth_plain |= str_iis(scan_word(in), "PLAIN");
}

/* RFC 9422 3: a limit that is no positive number is none. */
static void offer_limits(struct offer *o, struct scan *in)
{
	while (scan_more(in)) {
		struct scan one = scan(scan_word(in));
		unsigned *to = scan_opt(&one, "RCPTMAX=")   ? &o->rcpt_max
			       : scan_opt(&one, "MAILMAX=") ? &o->mail_max
							    : NULL;
		uint64_t n = scan_num(&one, 999999);

		if (to && scan_end(&one))
			*to = (unsigned)n;
	}
}

void offer_line(struct offer *o, struct str line)
{
	const struct {
		const char *name;
		bool *flag;
		void (*take)(struct offer *o, struct scan *in);
	} rows[] = {
		{ "PIPELINING", &o->pipelining },        /* RFC 2920 */
		{ "CHUNKING", &o->chunking },            /* RFC 3030 */
		{ "BINARYMIME", &o->binary },            /* RFC 3030 */
		{ "8BITMIME", &o->eightbit },            /* RFC 6152 */
		{ "SMTPUTF8", &o->utf8 },                /* RFC 6531 */
		{ "DSN", &o->dsn },                      /* RFC 3461 */
		{ "STARTTLS", &o->starttls },            /* RFC 3207 */
		{ "ENHANCEDSTATUSCODES", &o->enhanced }, /* RFC 2034 */
		{ "REQUIRETLS", &o->requiretls },        /* RFC 8689 */
		{ "MT-PRIORITY", &o->priority },         /* RFC 6710 */
		{ "DELIVERBY", &o->deliver_by },         /* RFC 2852 */
		{ "SIZE", NULL, offer_size },            /* RFC 1870 */
		{ "AUTH", NULL, offer_auth },            /* RFC 4954 */
		{ "LIMITS", NULL, offer_limits },        /* RFC 9422 */
	};
	struct scan in = scan(str_trim(line));
	struct str name = scan_word(&in);

	for (size_t i = 0; i < LENGTH(rows); i++) {
		if (!str_iis(name, rows[i].name))
			continue;
		if (rows[i].flag)
			*rows[i].flag = true;
		else
			rows[i].take(o, &in);
	}
}
