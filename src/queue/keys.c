/* SPDX-License-Identifier: ISC */
#include <sodium.h>

#include "base/encode.h"
#include "queue/queue_priv.h"

enum { HASH_OCTETS = 16 };

struct str queue_partition(struct arena *a, unsigned shard)
{
	return str_fmt(a, "q/%02x", shard);
}

struct str key_message(struct arena *a, uint64_t id)
{
	return str_fmt(a, "m/%016llx", (unsigned long long)id);
}

struct str key_parts(struct arena *a, uint64_t id)
{
	return str_fmt(a, "p/%016llx/", (unsigned long long)id);
}

struct str key_part(struct arena *a, uint64_t id, uint32_t number)
{
	return str_fmt(a, "p/%016llx/%04x", (unsigned long long)id, number);
}

/* A name may be as long as a key. Nobody finds two names of the same hash. */
struct str key_waits(struct arena *a, struct str destination)
{
	uint8_t hash[HASH_OCTETS];

	crypto_generichash(hash, sizeof hash, (const uint8_t *)destination.p, destination.n, NULL,
			   0);
	return str_fmt(a, "w/%.*s/", FMT(hex_encode(a, STR((const char *)hash, sizeof hash))));
}

struct str key_wait(struct arena *a, const struct queue_part *p)
{
	return str_fmt(a, "%.*s%016llx/%016llx/%04x", FMT(key_waits(a, queue_destination_of(a, p))),
		       (unsigned long long)queue_part_due(p), (unsigned long long)p->id, p->number);
}

static void take_place(struct scan *in, struct queue_place *out)
{
	out->id = scan_hex(in, 16);
	scan_lit(in, "/");
	out->part = (uint32_t)scan_hex(in, 4);
}

bool key_part_take(struct str key, struct queue_place *out)
{
	struct scan in = scan(key);

	scan_lit(&in, "p/");
	take_place(&in, out);
	return scan_end(&in);
}

bool key_wait_take(struct str key, int64_t *due, struct queue_place *out)
{
	struct scan in = scan(key);

	scan_lit(&in, "w/");
	(void)scan_take(&in, (size_t)HASH_OCTETS * 2);
	scan_lit(&in, "/");
	*due = (int64_t)scan_hex(&in, 16);
	scan_lit(&in, "/");
	take_place(&in, out);
	return scan_end(&in) && *due >= 0;
}

enum err get_message(struct tx *tx, uint64_t id, struct queue_message *out)
{
	struct str value;
	enum err e = tx_get(tx, key_message(tx_arena(tx), id), &value);

	out->id = id;
	return e ? e : queue_message_decode(value, out);
}

enum err get_part(struct tx *tx, struct queue_place which, struct queue_part *out)
{
	struct str value;
	enum err e = tx_get(tx, key_part(tx_arena(tx), which.id, which.part), &value);

	out->id = which.id;
	out->number = which.part;
	return e ? e : queue_part_decode(value, tx_arena(tx), out);
}

enum err put_part(struct tx *tx, const struct queue_part *before, const struct queue_part *p)
{
	struct arena *a = tx_arena(tx);
	struct str value;
	enum err e = queue_part_encode(a, p, &value);

	if (e)
		return e;
	if (before)
		tx_del(tx, key_wait(a, before));
	tx_put(tx, key_part(a, p->id, p->number), value);
	tx_put(tx, key_wait(a, p), queue_destination_of(a, p));
	return OK;
}

enum err remove_part(struct tx *tx, const struct queue_part *p)
{
	struct arena *a = tx_arena(tx);
	struct queue_message m;
	struct str value;
	enum err e = get_message(tx, p->id, &m);

	if (e)
		return e == E_NOTFOUND ? E_CORRUPT : e;
	tx_del(tx, key_wait(a, p));
	tx_del(tx, key_part(a, p->id, p->number));
	if (m.parts <= 1) {
		tx_del(tx, key_message(a, p->id));
		tx_blob_unref(tx, m.blob);
		return OK;
	}
	m.parts--;
	e = queue_message_encode(a, &m, &value);
	if (!e)
		tx_put(tx, key_message(a, p->id), value);
	return e;
}

enum err copy_job(struct arena *a, struct str message, struct str part, struct queue_job *j)
{
	enum err e = queue_message_decode(str_dup(a, message), &j->m);

	return e ? e : queue_part_decode(str_dup(a, part), a, &j->p);
}
