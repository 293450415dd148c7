/* SPDX-License-Identifier: ISC */
/* keeper/recent.c - a ring of verified logins in order of time, found through chains. */
#include <sodium.h>

#include "keeper/recent.h"

enum { DIGEST = 32, CHAINS = 16384, NONE = UINT16_MAX };

struct entry {
	uint8_t digest[DIGEST];
	int64_t until; /* 0: empty */
	uint32_t account;
	uint16_t next; /* in its chain */
};

struct recent {
	uint8_t secret[crypto_generichash_KEYBYTES];
	uint16_t chains[CHAINS];
	unsigned oldest; /* the ring's next place to be written */
	struct entry ring[RECENT_MAX];
};

struct recent *recent_new(void)
{
	struct recent *r = NEW(struct recent);

	BUG_IF(sodium_init() < 0);
	randombytes_buf(r->secret, sizeof(r->secret));
	memset(r->chains, 0xff, sizeof(r->chains));
	return r;
}

void recent_free(struct recent **r)
{
	if (*r)
		sodium_memzero(*r, sizeof(**r));
	free(*r);
	*r = NULL;
}

static void digest_of(const struct recent *r, uint32_t account, uint64_t serial,
		      struct str password, uint8_t out[DIGEST])
{
	crypto_generichash_state h;

	crypto_generichash_init(&h, r->secret, sizeof(r->secret), DIGEST);
	crypto_generichash_update(&h, (const uint8_t *)&account, sizeof(account));
	crypto_generichash_update(&h, (const uint8_t *)&serial, sizeof(serial));
	crypto_generichash_update(&h, (const uint8_t *)password.p, password.n);
	crypto_generichash_final(&h, out, DIGEST);
	sodium_memzero(&h, sizeof(h));
}

static uint16_t chain_of(const uint8_t digest[DIGEST])
{
	return (uint16_t)((digest[0] | digest[1] << 8) % CHAINS);
}

static void unlink_entry(struct recent *r, uint16_t i)
{
	uint16_t *at = &r->chains[chain_of(r->ring[i].digest)];

	while (*at != i)
		at = &r->ring[*at].next;
	*at = r->ring[i].next;
	sodium_memzero(&r->ring[i], sizeof(r->ring[i]));
}

bool recent_has(const struct recent *r, uint32_t account, uint64_t serial, struct str password,
		int64_t now)
{
	uint8_t digest[DIGEST];

	digest_of(r, account, serial, password, digest);
	for (uint16_t i = r->chains[chain_of(digest)]; i != NONE; i = r->ring[i].next)
		if (now < r->ring[i].until && !sodium_memcmp(r->ring[i].digest, digest, DIGEST))
			return true;
	return false;
}

void recent_add(struct recent *r, uint32_t account, uint64_t serial, struct str password,
		int64_t now)
{
	uint16_t i = (uint16_t)r->oldest;
	struct entry *e = &r->ring[i];

	if (e->until)
		unlink_entry(r, i);
	digest_of(r, account, serial, password, e->digest);
	e->account = account;
	e->until = now + RECENT_MS;
	e->next = r->chains[chain_of(e->digest)];
	r->chains[chain_of(e->digest)] = i;
	r->oldest = (r->oldest + 1) % RECENT_MAX;
}

void recent_drop(struct recent *r, uint32_t account)
{
	for (unsigned i = 0; i < RECENT_MAX; i++)
		if (r->ring[i].until && r->ring[i].account == account)
			unlink_entry(r, (uint16_t)i);
}
