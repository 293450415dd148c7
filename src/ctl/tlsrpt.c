/* SPDX-License-Identifier: ISC */
/* ctl/tlsrpt.c - what other servers reported of TLS with ours (RFC 8460): tlsrpt, check --tls. */
#include "ctl/tlsrpt.h"

#include <stdlib.h>

#include "base/clock.h"
#include "ctl/ctl_priv.h"
#include "mail/date.h"

enum {
	DAY_S = 86400,
	CHECKED_DAYS = 7,
	ROWS_MAX = 2000, /* of a day */
	DAY_MEMORY = 64 << 20,
	SAID_MAX = 5,     /* reasons that are named */
	SHOWN_MAX = 5000, /* rows of a table */
};

/* RFC 8460 4.3, for people. */
static const struct {
	const char *word, *de, *en;
} meanings[] = {
	{ "starttls-not-supported", "unser Server bot kein STARTTLS an",
	  "our server did not offer STARTTLS" },
	{ "certificate-host-mismatch", "das Zertifikat war für einen anderen Namen",
	  "the certificate was for another name" },
	{ "certificate-expired", "das Zertifikat war abgelaufen", "the certificate had expired" },
	{ "certificate-not-trusted", "dem Aussteller des Zertifikats wurde nicht vertraut",
	  "the issuer of the certificate was not trusted" },
	{ "validation-failure", "die Prüfung schlug fehl", "the validation failed" },
	{ "tlsa-invalid", "der TLSA-Eintrag war unbrauchbar oder passte nicht",
	  "the TLSA record was unusable or did not match" },
	{ "dnssec-invalid", "die DNSSEC-Unterschriften der Zone waren ungültig",
	  "the DNSSEC signatures of the zone were not valid" },
	{ "dane-required", "der Absender verlangt DANE, das hier fehlte",
	  "the sender requires DANE, which was not there" },
	{ "sts-policy-fetch-error", "die MTA-STS-Richtlinie war nicht abrufbar",
	  "the MTA-STS policy could not be fetched" },
	{ "sts-policy-invalid", "die MTA-STS-Richtlinie war fehlerhaft",
	  "the MTA-STS policy was not valid" },
	{ "sts-webpki-invalid", "das Zertifikat des MTA-STS-Webservers war ungültig",
	  "the certificate of the MTA-STS web server was not valid" },
};

void tls_findings_add(struct tls_findings *f, const struct tlsrpt_got_row *r)
{
	f->reports++;
	f->good += r->p.good;
	f->bad += r->p.bad;
	for (size_t i = 0; i < r->p.n; i++) {
		const struct tlsrpt_failure *x = &r->p.failure[i];
		size_t k = 0;

		while (k < f->n && !str_eq(f->reason[k].word, x->word))
			k++;
		if (k == TLS_REASONS_MAX)
			continue;
		if (k == f->n)
			f->reason[f->n++] =
				(struct tls_reason){ .word = x->word, .reporter = r->reporter };
		f->reason[k].sessions += x->sessions;
		f->reason[k].others |= !str_eq(f->reason[k].reporter, r->reporter);
	}
}

static int by_sessions(const void *x, const void *y)
{
	const struct tls_reason *a = x, *b = y;

	return (a->sessions < b->sessions) - (a->sessions > b->sessions);
}

void tls_findings_sort(struct tls_findings *f)
{
	qsort(f->reason, f->n, sizeof *f->reason, by_sessions);
}

static struct str meaning(bool german, struct str word)
{
	for (size_t i = 0; i < LENGTH(meanings); i++)
		if (str_is(word, meanings[i].word))
			return str_of(german ? meanings[i].de : meanings[i].en);
	return word;
}

static void say_reasons(struct buf *b, bool german, const struct tls_findings *f)
{
	for (size_t i = 0; i < f->n && i < SAID_MAX; i++) {
		const struct tls_reason *r = &f->reason[i];

		buf_fmt(b, "%s%.*s (%llu, %s %.*s%s)",
			i        ? "; "
			: german ? " Warum: "
				 : " Why: ",
			FMT(meaning(german, r->word)), (unsigned long long)r->sessions,
			german ? "laut" : "as told by", FMT(r->reporter),
			!r->others ? ""
			: german   ? " und anderen"
				   : " and others");
	}
	if (f->n)
		buf_c(b, '.');
}

struct str tls_findings_say(struct arena *a, bool german, const struct tls_findings *f)
{
	struct buf b = buf_new(8192);
	unsigned long long all = f->good + f->bad, bad = f->bad, n = f->reports;

	if (!n)
		buf_put(&b,
			german ? S("In den letzten 7 Tagen kam kein Bericht über TLS. Sie kommen, "
				   "wenn der Eintrag veröffentlicht ist (tecsmail dns DOMAIN) und "
				   "große Anbieter Mail hierher schicken.")
			       : S("No report about TLS came in the last 7 days. They come once "
				   "the "
				   "record is published (tecsmail dns DOMAIN) and large providers "
				   "send mail here."));
	else
		buf_fmt(&b,
			german ? "In den letzten 7 Tagen: %llu Bericht%s über TLS, %llu von %llu "
				 "Verbindungen gescheitert."
			       : "In the last 7 days: %llu report%s about TLS, %llu of %llu "
				 "sessions "
				 "failed.",
			n,
			n == 1   ? ""
			: german ? "e"
				 : "s",
			bad, all);
	say_reasons(&b, german, f);
	struct str out = str_dup(a, buf_str(&b));
	buf_free(&b);
	return out;
}

/* --- the days --- */

/* Calls fn for each row of the last days, oldest first. */
static enum err each_row(struct store *st, uint32_t days, struct str domain, void *arg,
			 void (*fn)(void *arg, const struct tlsrpt_got_row *r))
{
	uint32_t today = (uint32_t)(clock_wall() / DAY_S);
	struct arena *a = arena_new(DAY_MEMORY);
	enum err e = OK;

	for (uint32_t day = today - days; day <= today + 1 && !e; day++) {
		struct tlsrpt_got_row *row;
		size_t n;

		arena_reset(a);
		e = tlsrpt_got_list(st, day, domain, ROWS_MAX, a, &row, &n);
		for (size_t i = 0; i < n && !e; i++)
			fn(arg, &row[i]);
	}
	arena_free(&a);
	return e;
}

static int unreadable(struct ctl *c, enum err e)
{
	return ctl_failed(c, E_IO,
			  str_fmt(c->arena, "the reports could not be read: %s", err_text(e)));
}

/* --- check --tls --- */

struct checking {
	struct arena *a;
	struct tls_findings f;
};

static void check_row(void *arg, const struct tlsrpt_got_row *r)
{
	struct checking *g = arg;
	size_t known = g->f.n;

	tls_findings_add(&g->f, r);
	for (size_t i = known; i < g->f.n; i++) { /* the row does not live on */
		g->f.reason[i].word = str_dup(g->a, g->f.reason[i].word);
		g->f.reason[i].reporter = str_dup(g->a, g->f.reason[i].reporter);
	}
}

static int print_findings(const struct tls_findings *f)
{
	json_t *reasons = json_array();

	for (size_t i = 0; i < f->n; i++)
		json_array_append_new(reasons,
				      json_pack("{s:o, s:I, s:o, s:b}", "reason",
						ctl_json_str(f->reason[i].word), "sessions",
						(json_int_t)f->reason[i].sessions, "reporter",
						ctl_json_str(f->reason[i].reporter), "others",
						f->reason[i].others));
	return ctl_print_json(json_pack("{s:b, s:i, s:I, s:I, s:I, s:o}", "ok", f->bad == 0, "days",
					CHECKED_DAYS, "reports", (json_int_t)f->reports, "sessions",
					(json_int_t)(f->good + f->bad), "failed",
					(json_int_t)f->bad, "reasons", reasons));
}

static int check(struct ctl *c, struct store *st)
{
	struct checking g = { .a = c->arena };
	struct str why;
	bool german;

	if (ctl_german(c, &german, &why))
		return ctl_failed(c, E_SYNTAX, why);
	enum err e = each_row(st, CHECKED_DAYS, S(""), &g, check_row);
	if (e)
		return unreadable(c, e);
	tls_findings_sort(&g.f);
	if (c->options & OPT_JSON)
		return print_findings(&g.f);
	struct str text = tls_findings_say(c->arena, german, &g.f);
	printf("%.*s\n", FMT(text));
	return EXIT_OK;
}

int ctl_check_tls(struct ctl *c)
{
	return ctl_with_store(c, check);
}

/* --- tlsrpt --- */

struct telling {
	struct ctl *c;
	struct columns table;
	json_t *list;
	size_t rows;
};

static json_t *json_row(const struct tlsrpt_got_row *r, struct str day)
{
	json_t *failures = json_array();

	for (size_t i = 0; i < r->p.n; i++)
		json_array_append_new(failures,
				      json_pack("{s:o, s:o, s:I}", "reason",
						ctl_json_str(r->p.failure[i].word), "mx",
						ctl_json_str(r->p.failure[i].mx), "sessions",
						(json_int_t)r->p.failure[i].sessions));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o}", "day", ctl_json_str(day),
			 "domain", ctl_json_str(r->p.domain), "reporter", ctl_json_str(r->reporter),
			 "organization", ctl_json_str(r->organization), "id", ctl_json_str(r->id),
			 "received", (json_int_t)r->received, "sessions",
			 (json_int_t)(r->p.good + r->p.bad), "failed", (json_int_t)r->p.bad,
			 "failures", failures);
}

/* The reasons of a row, the first few. */
static struct str reasons(struct arena *a, const struct tlsrpt_got_row *r)
{
	struct tls_findings f = { 0 };
	struct buf b = buf_new(2048);

	tls_findings_add(&f, r);
	tls_findings_sort(&f);
	for (size_t i = 0; i < f.n && i < SAID_MAX; i++)
		buf_fmt(&b, "%s%.*s %llu", i ? ", " : "", FMT(f.reason[i].word),
			(unsigned long long)f.reason[i].sessions);
	struct str out = str_dup(a, buf_str(&b));
	buf_free(&b);
	return out;
}

static void tell_row(void *arg, const struct tlsrpt_got_row *r)
{
	struct telling *t = arg;
	struct arena *a = arena_new(64 << 10);
	unsigned long long all = r->p.good + r->p.bad, bad = r->p.bad;
	struct str day = str_part(date_iso(a, (int64_t)r->day * DAY_S), 0, 10);

	t->rows++;
	if (t->list) {
		json_array_append_new(t->list, json_row(r, day));
	} else if (t->rows <= SHOWN_MAX) {
		columns_add(&t->table, day);
		columns_add(&t->table, r->p.domain);
		columns_add(&t->table, r->reporter);
		columns_add(&t->table, str_fmt(a, "%llu", all));
		columns_add(&t->table, str_fmt(a, "%llu", bad));
		columns_add(&t->table, reasons(a, r));
	}
	arena_free(&a);
}

static int tell(struct ctl *c, struct store *st)
{
	static const char *const heads[] = { "DAY",       "DOMAIN",  "REPORTER",
					     "<SESSIONS", "<FAILED", "WHY" };
	struct telling t = { .c = c, .table = columns_new(c->arena, heads, LENGTH(heads)) };
	struct str domain = c->nwords ? c->words[0] : S("");

	if (c->options & OPT_JSON)
		t.list = json_array();
	enum err e = each_row(st, TLSRPT_GOT_DAYS, domain, &t, tell_row);
	if (e) {
		json_decref(t.list);
		return unreadable(c, e);
	}
	if (t.list)
		return ctl_print_json(json_pack("{s:o}", "reports", t.list));
	columns_print(&t.table, stdout);
	if (t.rows > SHOWN_MAX)
		printf("These are the first %d of %zu: name a domain, or ask for --json.\n",
		       SHOWN_MAX, t.rows);
	return EXIT_OK;
}

int cmd_tlsrpt(struct ctl *c)
{
	return ctl_with_store(c, tell);
}
