/* SPDX-License-Identifier: ISC */
/*
 * ctl/tls.c - another key for TLS, without a moment at which the DNS promises what the server does
 * not show (TLSA, RFC 7671 8.1): the next key is made and published, waits until no cache is
 * without it, takes its turn, and the old one's record goes when nobody shows it any more.
 */
#include <unistd.h>

#include "base/clock.h"
#include "ctl/roll.h"
#include "ctl/zone.h"

enum { SERVED_MS = 20000, LOOK_AGAIN_MS = 200 };

struct rolling {
	struct ctl *c;
	struct arena *a; /* the command's */
	struct roll_keys keys;
	struct roll_published published;
	struct roll_seen seen;
	struct str served; /* a hash, or "" */
};

static enum err look(struct rolling *r, struct str *why)
{
	enum err e = roll_read(r->c, &r->keys, why);

	if (e)
		return e;
	roll_ask(r->c, &r->published);
	if (roll_note(r->c, &r->keys, &r->published, &r->seen, why))
		fprintf(stderr, "tecsmail: when this was seen cannot be noted: %.*s\n", FMT(*why));
	return OK;
}

static struct str record(const struct rolling *r, struct str hash)
{
	return str_fmt(r->a, "%.*s. %d IN TLSA 3 1 1 %.*s", FMT(r->published.name), ZONE_TTL,
		       FMT(hash));
}

static int64_t old_until(const struct rolling *r)
{
	return r->keys.old_since + ZONE_TTL;
}

static bool has_old(const struct rolling *r)
{
	return r->keys.old.n && !str_eq(r->keys.old, r->keys.now);
}

/* --- what is to be done --- */

struct todo {
	const char *word;
	struct str sentence;
	bool broken; /* mail does not arrive as it should */
};

static struct todo todo_next(const struct rolling *r, int64_t now)
{
	const struct roll_published *p = &r->published;

	if (p->promise == PROMISE_NONE)
		return (struct todo){ "roll",
				      S("the DNS promises nothing (no TLSA record in a "
					"signed zone): tecsmail tls roll whenever you like") };
	if (!r->seen.since && p->promise == PROMISE_UNKNOWN)
		return (struct todo){
			"publish", str_fmt(r->a,
					   "publish the next key, and see to it that the DNS can "
					   "be asked from here: %.*s",
					   FMT(record(r, r->keys.next)))
		};
	if (!r->seen.since)
		return (struct todo){ "publish", str_fmt(r->a, "publish the next key: %.*s",
							 FMT(record(r, r->keys.next))) };
	if (now < r->seen.ready)
		return (struct todo){ "wait",
				      str_fmt(r->a,
					      "wait until %.*s, when no cache is without the next "
					      "key's record; then tecsmail tls roll",
					      FMT(text_time(r->a, r->seen.ready))) };
	return (struct todo){ "roll", S("tecsmail tls roll: the next key's record is in all "
					"caches that have any") };
}

static struct todo todo_of(const struct rolling *r)
{
	const struct roll_published *p = &r->published;
	int64_t now = clock_wall();
	bool none = r->served.n && p->promise == PROMISE_MADE && !roll_is_published(p, r->served);

	if (r->keys.leftover)
		return (struct todo){ "roll",
				      S("tecsmail tls roll finishes what was interrupted") };
	if (none)
		return (struct todo){ "repair",
				      str_fmt(r->a,
					      "publish this at once, mail from servers that check "
					      "TLSA does not arrive: %.*s",
					      FMT(record(r, r->served))),
				      true };
	if (r->served.n && !str_eq(r->served, r->keys.now))
		return (struct todo){ "reload", S("reload the server: it shows another key than "
						  "the files have") };
	if (has_old(r) && now < old_until(r))
		return (struct todo){
			"wait", str_fmt(r->a,
					"leave the old key's record until %.*s; then tecsmail "
					"tls retire",
					FMT(text_time(r->a, old_until(r))))
		};
	if (has_old(r))
		return (struct todo){ "retire", S("tecsmail tls retire, then take the old key's "
						  "record out of the DNS") };
	if (r->keys.next.n && !r->keys.leftover)
		return todo_next(r, now);
	return (struct todo){ "nothing", S("nothing; tecsmail tls next begins a change of the "
					   "key") };
}

/* --- show --- */

static json_t *json_key(const struct rolling *r, struct str hash, struct str kind, int64_t since)
{
	if (!hash.n)
		return json_null();
	return json_pack("{s:o, s:o, s:I, s:b}", "hash", ctl_json_str(hash), "kind",
			 ctl_json_str(kind), "since", (json_int_t)since, "published",
			 roll_is_published(&r->published, hash));
}

static const char *promise_word(const struct rolling *r)
{
	static const char *const words[] = {
		[PROMISE_UNKNOWN] = "unknown", [PROMISE_NONE] = "none", [PROMISE_MADE] = "made"
	};

	return words[r->published.promise];
}

static int show_json(struct rolling *r, const struct todo *t)
{
	const struct roll_keys *k = &r->keys;
	const struct roll_published *p = &r->published;
	json_t *list = json_array();

	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(list, ctl_json_str(p->hash[i]));
	json_t *dns = json_pack("{s:o, s:s, s:o, s:I, s:o, s:I, s:I, s:I}", "name",
				ctl_json_str(p->name), "promise", promise_word(r), "why",
				ctl_json_str(p->why), "ttl", (json_int_t)p->ttl, "hashes", list,
				"other_records", (json_int_t)p->others, "next_since",
				(json_int_t)r->seen.since, "next_ready", (json_int_t)r->seen.ready);
	json_t *j =
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "current",
			  json_key(r, k->now, roll_kind(r->a, k->key_pem), k->cert.from), "next",
			  json_key(r, k->leftover ? S("") : k->next, roll_kind(r->a, k->next_pem),
				   k->next_made),
			  "old", json_key(r, has_old(r) ? k->old : S(""), S(""), k->old_since),
			  "dns", dns, "served", ctl_json_str(r->served), "todo", t->word,
			  "sentence", ctl_json_str(t->sentence));
	int status = ctl_print_json(j);
	return t->broken ? EXIT_FAILED : status;
}

static void print_key(const struct rolling *r, const char *label, struct str hash, struct str more)
{
	const char *published = r->published.promise != PROMISE_MADE     ? ""
				: roll_is_published(&r->published, hash) ? ", published"
									 : ", not published";

	printf("%-12s %.*s\n%-12s %.*s%s%s\n", label, FMT(hash), "", FMT(more), published,
	       str_eq(hash, r->served) ? ", port 25 shows it" : "");
}

static void print_dns(const struct rolling *r)
{
	const struct roll_published *p = &r->published;

	printf("%-12s ", "DNS");
	if (p->promise == PROMISE_UNKNOWN)
		printf("%.*s could not be asked: %.*s\n", FMT(p->name), FMT(p->why));
	else if (p->promise == PROMISE_NONE)
		printf("%.*s promises nothing: no TLSA record in a signed zone\n", FMT(p->name));
	else
		printf("%.*s has %zu record%s, TTL %u, signed\n", FMT(p->name), p->n + p->others,
		       p->n + p->others == 1 ? "" : "s", p->ttl);
	if (r->seen.since)
		printf("%-12s the next key's is seen since %.*s\n", "",
		       FMT(text_time(r->a, r->seen.since)));
}

int cmd_tls_show(struct ctl *c)
{
	struct rolling r = { .c = c, .a = c->arena };
	const struct roll_keys *k = &r.keys;
	struct str why;
	enum err e = look(&r, &why);

	if (e)
		return ctl_failed(c, e, why);
	r.served = roll_served(c, k);
	struct todo t = todo_of(&r);
	if (c->options & OPT_JSON)
		return show_json(&r, &t);
	print_key(&r, "Key", k->now,
		  str_fmt(r.a, "%.*s%scertificate until %.*s", FMT(roll_kind(r.a, k->key_pem)),
			  k->key_pem.n ? ", " : "", FMT(text_day(r.a, k->cert.until))));
	if (k->next.n && !k->leftover)
		print_key(&r, "Next key", k->next,
			  str_fmt(r.a, "%.*s, made %.*s", FMT(roll_kind(r.a, k->next_pem)),
				  FMT(text_time(r.a, k->next_made))));
	if (has_old(&r))
		print_key(&r, "Old key", k->old,
			  str_fmt(r.a, "used until %.*s", FMT(text_time(r.a, k->old_since))));
	print_dns(&r);
	printf("%-12s %.*s\n", "To do", FMT(t.sentence));
	return t.broken ? EXIT_FAILED : EXIT_OK;
}

/* --- next --- */

/* Somebody has to sign it: ACME when its turn comes, or the operator's authority by a request. */
static enum err put_request(struct ctl *c, const struct roll_keys *k, struct str key,
			    struct str *path, struct str *why)
{
	struct str request;

	*path = S("");
	if (k->cert.self_signed || !k->cert.names.n || acme_used(c))
		return OK;
	enum err e = cert_request(key, &k->cert.names, c->arena, &request, why);
	if (e)
		return e;
	*path = roll_beside(c, ".next.csr");
	e = file_prepare_like(*path, c->config.key, request, 0644, c->arena, why);
	return e ? e : file_switch(*path, c->arena, why);
}

static enum err make_next(struct rolling *r, struct str *request, struct str *why)
{
	struct ctl *c = r->c;
	struct str path = roll_beside(c, ".next");
	enum err e = roll_lock(c, why);

	if (!e)
		e = roll_read(c, &r->keys, why);
	if (e)
		return e;
	if (!r->keys.key.n) {
		*why = str_fmt(r->a, "%.*s: the key cannot be read", FMT(c->config.key));
		return E_IO;
	}
	if (r->keys.next.n && !r->keys.leftover) {
		*why = str_fmt(r->a, "there is a next key since %.*s: %.*s",
			       FMT(text_time(r->a, r->keys.next_made)), FMT(path));
		return E_EXISTS;
	}
	struct str key = roll_key_like(r->a, r->keys.key_pem);
	if (!key.n) {
		*why = str_fmt(r->a, "a key of this kind (%.*s) cannot be made here",
			       FMT(roll_kind(r->a, r->keys.key_pem)));
		return E_SYNTAX;
	}
	(void)unlink(str_c(r->a, roll_beside(c, ".next.since")));
	e = put_request(c, &r->keys, key, request, why);
	if (!e)
		e = file_prepare_like(path, c->config.key, key, 0600, r->a, why);
	if (!e)
		e = file_switch(path, r->a, why);
	r->keys.next = roll_key_hash(r->a, key);
	return e;
}

int cmd_tls_next(struct ctl *c)
{
	struct rolling r = { .c = c, .a = c->arena };
	struct str request, why;
	enum err e = make_next(&r, &request, &why);

	if (e)
		return ctl_failed(c, e, why);
	roll_ask(c, &r.published);
	if (c->options & OPT_JSON)
		return ctl_print_json(json_pack("{s:b, s:o, s:o, s:o, s:o}", "ok", 1, "file",
						ctl_json_str(roll_beside(c, ".next")), "hash",
						ctl_json_str(r.keys.next), "record",
						ctl_json_str(record(&r, r.keys.next)), "request",
						request.n ? ctl_json_str(request) : json_null()));
	printf("The next key is %.*s. Publish beside what is there:\n%.*s\n",
	       FMT(roll_beside(c, ".next")), FMT(record(&r, r.keys.next)));
	if (request.n)
		printf("Have this request signed meanwhile: %.*s\n", FMT(request));
	printf("Then: tecsmail tls show\n");
	return EXIT_OK;
}

/* --- roll --- */

/* Why it is too early; "": it is not. */
static struct str too_early(const struct rolling *r)
{
	const struct roll_published *p = &r->published;

	if (p->promise == PROMISE_NONE || (r->seen.since && clock_wall() >= r->seen.ready))
		return S("");
	if (r->seen.since)
		return str_fmt(r->a,
			       "the next key's record was first seen on %.*s; until %.*s there may "
			       "be caches without it",
			       FMT(text_time(r->a, r->seen.since)),
			       FMT(text_time(r->a, r->seen.ready)));
	if (p->promise == PROMISE_UNKNOWN)
		return str_fmt(r->a,
			       "whether the next key is published could not be found out "
			       "(%.*s: %.*s)",
			       FMT(p->name), FMT(p->why));
	return str_fmt(r->a, "the next key is not published: %.*s", FMT(record(r, r->keys.next)));
}

/* The certificate that needs no authority's answer now. */
static enum err certificate_for(struct rolling *r, struct str *chain, struct str *why)
{
	struct ctl *c = r->c;
	struct str reason;
	enum err e = OK;

	if (c->options & OPT_CERTIFICATE)
		e = file_read(c->certificate, ACME_PEM_MAX, r->a, chain, why);
	else
		*chain = roll_self_signed(r->a, r->keys.next_pem, r->keys.cert_pem);
	if (e || cert_fits(*chain, r->keys.next_pem, r->a, &reason))
		return e;
	*why = str_fmt(r->a, "%s%.*s cannot be used with the next key: %.*s",
		       c->options & OPT_CERTIFICATE ? "" : "the certificate", FMT(c->certificate),
		       FMT(reason));
	return E_SYNTAX;
}

/* Certificate and key into their places, and the server told. */
static int exchange(struct rolling *r)
{
	struct ctl *c = r->c;
	struct str chain, why;
	enum err e = OK;

	if (r->keys.leftover) {
		roll_drop_next(c, r->keys.next_pem);
		return roll_reload(c, &why) ? EXIT_OK : ctl_failed(c, E_IO, why);
	}
	if (!(c->options & OPT_CERTIFICATE) && acme_used(c))
		return acme_roll(c, r->keys.next_pem);
	if (!(c->options & OPT_CERTIFICATE) && !r->keys.cert.self_signed)
		return ctl_failed(c, E_SYNTAX,
				  str_fmt(r->a,
					  "who signs the next key's certificate? Give it with "
					  "--certificate (a request is %.*s), or use tecsmail acme "
					  "once before",
					  FMT(roll_beside(c, ".next.csr"))));
	e = certificate_for(r, &chain, &why);
	if (!e)
		e = roll_put(c, r->keys.key_pem, r->keys.next_pem, chain, &why);
	if (e)
		return ctl_failed(c, e, why);
	return roll_reload(c, &why) ? EXIT_OK : ctl_failed(c, E_IO, why);
}

/* The server reads its files in its own time. */
static bool comes_to_show(struct rolling *r, struct str hash)
{
	int64_t end = clock_in(SERVED_MS);

	do {
		r->served = roll_served(r->c, &r->keys);
		if (str_eq(r->served, hash))
			return true;
	} while (!fiber_sleep(clock_in(LOOK_AGAIN_MS)) && clock_ms() < end);
	return !r->served.n; /* there is no port 25 to be asked */
}

/* The files are in their places, and a crash came before the server was told. */
static bool unread(struct rolling *r)
{
	if (r->keys.next.n || !has_old(r))
		return false;
	r->served = roll_served(r->c, &r->keys);
	return str_eq(r->served, r->keys.old);
}

static enum err ready(struct rolling *r, struct str *why)
{
	bool mended;
	enum err e = roll_lock(r->c, why);

	if (!e)
		e = roll_mend(r->c, &mended, why);
	if (!e)
		e = look(r, why);
	if (e)
		return e;
	if (r->keys.leftover) { /* all but the end was done before a crash */
		*why = S("");
		return OK;
	}
	if (unread(r)) {
		r->keys.leftover = true;
		r->keys.next = r->keys.now;
		*why = S("");
		return OK;
	}
	if (!r->keys.next.n) {
		*why = S("there is no next key: tecsmail tls next makes it");
		return E_NOTFOUND;
	}
	*why = r->c->options & OPT_YES ? S("") : too_early(r);
	if (!why->n)
		return OK;
	*why = str_fmt(r->a, "%.*s; --yes uses it all the same", FMT(*why));
	return E_DENIED;
}

int cmd_tls_roll(struct ctl *c)
{
	struct rolling r = { .c = c, .a = c->arena };
	struct str why, hash;
	enum err e = ready(&r, &why);

	if (e)
		return ctl_failed(c, e, why);
	hash = r.keys.next;
	int status = exchange(&r);
	if (status)
		return status;
	e = roll_read(c, &r.keys, &why);
	if (e)
		return ctl_failed(c, e, why);
	if (!comes_to_show(&r, hash))
		return ctl_failed(c, E_IO,
				  S("key and certificate are in their places, but port 25 still "
				    "shows the old key: reload the server; leave both TLSA records "
				    "published"));
	if (c->options & OPT_JSON)
		return ctl_print_json(json_pack("{s:b, s:o, s:o, s:I}", "ok", 1, "hash",
						ctl_json_str(hash), "old", ctl_json_str(r.keys.old),
						"retire", (json_int_t)old_until(&r)));
	printf("The next key is in use. Leave the old key's TLSA record until %.*s; then: tecsmail "
	       "tls retire\n",
	       FMT(text_time(r.a, old_until(&r))));
	return EXIT_OK;
}

/* --- retire --- */

int cmd_tls_retire(struct ctl *c)
{
	struct rolling r = { .c = c, .a = c->arena };
	struct str why = S(""), path = roll_beside(c, ".old");
	enum err e = roll_lock(c, &why);

	if (!e)
		e = roll_read(c, &r.keys, &why);
	if (!e && !r.keys.old.n) {
		e = E_NOTFOUND;
		why = S("there is no old key");
	}
	if (!e && !(c->options & OPT_YES)) {
		r.served = roll_served(c, &r.keys);
		e = clock_wall() < old_until(&r) || (has_old(&r) && str_eq(r.served, r.keys.old))
			    ? E_DENIED
			    : OK;
		if (e && clock_wall() < old_until(&r))
			why = str_fmt(r.a,
				      "the old key was in use until %.*s; leave its record "
				      "until %.*s",
				      FMT(text_time(r.a, r.keys.old_since)),
				      FMT(text_time(r.a, old_until(&r))));
		else if (e)
			why = S("port 25 still shows the old key: reload the server");
	}
	if (!e && unlink(str_c(r.a, path))) {
		e = E_IO;
		why = str_fmt(r.a, "%.*s cannot be removed", FMT(path));
	}
	if (e)
		return ctl_failed(c, e, why);
	if (!(c->options & OPT_JSON))
		printf("Take its TLSA record out of the DNS: 3 1 1 %.*s\n", FMT(r.keys.old));
	return ctl_done(c);
}
