/* SPDX-License-Identifier: ISC */
#include "smtp/away.h"

#include "base/encode.h"
#include "base/log.h"

/* --- addresses --- */

struct str away_text(struct arena *a, struct path p)
{
	struct str domain;

	if (str_ascii(p.local) && p.domain.n && !domain_ascii(a, p.domain, &domain))
		p.domain = domain;
	return path_text(a, p);
}

/* Names that lead nowhere by their nature: RFC 6761 6.4, RFC 7686 2; and an address without its
 * brackets, for no top-level domain is a number (RFC 3696 2). */
static bool nowhere(struct str domain)
{
	struct str top = str_from(domain, str_rfind(domain, '.') + 1);
	struct scan in = scan(top);

	scan_span(&in, ascii_digit);
	return scan_end(&in) || str_is(top, "invalid") || str_is(top, "onion");
}

struct reply away_address(struct arena *a, struct path to, struct str *address)
{
	struct str domain;

	if (to.domain.n && *to.domain.p == '[')
		return reply(550, "5.1.2",
			     "no mail is sent to an address in brackets: a domain is needed");
	if (!to.local.n || domain_ascii(a, to.domain, &domain))
		return reply(553, "5.1.2", "this can be no domain");
	if (!str_has(domain, '.'))
		return reply(550, "5.1.2",
			     "this is no whole domain\n"
			     "das ist keine vollstaendige Domain");
	if (nowhere(domain))
		return reply(550, "5.1.2", "no mail is taken in a domain of such a name");
	*address = away_text(a, to);
	if (address->n > QUEUE_ADDRESS_MAX)
		return reply(553, "5.1.3", "this address is too long");
	return (struct reply){ 0 };
}

/* --- who they are --- */

size_t away_add(struct smtp *s, const struct leaving *l)
{
	for (size_t i = 0; i < s->naway; i++)
		if (str_eq(s->away[i].to.address, l->to.address))
			return i;
	if (s->naway == s->cap_away) {
		size_t cap = s->cap_away ? s->cap_away * 2 : 4;
		struct leaving *all = ARENA_ARRAY(s->tx, struct leaving, cap);

		if (s->naway)
			memcpy(all, s->away, s->naway * sizeof *all);
		s->away = all;
		s->cap_away = cap;
	}
	struct leaving *own = &s->away[s->naway];

	*own = *l;
	own->sender = str_dup(s->tx, l->sender);
	own->to.address = str_dup(s->tx, l->to.address);
	own->to.orcpt = str_dup(s->tx, l->to.orcpt);
	return s->naway++;
}

/* --- into the queue --- */

_Static_assert((int)RET_FULL == QUEUE_RET_FULL && (int)RET_HDRS == QUEUE_RET_HDRS, "RET");
_Static_assert((int)BODY_8BITMIME == QUEUE_8BITMIME && (int)BODY_BINARYMIME == QUEUE_BINARYMIME,
	       "BODY");
_Static_assert((int)NOTIFY_NEVER == QUEUE_NEVER_TELL && (int)NOTIFY_DELAY == QUEUE_ON_DELAY,
	       "NOTIFY");
_Static_assert((int)GUARANTEE_ENCRYPTED == QUEUE_ENCRYPTED &&
		       (int)GUARANTEE_AUTHENTICATED == QUEUE_AUTHENTICATED,
	       "guarantees");

struct queue_message away_envelope(struct smtp *s, struct intake *it, const struct leaving *first)
{
	struct queue_message m = {
		.sender = first->sender,
		.envid = s->mail.envid,
		.ret = (enum queue_ret)s->mail.ret,
		.body = (enum queue_body)s->mail.body,
		.guard = (enum queue_guard)(s->least > it->wish.least ? s->least : it->wish.least),
		.requiretls = s->mail.requiretls,
		.priority = s->mail.priority,
		.hold_until = s->hold_until,
		.deliver_by = s->deliver_by,
		.by_return = s->mail.by_return,
		.account = s->authenticated ? s->login.account : 0,
		.submitted = clock_wall(),
		.blob = incoming_blob(it->in),
		.skip = it->return_path,
		.size = incoming_size(it->in) - it->return_path,
	};

	/* RFC 8689 4.1; what a user wants of each of his mails is not given up by one of them */
	m.tls_optional = it->wish.tls_optional && !m.requiretls && m.guard == QUEUE_ANY;
	if (m.body != QUEUE_BINARYMIME)
		m.body = it->header8 || it->body8 ? QUEUE_8BITMIME : QUEUE_7BIT;
	m.utf8 = s->mail.utf8 &&
		 (it->header8 || !str_ascii(first->sender) || !str_ascii(first->to.address));
	return m;
}

static bool alike(const struct leaving *x, const struct leaving *y)
{
	return str_eq(x->sender, y->sender) && str_ascii(x->to.address) == str_ascii(y->to.address);
}

/* How many of those that are left get a copy of the same envelope, as far as one message goes. */
static size_t count_alike(const struct smtp *s, size_t first)
{
	size_t n = 0;

	for (size_t i = first; i < s->naway && n < QUEUE_PARTS_MAX; i++)
		n += !s->away[i].in_put && alike(&s->away[i], &s->away[first]);
	return n;
}

/* One message of the queue: those of the same envelope, from `first` on. */
static enum err put_from(struct smtp *s, struct intake *it, size_t first, struct queue_put *p,
			 struct update *u)
{
	size_t max = count_alike(s, first);
	struct queue_recipient *to = ARENA_ARRAY(s->tx, struct queue_recipient, max);

	*p = (struct queue_put){ .m = away_envelope(s, it, &s->away[first]), .rcpt = to };
	for (size_t i = first; p->n < max; i++) {
		struct leaving *l = &s->away[i];

		if (l->in_put || !alike(l, &s->away[first]))
			continue;
		l->in_put = true;
		to[p->n++] = l->to;
	}
	return queue_prepare(s->tx, p, u);
}

static void set_result(struct smtp *s, const struct queue_put *p, enum err e)
{
	for (size_t i = 0, j = 0; i < s->naway && j < p->n; i++) {
		if (!str_eq(s->away[i].to.address, p->rcpt[j].address))
			continue;
		s->away[i].result = e;
		j++;
	}
}

struct away_puts away_prepare(struct smtp *s, struct intake *it, const bool *had)
{
	struct away_puts all = { .put = ARENA_ARRAY(s->tx, struct queue_put, s->naway),
				 .update = ARENA_ARRAY(s->tx, struct update, s->naway + 1) };

	for (size_t i = 0; i < s->naway; i++)
		s->away[i].in_put = had && had[i];
	for (size_t i = 0; i < s->naway; i++) {
		struct queue_put *p = &all.put[all.n];

		if (s->away[i].in_put)
			continue;
		enum err e = put_from(s, it, i, p, &all.update[all.n]);

		if (e)
			set_result(s, p, e);
		else
			all.n++;
	}
	return all;
}

void away_done(struct smtp *s, struct intake *it, struct away_puts *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct queue_put *p = &all->put[i];
		enum err e = all->update[i].result;

		set_result(s, p, e);
		if (!e)
			log_event(LOG_INFO, "mail.queued", KV("id", it->id),
				  KV("queue", queue_id_text(s->cmd, p->m.id)),
				  KVN("recipients", p->n), KVN("parts", p->m.parts));
	}
}
