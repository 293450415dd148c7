/* SPDX-License-Identifier: ISC */
/* imap/thread.c - THREAD and UID THREAD: RFC 5256 3, 4. */
#include "fiber/fiber.h"
#include "imap/thread_priv.h"

enum { DEADLINE_EACH = 64 };

struct threading {
	struct imap *s;
	struct threads t;
};

static enum err collect(void *arg, uint32_t number, const struct msg *m, const struct sortkey *k)
{
	struct threading *x = arg;
	struct imap *s = x->s;
	enum err e = threads_add(&x->t, s->by_uid ? m->uid : number,
				 k->sent == INT64_MIN ? m->arrived : k->sent, k);

	if (x->t.n % DEADLINE_EACH == 0)
		io_deadline(s->io, clock_in(s->srv->conf->stall_ms));
	if (!e && fiber_canceled())
		e = E_CANCELED;
	return e ? e : io_failed(s->io);
}

static bool one_child(const struct node *n)
{
	return n->first && n->first == n->last;
}

/* Is it in brackets of its own? Not the only child of its parent: that stands behind it. */
static bool opens(const struct node *n)
{
	return !n->up || !one_child(n->up);
}

static void open(struct buf *b, const struct node *n)
{
	if (opens(n))
		buf_c(b, '(');
	if (n->number)
		imap_put_num(b, n->number);
	if (n->number && n->first)
		buf_c(b, ' ');
}

/* thread-list: RFC 5256 5. Down to the first, then beside or up, as deep as it may be. */
static void tell_thread(struct imap *s, const struct node *root)
{
	struct buf *b = &s->out;
	const struct node *n = root;

	open(b, n);
	while (n && !io_failed(s->io)) {
		if (n->first) {
			n = n->first;
			open(b, n);
			imap_put_piece(s);
			continue;
		}
		for (;;) {
			if (opens(n))
				buf_c(b, ')');
			imap_put_piece(s);
			if (n == root)
				return;
			if (n->next)
				break;
			n = n->up;
		}
		n = n->next;
		open(b, n);
	}
}

static enum err thread(struct threading *x, struct uidset set, enum imap_thread how)
{
	struct imap *s = x->s;
	enum err e = box_each_key(s->box, set, collect, x);

	if (e)
		return e;
	if (how == THREAD_REFERENCES)
		threads_by_references(&x->t);
	else
		threads_by_subject(&x->t);
	buf_put(&s->out, x->t.root.first ? S("* THREAD ") : S("* THREAD"));
	for (const struct node *n = x->t.root.first; n; n = n->next)
		tell_thread(s, n);
	imap_send(s);
	return OK;
}

/* THREAD algorithm charset key ... */
struct done imap_cmd_thread(struct imap *s, struct scan *in)
{
	struct imap_search r = imap_search_new(s);
	enum imap_thread how;
	struct uidset set;

	imap_thread_request(in, s->cmd, &how, &r);
	struct done d = imap_search_refused(
		&r, in, "usage: THREAD REFERENCES|ORDEREDSUBJECT charset key ...");

	if (d.how != DONE_OK)
		return d;
	if (how == THREAD_UNKNOWN)
		return done_bad("the algorithms are REFERENCES and ORDEREDSUBJECT");
	enum err e = imap_find(s, r.key, &set);

	if (!e && uidset_count(set) > THREAD_NODES_MAX)
		e = E_LIMIT;
	if (e)
		return done_err(e);
	struct threading x = { .s = s };
	struct arena *a = arena_new(CMD_ARENA_MAX);

	threads_begin(&x.t, a, (size_t)uidset_count(set));
	e = thread(&x, set, how);
	arena_free(&a);
	return e ? done_err(e) : done_ok("THREAD done");
}
