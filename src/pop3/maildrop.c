/* SPDX-License-Identifier: ISC */
/*
 * pop3/maildrop.c - the commands of a client that has logged in. RFC 1939 5, 6, 7.
 * Message numbers are those of the view at login, which is never brought up to date; a message
 * that another session removed meanwhile answers -ERR, and stays away from lists.
 */
#include "pop3/session.h"

static const char gone[] = "no such message";
static const char failed[] = "[SYS/TEMP] not possible just now, try again later";

static bool is_deleted(const struct pop3 *s, uint32_t number)
{
	return s->deleted && s->deleted[(number - 1) / 8] & 1u << (number - 1) % 8;
}

/* A message number of a command: 0 if there is none of it (any more). */
static uint32_t number_of(const struct pop3 *s, struct scan *in)
{
	uint32_t n = (uint32_t)scan_num(in, UINT32_MAX);

	return in->bad || n > s->exists || (n && is_deleted(s, n)) ? 0 : n;
}

/* Fills s->msg; NULL: it is there, else why not. */
static const char *fetch(struct pop3 *s, uint32_t number)
{
	if (!number)
		return gone;
	enum err e = box_get(s->box, box_uid(s->box, number), &s->msg);

	return !e ? NULL : e == E_NOTFOUND ? gone : failed;
}

/* Walks the messages that are not marked, in constant memory. */
struct walk {
	struct pop3 *s;
	void (*each)(struct walk *w, uint32_t number, const struct msg *m);
	uint32_t count;
	uint64_t octets;
};

static enum err step(void *arg, uint32_t number, const struct msg *m)
{
	struct walk *w = arg;

	if (is_deleted(w->s, number))
		return OK;
	w->count++;
	w->octets += m->size;
	if (w->each)
		w->each(w, number, m);
	return io_failed(w->s->io);
}

static enum err walk(struct walk *w)
{
	struct pop3 *s = w->s;

	if (!s->exists)
		return OK;
	io_deadline(s->io, clock_in(s->srv->conf->idle_ms));
	return box_each(s->box, uidset_one(s->cmd, 1, s->uidnext - 1), step, w);
}

static struct answer answer_fmt(struct pop3 *s, struct str text)
{
	return good(str_c(s->cmd, text));
}

/* STAT                                                                 RFC 1939 5 */
struct answer pop3_cmd_stat(struct pop3 *s, struct scan *in)
{
	struct walk w = { .s = s };

	if (!scan_end(in))
		return bad("usage: STAT");
	if (walk(&w))
		return bad(failed);
	return answer_fmt(s, str_fmt(s->cmd, "%u %llu", w.count, (unsigned long long)w.octets));
}

static void list_line(struct walk *w, uint32_t number, const struct msg *m)
{
	io_fmt(w->s->io, "%u %llu\r\n", number, (unsigned long long)m->size);
}

static void uidl_line(struct walk *w, uint32_t number, const struct msg *m)
{
	io_fmt(w->s->io, "%u %u.%u\r\n", number, w->s->uidvalidity, m->uid);
}

static enum err list_body(struct pop3 *s)
{
	struct walk w = { .s = s, .each = list_line };
	enum err e = walk(&w);

	if (!e)
		io_put(s->io, S(".\r\n"));
	return e;
}

static enum err uidl_body(struct pop3 *s)
{
	struct walk w = { .s = s, .each = uidl_line };
	enum err e = walk(&w);

	if (!e)
		io_put(s->io, S(".\r\n"));
	return e;
}

/* LIST [msg]                                                           RFC 1939 5 */
struct answer pop3_cmd_list(struct pop3 *s, struct scan *in)
{
	if (!in->rest.n)
		return (struct answer){ .ok = true, .text = "messages", .body = list_body };

	uint32_t number = number_of(s, in);

	if (!scan_end(in))
		return bad("usage: LIST [message]");
	const char *why = fetch(s, number);

	if (why)
		return bad(why);
	return answer_fmt(s, str_fmt(s->cmd, "%u %llu", number, (unsigned long long)s->msg.size));
}

/* UIDL [msg]: the two numbers that name a message for ever. RFC 1939 7, RFC 3501 2.3.1.1 */
struct answer pop3_cmd_uidl(struct pop3 *s, struct scan *in)
{
	if (!in->rest.n)
		return (struct answer){ .ok = true, .text = "unique ids", .body = uidl_body };

	uint32_t number = number_of(s, in);

	if (!scan_end(in))
		return bad("usage: UIDL [message]");
	const char *why = fetch(s, number);

	if (why)
		return bad(why);
	return answer_fmt(s, str_fmt(s->cmd, "%u %u.%u", number, s->uidvalidity, s->msg.uid));
}

static void put_stuffed(struct pop3 *s, struct stuff *st, struct str octets)
{
	while (octets.n) {
		struct str insert, run = stuff_take(st, &octets, &insert);

		io_put(s->io, insert);
		io_put(s->io, run);
	}
}

/* Streams s->msg as far as s->top wants it. The deadline moves with what was sent. */
static enum err message_body(struct pop3 *s)
{
	int64_t started = clock_ms();
	struct stuff st = { 0 };
	uint64_t off = 0;

	while (off < s->msg.size && !s->top.done) {
		struct str piece;

		io_deadline(s->io,
			    started + s->srv->conf->idle_ms + (int64_t)(off / RATE_MIN * 1000));
		arena_reset(s->cmd);
		enum err e = box_read(s->box, &s->msg, off, CHUNK, s->cmd, &piece);

		if (!e && !piece.n)
			e = E_CORRUPT;
		if (e)
			return e;
		put_stuffed(s, &st, str_part(piece, 0, top_take(&s->top, piece)));
		off += piece.n;
		if (io_failed(s->io))
			return io_failed(s->io);
	}
	io_put(s->io, stuff_end(&st));
	return OK;
}

static struct answer send(struct pop3 *s, uint32_t number, uint32_t lines)
{
	const char *why = fetch(s, number);

	if (why)
		return bad(why);
	s->top = (struct top){ .lines = lines };
	return (struct answer){ .ok = true, .text = "message follows", .body = message_body };
}

/* RETR msg                                                             RFC 1939 5 */
struct answer pop3_cmd_retr(struct pop3 *s, struct scan *in)
{
	uint32_t number = number_of(s, in);

	if (!scan_end(in))
		return bad("usage: RETR message");
	struct answer a = send(s, number, UINT32_MAX);

	if (a.ok)
		a.text = str_c(s->cmd,
			       str_fmt(s->cmd, "%llu octets", (unsigned long long)s->msg.size));
	return a;
}

/* TOP msg n                                                            RFC 1939 7 */
struct answer pop3_cmd_top(struct pop3 *s, struct scan *in)
{
	uint32_t number = number_of(s, in);

	scan_lit(in, " ");
	uint32_t lines = (uint32_t)scan_num(in, UINT32_MAX);

	if (!scan_end(in))
		return bad("usage: TOP message lines");
	return send(s, number, lines);
}

/* DELE msg                                                             RFC 1939 5 */
struct answer pop3_cmd_dele(struct pop3 *s, struct scan *in)
{
	uint32_t number = number_of(s, in);

	if (!scan_end(in))
		return bad("usage: DELE message");
	if (!number)
		return bad(gone);
	if (!s->deleted)
		s->deleted = mem_new((size_t)s->exists / 8 + 1);
	s->deleted[(number - 1) / 8] |= (uint8_t)(1u << (number - 1) % 8);
	s->ndeleted++;
	return good("goes at QUIT");
}

/* RSET                                                                 RFC 1939 5 */
struct answer pop3_cmd_rset(struct pop3 *s, struct scan *in)
{
	if (!scan_end(in))
		return bad("usage: RSET");
	free(s->deleted);
	s->deleted = NULL;
	s->ndeleted = 0;
	return good("nothing will be deleted");
}

/* From *number on: removes the next batch of what is marked. */
static enum err expunge(struct pop3 *s, uint32_t *number)
{
	struct uidset_builder marked;
	struct uidset removed;
	unsigned n = 0;

	arena_reset(s->cmd);
	marked = (struct uidset_builder){ .a = s->cmd };
	for (; *number <= s->exists && n < EXPUNGE_BATCH; ++*number) {
		if (!is_deleted(s, *number))
			continue;
		uidset_add(&marked, box_uid(s->box, *number));
		n++;
	}
	if (!n)
		return OK;
	return box_expunge(s->box, uidset_done(&marked), true, s->cmd, &removed);
}

/* QUIT: what was marked goes now, and at no other time.                RFC 1939 6 */
struct answer pop3_cmd_quit(struct pop3 *s, struct scan *in)
{
	struct answer a = { .ok = true, .bye = true, .text = "goodbye" };
	uint32_t number = 1;
	enum err e = OK;

	(void)in;
	while (s->state == TRANSACTION && s->ndeleted && number <= s->exists && !e)
		e = expunge(s, &number);
	if (e) {
		a.ok = false;
		a.text = "[SYS/TEMP] some deleted messages were not removed";
		log_event(LOG_WARN, "logout", KVN("marked", s->ndeleted), KVE(e));
	} else if (s->state == TRANSACTION) {
		log_event(LOG_INFO, "logout", KVN("deleted", s->ndeleted));
	}
	return a;
}
