/* SPDX-License-Identifier: ISC */
/* why.c - why an opening fails: one reason of many hosts. */
#include "base/encode.h"
#include "courier/line_priv.h"

struct queue_reply line_because(struct opening *o, struct str host, enum queue_why why,
				struct str detail, uint16_t subject, uint16_t number)
{
	struct str text = queue_why_text(why);

	if (detail.n)
		text = str_fmt(o->arena, "%.*s: %.*s", FMT(text), FMT(detail));
	return (struct queue_reply){ .host = host, .text = text, .status = { 0, subject, number } };
}

static unsigned hope(enum queue_outcome outcome)
{
	return outcome == QUEUE_LATER ? 2 : outcome == QUEUE_UNREACHED ? 1 : 0;
}

void line_fail(struct opening *o, enum queue_outcome outcome, struct queue_reply facts)
{
	log_event(LOG_DEBUG, "line.failed", KV("destination", o->want->destination),
		  KV("host", facts.host), KV("ip", facts.ip), KVN("code", facts.code),
		  KV("text", facts.text));
	if (o->failed && hope(outcome) < hope(o->why.outcome))
		return;
	if (!facts.code)
		facts.status[0] = outcome == QUEUE_REFUSED ? 5 : 4;
	facts.when = clock_wall();
	facts.text = str_dup(o->arena, utf8_part(facts.text, QUEUE_TEXT_MAX));
	facts.host = str_dup(o->arena, facts.host);
	facts.ip = str_dup(o->arena, facts.ip);
	facts.tls = str_dup(o->arena, facts.tls);
	facts.cipher = str_dup(o->arena, facts.cipher);
	facts.group = str_dup(o->arena, facts.group);
	o->failed = true;
	o->why = (struct line_failure){ outcome, facts };
}
