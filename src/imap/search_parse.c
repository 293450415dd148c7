/* SPDX-License-Identifier: ISC */
/* imap/search_parse.c - the keys of SEARCH as a tree: RFC 3501 6.4.4, 9 "search-key"; SORT, THREAD.
 */
#include "imap/parse_priv.h"
#include "base/encode.h"
#include "mail/date.h"
#include "mail/flags.h"
#include <unicase.h>

/* A character may need more octets folded: U+0130 does. Four are enough for each. */
struct str imap_fold(struct arena *a, struct str utf8)
{
	char *out = arena_alloc(a, utf8.n * 4);
	size_t n = 0;

	while (utf8.n) {
		if ((unsigned char)*utf8.p < 128) {
			out[n++] = ascii_lower(*utf8.p);
			utf8 = str_from(utf8, 1);
			continue;
		}
		uint32_t c = utf8_next(&utf8);

		n += utf8_put(out + n, c == UINT32_MAX ? 0xfffd : uc_tolower(c));
	}
	return STR(out, n);
}

enum arg { NONE, ASTRING, DATE, NUMBER, KEYWORD, FIELD, UIDS, ONE, TWO };

static const struct word {
	const char *name;
	enum imap_key_kind kind;
	enum arg arg;
	uint64_t flags;
	const char *field; /* a header field it stands for */
	bool not ;         /* the opposite is meant */
} words[] = {
	{ "ALL", KEY_ALL, NONE },
	{ "ANSWERED", KEY_FLAGS, NONE, FLAG_ANSWERED },
	{ "BCC", KEY_HEADER, ASTRING, 0, "Bcc" },
	{ "BEFORE", KEY_BEFORE, DATE },
	{ "BODY", KEY_BODY, ASTRING },
	{ "CC", KEY_HEADER, ASTRING, 0, "Cc" },
	{ "DELETED", KEY_FLAGS, NONE, FLAG_DELETED },
	{ "DRAFT", KEY_FLAGS, NONE, FLAG_DRAFT },
	{ "FLAGGED", KEY_FLAGS, NONE, FLAG_FLAGGED },
	{ "FROM", KEY_HEADER, ASTRING, 0, "From" },
	{ "HEADER", KEY_HEADER, FIELD },
	{ "KEYWORD", KEY_KEYWORD, KEYWORD },
	{ "LARGER", KEY_LARGER, NUMBER },
	{ "NEW", KEY_RECENT, NONE, FLAG_SEEN }, /* RECENT UNSEEN */
	{ "NOT", KEY_NOT, ONE },
	{ "OLD", KEY_RECENT, NONE, 0, NULL, true },
	{ "ON", KEY_ON, DATE },
	{ "OR", KEY_OR, TWO },
	{ "RECENT", KEY_RECENT, NONE },
	{ "SEEN", KEY_FLAGS, NONE, FLAG_SEEN },
	{ "SENTBEFORE", KEY_SENTBEFORE, DATE },
	{ "SENTON", KEY_SENTON, DATE },
	{ "SENTSINCE", KEY_SENTSINCE, DATE },
	{ "SINCE", KEY_SINCE, DATE },
	{ "SMALLER", KEY_SMALLER, NUMBER },
	{ "SUBJECT", KEY_HEADER, ASTRING, 0, "Subject" },
	{ "TEXT", KEY_TEXT, ASTRING },
	{ "TO", KEY_HEADER, ASTRING, 0, "To" },
	{ "UID", KEY_UIDS, UIDS },
	{ "UNANSWERED", KEY_FLAGS, NONE, FLAG_ANSWERED, NULL, true },
	{ "UNDELETED", KEY_FLAGS, NONE, FLAG_DELETED, NULL, true },
	{ "UNDRAFT", KEY_FLAGS, NONE, FLAG_DRAFT, NULL, true },
	{ "UNFLAGGED", KEY_FLAGS, NONE, FLAG_FLAGGED, NULL, true },
	{ "UNKEYWORD", KEY_KEYWORD, KEYWORD, 0, NULL, true },
	{ "UNSEEN", KEY_FLAGS, NONE, FLAG_SEEN, NULL, true },
};

struct parse {
	struct scan *in;
	struct arena *a;
	struct imap_search *out;
	unsigned keys, depth;
};

static struct imap_key *search_key(struct parse *p);

static struct imap_key *key_new(struct parse *p, enum imap_key_kind kind)
{
	struct imap_key *k = ARENA_NEW(p->a, struct imap_key);

	if (++p->keys > SEARCH_KEYS_MAX) {
		p->out->too_much = true;
		scan_fail(p->in);
	}
	k->kind = kind;
	k->cost = kind >= KEY_BODY     ? COST_MESSAGE
		  : kind == KEY_HEADER ? COST_HEADER
		  : kind > KEY_SMALLER ? COST_SUMMARY
				       : COST_RECORD;
	return k;
}

/* Puts a key behind those that cost no more; the whole costs what its dearest does. */
static void add(struct imap_key *to, struct imap_key *k)
{
	struct imap_key **at = &to->first;

	while (*at && (*at)->cost <= k->cost)
		at = &(*at)->next;
	k->next = *at;
	*at = k;
	if (k->cost > to->cost)
		to->cost = k->cost;
}

static struct imap_key *key_of(struct parse *p, enum imap_key_kind kind)
{
	struct imap_key *k = key_new(p, kind);

	k->cost = COST_RECORD; /* until it has children */
	return k;
}

static struct imap_key *key_not(struct parse *p, struct imap_key *k)
{
	struct imap_key *n = key_of(p, KEY_NOT);

	add(n, k);
	return n;
}

/* The text that is looked for. Without CHARSET it should be ASCII; UTF-8 is taken too. */
static struct str needle(struct parse *p)
{
	struct str s = imap_astring(p->in, p->a);

	if (!utf8_ok(s))
		scan_fail(p->in);
	return p->in->bad ? S_NONE : imap_fold(p->a, s);
}

static int64_t date(struct parse *p)
{
	int64_t day = 0;
	struct str text = scan_at(p->in, '"') ? imap_string(p->in, p->a) : imap_atom(p->in);

	if (p->in->bad || date_imap_day(text, &day))
		scan_fail(p->in);
	return day;
}

static void argument(struct parse *p, const struct word *w, struct imap_key *k)
{
	if (w->arg != NONE)
		scan_lit(p->in, " ");
	switch (w->arg) {
	case NONE: break;
	case FIELD:
		k->field = imap_astring(p->in, p->a);
		scan_lit(p->in, " ");
		k->text = needle(p);
		break;
	case ASTRING: k->text = needle(p); break;
	case DATE: k->day = date(p); break;
	case NUMBER: k->num = scan_num(p->in, UINT32_MAX); break;
	case KEYWORD: k->text = imap_atom(p->in); break;
	case UIDS: k->set = uidset_scan(p->in, p->a, p->out->star_uid); break;
	case TWO:
		add(k, search_key(p));
		scan_lit(p->in, " ");
		/* fall through */
	case ONE: add(k, search_key(p)); break;
	}
}

/* search-key *(SP search-key), from behind the "(" to the ")" if it is a group */
static struct imap_key *keys(struct parse *p, bool group)
{
	struct imap_key *all = key_of(p, KEY_AND);

	do
		add(all, search_key(p));
	while (scan_opt(p->in, " "));
	if (group)
		scan_lit(p->in, ")");
	return all;
}

static bool set_starts(const struct scan *in)
{
	return scan_more(in) && (ascii_digit(*in->rest.p) || *in->rest.p == '*');
}

static struct imap_key *one_key(struct parse *p)
{
	if (scan_opt(p->in, "("))
		return keys(p, true);
	if (set_starts(p->in)) {
		struct imap_key *k = key_new(p, KEY_NUMBERS);

		k->set = uidset_scan(p->in, p->a, p->out->star_number);
		return k;
	}
	struct str name = scan_span(p->in, ascii_alpha);
	const struct word *w = words;

	while (w < words + LENGTH(words) && !str_iis(name, w->name))
		w++;
	if (w == words + LENGTH(words)) {
		scan_fail(p->in);
		return key_new(p, KEY_ALL);
	}
	struct imap_key *k =
		w->arg == ONE || w->arg == TWO ? key_of(p, w->kind) : key_new(p, w->kind);

	k->num = w->flags;
	k->field = str_of(w->field);
	argument(p, w, k);
	return w->not ? key_not(p, k) : k;
}

static struct imap_key *search_key(struct parse *p)
{
	if (p->depth == SEARCH_DEPTH_MAX) {
		p->out->too_much = true;
		scan_fail(p->in);
	}
	if (p->in->bad)
		return key_new(p, KEY_ALL);
	p->depth++;
	struct imap_key *k = one_key(p);

	p->depth--;
	return k;
}

/* From behind CHARSET: charset 1*(SP search-key). In another charset the keys cannot be read. */
static void charset_keys(struct parse *p)
{
	struct str charset = imap_astring(p->in, p->a);

	scan_lit(p->in, " ");
	if (!str_iis(charset, "US-ASCII") && !str_iis(charset, "UTF-8"))
		p->out->badcharset = !p->in->bad;
	if (!p->out->badcharset)
		p->out->key = keys(p, false);
}

/* search-return-opts: RFC 4731 3.1, 4. An empty list means ALL. */
static unsigned returns(struct scan *in)
{
	static const char *const names[] = { "MIN", "MAX", "ALL", "COUNT" };
	unsigned bits = 0;

	if (scan_opt(in, ")"))
		return RETURN_ALL;
	do {
		struct str name = imap_atom(in);
		unsigned i = 0;

		while (i < LENGTH(names) && !str_iis(name, names[i]))
			i++;
		if (i == LENGTH(names))
			scan_fail(in);
		bits |= 1U << i;
	} while (scan_opt(in, " "));
	scan_lit(in, ")");
	return bits;
}

static struct parse parse_new(struct scan *in, struct arena *a, struct imap_search *out)
{
	out->badcharset = out->too_much = false;
	out->returns = 0;
	out->key = NULL;
	return (struct parse){ .in = in, .a = a, .out = out };
}

void imap_search_request(struct scan *in, struct arena *a, struct imap_search *out)
{
	struct parse p = parse_new(in, a, out);

	if (scan_opt(in, "RETURN (")) {
		out->returns = returns(in);
		scan_lit(in, " ");
	}
	if (scan_opt(in, "CHARSET "))
		charset_keys(&p);
	else
		out->key = keys(&p, false);
}

/* sort-criterion *(SP sort-criterion) ")": RFC 5256 5, RFC 5957 5. The second of a kind can make
 * no difference. */
static void sort_criteria(struct scan *in, struct imap_sort *out)
{
	static const char *const names[SORT_BY_COUNT] = { "ARRIVAL",     "CC",        "DATE",
							  "DISPLAYFROM", "DISPLAYTO", "FROM",
							  "SIZE",        "SUBJECT",   "TO" };
	unsigned seen = 0;

	do {
		bool reverse = scan_opt(in, "REVERSE ");
		struct str name = imap_atom(in);
		unsigned i = 0;

		while (i < SORT_BY_COUNT && !str_iis(name, names[i]))
			i++;
		if (i == SORT_BY_COUNT) {
			scan_fail(in);
			return;
		}
		if (!(seen >> i & 1))
			out->by[out->n++] = (struct imap_sort_by){ (enum imap_sort_key)i, reverse };
		seen |= 1U << i;
	} while (scan_opt(in, " "));
	scan_lit(in, ")");
}

void imap_sort_request(struct scan *in, struct arena *a, struct imap_sort *sort,
		       struct imap_search *out)
{
	struct parse p = parse_new(in, a, out);

	*sort = (struct imap_sort){ 0 };
	scan_lit(in, "(");
	sort_criteria(in, sort);
	scan_lit(in, " ");
	charset_keys(&p);
}

void imap_thread_request(struct scan *in, struct arena *a, enum imap_thread *how,
			 struct imap_search *out)
{
	struct parse p = parse_new(in, a, out);
	struct str name = imap_atom(in);

	*how = str_iis(name, "REFERENCES")       ? THREAD_REFERENCES
	       : str_iis(name, "ORDEREDSUBJECT") ? THREAD_ORDEREDSUBJECT
						 : THREAD_UNKNOWN;
	scan_lit(in, " ");
	charset_keys(&p);
}
