/* SPDX-License-Identifier: ISC */
#include "store/tx.h"

#include "base/buf.h"

size_t sorted_find(const void *array, size_t n, struct str (*at_key)(const void *array, size_t i),
		   struct str key, bool *found)
{
	size_t low = 0, high = n;

	*found = false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int cmp = str_cmp(at_key(array, mid), key);

		if (cmp == 0) {
			*found = true;
			return mid;
		}
		if (cmp < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct str write_key(const void *array, size_t i)
{
	return ((const struct write *)array)[i].key;
}

static size_t find(const struct tx *tx, struct str key, bool *found)
{
	return sorted_find(tx->writes, tx->nwrites, write_key, key, found);
}

static bool key_ok(struct str key)
{
	return key.n >= 1 && key.n <= KEY_MAX && !str_has(key, '\0');
}

enum err tx_run(struct tx *tx, const struct snapshot *snapshot, void *under, bool readonly,
		enum err (*fn)(struct tx *tx, void *arg), void *arg)
{
	*tx = (struct tx){
		.snapshot = snapshot,
		.under = under,
		.arena = arena_new(TX_ARENA_MAX),
		.readonly = readonly,
	};

	enum err e = fn(tx, arg);

	return e ? e : tx->failed;
}

void tx_end(struct tx *tx)
{
	arena_free(&tx->arena);
	*tx = (struct tx){ 0 };
}

struct arena *tx_arena(struct tx *tx)
{
	return tx->arena;
}

enum err tx_get(struct tx *tx, struct str key, struct str *value)
{
	bool found;
	size_t i = find(tx, key, &found);

	*value = S_NONE;
	if (!key_ok(key))
		return E_NOTFOUND;
	if (!found)
		return tx->snapshot->get(tx->under, key, value);
	if (tx->writes[i].del)
		return E_NOTFOUND;
	*value = tx->writes[i].value;
	return OK;
}

/* The first write at or behind prefix and behind after; NULL if it lacks the prefix. */
static const struct write *write_next(const struct tx *tx, struct str prefix, struct str after)
{
	bool found, from_prefix = str_cmp(after, prefix) < 0;
	size_t i = find(tx, from_prefix ? prefix : after, &found);

	if (found && !from_prefix)
		i++;
	if (i == tx->nwrites || !str_starts(tx->writes[i].key, prefix))
		return NULL;
	return &tx->writes[i];
}

enum err tx_next(struct tx *tx, struct str prefix, struct str after, struct str *key,
		 struct str *value)
{
	for (;;) {
		const struct write *w = write_next(tx, prefix, after);
		enum err e = tx->snapshot->next(tx->under, prefix, after, key, value);

		if (!w || (e && e != E_NOTFOUND) || (!e && str_cmp(*key, w->key) < 0))
			return e;
		if (!w->del) {
			*key = w->key;
			*value = w->value;
			return OK;
		}
		after = w->key;
	}
}

/* Room for one more of size octets each; the old array stays where it is, for the arena. */
static void *more(struct arena *a, void *array, size_t size, size_t n, size_t *cap)
{
	if (n < *cap)
		return array;
	*cap = *cap ? *cap * 2 : 8;

	void *bigger = arena_array(a, size, *cap);

	if (n)
		memcpy(bigger, array, n * size);
	return bigger;
}

static void tx_write(struct tx *tx, struct str key, struct str value, bool del)
{
	BUG_IF(tx->readonly);
	if (!key_ok(key) || value.n > VALUE_MAX || tx->nwrites == TX_WRITES_MAX ||
	    key.n + value.n > TX_OCTETS_MAX - tx->octets) {
		tx->failed = E_LIMIT;
		return;
	}
	tx->octets += key.n + value.n;
	value = str_dup(tx->arena, value);

	bool found;
	size_t i = find(tx, key, &found);

	if (found) {
		tx->writes[i].value = value;
		tx->writes[i].del = del;
		return;
	}
	tx->writes = more(tx->arena, tx->writes, sizeof *tx->writes, tx->nwrites, &tx->cap_writes);
	memmove(tx->writes + i + 1, tx->writes + i, (tx->nwrites - i) * sizeof *tx->writes);
	tx->writes[i] = (struct write){ str_dup(tx->arena, key), value, del };
	tx->nwrites++;
}

void tx_put(struct tx *tx, struct str key, struct str value)
{
	tx_write(tx, key, value, false);
}

void tx_del(struct tx *tx, struct str key)
{
	tx_write(tx, key, S_NONE, true);
}

uint32_t tx_number(struct tx *tx, struct str key)
{
	struct str value;

	if (tx_get(tx, key, &value))
		return 0;
	struct scan in = scan(value);
	return scan_u32(&in);
}

void tx_number_put(struct tx *tx, struct str key, uint32_t n)
{
	struct buf b = buf_new(sizeof n);

	buf_u32(&b, n);
	tx_put(tx, key, buf_str(&b));
	buf_free(&b);
}

static struct str change_key(const void *array, size_t i)
{
	return blob_id_str(&((const struct blob_change *)array)[i].id);
}

static void change(struct tx *tx, struct blob_id id, int32_t by)
{
	BUG_IF(tx->readonly);

	bool found;
	size_t i = sorted_find(tx->changes, tx->nchanges, change_key, blob_id_str(&id), &found);

	if (found) {
		tx->changes[i].by += by;
		return;
	}
	if (tx->nchanges == TX_WRITES_MAX) {
		tx->failed = E_LIMIT;
		return;
	}
	tx->changes =
		more(tx->arena, tx->changes, sizeof *tx->changes, tx->nchanges, &tx->cap_changes);
	memmove(tx->changes + i + 1, tx->changes + i, (tx->nchanges - i) * sizeof *tx->changes);
	tx->changes[i] = (struct blob_change){ id, by };
	tx->nchanges++;
}

enum err tx_blob_ref(struct tx *tx, struct blob_id id)
{
	enum err e = tx->snapshot->blob(tx->under, id);

	if (!e)
		change(tx, id, 1);
	return e;
}

void tx_blob_unref(struct tx *tx, struct blob_id id)
{
	change(tx, id, -1);
}
