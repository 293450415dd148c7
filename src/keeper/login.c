/* SPDX-License-Identifier: ISC */
/* keeper/login.c - one decision for every protocol. */
#include <sodium.h>

#include "base/clock.h"
#include "base/log.h"
#include "fiber/fiber.h"
#include "keeper/hashing.h"
#include "keeper/login.h"
#include "keeper/password.h"

enum { FORGOT_RING = 256 };

struct logins {
	struct store *store; /* borrowed */
	struct recent *recent;
	struct guard *guard; /* borrowed */
	struct arena *arena; /* of dummy */
	struct str dummy;    /* a hash of ours that no password fits */
	struct hashing *hashing;
	bool rehash;
	uint64_t forgotten; /* so many login_forget; the last accounts are in the ring */
	uint32_t forgot[FORGOT_RING];
	struct login_counts counts;
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
	randombytes_buf(octets, sizeof(octets));
	sodium_bin2hex(noise, sizeof(noise), octets, sizeof(octets));
	enum err e = password_hash(l->arena, str_of(noise), &l->dummy);
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

/* Whoever it is: user and secret are zero where there is none. *reason is for the log. */
static enum err look_up(struct logins *l, struct str text, struct arena *a, struct user *u,
			struct secret *s, const char **reason)
{
	struct name n;
	enum err e = name_parse(a, text, false, &n);

	*reason = "no such user";
	if (!e)
		e = directory_user(l->store, n, a, u);
	if (e && e != E_NOTFOUND && e != E_SYNTAX)
		return e;
	/* Account 0 has no password: the unknown user takes the same way as the known. */
	e = directory_secret(l->store, u->account, a, s);
	if (e && e != E_NOTFOUND)
		return e;
	if (u->account)
		*reason = s->hash.n ? "wrong password" : "no password set";
	if (u->account && u->state != USER_ACTIVE)
		*reason = "not active";
	return OK;
}

/* An app password of the account? It costs microseconds, so it comes before the hash; only what
 * has the form of one is looked at. *by is for the log. E_NOTFOUND: none. */
static enum err try_app(struct logins *l, const struct login_try *t, const struct user *u,
			struct arena *a, struct str *by, const char **reason)
{
	const struct app *app = NULL;
	char chars[APP_CHARS];
	struct apps apps;
	enum err e = E_NOTFOUND;

	if (u->account && u->state == USER_ACTIVE && app_read(t->password, chars))
		e = directory_apps(l->store, u->account, a, &apps);
	if (!e)
		app = app_find(apps.app, apps.n, chars);
	sodium_memzero(chars, sizeof(chars));
	if (!app)
		return e ? e : E_NOTFOUND;
	if (!(app->protocols & app_protocol(t->proto))) {
		*reason = "app password not for this protocol";
		return E_NOTFOUND;
	}
	int64_t now = clock_wall();
	if (now - app->used >= APP_USED_EVERY_S || app->used > now)
		e = directory_app_used(l->store, u->account, app->id, now);
	if (e == E_NOTFOUND) /* withdrawn meanwhile */
		return e;
	if (e)
		log_event(LOG_WARN, "password.app", KVN("account", u->account), KVE(e));
	*by = str_fmt(a, "app:%.*s", FMT(app->name));
	*reason = "app password verified";
	return OK;
}

static void log_login(struct logins *l, const struct login_try *t, const struct user *u,
		      const char *reason, struct str by, bool good)
{
	unsigned failures = 0;

	*(good ? &l->counts.good : &l->counts.failed) += 1;
	if (!good)
		guard_failed(l->guard, &(struct wrong){ t->ip, t->user, t->password }, &failures);
	log_event(LOG_INFO, good ? "login" : "login.failed", KVC("reason", reason), KV("by", by),
		  KV("user", t->user), KVN("account", u->account), KVN("conn", t->conn),
		  KV("ip", t->ip), KVN("port", t->port), KVC("proto", t->proto),
		  KVC("tls", t->tls ? "yes" : "no"), KVN("failures", failures));
}

static enum err decide(struct logins *l, const struct login_try *t, struct arena *a,
		       struct login *out)
{
	struct user u = { 0 };
	struct secret s = { 0 };
	const char *reason;
	enum err e = look_up(l, t->user, a, &u, &s, &reason);

	if (e)
		return e;
	bool may = u.account && s.hash.n && u.state == USER_ACTIVE;
	struct str by = S("password");
	e = try_app(l, t, &u, a, &by, &reason);
	if (e && e != E_NOTFOUND)
		return e;
	if (!e) {
		; /* no hash is asked for */
	} else if (may && recent_has(l->recent, u.account, s.serial, t->password, clock_ms())) {
		reason = "password verified minutes ago";
	} else {
		struct job j = { .hash = may ? s.hash : l->dummy,
				 .password = t->password,
				 .dummy = l->dummy,
				 .ip = t->ip,
				 .who = t->user,
				 .rank = HASHING_STRANGER,
				 .account = may ? u.account : 0,
				 .serial = s.serial };

		e = run_job(l, verify, &j);
		if (e && e != E_DENIED)
			return e;
		if (e || !may) {
			log_login(l, t, &u, reason, by, false);
			return E_DENIED;
		}
		reason = "password verified";
		recent_add(l->recent, u.account, s.serial, t->password, clock_ms());
		improve(l, u.account, &s, t, a);
	}
	struct closed c;
	if (guard_closed(l->guard, t->ip, &c))
		return E_LIMIT;
	*out = (struct login){ .account = u.account,
			       .quota = u.quota,
			       .address = name_text(a, u.name) };
	log_login(l, t, &u, reason, by, true);
	return OK;
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
	enum err e = guard_closed(l->guard, t->ip, &c) ? E_LIMIT : decide(l, t, a, out);

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

void login_configure(struct logins *l, bool rehash)
{
	l->rehash = rehash;
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
