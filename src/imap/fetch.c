/* SPDX-License-Identifier: ISC */
/* imap/fetch.c - FETCH and UID FETCH: RFC 3501 6.4.5, 6.4.8, 7.4.2. */
#include "imap/imap_priv.h"
#include "fiber/fiber.h"
#include "mail/date.h"

enum {
	MARK_CHUNK = 64,    /* messages that become \Seen in one update */
	YIELD_EVERY = 1024, /* messages told without giving way */
	RENEW_EVERY = 16,   /* messages that make progress enough for a new deadline */
	MSG_ARENA_MAX = 64 << 20,
};

struct fetching {
	struct imap *s;
	struct imap_fetch what;
	struct arena *msg;   /* emptied after each message */
	struct arena *piece; /* emptied after each piece of one */
	uint64_t there;      /* messages that were not gone */
	enum err lost;       /* why something asked for could not be read */
	bool open;           /* a response is being written */
	bool mark;           /* messages that are told become \Seen */
	struct uidset_builder unseen;
	struct belief b;
};

static void put_flags(struct fetching *f, const struct msg *m)
{
	imap_put_flags(&f->s->out, f->s, m->flags | (f->mark ? FLAG_SEEN : 0),
		       box_is_recent(f->s->box, m->uid));
}

static void put_date(struct fetching *f, const struct msg *m)
{
	struct date d = { m->arrived, 0 };

	buf_put(&f->s->out, S("INTERNALDATE "));
	imap_put_quoted(&f->s->out, date_imap(f->msg, d));
}

/* Sends what is built so far: a large text follows. */
static void flush(struct imap *s)
{
	io_put(s->io, buf_str(&s->out));
	buf_clear(&s->out);
}

static void put_text(struct imap *s, const char *name, struct str text)
{
	buf_put(&s->out, str_of(name));
	flush(s);
	io_put(s->io, text);
}

/* What cannot be read is told as NIL and makes the reply a NO: RFC 2180 4.1.3 */
static enum err put_section(struct fetching *f, const struct msg *m, const struct summary *sum,
			    const struct imap_item *item)
{
	struct imap *s = f->s;
	struct span span;
	enum err lost = imap_section_find(s->box, m, sum, &item->sec, f->piece, &span), e = OK;

	buf_put(&s->out, item->label);
	buf_c(&s->out, ' ');
	flush(s);
	if (lost)
		io_put(s->io, S("NIL"));
	else
		e = imap_section_send(s, m, &span, f->piece, &lost);
	arena_reset(f->piece);
	if (lost)
		f->lost = lost;
	return e;
}

static enum err put_binary(struct fetching *f, const struct msg *m, const struct summary *sum,
			   const struct imap_item *item)
{
	struct imap *s = f->s;
	enum err lost = OK;

	buf_put(&s->out, item->label);
	buf_c(&s->out, ' ');
	flush(s);
	enum err e = imap_binary_send(s, m, sum, item, f->piece, &lost);

	arena_reset(f->piece);
	if (lost)
		f->lost = lost;
	return e;
}

static enum err put_item(struct fetching *f, const struct msg *m, const struct summary *sum,
			 const struct imap_item *item)
{
	struct buf *b = &f->s->out;

	switch (item->kind) {
	case ITEM_FLAGS:
		buf_put(b, S("FLAGS "));
		put_flags(f, m);
		break;
	case ITEM_UID:
		buf_put(b, S("UID "));
		imap_put_num(b, m->uid);
		break;
	case ITEM_SIZE:
		buf_put(b, S("RFC822.SIZE "));
		imap_put_num(b, m->size);
		break;
	case ITEM_INTERNALDATE: put_date(f, m); break;
	case ITEM_ENVELOPE: put_text(f->s, "ENVELOPE ", sum->envelope); break;
	case ITEM_BODY: put_text(f->s, "BODY ", sum->body); break;
	case ITEM_BODYSTRUCTURE: put_text(f->s, "BODYSTRUCTURE ", sum->bodystructure); break;
	case ITEM_SECTION: return put_section(f, m, sum, item);
	case ITEM_BINARY:
	case ITEM_BINARY_SIZE: return put_binary(f, m, sum, item);
	}
	return OK;
}

static enum err put_message(struct fetching *f, uint32_t number, const struct msg *m,
			    const struct summary *sum)
{
	struct imap *s = f->s;
	enum err e = OK;

	f->open = true;
	buf_put(&s->out, S("* "));
	imap_put_num(&s->out, number);
	buf_put(&s->out, S(" FETCH ("));
	if (s->by_uid && !f->what.has_uid) { /* RFC 3501 6.4.8 */
		buf_put(&s->out, S("UID "));
		imap_put_num(&s->out, m->uid);
		buf_c(&s->out, ' ');
	}
	for (size_t i = 0; !e && i < f->what.n; i++) {
		if (i)
			buf_c(&s->out, ' ');
		e = put_item(f, m, sum, &f->what.item[i]);
	}
	if (e)
		return e;
	if (f->mark && !f->what.has_flags) { /* changed by this FETCH: RFC 3501 6.4.5 */
		buf_put(&s->out, S(" FLAGS "));
		put_flags(f, m);
	}
	buf_c(&s->out, ')');
	imap_send(s);
	f->open = false;
	return OK;
}

static enum err one(void *arg, uint32_t number, const struct msg *m)
{
	struct fetching *f = arg;
	struct imap *s = f->s;
	struct summary sum = { 0 };
	enum err e = f->what.summary ? box_summary(s->box, m, f->msg, &sum) : OK;

	if (e == E_NOTFOUND) {
		f->lost = e;
		return OK;
	}
	if (e)
		return e;
	if (++f->there % RENEW_EVERY == 0)
		io_deadline(s->io, clock_in(s->srv->conf->stall_ms));
	if (f->there % YIELD_EVERY == 0)
		fiber_yield();
	f->mark = f->what.marks && !s->readonly && !(m->flags & FLAG_SEEN);
	e = put_message(f, number, m, &sum);
	if (f->mark && !e) {
		uidset_add(&f->unseen, m->uid);
		f->b.known[f->b.n++] = (struct known){ m->uid, m->flags | FLAG_SEEN };
	}
	arena_reset(f->msg);
	return e ? e : io_failed(s->io);
}

/* Messages that are told with their text become \Seen, one update for all of a chunk. */
static enum err marked_chunk(struct fetching *f, struct arena *a, struct uidset part,
			     struct done *d)
{
	struct flag_change seen = { .op = FLAG_ADD,
				    .flags = FLAG_SEEN,
				    .unless_after = UINT64_MAX };

	f->unseen = (struct uidset_builder){ .a = a };
	f->b = (struct belief){ .known = ARENA_ARRAY(a, struct known, MARK_CHUNK) };
	enum err e = box_each(f->s->box, part, one, f);

	if (f->unseen.n == 0)
		return e;
	/* What was told was told, even if the next one could not be read. */
	enum err set = box_flags(f->s->box, uidset_done(&f->unseen), &seen, a, NULL);

	if (!e)
		e = set;
	if (!e)
		*d = imap_sync(f->s, false, &f->b);
	return e;
}

static struct done fetch(struct fetching *f, struct uidset set)
{
	struct chunks c = { .set = set };
	struct uidset part;
	struct done d = done_ok("FETCH done");
	enum err e = OK;

	if (!f->what.marks || f->s->readonly) {
		e = box_each(f->s->box, set, one, f);
		return e ? done_err(e) : d;
	}
	struct arena *a = arena_new(1 << 20);

	while (!e && d.how == DONE_OK && imap_chunk(&c, a, MARK_CHUNK, &part)) {
		struct done told = done_ok("told");

		e = marked_chunk(f, a, part, &told);
		if (told.how != DONE_OK)
			d = told;
		arena_reset(a);
	}
	arena_free(&a);
	return e ? done_err(e) : d;
}

/* FETCH set items */
struct done imap_cmd_fetch(struct imap *s, struct scan *in)
{
	struct fetching f = { .s = s };
	struct uidset set = imap_set(in, s);

	scan_lit(in, " ");
	imap_fetch_items(in, s->cmd, &f.what);
	if (!scan_end(in))
		return done_bad("usage: FETCH set items, numbers within the mailbox");
	f.msg = arena_new(MSG_ARENA_MAX);
	f.piece = arena_new(16 << 20);
	struct done d = fetch(&f, set);

	arena_free(&f.msg);
	arena_free(&f.piece);
	if (d.how != DONE_OK && f.open) /* no reply can follow a response that was broken off */
		return (struct done){ .how = DONE_GONE };
	bool gone = f.lost == E_NOTFOUND || (!s->by_uid && f.there < uidset_count(set));

	if (d.how != DONE_OK || !(f.lost || gone))
		return d;
	if (f.lost == E_SYNTAX) /* RFC 3516 4.3 */
		return done_no("UNKNOWN-CTE", "the encoding of a part is not known here");
	return gone ? done_no("EXPUNGEISSUED", "some of the messages are gone")
		    : /* RFC 2180 4.1.2 */
		       done_err(f.lost);
}
