/* SPDX-License-Identifier: ISC */
/* keeper/stranger.c - the delay at a login: who waits, and how many at a time. */
#include "keeper/stranger.h"

#include <sodium.h>

#include "base/clock.h"
#include "base/log.h"
#include "fiber/fiber.h"
#include "guard/hashing.h"

enum { FULL_LOG_MS = 60000, CALLS_OF_A_WORKER = 1024 }; /* ipc/ipc.c */

_Static_assert(HASHES_AT_ONCE + HASHES_KNOWN_MAX + HASHES_STRANGERS_MAX + HASHES_SUSPECTS_MAX +
			       STRANGERS_WAITING_MAX <
		       CALLS_OF_A_WORKER,
	       "waiting logins leave no call for anything else");

struct strangers {
	struct guard *guard;     /* borrowed */
	struct journal *journal; /* borrowed */
	struct slow_rules rules; /* but for the window, which is the lockout's */
	struct slow *slow;
	uint8_t secret[crypto_shorthash_KEYBYTES];
	unsigned waiting;
	int64_t logged; /* clock_ms: that there are too many */
};

struct strangers *strangers_new(struct guard *g, struct journal *j)
{
	struct strangers *s = NEW(struct strangers);

	BUG_IF(sodium_init() < 0);
	s->guard = g;
	s->journal = j;
	s->slow = slow_new();
	s->logged = -FULL_LOG_MS;
	randombytes_buf(s->secret, sizeof s->secret);
	return s;
}

void strangers_free(struct strangers **s)
{
	if (*s)
		slow_free(&(*s)->slow);
	free(*s);
	*s = NULL;
}

void strangers_configure(struct strangers *s, const struct slow_rules *r)
{
	s->rules = *r;
}

static uint64_t hash(const struct strangers *s, const void *p, size_t n)
{
	uint64_t h;

	crypto_shorthash((uint8_t *)&h, p, n, s->secret);
	return h;
}

static struct slow_rules rules(const struct strangers *s)
{
	struct slow_rules r = s->rules;

	r.window_s = guard_rules(s->guard)->window_s;
	return r;
}

static enum err refuse(struct strangers *s, struct str ip)
{
	if (clock_ms() - s->logged >= FULL_LOG_MS) {
		log_event(LOG_WARN, "login.slow.full", KV("ip", ip), KVN("waiting", s->waiting),
			  KVC("reason", "too many strangers wait for answers"));
		s->logged = clock_ms();
	}
	return E_AGAIN;
}

enum err stranger_begin(struct strangers *s, uint32_t account, struct str name, struct str ip,
			struct stranger *out)
{
	struct slow_rules r = rules(s);

	*out = (struct stranger){ 0 };
	out->counts = guard_counts(s->guard, ip, &out->place);
	if (!out->counts)
		return OK;
	out->known = journal_knows(s->journal, account, &out->place);
	if (out->known)
		return OK;
	out->name = hash(s, name.n ? name.p : "", name.n);
	out->address = (uint32_t)hash(s, &out->place, sizeof out->place);
	out->wait_ms = slow_wait_ms(s->slow, &r, out->name, clock_ms() / 1000);
	if (!out->wait_ms)
		return OK;
	if (s->waiting == STRANGERS_WAITING_MAX)
		return refuse(s, ip);
	s->waiting++;
	return OK;
}

void stranger_end(struct strangers *s, const struct stranger *who)
{
	s->waiting -= who->wait_ms > 0;
}

void stranger_refused(struct strangers *s, const struct stranger *who)
{
	struct slow_rules r = rules(s);

	if (who->counts && !who->known)
		slow_refused(s->slow, &r, who->name, who->address, clock_ms() / 1000);
}

enum err stranger_wait(const struct stranger *who)
{
	return who->wait_ms ? fiber_sleep(clock_in(who->wait_ms)) : OK;
}
