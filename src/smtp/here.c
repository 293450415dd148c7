/* SPDX-License-Identifier: ISC */
#include "smtp/here.h"

#include "base/clock.h"
#include "base/log.h"
#include "box/receipt.h"
#include "smtp/intake.h"

/* Which of a recipient's mailboxes? An alias has some, and a part of them may be elsewhere. */
static bool is_here(const struct rcpt *r)
{
	for (const struct target *t = r->targets; t; t = t->next)
		if (!t->away)
			return true;
	return false;
}

static bool got_it(const struct smtp *s, const struct rcpt *r)
{
	for (const struct target *t = r->targets; t; t = t->next)
		if (!t->away && s->to[t->index].result)
			return false;
	return true;
}

static void add(struct smtp *s, struct receipt *all, const struct rcpt *r, bool got)
{
	if (all->n == RECEIPT_ROWS_MAX)
		return;
	all->row[all->n++] = (struct receipt_row){
		.address = path_text(s->tx, r->args.to),
		.state = got ? RECEIPT_DELIVERED : RECEIPT_FAILED,
		.way = RECEIPT_HERE,
		.when = clock_wall(),
		.text = got ? S("") : S("the mailbox could not take it"),
	};
}

static struct receipt *receipt_of(struct smtp *s, struct intake *it)
{
	struct receipt *r = ARENA_NEW(s->tx, struct receipt);

	r->id = incoming_summary(it->in)->message_id;
	r->row = ARENA_ARRAY(s->tx, struct receipt_row, s->nrcpt);
	return r;
}

static bool is_users(const struct smtp *s)
{
	return is_submission(s) && s->authenticated;
}

bool here_prepare(struct smtp *s, struct intake *it, struct update *out)
{
	if (!is_users(s) || !s->nto)
		return false;
	struct receipt *all = receipt_of(s, it);

	for (const struct rcpt *r = s->first; r; r = r->next)
		if (is_here(r))
			add(s, all, r, true);
	return receipt_prepare(s->tx, s->login.account, all, clock_wall(), out);
}

void here_done(struct smtp *s, struct intake *it)
{
	if (!is_users(s) || !s->nto)
		return;
	struct receipt *all = receipt_of(s, it);

	for (const struct rcpt *r = s->first; r; r = r->next)
		if (is_here(r) && !got_it(s, r))
			add(s, all, r, false);
	enum err e = receipt_write(s->srv->store, s->login.account, all, clock_wall());
	if (e)
		log_event(LOG_WARN, "receipt.not.corrected", KV("id", it->id), KVE(e));
}
