/* SPDX-License-Identifier: ISC */
/*
 * ctl/queue.c - the operator's orders to the queue: retry, hold, release, delete, move.
 *
 * They go to the mails that are named, of these to the entries that fit the filter if there is
 * one; or to all that fit, with --all. Couriers see them by their watches.
 */
#include "base/clock.h"
#include "ctl/queue.h"
#include "fiber/fiber.h"
#include "mail/address.h"

struct ordering {
	struct ctl *c;
	struct store *st;
	enum queue_order what;
	struct str host; /* of a move */
	struct queue_filter filter;
	bool filtered;
	struct str *id; /* that were named */
	size_t nids;
	size_t fit;                               /* entries that --all is about */
	struct queue_place batch[ENTRIES_A_PAGE]; /* of them those that are next */
	size_t nbatch;
	size_t changed, busy;
	enum err e; /* the first trouble, told already */
};

static const struct {
	const char *command, *done; /* "3 entries ..." */
} orders[] = {
	[QUEUE_RETRY] = { "retry", "to be tried now" },
	[QUEUE_HOLD] = { "hold", "held" },
	[QUEUE_RELEASE] = { "release", "released, to be tried now" },
	[QUEUE_DELETE] = { "delete", "deleted, without a report" },
	[QUEUE_MOVE] = { "move", "to go another way, now" },
};

static void trouble(struct ordering *o, enum err e, struct str why)
{
	fprintf(stderr, "tecsmail: %.*s\n", FMT(why));
	if (!o->e)
		o->e = e;
}

/* What became of one order; a busy entry is told of in the end. */
static void note(struct ordering *o, struct arena *a, enum err e, uint64_t id, size_t n)
{
	o->changed += n;
	if (e == E_DENIED)
		o->busy++;
	else if (e == E_NOTFOUND)
		trouble(o, e,
			str_fmt(a, "%.*s: there is no such mail in the queue",
				FMT(queue_id_text(a, id))));
	else if (e)
		trouble(o, E_IO, str_fmt(a, "%.*s: %s", FMT(queue_id_text(a, id)), err_text(e)));
}

static void order(struct ordering *o, struct arena *a, struct queue_place which)
{
	size_t n = 0;
	enum err e = queue_order(o->st, o->what, which, o->host, clock_wall(), &n);

	/* Another may have taken it away since it was listed. */
	if (e != E_NOTFOUND || which.part == QUEUE_ALL)
		note(o, a, e, which.id, n);
}

/* --- those that are named --- */

static void order_fitting(struct ordering *o, struct arena *a, uint64_t id)
{
	struct queue_job *parts;
	size_t n, fit = 0;
	enum err e = queue_show(o->st, id, a, &parts, &n);

	if (e)
		note(o, a, e, id, 0);
	for (size_t i = 0; i < n; i++) {
		if (!queue_fits(a, &o->filter, &parts[i]))
			continue;
		fit++;
		order(o, a, (struct queue_place){ id, parts[i].p.number });
	}
	if (!e && !fit)
		trouble(o, E_NOTFOUND,
			str_fmt(a, "%.*s: nothing of this mail fits", FMT(queue_id_text(a, id))));
}

static void order_named(struct ordering *o)
{
	struct arena *a = arena_new(ENTRIES_ARENA);

	for (size_t i = 0; i < o->nids; i++) {
		uint64_t id;

		arena_reset(a);
		BUG_IF(!queue_id_read(o->id[i], &id)); /* read before */
		if (o->filtered)
			order_fitting(o, a, id);
		else
			order(o, a, (struct queue_place){ id, QUEUE_ALL });
	}
	arena_free(&a);
}

/* --- all that fit --- */

static bool count(void *arg, struct arena *page, const struct queue_job *j)
{
	struct ordering *o = arg;

	(void)page, (void)j;
	o->fit++;
	return true;
}

struct one {
	struct ordering *o;
	struct queue_place which;
};

static void order_one(void *arg)
{
	struct one *one = arg;
	struct arena *a = arena_new(65536);

	order(one->o, a, one->which);
	arena_free(&a);
}

/* All of a batch wait for the disk together: their updates share commits. */
static enum err order_batch(struct ordering *o)
{
	struct group *group = group_new();
	struct one one[ENTRIES_A_PAGE];
	enum err e = OK;

	for (size_t i = 0; i < o->nbatch && !e; i++) {
		one[i] = (struct one){ o, o->batch[i] };
		e = group_spawn(group, "order", order_one, &one[i]);
	}
	enum err waited = group_wait(group, NEVER);
	group_close(&group);
	o->nbatch = 0;
	return e ? e : waited;
}

static bool gather(void *arg, struct arena *page, const struct queue_job *j)
{
	struct ordering *o = arg;

	(void)page;
	o->batch[o->nbatch++] = (struct queue_place){ j->p.id, j->p.number };
	if (o->nbatch == LENGTH(o->batch) && order_batch(o))
		trouble(o, E_IO, S("the orders could not be given"));
	return !o->e;
}

static enum err order_all(struct ordering *o, struct str *why)
{
	struct arena *a = o->c->arena;
	enum err e = queued_each(o->st, &o->filter, count, o);

	if (!e && o->fit) {
		struct str question =
			str_fmt(a, "%zu entr%s of the queue: %s?\nType yes to go on: ", o->fit,
				o->fit == 1 ? "y" : "ies", orders[o->what].command);
		if (!ctl_sure(o->c, question, S("yes"), why))
			return E_DENIED;
		e = queued_each(o->st, &o->filter, gather, o);
		if (!e && !o->e)
			e = order_batch(o);
	}
	if (e)
		*why = str_fmt(a, "the queue could not be read: %s", err_text(e));
	return e;
}

/* --- telling --- */

static int tell(struct ordering *o)
{
	struct ctl *c = o->c;
	struct str busy =
		o->busy == 1
			? S("1 entry is left as it was: a courier is sending it just now; try "
			    "again in a moment")
			: str_fmt(c->arena,
				  "%zu entries are left as they were: couriers are sending them "
				  "just now; try again in a moment",
				  o->busy);

	if (o->busy)
		trouble(o, E_IO, busy);
	int status = o->e == E_NOTFOUND ? EXIT_NOTFOUND : o->e ? EXIT_FAILED : EXIT_OK;
	if (c->options & OPT_JSON) {
		json_t *j = json_pack("{s:b, s:I, s:I}", "ok", !o->e, "changed",
				      (json_int_t)o->changed, "busy", (json_int_t)o->busy);
		if (o->e)
			json_object_set_new(j, "exit", json_integer(status));
		return ctl_print_json(j) ? EXIT_FAILED : status;
	}
	if (o->changed || !o->e)
		printf("%zu entr%s %s\n", o->changed, o->changed == 1 ? "y" : "ies",
		       orders[o->what].done);
	return status;
}

/* --- the command line --- */

static enum err read_ids(struct ordering *o, struct str *why)
{
	struct ctl *c = o->c;
	uint64_t id;

	for (size_t i = 0; i < o->nids; i++)
		if (!queue_id_read(o->id[i], &id)) {
			*why = str_fmt(c->arena, "%.*s is no id: tecsmail queue list shows them",
				       FMT(o->id[i]));
			return E_SYNTAX;
		}
	bool all = (c->options & OPT_ALL) != 0;
	if (all != (o->nids == 0)) {
		*why = all ? S("give either ids or --all")
			   : S("which? Give ids, or --all for all that fit");
		return E_SYNTAX;
	}
	return OK;
}

/* The last word is the host; "-" is the way of its domain. */
static enum err read_host(struct ordering *o, struct str *why)
{
	struct str word = o->id[o->nids - 1], ignored;

	o->nids--;
	o->host = str_is(word, "-") ? S("") : word;
	if (!o->host.n || !queue_via(o->c->arena, o->host, &ignored))
		return OK;
	*why = str_fmt(o->c->arena, "%.*s is no name of a host", FMT(word));
	return E_SYNTAX;
}

static int give(struct ctl *c, enum queue_order what)
{
	struct ordering o = {
		.c = c, .what = what, .host = S(""), .id = c->words, .nids = c->nwords
	};
	struct str why;
	enum err e = what == QUEUE_MOVE ? read_host(&o, &why) : OK;

	if (!e)
		e = read_ids(&o, &why);
	if (e)
		return ctl_failed(c, e, why);
	o.filtered = queued_filter(c, &o.filter);
	int status = ctl_store_open(c, &o.st);
	if (status)
		return status;
	if (o.nids)
		order_named(&o);
	else
		e = order_all(&o, &why);
	status = e ? ctl_failed(c, e, why) : tell(&o);
	store_close(&o.st);
	return status;
}

int cmd_queue_retry(struct ctl *c)
{
	return give(c, QUEUE_RETRY);
}

int cmd_queue_hold(struct ctl *c)
{
	return give(c, QUEUE_HOLD);
}

int cmd_queue_release(struct ctl *c)
{
	return give(c, QUEUE_RELEASE);
}

int cmd_queue_delete(struct ctl *c)
{
	return give(c, QUEUE_DELETE);
}

int cmd_queue_move(struct ctl *c)
{
	return give(c, QUEUE_MOVE);
}
