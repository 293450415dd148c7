/* SPDX-License-Identifier: ISC */
#include "smtp/intake.h"
#include "smtp/wire.h"

/* Octets that a client may send against our will before it is cut off. */
static uint64_t patience(const struct smtp *s)
{
	return s->conf->message_max * 4 + (1 << 20);
}

/*
 * The next piece of a message. The deadline is absolute: only octets move it on, at the rate
 * of the slowest client that is waited for. Code 0: go on.
 */
static struct reply piece(struct smtp *s, int64_t started, uint64_t *read, uint64_t max,
			  struct str *out)
{
	uint64_t at_rate = *read / s->conf->data_rate * 1000;

	if (*read > patience(s))
		return reply(421, "4.5.3", "far too much data");
	io_deadline(s->io, started + s->conf->data_ms + (int64_t)at_rate);
	enum err e = wire_some(s, max < READ_MAX ? (size_t)max : READ_MAX, out); /* suspends */

	if (e == E_CLOSED || e == E_IO)
		log_event(LOG_INFO, "mail.cut", KVN("octets", *read));
	if (e) {
		struct reply r = reply_read(s, e);

		return r.code ? r : reply(421, "4.4.2", "closing");
	}
	*read += out->n;
	return (struct reply){ 0 };
}

/* DATA                                              RFC 5321 4.1.1.4, 4.5.2, 4.5.3.2.5 */
struct reply smtp_cmd_data(struct smtp *s, struct scan *in)
{
	struct str octets = S("");

	if (!scan_end(in))
		return reply(501, "5.5.4", "usage: DATA");
	if (s->mail.body == BODY_BINARYMIME)
		return reply(503, "5.5.1", "BINARYMIME needs BDAT"); /* RFC 3030 3 */

	struct intake *it = intake_open(s);

	reply_put(s, reply(354, NULL, "send the message, end it with a dot alone on a line"));
	while (!it->dots.ended) {
		struct reply cut = piece(s, it->started, &it->read, READ_MAX, &octets);

		if (cut.code)
			return cut;
		while (octets.n && !it->dots.ended)
			intake_take(it, dots_take(&it->dots, &octets));
	}
	wire_back(s, octets.n);
	return message_end(s, it);
}

/*
 * BDAT size [LAST], then so many octets              RFC 3030 2
 * They are eaten whatever the answer is: else they would be read as commands.
 */
struct reply smtp_cmd_bdat(struct smtp *s, struct scan *in)
{
	bool timely = s->state & (RCPT | CHUNK);
	uint64_t size = scan_num(in, INT64_MAX), left = size, stray = 0;
	bool last = scan_opt(in, " LAST");
	struct str octets;

	if (!scan_end(in))
		return reply(421, "4.5.4", "usage: BDAT size [LAST]");
	if (timely && !s->intake)
		s->intake = intake_open(s);

	struct intake *it = timely ? s->intake : NULL;
	uint64_t *read = it ? &it->read : &stray;
	int64_t started = it ? it->started : clock_ms();

	while (left) {
		struct reply cut = piece(s, started, read, left, &octets);

		if (cut.code)
			return cut;
		left -= octets.n;
		if (it) {
			dots_watch(&it->dots, octets);
			intake_take(it, octets);
		}
	}
	if (!timely)
		return reply(503, "5.5.1", "no transaction that could take this; RSET first");
	s->state = CHUNK;
	if (last)
		return message_end(s, it);
	if (it->refused.code) {
		struct reply r = it->refused;

		log_event(LOG_INFO, "mail.refused", KV("id", it->id), KVN("code", r.code),
			  KVC("reason", r.text));
		s->state = BROKEN;
		return r;
	}
	return reply(
		250, "2.0.0",
		str_c(s->cmd, str_fmt(s->cmd, "%llu octets received", (unsigned long long)size)));
}
