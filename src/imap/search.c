/* SPDX-License-Identifier: ISC */
/* imap/search.c - SEARCH and UID SEARCH: RFC 3501 6.4.4, 6.4.8, 7.2.5; RFC 4731. */
#include "imap/imap_priv.h"
#include "fiber/fiber.h"
#include "mail/date.h"

enum {
	YIELD_COST = 64,  /* of looking at messages, between two turns of the other fibers */
	KEYS_A_COST = 64, /* keys asked of records cost next to nothing */
	LINE_PIECE = 8 * 1024,
	LOOK_ARENA_MAX = 256 << 20,
};

struct searching {
	struct imap *s;
	const struct imap_key *key;
	struct looked look;
	struct uidset_builder found;
	enum err e;    /* what ended it */
	unsigned keys; /* asked since the cost last grew by them */
};

static uint64_t keyword_bit(const struct imap *s, struct str name)
{
	uint64_t in_use = box_view(s->box).keywords;

	for (unsigned bit = FLAG_KEYWORD; bit < 64 && in_use >> bit; bit++)
		if ((in_use >> bit & 1) && str_ieq(name, box_flag_name(s->box, bit)))
			return UINT64_C(1) << bit;
	return 0;
}

/* RFC 3501 6.4.4: INTERNALDATE "disregarding time and timezone"; ours are all UTC. */
static int64_t day_of(int64_t utc)
{
	int64_t rest = utc % 86400;

	return utc - (rest < 0 ? rest + 86400 : rest);
}

static bool by_record(const struct searching *x, const struct imap_key *k)
{
	const struct msg *m = x->look.m;
	const struct box *b = x->look.box;
	int64_t day = day_of(m->arrived);

	switch (k->kind) {
	case KEY_ALL: return true;
	case KEY_FLAGS: return (m->flags & k->num) == k->num;
	case KEY_NUMBERS: return uidset_has(k->set, box_number(b, m->uid));
	case KEY_UIDS: return uidset_has(k->set, m->uid);
	case KEY_KEYWORD: return m->flags & keyword_bit(x->s, k->text);
	case KEY_RECENT:
		return box_is_recent(b, m->uid) && !(m->flags & k->num); /* NEW: no \Seen */
	case KEY_BEFORE: return day < k->day;
	case KEY_ON: return day == k->day;
	case KEY_SINCE: return day >= k->day;
	case KEY_LARGER: return m->size > k->num;
	case KEY_SMALLER: return m->size < k->num;
	default: break; /* the others are not asked here */
	}
	return false;
}

static bool by_sent(struct searching *x, const struct imap_key *k)
{
	x->e = imap_looked_summary(&x->look);
	if (x->e || x->look.sum.sent == INT64_MIN)
		return false;
	int64_t day = date_day((struct date){ x->look.sum.sent, x->look.sum.sent_zone });

	return k->kind == KEY_SENTBEFORE ? day < k->day
	       : k->kind == KEY_SENTON   ? day == k->day
					 : day >= k->day;
}

/* As deep as SEARCH_DEPTH_MAX. After an error nothing is looked at any more. */
static bool match(struct searching *x, const struct imap_key *k)
{
	bool yes = false;

	if (x->e)
		return false;
	x->keys++;
	switch (k->kind) {
	case KEY_NOT: return !match(x, k->first);
	case KEY_OR: return match(x, k->first) || match(x, k->first->next);
	case KEY_AND:
		for (const struct imap_key *each = k->first; each; each = each->next)
			if (!match(x, each))
				return false;
		return true;
	case KEY_SENTBEFORE:
	case KEY_SENTON:
	case KEY_SENTSINCE: return by_sent(x, k);
	case KEY_HEADER: x->e = imap_looked_header(&x->look, k->field, k->text, &yes); return yes;
	case KEY_BODY:
	case KEY_TEXT:
		x->e = imap_looked_message(&x->look, k->text, k->kind == KEY_TEXT, &yes);
		return yes;
	default: return by_record(x, k);
	}
}

static enum err one(void *arg, uint32_t number, const struct msg *m)
{
	struct searching *x = arg;
	struct looked *l = &x->look;

	(void)number;
	l->m = m;
	l->has_summary = l->has_header = false;
	bool yes = match(x, x->key);

	arena_reset(l->a);
	if (x->e && x->e != E_NOTFOUND) /* a message that has just gone is not found */
		return x->e;
	if (yes && !x->e)
		uidset_add(&x->found, m->uid);
	x->e = OK;
	l->cost += x->keys / KEYS_A_COST;
	x->keys %= KEYS_A_COST;
	if (l->cost >= YIELD_COST) {
		l->cost = 0;
		io_deadline(x->s->io, clock_in(x->s->srv->conf->stall_ms));
		fiber_yield();
	}
	return fiber_canceled() ? E_CANCELED : io_failed(x->s->io);
}

/* The messages of one key by the map alone, without reading a record. */
static bool by_map(struct imap *s, const struct imap_key *k, struct arena *a, struct uidset all,
		   struct uidset *out)
{
	bool not = k->kind == KEY_NOT;
	bool beyond;

	if (not )
		k = k->first;
	switch (k->kind) {
	case KEY_ALL: *out = all; break;
	case KEY_NUMBERS: *out = box_uids(s->box, a, k->set, &beyond); break;
	case KEY_UIDS: *out = box_known(s->box, a, k->set); break;
	case KEY_FLAGS:
		if (k->num == FLAG_SEEN)
			*out = box_seen(s->box, a, true);
		else if (k->num == FLAG_DELETED)
			*out = box_deleted(s->box, a);
		else
			return false;
		break;
	default: return false;
	}
	if (not )
		*out = uidset_minus(a, all, *out);
	return true;
}

/*
 * Narrows the messages down by those keys of the whole that the map answers, and takes these
 * keys out. The result is in one of the arenas a[]; a set of one key lives in the third only.
 */
static struct uidset narrow(struct imap *s, struct imap_key *whole, struct uidset all,
			    struct arena *a[3])
{
	struct uidset left = all, set;
	unsigned turn = 0;

	for (struct imap_key **at = &whole->first; *at;) {
		if (!by_map(s, *at, a[2], all, &set)) {
			at = &(*at)->next;
			continue;
		}
		*at = (*at)->next;
		arena_reset(a[turn]);
		left = uidset_both(a[turn], left, set);
		arena_reset(a[2]);
		turn = 1 - turn;
	}
	return left;
}

enum err imap_find(struct imap *s, struct imap_key *key, struct uidset *out)
{
	struct arena *a[3];
	struct searching x = { .s = s, .key = key, .look.box = s->box, .found.a = s->cmd };
	struct uidset all = { 0 };
	uint32_t last = imap_last_uid(s);
	enum err e = OK;

	for (unsigned i = 0; i < LENGTH(a); i++)
		a[i] = arena_new(CMD_ARENA_MAX);
	x.look.a = arena_new(LOOK_ARENA_MAX);
	x.look.piece = arena_new(LOOK_ARENA_MAX);
	if (last)
		all = box_known(s->box, s->cmd, uidset_one(s->cmd, 1, last));
	struct uidset left = narrow(s, key, all, a);

	if (key->first) {
		e = box_each(s->box, left, one, &x);
		*out = uidset_done(&x.found);
	} else {
		*out = uidset_both(s->cmd, left, all); /* a copy that stays */
	}
	for (unsigned i = 0; i < LENGTH(a); i++)
		arena_free(&a[i]);
	arena_free(&x.look.a);
	arena_free(&x.look.piece);
	return e;
}

void imap_put_piece(struct imap *s)
{
	if (s->out.n < LINE_PIECE)
		return;
	io_put(s->io, buf_str(&s->out));
	buf_clear(&s->out);
}

void imap_put_found(struct imap *s, uint32_t n)
{
	buf_c(&s->out, ' ');
	imap_put_num(&s->out, n);
	imap_put_piece(s);
}

static uint32_t told(const struct imap *s, uint32_t uid)
{
	return s->by_uid ? uid : box_number(s->box, uid);
}

static void tell_search(struct imap *s, struct uidset set)
{
	buf_put(&s->out, S("* SEARCH"));
	for (uint32_t uid = uidset_first(set); uid && !io_failed(s->io);
	     uid = uidset_next(set, uid))
		imap_put_found(s, told(s, uid));
	imap_send(s);
}

static void tell_set(struct imap *s, struct uidset set)
{
	for (size_t i = 0; i < set.n && !io_failed(s->io); i++) {
		buf_put(&s->out, i ? S(",") : S(" ALL "));
		imap_put_num(&s->out, set.range[i].first);
		if (set.range[i].last != set.range[i].first) {
			buf_c(&s->out, ':');
			imap_put_num(&s->out, set.range[i].last);
		}
		imap_put_piece(s);
	}
}

/* RFC 4731 3.1 */
static void tell_esearch(struct imap *s, struct uidset uids, unsigned returns)
{
	struct buf *b = &s->out;
	struct uidset_builder numbers = { .a = s->cmd };
	struct uidset set = uids;

	if (!s->by_uid) {
		for (uint32_t uid = uidset_first(uids); uid; uid = uidset_next(uids, uid))
			uidset_add(&numbers, box_number(s->box, uid));
		set = uidset_done(&numbers);
	}
	buf_put(b, S("* ESEARCH (TAG "));
	imap_put_quoted(b, STR(s->tag, s->tag_n));
	buf_c(b, ')');
	if (s->by_uid)
		buf_put(b, S(" UID"));
	if (set.n && returns & RETURN_MIN)
		buf_fmt(b, " MIN %u", set.range[0].first);
	if (set.n && returns & RETURN_MAX)
		buf_fmt(b, " MAX %u", set.range[set.n - 1].last);
	if (returns & RETURN_COUNT)
		buf_fmt(b, " COUNT %llu", (unsigned long long)uidset_count(set));
	if (returns & RETURN_ALL)
		tell_set(s, set);
	imap_send(s);
}

struct done imap_search_refused(const struct imap_search *r, const struct scan *in,
				const char *usage)
{
	if (r->badcharset) {
		struct done d = done_no(NULL, "this charset is not known here");

		d.code = S("BADCHARSET (US-ASCII UTF-8)");
		return d;
	}
	if (r->too_much)
		return done_no("LIMIT", "the search has too many keys, or too deep ones");
	return scan_end(in) ? done_ok("") : done_bad(usage);
}

/* SEARCH [RETURN (option ...)] [CHARSET charset] key ... */
struct done imap_cmd_search(struct imap *s, struct scan *in)
{
	struct imap_search r = imap_search_new(s);
	struct uidset found;

	imap_search_request(in, s->cmd, &r);
	struct done d = imap_search_refused(
		&r, in, "usage: SEARCH [RETURN (options)] [CHARSET charset] key ...");

	if (d.how != DONE_OK)
		return d;
	enum err e = imap_find(s, r.key, &found);

	if (e)
		return done_err(e);
	if (r.returns)
		tell_esearch(s, found, r.returns);
	else
		tell_search(s, found);
	return done_ok("SEARCH done");
}
