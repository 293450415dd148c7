/* SPDX-License-Identifier: ISC */
/* courier/tlsrpt.c - sessions are counted in memory, and go to the store once a minute. */
#include "courier/tlsrpt_priv.h"

enum {
	NOTED_MAX = 8192, /* rows in memory; SLOTS is twice that */
	SLOTS = 2 * NOTED_MAX,
	FULL_AT = NOTED_MAX / 2,
	TEXT_OCTETS_MAX = NOTED_MAX * 640,
	FLUSH_MS = 60000,
	BATCHES_MAX = 200, /* domains of one update */
	FLUSH_MEMORY = 4 << 20,
	SENDERS = 4
};

struct noted {
	uint32_t day;
	struct str domain;
	struct tlsrpt_row row;
};

static struct str cut(struct str s, size_t max)
{
	return str_part(s, 0, max);
}

static bool same(const struct noted *a, const struct noted *b)
{
	return a->day == b->day && a->row.policy == b->row.policy &&
	       a->row.result == b->row.result && str_eq(a->domain, b->domain) &&
	       str_eq(a->row.mx, b->row.mx) && str_eq(a->row.ip, b->row.ip);
}

static size_t hash(const struct noted *x)
{
	uint64_t h = str_hash(x->domain) ^ (uint64_t)x->row.result << 8 ^ x->row.policy ^ x->day;

	h = h * 1099511628211u ^ str_hash(x->row.mx);
	return (size_t)(h * 1099511628211u ^ str_hash(x->row.ip));
}

void tlsrpt_note(struct tlsrpt *t, const struct tlsrpt_seen *seen)
{
	struct noted x = { .day = (uint32_t)(clock_wall() / DAY_S),
			   .domain = cut(seen->domain, DNS_NAME_MAX),
			   .row = { .policy = seen->policy,
				    .result = seen->result,
				    .mx = cut(seen->mx, TLSRPT_TEXT_MAX / 2),
				    .ip = cut(seen->ip, TLSRPT_TEXT_MAX / 4),
				    .detail = cut(seen->detail, TLSRPT_TEXT_MAX / 2),
				    .sessions = 1 } };
	size_t i = hash(&x) % SLOTS;

	if (!t->conf.send || !x.domain.n)
		return;
	for (; t->slot[i]; i = (i + 1) % SLOTS) {
		if (!same(&t->noted[t->slot[i] - 1], &x))
			continue;
		t->noted[t->slot[i] - 1].row.sessions++;
		return;
	}
	if (t->n == NOTED_MAX) {
		t->lost++;
		return;
	}
	x.domain = str_dup(t->arena, x.domain);
	x.row.mx = str_dup(t->arena, x.row.mx);
	x.row.ip = str_dup(t->arena, x.row.ip);
	x.row.detail = str_dup(t->arena, x.row.detail);
	t->noted[t->n++] = x;
	t->slot[i] = (uint32_t)t->n;
	if (t->n == FULL_AT)
		signal_raise(&t->full);
}

/* --- to the store --- */

/* By day and domain; of these in the order in which they came. */
static int by_domain(const void *x, const void *y)
{
	const struct noted *a = *(const struct noted *const *)x,
			   *b = *(const struct noted *const *)y;
	int c = a->day == b->day ? str_cmp(a->domain, b->domain) : a->day < b->day ? -1 : 1;

	return c ? c : (a > b) - (a < b);
}

/* The next batches of a sorted list; *n rows of it are in them. */
static size_t batches(struct noted **list, size_t *n, struct arena *a, struct tlsrpt_batch *out)
{
	size_t i = 0, made = 0;

	while (i < *n && made < BATCHES_MAX) {
		struct tlsrpt_batch *b = &out[made++];
		size_t end = i;

		while (end < *n && list[end]->day == list[i]->day &&
		       str_eq(list[end]->domain, list[i]->domain))
			end++;
		*b = (struct tlsrpt_batch){ .day = list[i]->day, .domain = list[i]->domain };
		b->row = ARENA_ARRAY(a, struct tlsrpt_row, end - i);
		for (; i < end; i++)
			b->row[b->n++] = list[i]->row;
	}
	*n = i;
	return made;
}

/* What went to the store is taken off; what was noted meanwhile stays. Counts are cheap: a new
 * table is made of what is left. */
struct table {
	struct arena *arena;
	struct noted *noted;
	uint32_t *slot;
	size_t n;
};

static void fresh(struct tlsrpt *t)
{
	t->arena = arena_new(TEXT_OCTETS_MAX);
	t->noted = mem_new(NOTED_MAX * sizeof *t->noted);
	t->slot = mem_new(SLOTS * sizeof *t->slot);
	t->n = 0;
}

static void drop(struct table *old)
{
	arena_free(&old->arena);
	free(old->noted);
	free(old->slot);
}

static enum err write_all(struct store *st, const struct table *old, size_t *left_out)
{
	struct noted **list = mem_new(old->n * sizeof *list);
	struct arena *a = arena_new(FLUSH_MEMORY);
	enum err e = OK;

	for (size_t i = 0; i < old->n; i++)
		list[i] = &old->noted[i];
	qsort(list, old->n, sizeof *list, by_domain);
	for (size_t at = 0; at < old->n && !e;) {
		struct tlsrpt_batch *b;
		size_t n = old->n - at, missed = 0;

		arena_reset(a);
		b = ARENA_ARRAY(a, struct tlsrpt_batch, BATCHES_MAX);
		size_t made = batches(list + at, &n, a, b);
		e = tlsrpt_counts_merge(st, b, made, &missed);
		*left_out += missed;
		at += n;
	}
	arena_free(&a);
	free(list);
	return e;
}

/* At an error of the store a minute's counts are lost: reports are statistics. */
static void flush(struct tlsrpt *t)
{
	struct table old = { t->arena, t->noted, t->slot, t->n };
	size_t left_out = 0;

	if (!t->n)
		return;
	fresh(t); /* who notes while this fiber waits finds room */
	enum err e = write_all(t->conf.store, &old, &left_out);
	if (e || left_out || t->lost)
		log_event(LOG_WARN, "tlsrpt.lost", KVE(e), KVN("domains", left_out),
			  KVN("sessions", t->lost));
	t->lost = 0;
	drop(&old);
}

static void flush_often(void *arg)
{
	struct tlsrpt *t = arg;
	enum err e = OK;

	while (e != E_CANCELED) {
		e = signal_wait(&t->full, t->full.count, clock_in(FLUSH_MS));
		if (e != E_CANCELED)
			flush(t);
	}
}

enum err tlsrpt_new(const struct tlsrpt_conf *conf, struct tlsrpt **out)
{
	struct https_conf web = { .dns = conf->dns,
				  .ca_file = conf->ca_file,
				  .port = conf->port,
				  .loopback = conf->loopback };
	struct tlsrpt *t = NEW(struct tlsrpt);

	t->conf = *conf;
	t->https = https_new(&web);
	t->group = group_new();
	fresh(t);
	*out = t;
	enum err e = group_spawn(t->group, "tlsrpt.flush", flush_often, t);
	/* Several, so that web servers that do not answer hold up few of the reports. */
	for (unsigned i = 0; i < SENDERS && !e; i++)
		e = group_spawn(t->group, "tlsrpt.send", tlsrpt_send_daily, t);
	if (!e)
		e = group_spawn(t->group, "tlsrpt.take", tlsrpt_take_arriving, t);
	if (e)
		tlsrpt_close(out);
	return e;
}

void tlsrpt_close(struct tlsrpt **t)
{
	if (!*t)
		return;
	https_stop((*t)->https);
	group_close(&(*t)->group);
	flush(*t);
	https_close(&(*t)->https);
	drop(&(struct table){ (*t)->arena, (*t)->noted, (*t)->slot, 0 });
	free(*t);
	*t = NULL;
}
