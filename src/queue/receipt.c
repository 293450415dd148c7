/* SPDX-License-Identifier: ISC */
#include "mail/mime.h"
#include "queue/receipt.h"

enum err queue_message_id(struct store *st, const struct queue_message *m, struct arena *a,
			  struct str *out)
{
	struct arena *mine = arena_new(2 * SUMMARY_MAX);
	struct summary s;
	struct str octets;
	enum err e = blob_summary(st, m->blob, mine, &octets);

	if (!e)
		e = summary_open(octets, &s);
	*out = e ? S("") : str_dup(a, str_part(s.message_id, 0, RECEIPT_ID_MAX));
	if (!e && !out->n)
		e = E_NOTFOUND;
	arena_free(&mine);
	return e;
}

static enum receipt_state state(const struct queue_recipient *r)
{
	switch (r->state) {
	case QUEUE_DELIVERED: return RECEIPT_DELIVERED;
	case QUEUE_FAILED: return RECEIPT_FAILED;
	case QUEUE_EXPIRED: return RECEIPT_EXPIRED;
	default: return RECEIPT_WAITING;
	}
}

/* Without a reply and without TLS nothing is known of the line: maybe there was none. */
static enum receipt_way way(const struct queue_reply *r)
{
	static const enum receipt_way ways[QUEUE_AUTHS] = {
		[QUEUE_PLAIN] = RECEIPT_PLAIN,     [QUEUE_OPPORTUNISTIC] = RECEIPT_ENCRYPTED,
		[QUEUE_DANE] = RECEIPT_DANE,       [QUEUE_MTA_STS] = RECEIPT_MTA_STS,
		[QUEUE_BY_NAME] = RECEIPT_BY_NAME,
	};

	return r->code || r->tls.n ? ways[r->auth] : RECEIPT_NO_WAY;
}

static struct receipt_row row(struct arena *a, const struct queue_recipient *r)
{
	const struct queue_reply *l = &r->last;

	return (struct receipt_row){
		.address = r->address,
		.state = state(r),
		.way = way(l),
		.when = l->when,
		.next = r->state == QUEUE_WAITING && r->next != QUEUE_NEVER &&
					r->next != QUEUE_ORDERED
				? r->next
				: 0,
		.tries = r->tries,
		.code = l->code,
		.status = { l->status[0], l->status[1], l->status[2] },
		.text = queue_one_line(a, l->text),
		.host = l->host,
		.ip = l->ip,
		.tls = l->tls,
		.cipher = l->cipher,
		.group = l->group,
	};
}

struct receipt queue_receipt(struct arena *a, const struct queue_job *j, struct str id)
{
	struct receipt r = { .id = id, .row = ARENA_ARRAY(a, struct receipt_row, j->p.n) };

	for (size_t i = 0; i < j->p.n; i++)
		if (j->p.rcpt[i].last.when)
			r.row[r.n++] = row(a, &j->p.rcpt[i]);
	return r;
}

bool queue_receipt_prepare(struct arena *a, const struct queue_job *j, struct str id, int64_t now,
			   struct update *out)
{
	struct receipt *r = ARENA_NEW(a, struct receipt);

	*r = queue_receipt(a, j, id);
	return receipt_prepare(a, j->m.account, r, now, out);
}

struct str queue_receipt_said(struct arena *a, enum queue_language l, const struct receipt_row *r)
{
	struct queue_reply last = { .when = r->when,
				    .code = r->code,
				    .status = { r->status[0], r->status[1], r->status[2] },
				    .text = r->text,
				    .host = r->host };

	return r->way == RECEIPT_HERE && !r->code ? S("") : str_trim(queue_said(a, l, &last));
}
