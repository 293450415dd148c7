/* SPDX-License-Identifier: ISC */
/*
 * ctl/queue_show.c - one mail of the queue: for each recipient what the other side said, what that
 * means, what happens next and when; and the facts.
 */
#include "base/clock.h"
#include "ctl/queue.h"
#include "keeper/directory.h"
#include "mail/header.h"

enum { HEADER_MAX = 64 * 1024, FIELD_MAX = 300 };

/* Of the mail itself: its beginning, never what it says. */
static const struct heading {
	const char *name, *json;
	const char *label[2];
} headings[] = {
	{ "From", "from", { "Von", "From" } },
	{ "Subject", "subject", { "Betreff", "Subject" } },
	{ "Message-ID", "message_id", { "Message-ID", "Message-ID" } },
};

struct showing {
	struct ctl *c;
	struct arena *a; /* owned */
	enum queue_language l;
	struct queue_plan plan;
	struct queue_job *job;
	size_t n;
	struct str heading[LENGTH(headings)];
	struct str account; /* its address, or "" */
	int64_t now;
};

static enum err read_headings(struct showing *s, struct store *st)
{
	struct str text;
	enum err e = blob_read(st, s->job[0].m.blob, 0, HEADER_MAX, s->a, &text);
	struct field f;

	for (size_t i = 0; i < LENGTH(headings) && !e; i++)
		s->heading[i] =
			field_find(text, headings[i].name, &f)
				? str_part(queue_one_line(s->a, header_decode(s->a, f.body)), 0,
					   FIELD_MAX)
				: S("");
	return e;
}

static enum err find_account(struct showing *s, struct store *st)
{
	uint32_t account = s->job[0].m.account;
	struct user u;
	enum err e = account ? directory_account(st, account, s->a, &u) : E_NOTFOUND;

	s->account = e ? S("") : name_text(s->a, u.name);
	return e == E_NOTFOUND ? OK : e;
}

static struct str sentence(const struct showing *s, const struct queue_job *j, size_t i)
{
	return queue_say(s->a, s->l, &s->plan, &j->m, &j->p.rcpt[i]);
}

/* --- for programs --- */

static int show_json(struct showing *s)
{
	json_t *mail = queued_json_mail(s->a, &s->job[0].m), *entries = json_array();

	for (size_t i = 0; i < LENGTH(headings); i++)
		json_object_set_new(mail, headings[i].json, ctl_json_str(s->heading[i]));
	json_object_set_new(mail, "account_address", ctl_json_str(s->account));
	for (size_t i = 0; i < s->n; i++) {
		const struct queue_job *j = &s->job[i];
		struct str *said = ARENA_ARRAY(s->a, struct str, j->p.n);

		for (size_t k = 0; k < j->p.n; k++)
			said[k] = sentence(s, j, k);
		json_t *entry = queued_json_entry(s->a, j, said);
		json_object_set_new(entry, "state", json_string(queued_state(&j->p, s->now)));
		json_array_append_new(entries, entry);
	}
	json_object_set_new(mail, "entries", entries);
	return ctl_print_json(mail);
}

/* --- for people --- */

static void line(const struct showing *s, const char *de, const char *en, struct str text)
{
	const char *what = s->l == QUEUE_DE ? de : en;
	int wide = 12;

	for (const char *p = what; *p; p++) /* printf counts octets */
		wide += ((unsigned char)*p & 0xc0) == 0x80;
	printf("%-*s %.*s\n", wide, what, FMT(text));
}

static void print_asked(const struct showing *s)
{
	static const char *const least[QUEUE_GUARDS][2] = {
		[QUEUE_ENCRYPTED] = { "nur verschlüsselt", "encrypted only" },
		[QUEUE_AUTHENTICATED] = { "nur verschlüsselt zu einem Server, der sich ausweist",
					  "encrypted only, to a server that proves itself" },
	};
	const struct queue_message *m = &s->job[0].m;

	if (m->guard)
		line(s, "Verlangt", "Asked for", str_of(least[m->guard][s->l]));
	if (m->requiretls)
		line(s, "Verlangt", "Asked for", S("REQUIRETLS"));
	if (m->tls_optional)
		line(s, "Verlangt", "Asked for", S("TLS-Required: No"));
	if (m->hold_until)
		line(s, "Nicht vor", "Not before", text_time(s->a, m->hold_until));
	if (m->deliver_by)
		line(s, "Spätestens", "At latest", text_time(s->a, m->deliver_by));
	if (m->priority)
		line(s, "Vorrang", "Priority", str_fmt(s->a, "%d", m->priority));
}

static void print_mail(const struct showing *s)
{
	const struct queue_message *m = &s->job[0].m;
	struct str sender = m->sender.n ? queue_one_line(s->a, m->sender) : S("<>");

	if (s->account.n && !str_ieq(s->account, m->sender))
		sender = str_fmt(s->a, "%.*s (%s %.*s)", FMT(sender),
				 s->l == QUEUE_DE ? "Konto" : "account", FMT(s->account));
	line(s, "Mail", "Mail", queue_id_text(s->a, m->id));
	line(s, "Absender", "Sender", sender);
	for (size_t i = 0; i < LENGTH(headings); i++)
		line(s, headings[i].label[QUEUE_DE], headings[i].label[QUEUE_EN], s->heading[i]);
	line(s, "Abgegeben", "Submitted", text_time(s->a, m->submitted));
	line(s, "Größe", "Size", text_size(s->a, m->size));
	print_asked(s);
}

static void print_recipient(const struct showing *s, const struct queue_job *j, size_t i)
{
	const struct queue_recipient *r = &j->p.rcpt[i];
	struct receipt_row row = queued_receipt(s->a, r);

	printf("%.*s\n  %.*s\n", FMT(queue_one_line(s->a, r->address)), FMT(sentence(s, j, i)));
	if (r->last.when)
		printf("  (%.*s: %.*s; %u %s)\n", FMT(text_time(s->a, r->last.when)),
		       FMT(queued_way(s->a, s->l, &row)), r->tries,
		       s->l == QUEUE_DE ? r->tries == 1 ? "Versuch" : "Versuche"
		       : r->tries == 1  ? "try"
					: "tries");
}

static void print_entry(const struct showing *s, const struct queue_job *j)
{
	const struct queue_part *p = &j->p;
	bool leased = p->lease && p->lease_until > s->now, de = s->l == QUEUE_DE;

	printf("\n%s %.*s", de ? "An" : "To", FMT(p->domain));
	if (p->via.n)
		printf(de ? " (über %.*s)" : " (by %.*s)", FMT(p->via));
	if (leased)
		printf(de ? ", wird gerade versucht (%.*s)" : ", is being tried just now (%.*s)",
		       FMT(queue_one_line(s->a, p->holder)));
	printf("\n");
	for (size_t i = 0; i < p->n; i++)
		print_recipient(s, j, i);
}

static int show(struct showing *s, struct store *st, uint64_t id)
{
	struct ctl *c = s->c;
	enum err e = queue_show(st, id, s->a, &s->job, &s->n);

	if (e == E_NOTFOUND || (!e && !s->n))
		return ctl_failed(c, E_NOTFOUND,
				  str_fmt(s->a, "%.*s: there is no such mail in the queue",
					  FMT(c->words[0])));
	if (!e)
		e = read_headings(s, st);
	if (!e)
		e = find_account(s, st);
	if (e)
		return ctl_failed(c, E_IO,
				  str_fmt(s->a, "the mail could not be read: %s", err_text(e)));
	if (c->options & OPT_JSON)
		return show_json(s);
	print_mail(s);
	for (size_t i = 0; i < s->n; i++)
		print_entry(s, &s->job[i]);
	return EXIT_OK;
}

int cmd_queue_show(struct ctl *c)
{
	struct showing s = { .c = c, .now = clock_wall(), .plan = config_plan(&c->config) };
	struct store *st;
	struct str why;
	uint64_t id;
	bool german;

	if (ctl_german(c, &german, &why))
		return ctl_failed(c, E_SYNTAX, why);
	if (!queue_id_read(c->words[0], &id))
		return ctl_failed(c, E_SYNTAX,
				  str_fmt(c->arena, "%.*s is no id: tecsmail queue list shows them",
					  FMT(c->words[0])));
	s.l = german ? QUEUE_DE : QUEUE_EN;
	int status = ctl_store_open(c, &st);
	if (status)
		return status;
	s.a = arena_new(ENTRIES_ARENA);
	status = show(&s, st, id);
	arena_free(&s.a);
	store_close(&st);
	return status;
}
