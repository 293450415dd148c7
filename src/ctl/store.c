/* SPDX-License-Identifier: ISC */
/* ctl/store.c - looking after the store; opens it itself, beside a running server or without. */
#include <unistd.h>

#include "box/box.h"
#include "ctl/acme.h"
#include "ctl/ctl_priv.h"
#include "keeper/directory.h"
#include "store/store.h"

enum { FAULTS_SHOWN = 1000, USERS_A_PAGE = 200 };

/* What root makes in a store beside a server of another user, that one could not read: so the
 * rest of the command is run as the store's owner. */
static enum err become_owner(struct ctl *c, struct str *why)
{
	struct str where = c->config.store, ignored;
	struct str folder = str_starts(where, S("lmdb:")) ? str_from(where, 5) : c->config.state;
	struct owner who;
	enum err e = OK;

	if (geteuid())
		return OK;
	if (owner_of(folder, c->arena, &who, &ignored))
		e = owner_of(c->config.state, c->arena, &who, why); /* the store is not there yet */
	if (!e)
		owner_stay(&who);
	return e;
}

int ctl_store_open(struct ctl *c, struct store **out)
{
	struct str why;
	enum err e = become_owner(c, &why);

	if (!e)
		e = store_open(c->config.store, c->arena, out, &why);
	return e ? ctl_failed(c, E_IO, why) : EXIT_OK;
}

int ctl_with_store(struct ctl *c, int (*fn)(struct ctl *c, struct store *st))
{
	struct store *st;
	int status = ctl_store_open(c, &st);

	if (status)
		return status;
	status = fn(c, st);
	store_close(&st);
	return status;
}

static int failed(struct ctl *c, enum err e, const char *what)
{
	return ctl_failed(c, E_IO, str_fmt(c->arena, "%s: %s", what, err_text(e)));
}

/* --- stats --- */

static int stats(struct ctl *c, struct store *st)
{
	struct store_stats s;
	enum err e = store_stats(st, &s);
	json_t *j;

	if (e)
		return failed(c, e, "the store could not be read");
	const struct {
		const char *name;
		uint64_t n;
	} rows[] = {
		{ "partitions", s.partitions },
		{ "keys", s.keys },
		{ "blobs", s.blobs },
		{ "blob_octets", s.blob_octets },
		{ "live_octets", s.live_octets },
		{ "dead_octets", s.dead_octets },
		{ "segments", s.segments },
		{ "updates", s.updates },
		{ "commits", s.commits },
		{ "syncs", s.syncs },
		{ "octets_written", s.octets_written },
	};
	if (!(c->options & OPT_JSON)) {
		printf("%-15s %s\n", "engine", s.engine);
		for (size_t i = 0; i < LENGTH(rows); i++)
			printf("%-15s %llu\n", rows[i].name, (unsigned long long)rows[i].n);
		return EXIT_OK;
	}
	j = json_pack("{s:s}", "engine", s.engine);
	for (size_t i = 0; i < LENGTH(rows); i++)
		json_object_set_new(j, rows[i].name, json_integer((json_int_t)rows[i].n));
	return ctl_print_json(j);
}

int cmd_store_stats(struct ctl *c)
{
	return ctl_with_store(c, stats);
}

/* --- verify --- */

struct verifying {
	struct ctl *ctl;
	struct store *store;
	bool terminal; /* progress is for people who watch */
	uint64_t faults, accounts;
	json_t *list; /* of sentences, the first FAULTS_SHOWN */
};

static void tell_fault(void *arg, struct str sentence)
{
	struct verifying *v = arg;

	if (++v->faults > FAULTS_SHOWN)
		return;
	if (v->terminal)
		fputs("\r\033[K", stderr);
	fprintf(stderr, "tecsmail: %.*s\n", FMT(sentence));
	json_array_append_new(v->list, ctl_json_str(sentence));
}

static void tell_progress(void *arg, uint64_t done, uint64_t of)
{
	const struct verifying *v = arg;

	if (v->terminal && of)
		fprintf(stderr, "\r%3u %%", (unsigned)(100.0 * (double)done / (double)of));
}

static enum err check_users(struct verifying *v)
{
	struct arena *a = arena_new(CTL_ARENA);
	struct box_report report = { tell_fault, v };
	struct page p = { .max = USERS_A_PAGE, .more = true };
	char after[KEY_MAX];
	struct user *u;
	enum err e = OK;

	while (p.more && !e) {
		arena_reset(a);
		e = directory_users(v->store, &p, a, &u);
		for (size_t i = 0; i < p.n && !e; i++, v->accounts++) {
			e = box_check(v->store, u[i].account, &report);
			if (e == E_CORRUPT) /* told already */
				e = OK;
		}
		if (e)
			break;
		memcpy(after, p.last.p, p.last.n);
		p.after = STR(after, p.last.n);
	}
	arena_free(&a);
	return e;
}

static int verify(struct ctl *c, struct store *st)
{
	struct verifying v = { c, st, isatty(STDERR_FILENO) != 0, 0, 0, json_array() };
	struct store_report report = { tell_fault, tell_progress, &v };
	enum err e = store_verify(st, &report);

	if (!e || e == E_CORRUPT)
		e = check_users(&v);
	if (v.terminal)
		fputs("\r\033[K", stderr);
	if (e) {
		json_decref(v.list);
		return failed(c, e, "the check could not be finished");
	}
	int status = v.faults ? EXIT_FAILED : EXIT_OK;
	if (c->options & OPT_JSON) {
		ctl_print_json(json_pack("{s:b, s:I, s:I, s:o}", "ok", !v.faults, "accounts",
					 (json_int_t)v.accounts, "faults", (json_int_t)v.faults,
					 "list", v.list));
		return status;
	}
	json_decref(v.list);
	printf("%llu accounts checked, %llu faults found\n", (unsigned long long)v.accounts,
	       (unsigned long long)v.faults);
	return status;
}

int cmd_store_verify(struct ctl *c)
{
	return ctl_with_store(c, verify);
}

/* --- reclaim --- */

static int reclaim(struct ctl *c, struct store *st)
{
	uint64_t freed = 0;
	enum err e = store_reclaim(st, &freed);

	if (e)
		return failed(c, e, "the space could not be reclaimed");
	if (c->options & OPT_JSON)
		return ctl_print_json(
			json_pack("{s:b, s:I}", "ok", 1, "octets_freed", (json_int_t)freed));
	printf("%.*s octets given back\n", FMT(text_size(c->arena, freed)));
	return EXIT_OK;
}

int cmd_store_reclaim(struct ctl *c)
{
	return ctl_with_store(c, reclaim);
}
