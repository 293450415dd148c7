/* SPDX-License-Identifier: ISC */
/* imap/search.c - SEARCH and UID SEARCH: RFC 3501 6.4.4, 6.4.8, 7.2.5. */
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

static void found(struct imap *s, uint32_t number, uint32_t uid)
{
	buf_c(&s->out, ' ');
	imap_put_num(&s->out, s->by_uid ? uid : number);
	if (s->out.n < LINE_PIECE)
		return;
	io_put(s->io, buf_str(&s->out));
	buf_clear(&s->out);
}

static enum err one(void *arg, uint32_t number, const struct msg *m)
{
	struct searching *x = arg;
	struct looked *l = &x->look;

	l->m = m;
	l->has_summary = l->has_header = false;
	bool yes = match(x, x->key);

	arena_reset(l->a);
	if (x->e && x->e != E_NOTFOUND) /* a message that has just gone is not found */
		return x->e;
	if (yes && !x->e)
		found(x->s, number, m->uid);
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

static enum err tell_all(struct imap *s, struct uidset set)
{
	for (uint32_t uid = uidset_first(set); uid; uid = uidset_next(set, uid)) {
		found(s, s->by_uid ? 0 : box_number(s->box, uid), uid);
		if (io_failed(s->io))
			break;
	}
	return io_failed(s->io);
}

static struct done search(struct imap *s, struct imap_key *key)
{
	struct arena *a[3];
	struct searching x = { .s = s, .key = key, .look.box = s->box };
	struct uidset all = { 0 };
	uint32_t last = imap_last_uid(s);

	for (unsigned i = 0; i < LENGTH(a); i++)
		a[i] = arena_new(CMD_ARENA_MAX);
	x.look.a = arena_new(LOOK_ARENA_MAX);
	x.look.piece = arena_new(LOOK_ARENA_MAX);
	if (last)
		all = box_known(s->box, s->cmd, uidset_one(s->cmd, 1, last));
	struct uidset left = narrow(s, key, all, a);

	buf_put(&s->out, S("* SEARCH"));
	enum err e = key->first ? box_each(s->box, left, one, &x) : tell_all(s, left);

	imap_send(s); /* the line is ended whatever has happened */
	for (unsigned i = 0; i < LENGTH(a); i++)
		arena_free(&a[i]);
	arena_free(&x.look.a);
	arena_free(&x.look.piece);
	return e ? done_err(e) : done_ok("SEARCH done");
}

/* SEARCH [CHARSET charset] key ... */
struct done imap_cmd_search(struct imap *s, struct scan *in)
{
	struct imap_search r = { .star_number = box_view(s->box).exists,
				 .star_uid = imap_last_uid(s) };

	imap_search_request(in, s->cmd, &r);
	if (r.badcharset) {
		struct done d = done_no(NULL, "this charset is not known here");

		d.code = S("BADCHARSET (US-ASCII UTF-8)");
		return d;
	}
	if (r.too_much)
		return done_no("LIMIT", "the search has too many keys, or too deep ones");
	if (!scan_end(in))
		return done_bad("usage: SEARCH [CHARSET charset] key ...");
	return search(s, r.key);
}
