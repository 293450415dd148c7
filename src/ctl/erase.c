/* SPDX-License-Identifier: ISC */
/*
 * ctl/erase.c - a user is removed so that nothing of his mail stays on the disk.
 *
 * The server removes the user; then each of its processes begins a new file for blobs, and what is
 * dead in the others becomes zeros, here. `store wipe` does the second half again, for whoever
 * was interrupted between the two.
 */
#include "base/clock.h"
#include "ctl/ctl_priv.h"
#include "ctl/export.h"
#include "keeper/admin.h"
#include "keeper/directory.h"

enum { ROUNDS = 40, ROUND_MS = 250 };

/* A file that was busy is free in the next round; who reads mail into one meanwhile holds it for
 * as long as that takes. */
static enum err wipe(struct ctl *c, struct store *st, uint64_t *octets, struct str *why)
{
	enum err e = E_AGAIN;

	*octets = 0;
	for (unsigned i = 0; e == E_AGAIN && i < ROUNDS; i++) {
		struct arena *a = arena_new(2 * IPC_MAX);
		uint64_t some = 0;

		e = i ? fiber_sleep(clock_in(ROUND_MS)) : OK;
		if (!e)
			e = admin_seal(c->peer, a, why);
		if (e)
			*why = str_dup(c->arena, *why);
		arena_free(&a);
		if (e)
			return e;
		e = store_wipe(st, &some);
		*octets += some;
	}
	if (e == E_AGAIN)
		*why = S("some files are being written to all the time; try again: "
			 "tecsmail store wipe");
	else if (e)
		*why = str_fmt(c->arena, "the files could not be wiped: %s", err_text(e));
	return e;
}

int cmd_store_wipe(struct ctl *c)
{
	struct store *st;
	struct str why;
	uint64_t octets;
	enum err e = store_open(c->config.store, c->arena, &st, &why);

	if (e)
		return ctl_failed(c, E_IO, why);
	e = wipe(c, st, &octets, &why);
	store_close(&st);
	if (e)
		return ctl_failed(c, e, why);
	if (c->options & OPT_JSON)
		return ctl_print_json(
			json_pack("{s:b, s:I}", "ok", 1, "octets_wiped", (json_int_t)octets));
	printf("%.*s made zeros\n", FMT(text_size(c->arena, octets)));
	return EXIT_OK;
}

/* --- asking --- */

static bool sure(struct ctl *c, const struct admin_row *r, struct str *why)
{
	struct str question = str_fmt(
		c->arena,
		"All of %.*s goes for good: %llu mail%s, %.*s.\nType the address to go on: ",
		FMT(r->name), (unsigned long long)r->messages, r->messages == 1 ? "" : "s",
		FMT(text_size(c->arena, r->octets)));

	return ctl_sure(c, question, r->name, why);
}

/* --- erasing --- */

static int said(struct ctl *c, const struct admin_row *r, uint64_t octets, json_t *aliases)
{
	size_t i;
	json_t *alias;

	if (c->options & OPT_JSON)
		return ctl_print_json(json_pack(
			"{s:b, s:o, s:I, s:I, s:I, s:o}", "ok", 1, "address", ctl_json_str(r->name),
			"messages", (json_int_t)r->messages, "octets", (json_int_t)r->octets,
			"octets_wiped", (json_int_t)octets, "aliases_left", aliases));
	printf("%.*s is erased: %llu mail%s (%.*s), mailboxes, passwords, app passwords, recent "
	       "logins,\nsending counts; %.*s of the disk were made zeros\n",
	       FMT(r->name), (unsigned long long)r->messages, r->messages == 1 ? "" : "s",
	       FMT(text_size(c->arena, r->octets)), FMT(text_size(c->arena, octets)));
	json_array_foreach(aliases, i, alias)
		printf("the alias %s still leads there\n", json_string_value(alias));
	json_decref(aliases);
	return EXIT_OK;
}

static int erase(struct ctl *c, struct store *st, const struct admin_row *r)
{
	json_t *aliases = json_array();
	struct str why = S("");
	uint64_t octets = 0;
	struct name n;
	enum err e = name_parse(c->arena, r->name, false, &n);

	if (!e)
		e = export_aliases(st, &n, aliases);
	if (!e)
		e = admin_user_delete(c->peer, r->name, c->arena, &why);
	if (!e)
		e = wipe(c, st, &octets, &why);
	if (!e)
		return said(c, r, octets, aliases);
	json_decref(aliases);
	return ctl_failed(c, e, why.n ? why : str_of(err_text(e)));
}

int cmd_user_erase(struct ctl *c)
{
	struct admin_user u = { 0 };
	struct store *st;
	struct str why;
	enum err e = admin_user_show(c->peer, c->words[0], c->arena, &u, &why);

	if (!e && !sure(c, &u.row, &why))
		e = E_DENIED;
	if (e)
		return ctl_failed(c, e, why);
	e = store_open(c->config.store, c->arena, &st, &why);
	if (e)
		return ctl_failed(c, E_IO, why);
	int status = erase(c, st, &u.row);
	store_close(&st);
	return status;
}
