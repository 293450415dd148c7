/* SPDX-License-Identifier: ISC */
/* ctl/export_receipt.c - what became of the mail that a user sent, as a file. */
#include "ctl/export.h"
#include "ctl/queue.h"
#include "keeper/directory.h"

struct writing {
	FILE *to;
	struct str address;
};

static enum err write_line(void *arg, const struct receipt *r)
{
	struct writing *w = arg;
	json_t *j = queued_json_receipt(w->address, r);
	bool bad = json_dumpf(j, w->to, JSON_COMPACT) || putc('\n', w->to) == EOF;

	json_decref(j);
	return bad ? E_IO : OK;
}

enum err export_receipts(struct store *st, const struct user *user, const char *path)
{
	struct arena *a = arena_new(4096);
	struct writing w = { fopen(path, "wxe"), name_text(a, user->name) };
	enum err e = w.to ? receipt_each(st, user->account, write_line, &w) : E_IO;

	if (w.to && fclose(w.to) && !e)
		e = E_IO;
	arena_free(&a);
	return e;
}
