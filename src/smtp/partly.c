/* SPDX-License-Identifier: ISC */
#include <openssl/evp.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/encode.h"
#include "smtp/partly.h"

static const char partition[] = "smtp-partly";

enum {
	KEEP_S = 7 * 24 * 3600,
	KEY_OCTETS = 16,
	WRITES_MAX = 500, /* an update should stay under 1,000 */
};

/* --- keys --- */

void *partly_digest(void)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	BUG_IF(!c || !EVP_DigestInit_ex(c, EVP_sha256(), NULL));
	return c;
}

void partly_digest_add(void *digest, struct str octets)
{
	BUG_IF(!EVP_DigestUpdate(digest, octets.p, octets.n));
}

struct str *partly_keys(struct arena *a, const void *digest, struct path from,
			const struct partly_to *to, size_t n)
{
	struct str *key = ARENA_ARRAY(a, struct str, n);
	struct str sender = path_text(a, from);
	unsigned char sum[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	BUG_IF(!c);
	for (size_t i = 0; i < n; i++) {
		struct str who =
			str_fmt(a, "\n%.*s\n%u\n%.*s", FMT(sender), to[i].account, FMT(to[i].name));

		BUG_IF(!EVP_MD_CTX_copy_ex(c, digest));
		partly_digest_add(c, who);
		BUG_IF(!EVP_DigestFinal_ex(c, sum, NULL));
		key[i] = hex_encode(a, STR((const char *)sum, KEY_OCTETS));
	}
	EVP_MD_CTX_free(c);
	return key;
}

/* --- notes: key is the hash, value the time it was made --- */

struct notes {
	const struct str *key;
	size_t n;
	bool *had;
	const bool *note;
	int64_t now;
	bool any, old;
};

static bool too_old(struct str value, int64_t now)
{
	struct scan in = scan(value);

	return (int64_t)scan_u64(&in) < now - KEEP_S;
}

static enum err any(struct tx *tx, void *arg)
{
	struct notes *p = arg;
	struct str key, value;
	enum err e = tx_next(tx, S(""), S(""), &key, &value);

	p->any = e == OK;
	p->old = e == OK && too_old(value, p->now);
	return e == E_NOTFOUND ? OK : e;
}

static enum err drop_old(struct tx *tx, void *arg)
{
	struct notes *p = arg;
	struct str key = S(""), value;
	enum err e;
	unsigned dropped = 0;

	while (dropped < WRITES_MAX && (e = tx_next(tx, S(""), key, &key, &value)) == OK) {
		key = str_dup(tx_arena(tx), key);
		if (!too_old(value, p->now))
			continue;
		tx_del(tx, key);
		dropped++;
	}
	return OK;
}

enum err partly_any(struct store *st, bool *out)
{
	struct notes p = { .now = clock_wall() };
	enum err e = store_read(st, str_of(partition), any, &p);

	if (!e && p.old)
		e = store_update(st, str_of(partition), drop_old, &p);
	*out = p.any;
	return e;
}

static enum err had(struct tx *tx, void *arg)
{
	struct notes *p = arg;

	for (size_t i = 0; i < p->n; i++) {
		struct str value;
		enum err e = tx_get(tx, p->key[i], &value);

		if (e && e != E_NOTFOUND)
			return e;
		p->had[i] = e == OK;
	}
	return OK;
}

enum err partly_had(struct store *st, const struct str *key, size_t n, bool *out)
{
	struct notes p = { .key = key, .n = n, .had = out };

	return store_read(st, str_of(partition), had, &p);
}

static enum err note(struct tx *tx, void *arg)
{
	struct notes *p = arg;
	struct buf value = buf_new(8);

	buf_u64(&value, (uint64_t)p->now);
	for (size_t i = 0; i < p->n; i++)
		if (p->note[i])
			tx_put(tx, p->key[i], buf_str(&value));
	buf_free(&value);
	return OK;
}

enum err partly_note(struct store *st, const struct str *key, size_t n, const bool *which)
{
	enum err e = OK;

	for (size_t i = 0; i < n && !e; i += WRITES_MAX) {
		struct notes p = { .key = key + i, .note = which + i, .now = clock_wall() };

		p.n = n - i < WRITES_MAX ? n - i : WRITES_MAX;
		e = store_update(st, str_of(partition), note, &p);
	}
	return e;
}
