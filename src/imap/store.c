/* SPDX-License-Identifier: ISC */
/* imap/store.c - STORE and UID STORE: RFC 3501 6.4.6, 6.4.8. */
#include "imap/imap_priv.h"

enum { STORE_CHUNK = 16 * 1024 }; /* messages in one update */

struct storing {
	struct imap *s;
	struct flag_change ch;
	bool silent;
	struct arena *a; /* of one chunk */
	struct belief b;
	struct uidset told;
	uint64_t there; /* messages that were not gone */
};

/* The bits of keywords that the mailbox knows; how many names it does not. */
static uint64_t known_keywords(const struct imap *s, const struct imap_flags *f, size_t *unknown)
{
	uint64_t bits = 0, in_use = box_view(s->box).keywords;

	*unknown = f->n;
	for (unsigned bit = FLAG_KEYWORD; bit < 64 && in_use >> bit; bit++)
		for (size_t i = 0; i < f->n; i++)
			if ((in_use >> bit & 1) &&
			    str_ieq(f->keywords[i], box_flag_name(s->box, bit))) {
				bits |= UINT64_C(1) << bit;
				--*unknown;
			}
	return bits;
}

static uint64_t changed(const struct flag_change *ch, uint64_t flags)
{
	return ch->op == FLAG_ADD     ? flags | ch->flags
	       : ch->op == FLAG_CLEAR ? flags & ~ch->flags
				      : ch->flags;
}

/* .SILENT: the client works out for itself what becomes of what it knows, but it does not know
 * what another session did since the last look. */
static enum err foresee(void *arg, uint32_t number, const struct msg *m)
{
	struct storing *st = arg;

	(void)number;
	if (m->modseq <= box_view(st->s->box).modseq)
		st->b.known[st->b.n++] = (struct known){ m->uid, changed(&st->ch, m->flags) };
	return OK;
}

/* The others are told though nothing changed: "as if a FETCH of those flags was done". */
static enum err tell(void *arg, uint32_t number, const struct msg *m)
{
	struct storing *st = arg;

	st->there++;
	if (!uidset_has(st->told, m->uid))
		imap_tell(st->s, number, m->uid, m->flags);
	return io_failed(st->s->io);
}

/* box_sync reports this change and what other sessions did. With .SILENT only what is news
 * is told; without, all of it, and then those messages that it did not report. */
static struct done chunk(struct storing *st, struct uidset set)
{
	struct imap *s = st->s;
	struct uidset_builder told = { .a = st->a };
	enum err e = OK;

	if (st->silent) {
		st->b.known = ARENA_ARRAY(st->a, struct known, STORE_CHUNK);
		st->b.n = 0;
		e = box_each(s->box, set, foresee, st);
	} else {
		st->b.told = &told;
	}
	if (!e)
		e = box_flags(s->box, set, &st->ch, st->a, NULL); /* suspends */
	if (e)
		return done_err(e);
	struct done d = imap_sync(s, false, &st->b);

	if (d.how != DONE_OK || st->silent)
		return d;
	st->told = uidset_done(&told);
	e = box_each(s->box, set, tell, st);
	return e ? done_err(e) : d;
}

static struct done in_chunks(struct storing *st, struct uidset set)
{
	struct chunks c = { .set = set };
	struct uidset part;

	while (imap_chunk(&c, st->a, STORE_CHUNK, &part)) {
		struct done d = chunk(st, part);

		if (d.how != DONE_OK)
			return d;
		arena_reset(st->a);
		io_deadline(st->s->io, clock_in(st->s->srv->conf->stall_ms));
	}
	return done_ok("STORE done");
}

/* STORE set [+|-]FLAGS[.SILENT] flags */
struct done imap_cmd_store(struct imap *s, struct scan *in)
{
	struct storing st = { .s = s };
	struct uidset set = imap_set(in, s);
	size_t unknown = 0;

	scan_lit(in, " ");
	st.ch.op = scan_opt(in, "+") ? FLAG_ADD : scan_opt(in, "-") ? FLAG_CLEAR : FLAG_REPLACE;
	scan_lit(in, "FLAGS");
	st.silent = scan_opt(in, ".SILENT");
	scan_lit(in, " ");
	struct imap_flags f =
		scan_at(in, '(') ? imap_flag_list(in, s->cmd) : imap_flags_bare(in, s->cmd);

	if (!scan_end(in))
		return done_bad(
			"usage: STORE set [+|-]FLAGS[.SILENT] flags; \\Recent cannot be set");
	if (s->readonly)
		return done_no(NULL, "the mailbox was opened with EXAMINE");
	st.ch.flags = f.system | known_keywords(s, &f, &unknown);
	st.ch.unless_after = UINT64_MAX;
	if (st.ch.op != FLAG_CLEAR) { /* one that nobody knows need not be made to be cleared */
		st.ch.keywords = f.keywords;
		st.ch.nkeywords = f.n;
		st.b.ignore = unknown ? ~(box_view(s->box).keywords | FLAG_SYSTEM) : 0;
	}
	st.a = arena_new(CMD_ARENA_MAX);
	struct done d = in_chunks(&st, set);

	arena_free(&st.a);
	if (d.how == DONE_OK && !st.silent && !s->by_uid && st.there < uidset_count(set))
		return done_no("EXPUNGEISSUED",
			       "some of the messages are gone"); /* RFC 2180 4.2.3 */
	return d;
}
