/* SPDX-License-Identifier: ISC */
/* ctl/queue_list.c - the queue row by row, and in sum. */
#include <stdlib.h>

#include "base/clock.h"
#include "ctl/queue.h"

/* --- list --- */

enum { REASON_MAX = 200 };

struct listing {
	struct ctl *c;
	int64_t now;
	size_t n;
	bool broken; /* whoever reads it has gone */
};

static struct str recipients(struct arena *a, const struct queue_part *p)
{
	struct str first = queue_one_line(a, p->rcpt[0].address);

	return p->n > 1 ? str_fmt(a, "%.*s (+%zu)", FMT(first), p->n - 1) : first;
}

static const struct queue_reply *last_reply(const struct queue_part *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->rcpt[i].last.when)
			return &p->rcpt[i].last;
	return NULL;
}

static void print_entry(const struct listing *l, struct arena *a, const struct queue_job *j)
{
	const struct queue_reply *y = last_reply(&j->p);
	struct str sender = j->m.sender.n ? queue_one_line(a, j->m.sender) : S("<>");
	int64_t next = queued_next(&j->p);

	if (!l->n)
		printf("%-13s  %-19s  %6s  %-7s  %-19s  %s\n", "ID", "SUBMITTED", "SIZE", "STATE",
		       "NEXT TRY", "FROM, TO");
	printf("%.*s  %.*s  %6.*s  %-7s  %-19.*s  %.*s, %.*s\n", FMT(queue_id_text(a, j->m.id)),
	       FMT(text_time(a, j->m.submitted)), FMT(text_size(a, j->m.size)),
	       queued_state(&j->p, l->now), FMT(queued_when(a, next)), FMT(sender),
	       FMT(recipients(a, &j->p)));
	if (y)
		printf("%15s%.*s%s%.*s\n", "", FMT(queue_one_line(a, y->host)),
		       y->host.n ? ": " : "", FMT(str_part(queued_reply(a, y), 0, REASON_MAX)));
}

static void print_json(const struct listing *l, struct arena *a, const struct queue_job *j)
{
	json_t *row = queued_json_mail(a, &j->m), *entry = queued_json_entry(a, j, NULL);

	json_object_set_new(row, "state", json_string(queued_state(&j->p, l->now)));
	json_object_update(row, entry);
	fputs(l->n ? ",\n" : "[\n", stdout);
	json_dumpf(row, stdout, JSON_INDENT(2));
	json_decref(entry);
	json_decref(row);
}

static bool list_one(void *arg, struct arena *page, const struct queue_job *j)
{
	struct listing *l = arg;

	if (l->c->options & OPT_JSON)
		print_json(l, page, j);
	else
		print_entry(l, page, j);
	l->n++;
	l->broken = ferror(stdout) != 0;
	return !l->broken;
}

/* Rows that were read are told before what went wrong then, and end well for programs. */
static int list(struct ctl *c, struct store *st)
{
	struct listing l = { .c = c, .now = clock_wall() };
	struct queue_filter f;
	bool chosen = queued_filter(c, &f), json = (c->options & OPT_JSON) != 0;
	enum err e = queued_each(st, &f, list_one, &l);

	if (e && !l.n)
		return ctl_failed(
			c, E_IO, str_fmt(c->arena, "the queue could not be read: %s", err_text(e)));
	if (json)
		fputs(l.n ? "\n]\n" : "[]\n", stdout);
	else if (!l.n)
		puts(chosen ? "Nothing in the queue fits." : "The queue is empty.");
	if (e)
		fprintf(stderr, "tecsmail: the rest of the queue could not be read: %s\n",
			err_text(e));
	return e || l.broken ? EXIT_FAILED : EXIT_OK;
}

int cmd_queue_list(struct ctl *c)
{
	return ctl_with_store(c, list);
}

/* --- summary --- */

enum { DESTINATIONS_MAX = 20000, SLOTS = 65536, SUMMARY_ARENA = 64 << 20, TOLD_MAX = 1000 };

struct sum {
	struct str name;
	size_t entries, waiting, held, sending, ended; /* all but entries: recipients */
	int64_t oldest, next;
};
struct summing {
	struct arena *a; /* owned */
	int64_t now;
	struct sum *sum; /* one a destination; the last one: all beyond */
	uint32_t *slot;  /* index + 1, by the name's hash */
	size_t n;
	struct sum all;
};

static struct sum *sum_of(struct summing *s, struct str name)
{
	size_t at = str_hash(name) % SLOTS;

	for (; s->slot[at]; at = (at + 1) % SLOTS)
		if (str_eq(s->sum[s->slot[at] - 1].name, name))
			return &s->sum[s->slot[at] - 1];
	if (s->n == DESTINATIONS_MAX)
		return &s->sum[DESTINATIONS_MAX];
	struct sum *fresh = &s->sum[s->n++];
	s->slot[at] = (uint32_t)s->n;
	*fresh = (struct sum){ .name = str_dup(s->a, name), .next = QUEUE_NEVER };
	return fresh;
}

static void count(struct sum *s, const struct queue_job *j, int64_t now)
{
	const struct queue_part *p = &j->p;
	bool leased = p->lease && p->lease_until > now;
	int64_t next = queued_next(p);

	s->entries++;
	for (size_t i = 0; i < p->n; i++) {
		enum queue_state x = p->rcpt[i].state;

		s->sending += leased && x == QUEUE_WAITING;
		s->waiting += !leased && x == QUEUE_WAITING;
		s->held += x == QUEUE_HELD;
		s->ended += x != QUEUE_WAITING && x != QUEUE_HELD;
	}
	if (!s->oldest || j->m.submitted < s->oldest)
		s->oldest = j->m.submitted;
	if (next < s->next)
		s->next = next;
}

static bool sum_one(void *arg, struct arena *page, const struct queue_job *j)
{
	struct summing *s = arg;

	count(sum_of(s, queue_destination_of(page, &j->p)), j, s->now);
	count(&s->all, j, s->now);
	return true;
}

static int by_entries(const void *x, const void *y)
{
	const struct sum *a = x, *b = y;

	if (a->entries != b->entries)
		return a->entries < b->entries ? 1 : -1;
	return str_cmp(a->name, b->name);
}

static json_t *json_sum(const struct sum *s)
{
	return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "destination",
			 ctl_json_str(s->name), "entries", (json_int_t)s->entries, "waiting",
			 (json_int_t)s->waiting, "held", (json_int_t)s->held, "sending",
			 (json_int_t)s->sending, "ended", (json_int_t)s->ended, "oldest",
			 (json_int_t)s->oldest, "next", queued_json_when(s->next));
}

static void row(struct columns *t, const struct sum *s)
{
	const size_t numbers[] = { s->entries, s->waiting, s->held, s->sending, s->ended };

	columns_add(t, s->name);
	for (size_t i = 0; i < LENGTH(numbers); i++)
		columns_add(t, str_fmt(t->a, "%zu", numbers[i]));
	columns_add(t, s->oldest ? text_time(t->a, s->oldest) : S("-"));
	columns_add(t, queued_when(t->a, s->next));
}

static int tell(struct ctl *c, struct summing *s)
{
	static const char *const heads[] = { "DESTINATION", "<ENTRIES", "<WAITING", "<HELD",
					     "<SENDING",    "<ENDED",   "OLDEST",   "NEXT TRY" };
	struct columns t = columns_new(s->a, heads, LENGTH(heads));
	size_t told = s->n < TOLD_MAX ? s->n : TOLD_MAX;

	if (c->options & OPT_JSON) {
		json_t *list = json_array(), *all = json_sum(&s->all);

		json_object_del(all, "destination");
		for (size_t i = 0; i < s->n; i++)
			json_array_append_new(list, json_sum(&s->sum[i]));
		return ctl_print_json(json_pack("{s:o, s:o}", "all", all, "destinations", list));
	}
	if (!s->n) {
		puts("The queue is empty.");
		return EXIT_OK;
	}
	for (size_t i = 0; i < told; i++)
		row(&t, &s->sum[i]);
	s->all.name = S("all");
	row(&t, &s->all);
	columns_print(&t, stdout);
	if (told < s->n)
		printf("(%zu more destinations: --json has them)\n", s->n - told);
	return EXIT_OK;
}

static int summary(struct ctl *c, struct store *st)
{
	struct summing s = { .a = arena_new(SUMMARY_ARENA),
			     .now = clock_wall(),
			     .all = { .next = QUEUE_NEVER } };
	struct queue_filter any = { 0 };
	int status;

	s.sum = ARENA_ARRAY(s.a, struct sum, DESTINATIONS_MAX + 1);
	s.slot = ARENA_ARRAY(s.a, uint32_t, SLOTS);
	s.sum[DESTINATIONS_MAX] = (struct sum){ .name = S("(others)"), .next = QUEUE_NEVER };
	enum err e = queued_each(st, &any, sum_one, &s);
	if (e) {
		status = ctl_failed(
			c, E_IO, str_fmt(c->arena, "the queue could not be read: %s", err_text(e)));
	} else {
		s.n += s.sum[DESTINATIONS_MAX].entries > 0;
		qsort(s.sum, s.n, sizeof *s.sum, by_entries);
		status = tell(c, &s);
	}
	arena_free(&s.a);
	return status;
}

int cmd_queue_summary(struct ctl *c)
{
	return ctl_with_store(c, summary);
}
