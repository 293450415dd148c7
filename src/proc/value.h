/* SPDX-License-Identifier: ISC */
#ifndef PROC_VALUE_H
#define PROC_VALUE_H
/* value.h - one value of the configuration: its type, its check, its place. */
#include "proc/config.h"

enum value_type {
	VALUE_TEXT,
	VALUE_PATH,  /* absolute, or from the folder of the file */
	VALUE_COUNT, /* 0 .. 1,000,000 */
	VALUE_SIZE,  /* octets, with K, M, G, T */
	VALUE_TIME,  /* ms, s, min, h, d; kept as milliseconds */
	VALUE_LEVEL, /* of the log */
	VALUE_YES,   /* yes or no */
	VALUE_LIST,  /* of addresses with ports, unless fits says what else */
};

struct key {
	const char *section; /* "" at the top */
	const char *name;
	enum value_type type;
	size_t offset;        /* in struct config */
	const char *fallback; /* as the operator would write it */
	const char *meaning;
	const char *least, *most;      /* of a number, size or time; NULL: any */
	bool (*fits)(struct str text); /* what a text or item must be; NULL: any, of a list:
					  ADDRESS:PORT */
	const char *want;              /* the same for the operator */
};

/* --- for fits --- */
bool value_is_host(struct str text);
bool value_is_store(struct str text);   /* or empty */
bool value_is_address(struct str text); /* or empty */
bool value_is_detail(struct str text);  /* or empty */
bool value_is_line(struct str text);    /* UTF-8 without controls, or empty */
bool value_is_server(struct str text);  /* a host, or empty */
bool value_is_socket(struct str text);  /* an absolute path that fits into a socket's name */
bool value_is_network(struct str text);
bool value_is_resolver(struct str text);  /* a numeric address with a port */
bool value_is_url(struct str text);       /* or empty */
bool value_is_place(struct str text);     /* a path, or a URL */
bool value_is_published(struct str text); /* SERVICE:PORT */
bool value_is_sts_mode(struct str text);
bool value_is_guarantee(struct str text); /* keeper/guarantee.h has the words */
bool value_is_receiving(struct str text);

/* "30s", "20min", "2h", "1d" as milliseconds. */
bool value_time(struct str text, uint64_t *ms);

/* Sets the field of out. False: why is what is wrong, with the key's name. Never for a list. */
bool value_set(const struct key *k, struct str text, struct str path, struct arena *a,
	       struct config *out, struct str *why);
bool list_item_ok(const struct key *k, struct str text, struct arena *a, struct str *why);

#endif
