/* SPDX-License-Identifier: ISC */
#ifndef STORE_ENGINE_H
#define STORE_ENGINE_H
/*
 * engine.h - what an engine is: a struct of functions. Private to the store room.
 *
 * store.c checks the arguments (names, limits) and calls these; each does what the function of
 * the same name in store.h promises. None may be NULL. An engine embeds struct store, struct
 * blob and struct watch as the first member of its own; the pointers it is given are those.
 */
#include "store/store.h"

struct engine {
	const char *name; /* what comes before the ':' in store_open's where */

	/* rest: what comes behind the ':'. Sets *why, in the arena, at every error. */
	enum err (*open)(struct str rest, struct arena *a, struct store **out, struct str *why);
	void (*close)(struct store *st); /* all blobs and watches are closed; frees st */

	enum err (*read)(struct store *st, struct str partition,
			 enum err (*fn)(struct tx *tx, void *arg), void *arg);
	/* Sets each u->result. An update whose fn fails must cost the others nothing. */
	void (*update_all)(struct store *st, struct update *u, size_t n);

	struct blob *(*blob_new)(struct store *st);
	enum err (*blob_write)(struct blob *b, struct str octets);
	enum err (*blob_finish)(struct blob *b, struct str summary, struct blob_id *id);
	void (*blob_close)(struct blob *b);
	enum err (*blob_stat)(struct store *st, struct blob_id id, struct blob_info *out);
	enum err (*blob_summary)(struct store *st, struct blob_id id, struct arena *a,
				 struct str *out);
	enum err (*blob_read)(struct store *st, struct blob_id id, uint64_t off, size_t n,
			      struct arena *a, struct str *out);

	struct watch *(*watch)(struct store *st, struct str partition);
	void (*watch_close)(struct watch *w);

	/* engine is set already, all else is zero. */
	enum err (*stats)(struct store *st, struct store_stats *out);
	enum err (*verify)(struct store *st, const struct store_report *r);
	enum err (*reclaim)(struct store *st, uint64_t *octets_freed);
	enum err (*wipe)(struct store *st, uint64_t *octets);
	void (*seal)(struct store *st);
	enum err (*partitions)(struct store *st, struct str prefix,
			       enum err (*fn)(void *arg, struct str name), void *arg);
};

struct store {
	const struct engine *engine;
	unsigned blobs, watches; /* open ones, counted by store.c: none may outlive the store */
};

struct blob {
	struct store *store;
	bool finished; /* kept by store.c */
};

struct watch {
	struct store *store;
	struct signal signal;
};

struct blob_id blob_id_new(void); /* from any thread */

extern const struct engine engine_mem, engine_lmdb;

#endif
