/* SPDX-License-Identifier: ISC */
/* ctl/queue_text.c - entries of the queue as words and as JSON. */
#include "base/encode.h"
#include "ctl/queue.h"

bool queued_filter(const struct ctl *c, struct queue_filter *out)
{
	*out = (struct queue_filter){ .destination = c->destination,
				      .sender = c->from,
				      .text = c->to,
				      .only_held = (c->options & OPT_HELD) != 0 };
	return (c->options & (OPT_DESTINATION | OPT_FROM | OPT_TO | OPT_HELD)) != 0;
}

enum err queued_each(struct store *st, const struct queue_filter *f,
		     bool (*fn)(void *arg, struct arena *page, const struct queue_job *j),
		     void *arg)
{
	struct arena *page = arena_new(ENTRIES_ARENA);
	struct queue_place from = { 0 };
	size_t n = ENTRIES_A_PAGE;
	bool on = true;
	enum err e = OK;

	while (!e && on && n == ENTRIES_A_PAGE) {
		arena_reset(page);
		struct queue_job *rows = ARENA_ARRAY(page, struct queue_job, ENTRIES_A_PAGE);
		e = queue_list(st, f, &from, ENTRIES_A_PAGE, page, rows, &n);
		for (size_t i = 0; i < n && on; i++)
			on = fn(arg, page, &rows[i]);
	}
	arena_free(&page);
	return e;
}

/* --- words --- */

const char *queued_state_word(enum queue_state s)
{
	static const char *const words[QUEUE_STATES] = { [QUEUE_WAITING] = "waiting",
							 [QUEUE_DELIVERED] = "delivered",
							 [QUEUE_FAILED] = "failed",
							 [QUEUE_EXPIRED] = "expired",
							 [QUEUE_HELD] = "held" };

	return words[s];
}

const char *queued_state(const struct queue_part *p, int64_t now)
{
	bool waits = false;

	if (p->lease && p->lease_until > now)
		return "sending";
	for (size_t i = 0; i < p->n; i++) {
		if (p->rcpt[i].state == QUEUE_HELD)
			return "held";
		waits |= p->rcpt[i].state == QUEUE_WAITING;
	}
	return waits ? "waiting" : "ended";
}

int64_t queued_next(const struct queue_part *p)
{
	int64_t next = QUEUE_NEVER;

	for (size_t i = 0; i < p->n; i++)
		if (p->rcpt[i].state == QUEUE_WAITING && p->rcpt[i].next < next)
			next = p->rcpt[i].next;
	return next;
}

struct str queued_when(struct arena *a, int64_t next)
{
	if (next == QUEUE_NEVER)
		return S("-");
	return next == QUEUE_ORDERED ? S("at once") : text_time(a, next);
}

json_t *queued_json_when(int64_t next)
{
	if (next == QUEUE_NEVER)
		return json_null();
	return json_integer(next == QUEUE_ORDERED ? 0 : (json_int_t)next);
}

static const char *const guard_words[QUEUE_GUARDS] = { [QUEUE_ANY] = "any",
						       [QUEUE_ENCRYPTED] = "encrypted",
						       [QUEUE_AUTHENTICATED] = "authenticated" };

static struct str status_text(struct arena *a, const uint16_t s[3])
{
	return s[0] ? str_fmt(a, "%u.%u.%u", s[0], s[1], s[2]) : S("");
}

struct str queued_reply(struct arena *a, const struct queue_reply *y)
{
	struct str text = queue_one_line(a, y->text), status = status_text(a, y->status);

	if (!y->code)
		return text;
	return str_fmt(a, "%u%s%.*s %.*s", y->code, status.n ? " " : "", FMT(status), FMT(text));
}

struct receipt_row queued_receipt(struct arena *a, const struct queue_recipient *r)
{
	struct queue_recipient copy = *r;
	struct queue_job job = { .p = { .n = 1, .rcpt = &copy } };
	struct receipt one = queue_receipt(a, &job, S(""));

	return one.n ? one.row[0] : (struct receipt_row){ .address = r->address };
}

struct str queued_way(struct arena *a, enum queue_language l, const struct receipt_row *r)
{
	static const char *const proven[RECEIPT_WAYS][2] = {
		[RECEIPT_PLAIN] = { "unverschlüsselt", "not encrypted" },
		[RECEIPT_ENCRYPTED] = { "verschlüsselt, der Server wies sich nicht aus",
					"encrypted, the server did not prove itself" },
		[RECEIPT_DANE] = { "verschlüsselt, der Server wies sich aus (DANE)",
				   "encrypted, the server proved itself (DANE)" },
		[RECEIPT_MTA_STS] = { "verschlüsselt, der Server wies sich aus (MTA-STS)",
				      "encrypted, the server proved itself (MTA-STS)" },
		[RECEIPT_BY_NAME] = { "verschlüsselt, der Server wies sich mit seinem Namen aus",
				      "encrypted, the server proved its name" },
		[RECEIPT_HERE] = { "auf diesem Server", "on this server" },
	};
	struct str host = queue_one_line(a, r->host), ip = queue_one_line(a, r->ip), out;

	if (r->way == RECEIPT_NO_WAY)
		return host;
	if (r->way == RECEIPT_HERE)
		return str_of(proven[r->way][l]);
	out = str_fmt(a, "%.*s%s%.*s%s", FMT(host), ip.n ? " [" : "", FMT(ip), ip.n ? "]" : "");
	if (r->tls.n)
		out = str_fmt(a, "%.*s, %.*s, %.*s%s%.*s", FMT(out), FMT(r->tls), FMT(r->cipher),
			      r->group.n ? ", " : "", FMT(r->group));
	return str_fmt(a, "%.*s, %s", FMT(out), proven[r->way][l]);
}

/* --- JSON --- */

json_t *queued_json_line(const struct receipt_row *r)
{
	char status[32] = "";

	if (r->status[0])
		snprintf(status, sizeof status, "%u.%u.%u", r->status[0], r->status[1],
			 r->status[2]);
	return json_pack("{s:I, s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "when",
			 (json_int_t)r->when, "code", (int)r->code, "status", status, "text",
			 ctl_json_str(r->text), "host", ctl_json_str(r->host), "ip",
			 ctl_json_str(r->ip), "tls", ctl_json_str(r->tls), "cipher",
			 ctl_json_str(r->cipher), "group", ctl_json_str(r->group), "way",
			 receipt_way_word(r->way));
}

json_t *queued_json_mail(struct arena *a, const struct queue_message *m)
{
	return json_pack("{s:o, s:o, s:I, s:I, s:I, s:i, s:s, s:b, s:b, s:I, s:I}", "id",
			 ctl_json_str(queue_id_text(a, m->id)), "sender", ctl_json_str(m->sender),
			 "account", (json_int_t)m->account, "submitted", (json_int_t)m->submitted,
			 "size", (json_int_t)m->size, "priority", (int)m->priority, "guarantee",
			 guard_words[m->guard], "requiretls", m->requiretls, "tls_optional",
			 m->tls_optional, "hold_until", (json_int_t)m->hold_until, "deliver_by",
			 (json_int_t)m->deliver_by);
}

static json_t *json_recipient(struct arena *a, const struct queue_recipient *r,
			      const struct str *said)
{
	struct receipt_row row = queued_receipt(a, r);
	json_t *j =
		json_pack("{s:o, s:s, s:I, s:o, s:o}", "address", ctl_json_str(r->address), "state",
			  queued_state_word(r->state), "tries", (json_int_t)r->tries, "next",
			  queued_json_when(r->state == QUEUE_WAITING ? r->next : QUEUE_NEVER),
			  "last", r->last.when ? queued_json_line(&row) : json_null());

	if (said)
		json_object_set_new(j, "sentence", ctl_json_str(*said));
	return j;
}

json_t *queued_json_entry(struct arena *a, const struct queue_job *j, const struct str *said)
{
	const struct queue_part *p = &j->p;
	json_t *list = json_array();

	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(list, json_recipient(a, &p->rcpt[i], said ? &said[i] : NULL));
	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:I, s:o}", "part", (json_int_t)p->number,
			 "destination", ctl_json_str(queue_destination_of(a, p)), "domain",
			 ctl_json_str(p->domain), "via", ctl_json_str(p->via), "courier",
			 p->lease ? ctl_json_str(p->holder) : json_null(), "lease_until",
			 (json_int_t)p->lease_until, "recipients", list);
}
