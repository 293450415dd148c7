/* SPDX-License-Identifier: ISC */
/*
 * ctl/queue_receipt.c - transport receipts: for each recipient of a mail that was sent when, to
 * which server, over which line and how proven, and the final reply. Those of a user's mail are
 * kept with his account; of a mail of nobody's there are those of its entries that are left.
 */
#include "ctl/queue.h"
#include "keeper/directory.h"

enum { USERS_A_PAGE = 200 };

struct telling {
	struct ctl *c;
	struct store *st;
	enum queue_language l;
	struct str id;  /* Message-ID that is looked for, or the queue's id */
	json_t *list;   /* of receipts, for programs */
	unsigned found; /* receipts */
};

/* --- telling one --- */

static json_t *json_row(const struct receipt_row *r)
{
	json_t *row =
		json_pack("{s:o, s:s, s:I, s:o}", "address", ctl_json_str(r->address), "state",
			  receipt_state_word(r->state), "tries", (json_int_t)r->tries, "next",
			  r->next ? json_integer((json_int_t)r->next) : json_null());
	json_t *line = queued_json_line(r);

	json_object_update(row, line);
	json_decref(line);
	return row;
}

json_t *queued_json_receipt(struct str user, const struct receipt *r)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < r->n; i++)
		json_array_append_new(rows, json_row(&r->row[i]));
	return json_pack("{s:o, s:o, s:I, s:b, s:o}", "user", ctl_json_str(user), "message_id",
			 ctl_json_str(r->id), "first", (json_int_t)r->first, "more", r->more,
			 "recipients", rows);
}

static void print_row(struct arena *a, enum queue_language l, const struct receipt_row *r)
{
	static const char *const states[RECEIPT_STATES][2] = {
		[RECEIPT_WAITING] = { "noch nicht zugestellt", "not delivered yet" },
		[RECEIPT_DELIVERED] = { "zugestellt", "delivered" },
		[RECEIPT_FAILED] = { "nicht zugestellt", "not delivered" },
		[RECEIPT_EXPIRED] = { "nicht zugestellt, die Zeit ist um",
				      "not delivered, its time is over" },
	};
	struct queue_reply y = { .code = r->code,
				 .text = r->text,
				 .status = { r->status[0], r->status[1], r->status[2] } };
	struct str reply = queued_reply(a, &y), line = queued_way(a, l, r);

	printf("%.*s: %s, %.*s\n", FMT(queue_one_line(a, r->address)), states[r->state][l],
	       FMT(text_time(a, r->when)));
	if (line.n)
		printf("  %.*s\n", FMT(line));
	if (reply.n)
		printf("  %.*s\n", FMT(reply));
	if (r->next)
		printf(l == QUEUE_DE ? "  nächster Versuch %.*s\n" : "  next try %.*s\n",
		       FMT(text_time(a, r->next)));
}

static void tell(struct telling *t, struct arena *a, struct str user, const struct receipt *r)
{
	bool first = !t->found++;

	if (t->c->options & OPT_JSON) {
		json_array_append_new(t->list, queued_json_receipt(user, r));
		return;
	}
	printf("%s<%.*s>%s%.*s\n", first ? "" : "\n", FMT(queue_one_line(a, r->id)),
	       user.n ? (t->l == QUEUE_DE ? " von " : " of ") : "", FMT(user));
	for (size_t i = 0; i < r->n; i++)
		print_row(a, t->l, &r->row[i]);
	if (r->more)
		puts(t->l == QUEUE_DE ? "(und weitere Empfänger)" : "(and more recipients)");
}

/* --- finding them --- */

static enum err of_user(struct telling *t, struct arena *a, const struct user *u)
{
	struct receipt r;
	enum err e = receipt_get(t->st, u->account, t->id, a, &r);

	if (!e)
		tell(t, a, name_text(a, u->name), &r);
	return e == E_NOTFOUND ? OK : e;
}

static enum err of_all_users(struct telling *t)
{
	struct page p = { .max = USERS_A_PAGE, .more = true };
	struct arena *a = arena_new(ENTRIES_ARENA);
	char after[KEY_MAX];
	struct user *u;
	enum err e = OK;

	while (p.more && !e) {
		arena_reset(a);
		e = directory_users(t->st, &p, a, &u);
		for (size_t i = 0; i < p.n && !e; i++)
			e = of_user(t, a, &u[i]);
		if (e)
			break;
		memcpy(after, p.last.p, p.last.n);
		p.after = STR(after, p.last.n);
	}
	arena_free(&a);
	return e;
}

/* The account has all that is known of its mail; of nobody's there is what the queue has. */
static enum err of_queued(struct telling *t, struct arena *a, uint64_t id)
{
	struct queue_job *job;
	struct user u = { 0 };
	size_t n;
	enum err e = queue_show(t->st, id, a, &job, &n);

	if (e || !n)
		return e;
	if (queue_message_id(t->st, &job[0].m, a, &t->id))
		t->id = S("");
	if (t->id.n && job[0].m.account) {
		e = directory_account(t->st, job[0].m.account, a, &u);
		if (!e)
			e = of_user(t, a, &u);
		if (t->found || (e && e != E_NOTFOUND))
			return e;
	}
	for (size_t i = 0; i < n; i++) {
		struct receipt r = queue_receipt(a, &job[i], t->id);
		if (r.n)
			tell(t, a, S(""), &r);
	}
	return OK;
}

static enum err find(struct telling *t, struct arena *a, struct str *why)
{
	struct ctl *c = t->c;
	struct user u = { 0 };
	struct name n;
	uint64_t id;

	if (queue_id_read(t->id, &id) && !(c->options & OPT_USER))
		return of_queued(t, a, id);
	if (!(c->options & OPT_USER))
		return of_all_users(t);
	if (name_parse(a, c->user, false, &n)) {
		*why = str_fmt(c->arena, "%.*s is no address", FMT(c->user));
		return E_SYNTAX;
	}
	enum err e = directory_user(t->st, n, a, &u);
	if (e == E_NOTFOUND)
		*why = str_fmt(c->arena, "%.*s: there is no such user", FMT(c->user));
	return e ? e : of_user(t, a, &u);
}

int cmd_queue_receipt(struct ctl *c)
{
	struct telling t = { .c = c, .id = c->words[0] };
	struct str why = S_NONE;
	bool german;

	if (ctl_german(c, &german, &why))
		return ctl_failed(c, E_SYNTAX, why);
	t.l = german ? QUEUE_DE : QUEUE_EN;
	int status = ctl_store_open(c, &t.st);
	if (status)
		return status;
	struct arena *a = arena_new(ENTRIES_ARENA);
	t.list = json_array();
	enum err e = find(&t, a, &why);
	if (!e && !t.found)
		e = E_NOTFOUND;
	if (e && !why.n)
		why = e == E_NOTFOUND
			      ? str_fmt(c->arena, "%.*s: there is no receipt", FMT(c->words[0]))
			      : str_fmt(c->arena, "the receipts could not be read: %s",
					err_text(e));
	if (e) {
		json_decref(t.list);
		status = ctl_failed(c, e, why);
	} else if (c->options & OPT_JSON) {
		status = ctl_print_json(t.list);
	} else {
		json_decref(t.list);
	}
	arena_free(&a);
	store_close(&t.st);
	return status;
}
