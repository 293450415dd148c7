/* SPDX-License-Identifier: ISC */
/* keeper/login.c - one decision for every protocol. */
#include <sodium.h>

#include "base/clock.h"
#include "base/log.h"
#include "fiber/fiber.h"
#include "guard/hashing.h"
#include "keeper/life.h"
#include "keeper/login.h"
#include "guard/order.h"
#include "keeper/password.h"
#include "keeper/stranger.h"
#include "keeper/told.h"

enum { FORGOT_RING = 256 };

struct logins {
	struct store *store; /* borrowed */
	struct recent *recent;
	struct guard *guard; /* borrowed */
	struct journal *journal;
	struct strangers *strangers;
	struct order *order;
	struct arena *arena; /* of dummy */
	struct str dummy;    /* a hash of ours that no password fits */
	struct hashing *hashing;
	bool rehash;
	uint64_t forgotten; /* so many login_forget; the last accounts are in the ring */
	uint32_t forgot[FORGOT_RING];
	struct login_counts counts;
	struct told told;
};

enum err logins_new(struct store *st, struct guard *g, struct logins **out)
{
	struct logins *l = NEW(struct logins);
	char noise[33];
	uint8_t octets[16];

	BUG_IF(sodium_init() < 0);
	l->store = st;
	l->recent = recent_new();
	l->guard = g;
	l->arena = arena_new(4096);
	l->hashing = hashing_new();
	l->order = order_new();
	randombytes_buf(octets, sizeof(octets));
	sodium_bin2hex(noise, sizeof(noise), octets, sizeof(octets));
	enum err e = password_hash(l->arena, str_of(noise), &l->dummy);
	if (!e)
		e = journal_new(st, &l->journal);
	l->strangers = strangers_new(g, l->journal);
	if (e)
		logins_free(&l);
	*out = l;
	return e;
}

void logins_free(struct logins **l)
{
	if (!*l)
		return;
	hashing_free(&(*l)->hashing);
	order_free(&(*l)->order);
	strangers_free(&(*l)->strangers);
	journal_close(&(*l)->journal);
	recent_free(&(*l)->recent);
	arena_free(&(*l)->arena);
	free(*l);
	*l = NULL;
}

/* --- hashing --- */

struct job {
	struct str hash, password, dummy;
	struct str ip;  /* who asks, "" where nobody can be locked out */
	struct str who; /* whose turn it takes where the address is not counted */
	enum hashing_rank rank;
	uint32_t account; /* whose password it may be, and the serial of that; 0: nobody's */
	uint64_t serial;
	struct arena *a;
	struct secret *secret; /* what is made; a hash that is there stays */
	enum err result;
};

/* A hash brought along is checked faster than ours; a failure must not tell it by its time. */
static void verify(void *arg)
{
	struct job *j = arg;

	j->result = password_verify(j->hash, j->password);
	if (j->result && !password_is_own(j->hash) && password_verify(j->dummy, j->password) == OK)
		j->result = E_DENIED;
}

static void make_secret(void *arg)
{
	struct job *j = arg;

	j->result = j->secret->hash.n ? OK : password_hash(j->a, j->password, &j->secret->hash);
	if (!j->result)
		j->result = scram_make(j->password, &j->secret->scram);
}

/* E_LIMIT: the address was closed before it was done; what came out is not told. */
static enum err run_job(struct logins *l, void (*fn)(void *arg), struct job *j)
{
	struct net key;
	struct closed c;
	bool counts = guard_counts(l->guard, j->ip, &key);
	struct str who = counts ? STR((const char *)key.octets, sizeof key.octets) : j->who;
	enum err e = hashing_begin(l->hashing, j->rank, who);

	if (e)
		return e;
	if (guard_closed(l->guard, j->ip, &c))
		j->result = E_LIMIT;
	else if (j->account &&
		 recent_has(l->recent, j->account, j->serial, j->password, clock_ms()))
		j->result = OK; /* one of many at once, and another was first */
	else
		work_run(fn, j);
	hashing_end(l->hashing);
	if (guard_closed(l->guard, j->ip, &c))
		return E_LIMIT;
	if (counts && j->result == E_DENIED)
		hashing_wrong(l->hashing, who);
	return j->result;
}

enum err login_hash(struct logins *l, struct str who, struct str password, struct arena *a,
		    struct secret *out)
{
	struct job j = { .password = password, .who = who, .a = a, .secret = out };

	*out = (struct secret){ 0 };
	return run_job(l, make_secret, &j);
}

/* The password is known just now: a hash brought along becomes one of ours, and where there is
 * no verifier one is made. Whatever fails, the login is good, and the next one tries again. */
static void improve(struct logins *l, uint32_t account, const struct secret *s,
		    const struct login_try *t, struct arena *a)
{
	bool rehash = l->rehash && !password_is_own(s->hash);
	struct secret better = *s;
	struct job j = { .password = t->password, .who = t->user, .a = a, .secret = &better };

	if (!rehash && s->scram.iterations)
		return;
	if (rehash)
		better.hash = S("");
	enum err e = run_job(l, make_secret, &j);
	if (!e && !rehash && !better.scram.iterations)
		return;
	if (!e)
		e = directory_secret_upgrade(l->store, account, &better);
	if (e && e != E_NOTFOUND)
		log_event(LOG_WARN, "password.upgrade", KVN("account", account), KVE(e));
	else if (!e)
		log_event(LOG_INFO, "password.upgrade", KVN("account", account),
			  KVC("hash", rehash ? "renewed" : "kept"),
			  KVC("scram", better.scram.iterations ? "yes" : "no"));
}

/* --- the decision --- */

/* One attempt, and what is found out about it. */
struct attempt {
	const struct login_try *t;
	struct user u; /* zero where there is none, as s */
	struct secret s;
	struct stranger from;
	struct order_place place;
	struct str by;            /* by what it was good: "password", "app:NAME" */
	const char *reason;       /* for the log */
	enum visit_result result; /* for the account's owner */
};

/* Whoever it is. *name: his, in the directory's form if it has one. */
static enum err look_up(struct logins *l, struct attempt *at, struct arena *a, struct str *name)
{
	struct user *u = &at->u;
	struct name n;
	enum err e = name_parse(a, at->t->user, false, &n);

	at->by = S("password");
	at->reason = "no such user";
	at->result = VISIT_WRONG_PASSWORD;
	*name = e ? str_lower(a, at->t->user) : name_text(a, n);
	if (!e)
		e = directory_user(l->store, n, a, u);
	if (e && e != E_NOTFOUND && e != E_SYNTAX)
		return e;
	/* Account 0 has no password: the unknown user takes the same way as the known. */
	e = directory_secret(l->store, u->account, a, &at->s);
	if (e && e != E_NOTFOUND)
		return e;
	if (u->account && at->s.hash.n) {
		at->reason = "wrong password";
	} else if (u->account) {
		at->reason = "no password set";
		at->result = VISIT_NO_PASSWORD;
	}
	return OK;
}

/* An app password of the account? It costs microseconds, so it comes before the hash; only what
 * has the form of one is looked at. E_NOTFOUND: none. */
static enum err try_app(struct logins *l, struct attempt *at, struct arena *a)
{
	const struct user *u = &at->u;
	const struct app *app = NULL;
	char chars[APP_CHARS];
	struct apps apps;
	enum err e = E_NOTFOUND;

	if (app_read(at->t->password, chars)) /* account 0, nobody's, has none: the same way */
		e = directory_apps(l->store, u->account, a, &apps);
	if (!e)
		app = app_find(apps.app, apps.n, chars);
	sodium_memzero(chars, sizeof(chars));
	if (!app)
		return e ? e : E_NOTFOUND;
	struct str by = str_fmt(a, "app:%.*s", FMT(app->name));
	if (!(app->protocols & app_protocol(at->t->proto))) {
		at->reason = "app password not for this protocol";
		at->result = VISIT_NOT_PROTOCOL;
		at->by = by;
		return E_NOTFOUND;
	}
	int64_t now = clock_wall();
	if (now - app->used >= APP_USED_EVERY_S || app->used > now)
		e = directory_app_used(l->store, u->account, app->id, now);
	if (e == E_NOTFOUND) /* withdrawn meanwhile */
		return e;
	if (e)
		log_event(LOG_WARN, "password.app", KVN("account", u->account), KVE(e));
	at->by = by;
	at->reason = "app password verified";
	return OK;
}

/* For the owner of the account, if it is somebody's. */
static void note(struct logins *l, const struct attempt *at, bool good)
{
	struct visit v = { .proto = str_of(at->t->proto), .program = at->t->program };

	v.result = (uint8_t)(good ? VISIT_OK : at->result);
	if (good || at->result == VISIT_NOT_PROTOCOL)
		v.by = at->by;
	if (!net_address(at->t->ip, &v.ip))
		v.ip = (struct net){ 0 };
	journal_note(l->journal, at->u.account, &v, at->from.counts ? &at->from.place : NULL);
}

enum outcome { GOOD, WRONG, REFUSED };

static void log_login(struct logins *l, const struct attempt *at, enum outcome what)
{
	static const char *const events[] = { "login", "login.failed", "login.refused" };
	const struct login_try *t = at->t;
	unsigned failures = 0;

	*(what == GOOD ? &l->counts.good : &l->counts.failed) += 1;
	note(l, at, what == GOOD);
	if (what == WRONG) {
		stranger_refused(l->strangers, &at->from);
		guard_failed(l->guard, &(struct wrong){ t->ip, t->user, t->password }, &failures);
	}
	log_event(LOG_INFO, events[what], KVC("reason", at->reason), KV("by", at->by),
		  KV("user", t->user), KVN("account", at->u.account), KVN("conn", t->conn),
		  KV("ip", t->ip), KVN("port", t->port), KVC("proto", t->proto),
		  KVC("tls", t->tls ? "yes" : "no"), KVN("failures", failures),
		  KVN("slow_ms", at->from.wait_ms));
}

/* An address that never counts is trusted by the configuration. */
static enum hashing_rank rank_of(const struct attempt *at)
{
	return at->from.known || !at->from.counts ? HASHING_KNOWN : HASHING_STRANGER;
}

/* E_DENIED: it is not right; E_AGAIN and the like: nobody knows. */
static enum err verify_attempt(struct logins *l, struct attempt *at, struct arena *a)
{
	const struct login_try *t = at->t;
	const struct secret *s = &at->s;
	uint32_t account = at->u.account;
	bool may = account && s->hash.n;
	enum err e = try_app(l, at, a);

	if (e != E_NOTFOUND) /* right, and no hash is asked for; or not known */
		return e;
	/* For a stranger it would be a look at passwords that costs nothing: where too many wait
	 * for a hash, the wrong ones among his guesses are not counted. */
	if (may && rank_of(at) == HASHING_KNOWN &&
	    recent_has(l->recent, account, s->serial, t->password, clock_ms())) {
		at->by = S("password");
		at->reason = "password verified minutes ago";
		return OK;
	}
	struct job j = { .hash = may ? s->hash : l->dummy,
			 .password = t->password,
			 .dummy = l->dummy,
			 .ip = t->ip,
			 .who = t->user,
			 .rank = rank_of(at),
			 .account = may ? account : 0,
			 .serial = s->serial };
	e = run_job(l, verify, &j);
	if (e || !may)
		return e ? e : E_DENIED;
	at->by = S("password");
	at->reason = "password verified";
	recent_add(l->recent, account, s->serial, t->password, clock_ms());
	improve(l, account, s, t, a);
	return OK;
}

/* The password was right. E_DENIED: the account may not come in all the same, and only who has the
 * password is told so; it is no wrong one. */
static enum err welcome(struct logins *l, struct attempt *at, struct arena *a, struct login *out)
{
	int64_t now = clock_wall();
	struct words refused = life_refused(&at->u, now, a);
	struct life life;

	if (refused.de.n) {
		*out = (struct login){ .refused = life_line(a, refused) };
		at->reason = life_user_word(&at->u, now);
		at->result = VISIT_LOCKED;
		log_login(l, at, REFUSED);
		return E_DENIED;
	}
	enum err e = life_read(l->store, a, &life);
	if (e)
		return e;
	*out = (struct login){ .account = at->u.account,
			       .quota = at->u.quota,
			       .serial = at->s.serial,
			       .address = name_text(a, at->u.name),
			       .notice = life_line(a, life_notice(&life, now, a)) };
	if (out->notice.n && !told_due(&l->told, out->account, at->t->proto, out->notice, now))
		out->notice = S("");
	log_login(l, at, GOOD);
	return OK;
}

/* The answer waits behind the count, and a right one behind the counts of all that came from there
 * before it: guesses at once are no more than one after the other. */
static enum err decide(struct logins *l, struct attempt *at, struct arena *a, struct login *out)
{
	enum err e = verify_attempt(l, at, a);

	if (e == E_DENIED)
		log_login(l, at, WRONG);
	else if (!e)
		e = order_wait(l->order, &at->place);
	order_leave(l->order, &at->place);
	if (e && e != E_DENIED)
		return e;
	enum err waited = stranger_wait(&at->from);
	if (e || waited)
		return waited ? waited : e;
	struct closed c;
	if (guard_closed(l->guard, at->t->ip, &c))
		return E_LIMIT;
	return welcome(l, at, a, out);
}

static enum err look_and_decide(struct logins *l, const struct login_try *t, struct arena *a,
				struct login *out)
{
	struct attempt at = { .t = t };
	struct str name;
	struct net key;

	if (guard_counts(l->guard, t->ip, &key))
		order_join(l->order, &key, &at.place);
	enum err e = look_up(l, &at, a, &name);
	if (!e)
		e = stranger_begin(l->strangers, at.u.account, name, t->ip, &at.from);
	if (!e) {
		e = decide(l, &at, a, out);
		stranger_end(l->strangers, &at.from);
	}
	order_leave(l->order, &at.place);
	return e;
}

/* Has the account's password changed since? Where the ring does not know: perhaps. */
static bool outdated(const struct logins *l, uint64_t since, uint32_t account)
{
	if (l->forgotten - since > FORGOT_RING)
		return true;
	for (uint64_t i = since; i < l->forgotten; i++)
		if (l->forgot[i % FORGOT_RING] == account)
			return true;
	return false;
}

/* A closed address is not heard, whatever the password; nor where it was closed while this
 * attempt waited: many at once are not many guesses. */
enum err login_check(struct logins *l, const struct login_try *t, struct arena *a,
		     struct login *out)
{
	struct closed c;
	uint64_t began = l->forgotten;
	enum err e = guard_closed(l->guard, t->ip, &c) ? E_LIMIT : look_and_decide(l, t, a, out);

	/* Nothing suspends between this and the answer's place in the queue to the worker; so the
	 * word that ends the account's sessions comes behind it, or finds it outdated. */
	if (!e && outdated(l, began, out->account))
		e = E_AGAIN;
	if ((e && e != E_DENIED && e != E_LIMIT) || !guard_closed(l->guard, t->ip, &c))
		return e == E_LIMIT ? E_AGAIN : e;
	*out = (struct login){ .closed = guard_sentence(l->guard, &c, a) };
	l->counts.unheard++;
	log_event(LOG_INFO, "login.unheard", KVC("reason", "the address is locked out"),
		  KV("user", t->user), KVN("conn", t->conn), KV("ip", t->ip), KVN("port", t->port),
		  KVC("proto", t->proto));
	return E_LIMIT;
}

void login_program(struct logins *l, uint32_t account, const struct login_try *t)
{
	struct visit v = { .proto = str_of(t->proto), .program = t->program };

	if (!net_address(t->ip, &v.ip))
		v.ip = (struct net){ 0 };
	journal_program(l->journal, account, &v);
}

void login_configure(struct logins *l, bool rehash, const struct slow_rules *slow)
{
	l->rehash = rehash;
	strangers_configure(l->strangers, slow);
}

enum err login_history(struct logins *l, uint32_t account, struct arena *a, struct history *out)
{
	return journal_read(l->journal, account, a, out);
}

struct login_counts login_counts(const struct logins *l)
{
	return l->counts;
}

void login_forget(struct logins *l, uint32_t account)
{
	l->forgot[l->forgotten++ % FORGOT_RING] = account;
	recent_drop(l->recent, account);
}

void login_cleartext(struct logins *l, const struct login_try *t)
{
	(void)l;
	log_event(LOG_WARN, "login.cleartext", KVC("reason", "password over an unencrypted line"),
		  KV("user", t->user), KVN("conn", t->conn), KV("ip", t->ip), KVN("port", t->port),
		  KVC("proto", t->proto));
}
