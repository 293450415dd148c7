/* SPDX-License-Identifier: ISC */
/* imap/idle.c - IDLE: what happens is told as it happens. RFC 2177 3. */
#include "imap/imap_priv.h"

enum { DONE_LINE_MAX = 64 };

static struct done changes(struct imap *s, uint64_t *seen)
{
	if (!s->box)
		return done_ok("nothing is selected");
	*seen = box_signal(s->box)->count; /* before the look: what comes later raises it */
	return imap_sync(s, true, NULL);
}

struct done imap_cmd_idle(struct imap *s, struct scan *in)
{
	uint64_t seen = 0;
	enum err e = E_AGAIN;
	struct str line;

	if (!scan_end(in))
		return done_bad("usage: IDLE, then DONE");
	io_put(s->io, S("+ idling\r\n"));
	io_deadline(s->io, clock_in(s->srv->conf->idle_ms));
	/* Half an hour with next to nothing in memory. */
	arena_free(&s->cmd);
	s->cmd = arena_new(CMD_ARENA_MAX);
	while (e == E_AGAIN) {
		struct done d = changes(s, &seen);

		if (d.how != DONE_OK)
			return d;
		buf_free(&s->out);
		e = io_wait(s->io, s->box ? box_signal(s->box) : NULL, seen); /* suspends */
	}
	if (!e)
		e = io_line(s->io, s->cmd, DONE_LINE_MAX, &line);
	if (e)
		return done_io(e);
	return str_iis(line, "DONE") ? done_ok("IDLE done") : done_bad("DONE ends IDLE");
}
