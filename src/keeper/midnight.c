/* SPDX-License-Identifier: ISC */
/* keeper/midnight.c - what a new day brings: accounts whose last day is over, invitations that
 * nobody used. */
#include "base/clock.h"
#include "base/log.h"
#include "keeper/life.h"
#include "keeper/serve_priv.h"

enum {
	LOOK_MS = 30 * 1000,
	PAGE = 200,
	/* A keeper that begins anew may have missed a midnight; who expired before it has no
	 * sessions that could have outlived the workers' own. */
	SINCE_S = 2 * 24 * 3600,
	ARENA = 4 << 20
};

/* Sessions that began while the account could still be used. */
static void end_expired(struct keeping *k, const struct user *u, int64_t now)
{
	struct session_end end = { .account = u->account, .reason = S(EXPIRED) };

	if (!day_over(u->expires, now) || day_over(u->expires, now - SINCE_S))
		return;
	log_event(LOG_INFO, "user.expired", KVN("account", u->account),
		  KVN("last_day", u->expires));
	login_forget(k->logins, u->account);
	keeping_end_sessions(k, &end, NULL);
}

static enum err look(struct keeping *k, struct arena *a, int64_t now)
{
	struct page p = { .more = true, .max = PAGE };
	char after[KEY_MAX];
	enum err e = OK;

	while (!e && p.more && !fiber_canceled()) {
		struct user *u = NULL;

		arena_reset(a);
		e = directory_users(k->store, &p, a, &u);
		for (size_t i = 0; !e && i < p.n; i++)
			end_expired(k, &u[i], now);
		BUG_IF(p.last.n > sizeof after);
		memcpy(after, p.last.p ? p.last.p : "", p.last.n);
		p.after = STR(after, p.last.n);
	}
	return e ? e : directory_invite_sweep(k->store, now);
}

static void watch(void *arg)
{
	struct keeping *k = arg;
	struct arena *a = arena_new(ARENA);
	uint32_t seen = 0;

	/* A new keeper waits too: by then the workers are there, who are to end the sessions. */
	while (fiber_sleep(clock_in(LOOK_MS)) == OK) {
		int64_t now = clock_wall();

		if (day_of(now) == seen)
			continue;
		enum err e = look(k, a, now);
		if (e)
			log_event(LOG_WARN, "midnight", KVE(e));
		else
			seen = day_of(now);
	}
	arena_free(&a);
}

enum err midnight_new(struct keeping *k)
{
	k->midnight = group_new();
	return group_spawn(k->midnight, "midnight", watch, k);
}

void midnight_close(struct keeping *k)
{
	if (k->midnight)
		group_close(&k->midnight);
}
