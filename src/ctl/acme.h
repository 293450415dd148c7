/* SPDX-License-Identifier: ISC */
#ifndef CTL_ACME_H
#define CTL_ACME_H
/*
 * acme.h - the parts of `tecsmail acme`: certificates and requests, the check of names, the client
 * that talks to the authority, the files. What talks to the network (here, run) has no key.
 *
 * Memory: results live in the arena.
 */
#include <sys/types.h>

#include "base/base.h"

enum { ACME_NAMES_MAX = 100, ACME_PEM_MAX = 256 * 1024 };

struct names {
	struct str name[ACME_NAMES_MAX]; /* A-labels in lower case, each once */
	size_t n;
};
bool names_have(const struct names *l, struct str name);
/* False: there is no room for one more. */
bool names_add(struct names *l, struct str name);
void names_drop(struct names *l, struct str name);
/* Every name of want is in l. */
bool names_cover(const struct names *l, const struct names *want);

/* --- certificates: acme_cert.c --- */

struct cert {
	struct names names; /* of its subjectAltName; RFC 5280 4.2.1.6 */
	struct str issuer;
	bool self_signed;
	int64_t from, until; /* UTC seconds */
};
/* The first of a PEM text. E_SYNTAX. */
MUST enum err cert_read(struct str pem, struct arena *a, struct cert *out);
/* A new private key, P-256, as PEM. */
struct str cert_key_new(struct arena *a);
/* Do they sign and verify for each other? why: a sentence where not. */
bool cert_fits(struct str cert_pem, struct str key_pem, struct arena *a, struct str *why);
/* A request for these names, PEM; RFC 2986 4. E_SYNTAX: the key cannot be used, why says it. */
MUST enum err cert_request(struct str key_pem, const struct names *names, struct arena *a,
			   struct str *out, struct str *why);

/* --- who does it: acme_file.c --- */

/* The owner of the state's folder, so that root neither talks to strangers nor writes where
 * another may lay links. */
struct owner {
	uid_t uid;
	gid_t gid;
	bool other; /* we are root and he is not */
};
MUST enum err owner_of(struct str folder, struct arena *a, struct owner *out, struct str *why);
void owner_become(const struct owner *who); /* for a while; nothing to do if he is not another */
void owner_return(const struct owner *who);
void owner_stay(const struct owner *who); /* for good, in a child; by either name */

/* --- the check: acme_here.c --- */

/* Asks http://NAME:PORT for a file that it puts into the folder of challenges. "": this machine
 * answers; else why it does not. (blocks, at most a minute) */
struct str acme_here(struct str name, unsigned port, struct str folder, struct arena *a);

/* --- the client: acme_run.c --- */

struct acme_order {
	struct str directory, email, folder, challenges;
	struct owner who;
	/* Results: */
	struct str chain;  /* PEM, the server's own first */
	struct str failed; /* the name that the authority did not accept, or "" */
	struct str why;    /* a sentence, if it went wrong */
};
/* Has the request signed. E_IO: see failed and why. (blocks, at most ACME_RUN_MS) */
enum { ACME_RUN_MS = 9 * 60 * 1000 };
MUST enum err acme_run(struct acme_order *o, struct str request, struct arena *a);

/* The program that uacme calls for each challenge is this one: is it called so? */
bool acme_is_hook(int argc, char **argv);
int acme_hook(char **argv);

/* --- files: acme_file.c --- */

/* A folder, with those above it; OK if it is there. */
MUST enum err folder_make(struct str path, mode_t mode, struct arena *a, struct str *why);
/* The file "PATH.new", durable; owner, group and mode are those of the file PATH, without rights
 * for others than mode gives, or the mode where there is none. */
MUST enum err file_prepare(struct str path, struct str text, mode_t mode, struct arena *a,
			   struct str *why);
/* The same with owner and group of the file model, and exactly this mode. */
MUST enum err file_prepare_like(struct str path, struct str model, struct str text, mode_t mode,
				struct arena *a, struct str *why);
/* "PATH.new" takes the place of PATH, durable. */
MUST enum err file_switch(struct str path, struct arena *a, struct str *why);

#endif
