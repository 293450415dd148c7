/* SPDX-License-Identifier: ISC */
/* imap/list.c - LIST and LSUB: RFC 3501 6.3.8, 6.3.9; RFC 5258; RFC 6154; RFC 5819. */
#include "imap/imap_priv.h"
#include "base/encode.h"
#include "fiber/fiber.h"

enum { GIVE_WAY = 16 }; /* names looked at in one turn */

/* A name of the hierarchy: a mailbox, a parent of one, a subscription. */
struct entry {
	struct str name;
	const struct mailbox_info *info; /* NULL: only a parent */
	bool matches;
	bool children;  /* there are mailboxes below it */
	bool below;     /* a name below it meets the selection */
	bool below_out; /* and one of these does not match the pattern itself */
};

struct listing {
	struct imap *s;
	struct entry *e;
	size_t n;
	struct imap_pattern *pattern[LIST_PATTERNS_MAX];
	size_t npatterns;
	unsigned select, give;
	const struct imap_status *status; /* of LIST_STATUS */
};

static bool is_inbox(struct str name)
{
	return str_is(name, "INBOX") || str_starts(name, S("INBOX/"));
}

static int by_name(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	bool in_a = str_is(a->name, "INBOX"), in_b = str_is(b->name, "INBOX");

	return in_a != in_b ? in_b - in_a : str_cmp(a->name, b->name);
}

static struct entry *find(const struct listing *l, struct str name)
{
	struct entry key = { .name = name };

	return l->n ? bsearch(&key, l->e, l->n, sizeof key, by_name) : NULL;
}

/* The name one level up; .n 0 at the top. */
static struct str parent_of(struct str name)
{
	size_t slash = str_rfind(name, '/');

	return slash == name.n ? S_NONE : str_part(name, 0, slash);
}

/* An account may have so many names, each with so many levels, that the others must not wait. */
static void give_way(size_t i)
{
	if (i % GIVE_WAY == GIVE_WAY - 1)
		fiber_yield();
}

/* Parents that are no mailbox and that box_list did not give: those of bare subscriptions. What
 * is above one that is there is its own affair. */
static void add_parents(struct listing *l, const struct entry *given, size_t n)
{
	struct arena *a = l->s->cmd;
	size_t extra = 0, at = 0;

	for (size_t i = 0; i < n; i++) {
		for (struct str up = parent_of(given[i].name); up.n; up = parent_of(up)) {
			if (find(l, up))
				break;
			extra++;
		}
		give_way(i);
	}
	if (extra == 0)
		return;
	struct entry *all = ARENA_ARRAY(a, struct entry, n + extra);

	memcpy(all, given, n * sizeof *all);
	at = n;
	for (size_t i = 0; i < n; i++) {
		for (struct str up = parent_of(given[i].name); up.n; up = parent_of(up)) {
			if (find(l, up))
				break;
			all[at++].name = up;
		}
		give_way(i);
	}
	qsort(all, at, sizeof *all, by_name);
	l->n = 0;
	for (size_t i = 0; i < at; i++)
		if (l->n == 0 || !str_eq(all[i].name, all[l->n - 1].name))
			all[l->n++] = all[i];
	l->e = all;
}

static MUST enum err names(struct listing *l)
{
	struct mailbox_info *info;
	size_t n;
	enum err e = box_list(l->s->srv->store, l->s->who.account, l->s->cmd, &info, &n);

	if (e)
		return e;
	l->e = ARENA_ARRAY(l->s->cmd, struct entry, n);
	l->n = n;
	for (size_t i = 0; i < n; i++)
		l->e[i] = (struct entry){ .name = info[i].name, .info = &info[i] };
	qsort(l->e, n, sizeof *l->e, by_name);
	add_parents(l, l->e, n);
	return OK;
}

static bool exists(const struct entry *e)
{
	return e->info && e->info->exists;
}

/* Does it meet every selection option but RECURSIVEMATCH? REMOTE only adds, and adds nothing. */
static bool selected(const struct listing *l, const struct entry *e)
{
	if ((l->select & LIST_SUBSCRIBED) && !(e->info && e->info->subscribed))
		return false;
	if ((l->select & LIST_USE) && !(e->info && e->info->use))
		return false;
	return true;
}

static bool matches(const struct listing *l, struct str name)
{
	for (size_t i = 0; i < l->npatterns; i++)
		if (imap_pattern_match(l->pattern[i], name, is_inbox(name)))
			return true;
	return false;
}

static void relate(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++) {
		l->e[i].matches = matches(l, l->e[i].name);
		give_way(i);
	}
	/* From the last to the first: what is below a name comes before it. */
	for (size_t i = l->n; i-- > 0;) {
		const struct entry *e = &l->e[i];
		struct str up = parent_of(e->name);
		bool meets = selected(l, e);

		give_way(i);
		if (!up.n)
			continue;
		struct entry *p = find(l, up);

		p->children |= e->children || exists(e);
		p->below |= e->below || meets;
		p->below_out |= e->below_out || (meets && !e->matches);
	}
}

/* The reference and the name make one pattern, in UTF-8. False: it can match nothing. */
static bool add_pattern(struct listing *l, struct str reference, struct str pattern)
{
	struct str whole = str_fmt(l->s->cmd, "%.*s%.*s", FMT(reference), FMT(pattern)), utf8;

	if (pattern.n == 0 || whole.n > LINE_MAX_USER || !utf7_decode(l->s->cmd, whole, &utf8))
		return false;
	l->pattern[l->npatterns++] = imap_pattern_new(l->s->cmd, utf8);
	return true;
}

static void put_word(struct buf *b, bool *first, const char *word)
{
	if (!*first)
		buf_c(b, ' ');
	*first = false;
	buf_put(b, str_of(word));
}

static void put_line(struct listing *l, const char *kind, struct str attributes, struct str name)
{
	struct buf *b = &l->s->out;

	buf_put(b, S("* "));
	buf_put(b, str_of(kind));
	buf_put(b, S(" ("));
	buf_put(b, attributes);
	buf_put(b, S(") \"/\" "));
	imap_put_name(l->s, b, name);
}

static void put_entry(struct listing *l, const struct entry *e)
{
	struct buf at = buf_new(512);
	bool first = true;

	/* Older clients do not know \NonExistent, which implies the other: RFC 5258 3.4 */
	if (!exists(e)) {
		put_word(&at, &first, "\\NonExistent");
		put_word(&at, &first, "\\Noselect");
	}
	if ((l->give & LIST_SUBSCRIBED) && e->info && e->info->subscribed)
		put_word(&at, &first, "\\Subscribed");
	put_word(&at, &first, e->children ? "\\HasChildren" : "\\HasNoChildren");
	if (exists(e) && e->info->use) {
		buf_c(&at, ' ');
		imap_put_use(&at, e->info->use);
	}
	put_line(l, "LIST", buf_str(&at), e->name);
	if ((l->select & LIST_RECURSIVE) && e->below)
		buf_put(&l->s->out, S(" (\"CHILDINFO\" (\"SUBSCRIBED\"))"));
	imap_send(l->s);
	buf_free(&at);
}

/* RFC 5258 3.3: what matches is told if it meets the selection or, for RECURSIVEMATCH, if
 * something below does that is not told itself. */
static void tell(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct entry *e = &l->e[i];
		bool wanted = selected(l, e);

		/* Without selection, names that do not exist are told as parents only. */
		if (!(l->select & LIST_SUBSCRIBED) && !exists(e))
			wanted = wanted && e->children;
		if ((l->select & LIST_RECURSIVE) && e->below_out)
			wanted = true;
		if (!e->matches || !wanted)
			continue;
		put_entry(l, e);
		/* What cannot be found just now is left out: RFC 5819 2 */
		if ((l->give & LIST_STATUS) && selected(l, e) && exists(e) &&
		    imap_tell_status(l->s, e->info, l->status))
			log_event(LOG_DEBUG, "list.status", KV("mailbox", e->name));
	}
}

struct done imap_cmd_list(struct imap *s, struct scan *in)
{
	struct imap_list r;
	struct listing l = { .s = s };

	imap_list_request(in, s->cmd, &r);
	if (!scan_end(in))
		return done_bad("usage: LIST [(options)] reference pattern [RETURN (options)]");
	if (!r.extended && r.pattern[0].n == 0) { /* only the delimiter is asked for */
		put_line(&l, "LIST", S("\\Noselect"), S(""));
		imap_send(s);
		return done_ok("LIST done");
	}
	l.select = r.select;
	l.give = r.give;
	l.status = &r.status;
	for (size_t i = 0; i < r.n; i++)
		add_pattern(&l, r.reference, r.pattern[i]);
	enum err e = l.npatterns ? names(&l) : OK;

	if (e)
		return done_err(e);
	relate(&l);
	tell(&l);
	return done_ok("LIST done");
}

/* \Noselect here means: not subscribed itself, but with subscriptions below. RFC 3501 6.3.9 */
struct done imap_cmd_lsub(struct imap *s, struct scan *in)
{
	struct listing l = { .s = s, .select = LIST_SUBSCRIBED };
	struct str reference = imap_astring(in, s->cmd);

	scan_lit(in, " ");
	struct str pattern = imap_list_mailbox(in, s->cmd);

	if (!scan_end(in))
		return done_bad("usage: LSUB reference pattern");
	if (pattern.n == 0) {
		put_line(&l, "LSUB", S("\\Noselect"), S(""));
		imap_send(s);
		return done_ok("LSUB done");
	}
	enum err e = add_pattern(&l, reference, pattern) ? names(&l) : OK;

	if (e)
		return done_err(e);
	relate(&l);
	for (size_t i = 0; i < l.n; i++) {
		const struct entry *x = &l.e[i];

		if (!x->matches)
			continue;
		if (selected(&l, x))
			put_line(&l, "LSUB", exists(x) ? S("") : S("\\Noselect"), x->name);
		else if (imap_pattern_is_broad(l.pattern[0]) && x->below_out)
			put_line(&l, "LSUB", S("\\Noselect"), x->name);
		else
			continue;
		imap_send(s);
	}
	return done_ok("LSUB done");
}
