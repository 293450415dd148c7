/* SPDX-License-Identifier: ISC */
/* ctl/guard.c - the lockout: who is closed out, why, until when; released and closed by hand. */
#include "ctl/ctl_priv.h"
#include "keeper/admin.h"
#include "proc/value.h"

enum { SHOWN_MAX = 10000 };

static const char *const states[] = {
	[LOCKOUT_OPEN] = "open",
	[LOCKOUT_BLOCKED] = "blocked",
	[LOCKOUT_BANNED] = "banned",
};

/* --- the list --- */

struct list {
	struct arena *a;
	struct admin_guard *item; /* SHOWN_MAX at most */
	size_t n, all;
};

static void take(void *arg, const struct admin_guard *g)
{
	struct list *l = arg;

	if (l->all++ >= SHOWN_MAX)
		return;
	if ((l->n & (l->n - 1)) == 0)
		l->item = mem_grow(l->item, l->n * sizeof *l->item,
				   (l->n ? 2 * l->n : 1) * sizeof *l->item);
	l->item[l->n] = *g;
	l->item[l->n++].address = str_dup(l->a, g->address);
}

static int later(const void *x, const void *y)
{
	const struct admin_guard *a = x, *b = y;

	if (a->until != b->until)
		return a->until > b->until ? -1 : 1;
	return str_cmp(a->address, b->address);
}

static int print_list(const struct list *l)
{
	static const char *const heads[] = { "ADDRESS", "STATE", "UNTIL", "BY", "<BLOCKS" };
	struct columns table = columns_new(l->a, heads, LENGTH(heads));

	for (size_t i = 0; i < l->n; i++) {
		const struct admin_guard *g = &l->item[i];
		columns_add(&table, g->address);
		columns_add(&table, str_of(states[g->state]));
		columns_add(&table, text_time(l->a, g->until));
		columns_add(&table, g->by_hand ? S("operator") : S("count"));
		columns_add(&table, str_fmt(l->a, "%u", g->nblocks));
	}
	columns_print(&table, stdout);
	if (l->all > l->n)
		printf("%zu more are not shown: name a network\n", l->all - l->n);
	return EXIT_OK;
}

static int dump_list(const struct list *l)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < l->n; i++) {
		const struct admin_guard *g = &l->item[i];
		json_array_append_new(rows,
				      json_pack("{s:o, s:s, s:b, s:I, s:i}", "address",
						ctl_json_str(g->address), "state", states[g->state],
						"by_hand", g->by_hand, "until",
						(json_int_t)g->until, "blocks", (int)g->nblocks));
	}
	return ctl_print_json(
		json_pack("{s:I, s:o}", "closed", (json_int_t)l->all, "addresses", rows));
}

int cmd_guard_list(struct ctl *c)
{
	struct list l = { .a = c->arena };
	struct str why;
	enum err e = admin_guard_list(c->peer, c->nwords ? c->words[0] : S(""), take, &l, c->arena,
				      &why);

	if (l.n)
		qsort(l.item, l.n, sizeof *l.item, later);
	int status = e                       ? ctl_failed(c, e, why)
		     : c->options & OPT_JSON ? dump_list(&l)
					     : print_list(&l);
	free(l.item);
	return status;
}

/* --- one address --- */

static const char *exempt_name(enum guard_exempt why)
{
	return why == GUARD_MACHINE ? "machine" : why == GUARD_NETWORK ? "network" : NULL;
}

/* What the next wrong passwords would do. */
static bool next_bans(const struct admin_guard *g)
{
	return g->nblocks + 1 >= g->rules.blocks;
}

static unsigned errors_left(const struct admin_guard *g)
{
	return g->nerrors < g->rules.errors ? g->rules.errors - g->nerrors : 1;
}

static json_t *times(const int64_t *at, unsigned n)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(list, json_integer((json_int_t)at[i]));
	return list;
}

static int dump_one(const struct admin_guard *g)
{
	json_t *j;

	if (g->exempt)
		return ctl_print_json(json_pack("{s:o, s:s, s:s}", "address",
						ctl_json_str(g->address), "state", "exempt",
						"exempt", exempt_name(g->exempt)));
	j = json_pack("{s:o, s:s, s:b, s:I, s:o, s:o}", "address", ctl_json_str(g->address),
		      "state", states[g->state], "by_hand", g->by_hand, "until",
		      (json_int_t)g->until, "errors", times(g->errors, g->nerrors), "blocks",
		      times(g->blocks, g->nblocks));
	if (j && g->state == LOCKOUT_OPEN)
		json_object_set_new(j, "next",
				    json_pack("{s:i, s:s}", "errors_left", (int)errors_left(g),
					      "then", next_bans(g) ? "ban" : "block"));
	return ctl_print_json(j);
}

static void print_times(struct arena *a, const char *head, const int64_t *at, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		printf("%-16s%.*s\n", i ? "" : head, FMT(text_time(a, at[i])));
}

static void print_next(struct arena *a, const struct admin_guard *g)
{
	unsigned left = errors_left(g);
	int64_t length = next_bans(g) ? g->rules.ban_s : g->rules.block_s;
	int64_t from = g->nerrors ? g->errors[0] : 0;

	printf("%-16s%u more wrong password%s", "next", left, left == 1 ? "" : "s");
	if (from)
		printf(" before %.*s", FMT(text_time(a, from + g->rules.window_s)));
	else
		printf(" within %.*s", FMT(text_span(a, g->rules.window_s)));
	printf(next_bans(g) ? " ban it for %.*s\n" : " close it for %.*s\n",
	       FMT(text_span(a, length)));
}

int cmd_guard_show(struct ctl *c)
{
	struct admin_guard g;
	struct str why;
	enum err e = admin_guard_show(c->peer, c->words[0], c->arena, &g, &why);

	if (e)
		return ctl_failed(c, e, why);
	if (c->options & OPT_JSON)
		return dump_one(&g);
	printf("%-16s%.*s\n", "address", FMT(g.address));
	if (g.exempt) {
		printf("%-16s%s\n", "never closed",
		       g.exempt == GUARD_MACHINE ? "an address of this machine"
						 : "in an exempt network of the configuration");
		return EXIT_OK;
	}
	printf("%-16s%s", "state", states[g.state]);
	if (g.state != LOCKOUT_OPEN)
		printf(" until %.*s%s", FMT(text_time(c->arena, g.until)),
		       g.by_hand ? ", by the operator" : "");
	printf("\n");
	print_times(c->arena, "wrong passwords", g.errors, g.nerrors);
	print_times(c->arena, "blocks", g.blocks, g.nblocks);
	if (g.state == LOCKOUT_OPEN)
		print_next(c->arena, &g);
	return EXIT_OK;
}

int cmd_guard_release(struct ctl *c)
{
	struct str why;
	enum err e = admin_guard_release(c->peer, c->words[0], c->arena, &why);

	return e ? ctl_failed(c, e, why) : ctl_done(c);
}

int cmd_guard_block(struct ctl *c)
{
	uint64_t ms = 0;
	int64_t until;
	struct str why;

	if ((c->options & OPT_FOR) &&
	    (!value_time(c->time, &ms) || ms < 1000 || ms / 1000 > UINT32_MAX))
		return ctl_failed(
			c, E_SYNTAX,
			S("--for: this is no time from a second to 366 days (90s, 20min, 2h, 7d)"));
	enum err e = admin_guard_block(c->peer, c->words[0], (uint32_t)(ms / 1000), c->arena,
				       &until, &why);
	if (e)
		return ctl_failed(c, e, why);
	if (c->options & OPT_JSON)
		return ctl_print_json(json_pack("{s:b, s:I}", "ok", 1, "until", (json_int_t)until));
	printf("closed until %.*s\n", FMT(text_time(c->arena, until)));
	return EXIT_OK;
}
