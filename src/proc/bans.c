/* SPDX-License-Identifier: ISC */
/* proc/bans.c - the list of bans, and the kernel's table that follows it. */
#include "proc/bans.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "proc/bans_text.h"
#include "proc/nft.h"

enum {
	TRANSACTION = 64 * 1024, /* octets of commands that are run at once, about */
	COMMANDS_MAX = 2 * TRANSACTION,
};

struct held {
	struct net who;
	int64_t until; /* clock_ms(): the kernel's timeouts stand still in suspend, too */
};

struct bans {
	struct held *list; /* owned; in order of order() */
	size_t n, cap;
	bool made[2][129]; /* the kernel has the set of this family and prefix, and its rule */
	bool denied;       /* the kernel is not ours to ask */
	struct nft *nft;   /* during a call only */
	struct buf text;   /* likewise: what the kernel is to be told */
	bool failed;       /* likewise: it has refused something */
};

static int order(const struct net *a, const struct net *b)
{
	int way = memcmp(a->octets, b->octets, sizeof a->octets);

	return way ? way : a->bits - b->bits;
}

/* Where it is, or would be. */
static size_t place(const struct bans *b, const struct net *who)
{
	size_t from = 0, to = b->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (order(&b->list[middle].who, who) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static bool holds(const struct bans *b, size_t at, const struct net *who)
{
	return at < b->n && net_same(&b->list[at].who, who);
}

static void drop_ended(struct bans *b)
{
	int64_t now = clock_ms();
	size_t kept = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->list[i].until > now)
			b->list[kept++] = b->list[i];
	b->n = kept;
}

static enum err put(struct bans *b, const struct held *h)
{
	size_t at = place(b, &h->who);

	if (!holds(b, at, &h->who)) {
		if (b->n == BANS_MAX)
			return E_LIMIT;
		if (b->n == b->cap) {
			size_t cap = b->cap ? 2 * b->cap : 16;
			b->list = mem_grow(b->list, b->cap * sizeof *h, cap * sizeof *h);
			b->cap = cap;
		}
		memmove(b->list + at + 1, b->list + at, (b->n - at) * sizeof *h);
		b->n++;
	}
	b->list[at] = *h;
	return OK;
}

static bool take(struct bans *b, const struct net *who)
{
	size_t at = place(b, who);

	if (!holds(b, at, who))
		return false;
	b->n--;
	memmove(b->list + at, b->list + at + 1, (b->n - at) * sizeof *b->list);
	return true;
}

/* --- the kernel; after the first refusal nothing more is said until it is begun anew --- */

static void run(struct bans *b)
{
	struct str why = S_NONE;

	buf_c(&b->text, '\0');
	BUG_IF(b->text.full);
	if (b->text.n > 1 && !b->failed && !nft_run(b->nft, b->text.p, &why)) {
		log_event(LOG_WARN, "bans.refused", KV("reason", why));
		b->failed = true;
	}
	buf_clear(&b->text);
}

static void say_add(struct bans *b, const struct net *who, int64_t seconds)
{
	bool *made = &b->made[net_is_v4(who)][ban_prefix(who)];

	if (b->text.n > TRANSACTION)
		run(b);
	if (!*made)
		ban_text_set(&b->text, who);
	*made = true;
	ban_text_add(&b->text, who, seconds);
}

static void say_remove(struct bans *b, const struct net *who)
{
	if (b->text.n > TRANSACTION)
		run(b);
	ban_text_remove(&b->text, who);
}

static void say_all(struct bans *b)
{
	int64_t now = clock_ms();

	memset(b->made, 0, sizeof b->made);
	ban_text_table(&b->text);
	for (size_t i = 0; i < b->n; i++)
		say_add(b, &b->list[i].who, (b->list[i].until - now + 999) / 1000);
	run(b);
}

/* Opens the kernel for one call; OK where it may be asked. */
static enum err begin(struct bans *b)
{
	const char *why;

	drop_ended(b);
	if (b->denied)
		return E_DENIED;
	b->failed = false;
	enum err e = nft_open(&b->nft, &why);
	if (e)
		log_event(LOG_WARN, "bans.refused", KVC("reason", why));
	return e;
}

/* Says what is left to say. The table may have gone, as `nft flush ruleset` does: once again. */
static enum err end(struct bans *b)
{
	run(b);
	if (b->failed) {
		b->failed = false;
		say_all(b);
		if (!b->failed)
			log_event(LOG_WARN, "bans.anew", KVN("bans", b->n));
	}
	nft_close(&b->nft);
	buf_free(&b->text);
	return b->failed ? E_IO : OK;
}

/* --- what main calls --- */

enum err bans_open(struct bans **out)
{
	struct bans *b = *out = NEW(struct bans);
	const char *missing;
	struct str why = S_NONE;

	b->text = buf_new(COMMANDS_MAX);
	b->denied = nft_open(&b->nft, &missing) != OK;
	if (b->denied) {
		why = str_of(missing);
	} else {
		ban_text_table(&b->text);
		buf_c(&b->text, '\0');
		b->denied = !nft_run(b->nft, b->text.p, &why);
	}
	if (b->denied)
		log_event(
			LOG_WARN, "bans.off", KV("reason", why),
			KVC("then", "the kernel drops nobody; the listeners refuse who is banned"));
	buf_free(&b->text);
	nft_close(&b->nft);
	return b->denied ? E_DENIED : OK;
}

void bans_open_list(struct bans **out)
{
	*out = NEW(struct bans);
	(*out)->text = buf_new(COMMANDS_MAX);
	(*out)->denied = true;
}

void bans_close(struct bans **bp)
{
	struct bans *b = *bp;

	if (!b)
		return;
	if (begin(b) == OK) {
		ban_text_end(&b->text);
		run(b);
		buf_free(&b->text);
		nft_close(&b->nft);
	}
	free(b->list);
	free(b);
	*bp = NULL;
}

enum err bans_add_many(struct bans *b, const struct ban *list, size_t n)
{
	enum err kernel = begin(b), first = OK;

	for (size_t i = 0; i < n; i++) {
		int64_t s = list[i].seconds < BAN_SECONDS_MAX ? list[i].seconds : BAN_SECONDS_MAX;
		struct held h = { .until = clock_in(1000 * (s > 0 ? s : 0)) };

		enum err e = ban_who(list[i].address, list[i].prefix, &h.who);
		if (!e && s > 0) {
			e = put(b, &h);
			if (!e && !kernel)
				say_add(b, &h.who, s);
		} else if (!e && take(b, &h.who) && !kernel) {
			say_remove(b, &h.who);
		}
		if (!first)
			first = e;
	}
	if (!kernel)
		kernel = end(b);
	return first ? first : kernel;
}

static void forget(struct bans *b)
{
	free(b->list);
	b->list = NULL;
	b->n = b->cap = 0;
}

enum err bans_set(struct bans *b, const struct ban *list, size_t n)
{
	bool denied = b->denied;

	/* The kernel hears of it once, when all are there. */
	forget(b);
	b->denied = true;
	enum err first = bans_add_many(b, list, n);
	b->denied = denied;
	enum err kernel = bans_refresh(b);
	return first && first != E_DENIED ? first : kernel;
}

void bans_copy(struct bans *b, const struct bans *from)
{
	forget(b);
	b->list = mem_new(from->n * sizeof *b->list);
	b->n = b->cap = from->n;
	if (from->n)
		memcpy(b->list, from->list, from->n * sizeof *b->list);
}

enum err bans_add(struct bans *b, struct str address, unsigned prefix, int64_t seconds)
{
	return bans_add_many(b, &(struct ban){ address, prefix, seconds }, 1);
}

enum err bans_remove(struct bans *b, struct str address, unsigned prefix)
{
	struct net who;

	enum err e = ban_who(address, prefix, &who);
	if (e)
		return e;
	drop_ended(b);
	if (!take(b, &who))
		return E_NOTFOUND;
	e = begin(b);
	if (e)
		return e;
	say_remove(b, &who);
	return end(b);
}

enum err bans_clear(struct bans *b)
{
	forget(b);
	return bans_refresh(b);
}

enum err bans_refresh(struct bans *b)
{
	enum err e = begin(b);

	if (e)
		return e;
	say_all(b);
	return end(b);
}

bool bans_next(const struct bans *b, size_t *at, struct arena *a, struct ban *out)
{
	int64_t now = clock_ms();

	for (; *at < b->n; ++*at) {
		const struct held *h = &b->list[*at];
		if (h->until <= now)
			continue;
		struct net whole = h->who;
		whole.bits = 128;
		*out = (struct ban){ net_text(a, &whole), ban_prefix(&h->who),
				     (h->until - now + 999) / 1000 };
		++*at;
		return true;
	}
	return false;
}
