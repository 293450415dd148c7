/* SPDX-License-Identifier: ISC */
/* keeper/lockout.c - failures for each address, in a table of fixed size. */
#include <arpa/inet.h>

#include <sodium.h>

#include "keeper/lockout.h"

struct slot {
	struct lockout_key key;
	unsigned failures;
	int64_t last;
};

struct lockout {
	uint8_t secret[crypto_shorthash_KEYBYTES]; /* nobody shall choose his slot */
	struct slot slots[LOCKOUT_SLOTS];
};

struct lockout *lockout_new(void)
{
	struct lockout *l = NEW(struct lockout);

	randombytes_buf(l->secret, sizeof(l->secret));
	return l;
}

void lockout_free(struct lockout **l)
{
	free(*l);
	*l = NULL;
}

bool lockout_key(struct str ip, struct lockout_key *out)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN] = { 0 };

	if (ip.n == 0 || ip.n >= sizeof(text))
		return false;
	memcpy(text, ip.p, ip.n);
	memcpy(out->octets, mapped, sizeof(mapped));
	if (inet_pton(AF_INET, text, out->octets + 12) == 1)
		return true;
	if (inet_pton(AF_INET6, text, out->octets) != 1)
		return false;
	if (memcmp(out->octets, mapped, sizeof(mapped)) != 0)
		memset(out->octets + 8, 0, 8);
	return true;
}

static size_t slot_of(const struct lockout *l, const struct lockout_key *key)
{
	uint64_t h;

	crypto_shorthash((uint8_t *)&h, key->octets, sizeof(key->octets), l->secret);
	return (size_t)(h % LOCKOUT_SLOTS);
}

unsigned lockout_failures(const struct lockout *l, struct str ip, int64_t now)
{
	struct lockout_key key;

	if (!lockout_key(ip, &key))
		return 0;
	const struct slot *s = &l->slots[slot_of(l, &key)];
	bool same = memcmp(&s->key, &key, sizeof(key)) == 0;
	return same && now - s->last < LOCKOUT_WINDOW_S ? s->failures : 0;
}

unsigned lockout_failed(struct lockout *l, struct str ip, int64_t now)
{
	unsigned before = lockout_failures(l, ip, now);
	struct lockout_key key;

	if (!lockout_key(ip, &key))
		return 0;
	l->slots[slot_of(l, &key)] = (struct slot){ key, before + 1, now };
	return before + 1;
}
