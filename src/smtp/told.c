/* SPDX-License-Identifier: ISC */
#include "smtp/told.h"

#include "base/log.h"
#include "queue/notice.h"
#include "smtp/away.h"

/* An alias of several is a list to us, and its mail delivered with them: RFC 3461 5.2.7.1, 5.2.7.4.
 * One that leads to one recipient elsewhere is not: whoever has him reports. */
static bool is_due(struct smtp *s, const struct rcpt *r)
{
	bool alone = r->targets && !r->targets->next;

	return r->args.notify & NOTIFY_SUCCESS && !(alone && r->targets->away) &&
	       rcpt_result(s, r) == OK;
}

static void write_it(struct smtp *s, struct queue_job *j)
{
	struct arena *a = arena_new(4 << 20);
	struct queue_notice_of of = { .store = s->srv->store,
				      .keeper = s->srv->keeper,
				      .plan = &queue_plan_default,
				      .hostname = s->conf->hostname,
				      .job = j,
				      .now = clock_wall() };
	struct queue_notice mail;
	enum err e = queue_notice_write(&of, QUEUE_SUCCESS, a, &mail);

	if (e)
		log_event(LOG_WARN, "mail.report.lost", KV("to", j->m.sender), KVE(e));
	else
		queue_notice_send(&of, &mail, 1, NULL, 0, a);
	queue_notice_drop(&mail);
	arena_free(&a);
}

void told_success(struct smtp *s, struct intake *it)
{
	struct leaving none = { .sender = away_text(s->tx, s->mail.from) };
	struct queue_job j = { .p.rcpt = ARENA_ARRAY(s->tx, struct queue_recipient, s->nrcpt) };

	for (const struct rcpt *r = s->first; r && none.sender.n; r = r->next)
		if (is_due(s, r))
			j.p.rcpt[j.p.n++] = (struct queue_recipient){
				.address = away_text(s->tx, r->args.to),
				.orcpt = r->args.orcpt,
				.notify = r->args.notify,
				.state = QUEUE_DELIVERED,
				.last.status = { 2, 1, 5 },
			};
	if (!j.p.n)
		return;
	j.m = away_envelope(s, it, &none);
	write_it(s, &j);
}
