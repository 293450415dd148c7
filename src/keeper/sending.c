/* SPDX-License-Identifier: ISC */
/* keeper/sending.c - counting what an account sends. */
#include <sodium.h>
#include <stdlib.h>

#include "keeper/sending.h"

_Static_assert(sizeof(((struct sending_record *)0)->key) == crypto_shorthash_KEYBYTES, "one key");

enum { HOUR_S = 3600, ADDRESS_OCTETS = 512 };

void sending_fresh(struct sending_record *r)
{
	*r = (struct sending_record){
		.own = { SENDING_DEFAULT, SENDING_DEFAULT, SENDING_DEFAULT },
	};
	randombytes_buf(r->key, sizeof r->key);
}

/* --- the record: u8 version, own, u64 told, u8 n, n * (u32 hour, counts), key, u32 n, n * u32,
 * the oldest first --- */

static void put_counts(struct buf *b, struct sending_counts n)
{
	buf_u32(b, n.messages);
	buf_u32(b, n.recipients);
	buf_u32(b, n.strangers);
}

static struct sending_counts take_counts(struct scan *in)
{
	struct sending_counts n;

	n.messages = scan_u32(in);
	n.recipients = scan_u32(in);
	n.strangers = scan_u32(in);
	return n;
}

void sending_encode(struct buf *b, const struct sending_record *r)
{
	uint32_t first = r->nknown == SENDING_KNOWN ? r->next : 0;
	unsigned slots = 0;

	for (size_t i = 0; i < SENDING_HOURS; i++)
		slots += r->slot[i].hour != 0;
	buf_u8(b, SENDING_VERSION);
	put_counts(b, r->own);
	buf_u64(b, (uint64_t)r->told);
	buf_u8(b, (uint8_t)slots);
	for (size_t i = 0; i < SENDING_HOURS; i++) {
		if (!r->slot[i].hour)
			continue;
		buf_u32(b, r->slot[i].hour);
		put_counts(b, r->slot[i].n);
	}
	buf_put(b, STR((const char *)r->key, sizeof r->key));
	buf_u32(b, r->nknown);
	for (uint32_t i = 0; i < r->nknown; i++)
		buf_u32(b, r->known[(first + i) % SENDING_KNOWN]);
}

static void take_slots(struct scan *in, struct sending_record *out)
{
	unsigned slots = scan_u8(in);

	if (slots > SENDING_HOURS)
		scan_fail(in);
	for (unsigned i = 0; i < slots && !in->bad; i++) {
		uint32_t hour = scan_u32(in);

		out->slot[hour % SENDING_HOURS].hour = hour;
		out->slot[hour % SENDING_HOURS].n = take_counts(in);
	}
}

enum err sending_decode(struct str value, struct sending_record *out)
{
	struct scan in = scan(value);
	unsigned version = scan_u8(&in);

	*out = (struct sending_record){ 0 };
	if (version != SENDING_VERSION)
		return in.bad ? E_CORRUPT : E_VERSION;
	out->own = take_counts(&in);
	out->told = (int64_t)scan_u64(&in);
	take_slots(&in, out);
	struct str key = scan_take(&in, sizeof out->key);
	if (!in.bad)
		memcpy(out->key, key.p, key.n);
	out->nknown = scan_u32(&in);
	if (out->nknown > SENDING_KNOWN)
		scan_fail(&in);
	for (uint32_t i = 0; i < out->nknown && !in.bad; i++)
		out->known[i] = scan_u32(&in);
	out->next = out->nknown % SENDING_KNOWN;
	return scan_end(&in) ? OK : E_CORRUPT;
}

/* --- limits --- */

static uint32_t one_limit(uint32_t own, uint32_t conf)
{
	return own == SENDING_DEFAULT ? conf : own;
}

struct sending_counts sending_limits(const struct sending_record *r, struct sending_counts conf)
{
	return (struct sending_counts){
		.messages = one_limit(r->own.messages, conf.messages),
		.recipients = one_limit(r->own.recipients, conf.recipients),
		.strangers = one_limit(r->own.strangers, conf.strangers),
	};
}

static uint32_t hour_of(int64_t now)
{
	return (uint32_t)(now / HOUR_S);
}

/* A clock that was set back leaves an hour from the future, which counts; further ones are those
 * of a clock that was wrong. */
struct sending_counts sending_used(const struct sending_record *r, int64_t now)
{
	int64_t hour = hour_of(now);
	struct sending_counts sum = { 0 };

	for (size_t i = 0; i < SENDING_HOURS; i++) {
		int64_t at = r->slot[i].hour;

		if (at <= hour - SENDING_HOURS || at > hour + 1)
			continue;
		sum.messages += r->slot[i].n.messages;
		sum.recipients += r->slot[i].n.recipients;
		sum.strangers += r->slot[i].n.strangers;
	}
	return sum;
}

static bool over(uint32_t limit, uint32_t used, uint32_t more)
{
	return limit && more && (uint64_t)used + more > limit;
}

enum sending_what sending_check(struct sending_counts limits, struct sending_counts used,
				struct sending_counts more)
{
	if (over(limits.messages, used.messages, more.messages))
		return SENDING_MESSAGES;
	if (over(limits.recipients, used.recipients, more.recipients))
		return SENDING_RECIPIENTS;
	return over(limits.strangers, used.strangers, more.strangers) ? SENDING_STRANGERS
								      : SENDING_FITS;
}

/* --- who is known --- */

uint32_t sending_hash(const struct sending_record *r, struct str address)
{
	char lower[ADDRESS_OCTETS];
	size_t n = address.n < sizeof lower ? address.n : sizeof lower;
	uint64_t h;

	for (size_t i = 0; i < n; i++)
		lower[i] = ascii_lower(address.p[i]);
	crypto_shorthash((uint8_t *)&h, (const uint8_t *)lower, n, r->key);
	return (uint32_t)h;
}

bool sending_knows(const struct sending_record *r, uint32_t hash)
{
	for (uint32_t i = 0; i < r->nknown; i++)
		if (r->known[i] == hash)
			return true;
	return false;
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

uint32_t sending_strangers(const struct sending_record *r, uint32_t *hash, size_t n)
{
	uint32_t strangers = 0;

	if (n)
		qsort(hash, n, sizeof *hash, ascending);
	for (size_t i = 0; i < n; i++)
		strangers += (i == 0 || hash[i] != hash[i - 1]) && !sending_knows(r, hash[i]);
	return strangers;
}

void sending_add(struct sending_record *r, int64_t now, const uint32_t *hash, size_t n)
{
	uint32_t hour = hour_of(now), at = hour % SENDING_HOURS;

	if (r->slot[at].hour != hour)
		r->slot[at].n = (struct sending_counts){ 0 };
	r->slot[at].hour = hour;
	r->slot[at].n.messages++;
	r->slot[at].n.recipients += (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		if (sending_knows(r, hash[i]))
			continue;
		r->slot[at].n.strangers++;
		r->known[r->next] = hash[i];
		r->next = (r->next + 1) % SENDING_KNOWN;
		r->nknown += r->nknown < SENDING_KNOWN;
	}
}

bool sending_tell(struct sending_record *r, int64_t now)
{
	if (r->told && now >= r->told && now < r->told + SENDING_TELL_S)
		return false;
	r->told = now;
	return true;
}
