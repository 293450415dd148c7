/* SPDX-License-Identifier: ISC */
#ifndef CTL_CTL_PRIV_H
#define CTL_CTL_PRIV_H
/* ctl_priv.h - one command line as its command sees it; one table row a command. */
#include <jansson.h>

#include "ctl/ctl.h"
#include "ipc/ipc.h"
#include "proc/config.h"

enum { WORDS_MAX = 1200, CTL_ARENA = 16 << 20 };

enum ctl_option { /* bits */
		  OPT_JSON = 1,
		  OPT_PASSWORD_STDIN = 2,
		  OPT_HASH = 4,
		  OPT_QUOTA = 8,
		  OPT_CONFIG = 16,
		  OPT_PROTOCOL = 32,
		  OPT_FOR = 64,
		  OPT_MESSAGES = 128,
		  OPT_RECIPIENTS = 256,
		  OPT_NEW = 512,
		  OPT_TO = 1024,
		  OPT_FORMAT = 2048,
		  OPT_YES = 4096,
		  OPT_REASON = 1 << 13,
		  OPT_EXPIRES = 1 << 14,
		  OPT_ON = 1 << 15,
		  OPT_NOTICE = 1 << 16,
		  OPT_NEW_KEY = 1 << 17,
		  OPT_DRY_RUN = 1 << 18,
		  OPT_SENDING = 1 << 19,
		  OPT_RECEIVING = 1 << 20,
		  OPT_FROM = 1 << 21,
		  OPT_DESTINATION = 1 << 22,
		  OPT_HELD = 1 << 23,
		  OPT_ALL = 1 << 24,
		  OPT_LANG = 1 << 25,
		  OPT_USER = 1 << 26,
		  OPT_CERTIFICATE = 1 << 27,
		  OPT_TLS = 1 << 28,
};

struct ctl {
	struct arena *arena;
	const struct command *command; /* NULL: none was named */
	struct str path;               /* of the configuration */
	unsigned options;              /* those given */
	bool help;
	struct str quota, protocol, time; /* the values of these options */
	struct str messages, recipients, strangers, to, format;
	struct str reason, expires, on, notice;
	struct str sending, receiving;
	struct str from, destination, lang, user, certificate;
	struct str *words; /* the arguments behind the command's name */
	size_t nwords;
	struct config config; /* where the command's row asks for it */
	struct peer *peer;    /* the running server's keeper, where it asks for that */
	int status;
};

enum ctl_needs { NEEDS_NOTHING, NEEDS_CONFIG, NEEDS_SERVER };

struct command {
	const char *name;
	int (*run)(struct ctl *c); /* suspends; the exit status */
	enum ctl_needs needs;
	unsigned options;
	size_t least, most; /* arguments */
	const char *usage;  /* they, for people */
	const char *meaning;
};

/* Reads the command line without carrying it out. E_SYNTAX: why is a sentence. */
MUST enum err ctl_parse(struct ctl *c, int argc, char **argv, struct str *why);
const struct command *ctl_command(size_t n); /* NULL past the end */
const char *ctl_option(size_t n);            /* "--json"; likewise */
void ctl_help(FILE *to, const struct command *only);

/* Says why on standard error (and as JSON where that was asked for); gives the exit status. */
int ctl_failed(struct ctl *c, enum err e, struct str why);
/* A change went well: nothing is said to people, {"ok": true} to programs. */
int ctl_done(struct ctl *c);
/* Prints and frees it. */
int ctl_print_json(json_t *j);
json_t *ctl_json_str(struct str s);

/* --- columns for people --- */
struct columns {
	struct arena *a;
	const char *const *heads; /* "<" in front: the numbers are set right */
	size_t n;
	struct str *cells;
	size_t ncells, cap;
};
struct columns columns_new(struct arena *a, const char *const *heads, size_t n);
void columns_add(struct columns *t, struct str cell); /* row after row; copied */
void columns_print(const struct columns *t, FILE *to);
struct str text_size(struct arena *a, uint64_t octets); /* "1.5M" */
struct str text_day(struct arena *a, int64_t utc);      /* "2026-01-31", "-" for 0 */
struct str text_time(struct arena *a, int64_t utc);     /* "2026-01-31 14:35:00", local */
struct str text_span(struct arena *a, int64_t seconds); /* "20 minutes", "24 hours" */
/* "500K", "2G" or octets; E_SYNTAX. */
MUST enum err size_parse(struct str text, uint64_t *out);

struct dkim_pair_key;
struct str text_dkim(struct arena *a, const struct dkim_pair_key *k); /* the TXT record of a key */
struct admin_row;
/* A user as lists and `user show` write him. */
json_t *ctl_json_user(struct arena *a, const struct admin_row *r);
struct str text_state(struct arena *a, const struct admin_row *r); /* "active, until 2026-12-31" */

/* --- the store --- */
struct store;
/* Opens it beside a running server or without one. Root becomes its owner, for good: do what needs
 * root before. What it gives is the exit status; the failure has been told. */
int ctl_store_open(struct ctl *c, struct store **out);
int ctl_with_store(struct ctl *c, int (*fn)(struct ctl *c, struct store *st));

/* --- asking --- */
/* Is it meant? --yes, or the words wanted are typed at the terminal. False: why is a sentence. */
bool ctl_sure(struct ctl *c, struct str question, struct str want, struct str *why);
/* German is wanted: by --lang, or by the environment (LC_ALL, LC_MESSAGES, LANG). E_SYNTAX. */
MUST enum err ctl_german(struct ctl *c, bool *out, struct str *why);

/* --- secrets --- */
/* A password or hash: by prompt, twice and unseen, or the first line of standard input.
 * E_SYNTAX, E_IO: why is a sentence. */
MUST enum err secret_ask(struct ctl *c, struct str *out, struct str *why);

/* --- the commands --- */
int cmd_tlsrpt(struct ctl *c);
int ctl_check_tls(struct ctl *c); /* tlsrpt.c; of cmd_check */
int cmd_domain_add(struct ctl *c);
int cmd_domain_delete(struct ctl *c);
int cmd_domain_list(struct ctl *c);
int cmd_user_add(struct ctl *c);
int cmd_user_delete(struct ctl *c);
int cmd_user_list(struct ctl *c);
int cmd_user_show(struct ctl *c);
int cmd_user_limits(struct ctl *c);
int cmd_user_export(struct ctl *c);
int cmd_user_erase(struct ctl *c);
int cmd_user_passwd(struct ctl *c);
int cmd_user_set(struct ctl *c);
int cmd_user_lock(struct ctl *c);
int cmd_user_unlock(struct ctl *c);
int cmd_user_block_sending(struct ctl *c);
int cmd_user_allow_sending(struct ctl *c);
int cmd_service_show(struct ctl *c);
int cmd_service_open(struct ctl *c);
int cmd_service_closed(struct ctl *c);
int cmd_service_read_only(struct ctl *c);
int cmd_service_ended(struct ctl *c);
int cmd_invite(struct ctl *c);
int cmd_invite_list(struct ctl *c);
int cmd_invite_delete(struct ctl *c);
int cmd_app_add(struct ctl *c);
int cmd_app_list(struct ctl *c);
int cmd_app_delete(struct ctl *c);
int cmd_user_logins(struct ctl *c);
int cmd_alias_add(struct ctl *c);
int cmd_alias_delete(struct ctl *c);
int cmd_alias_list(struct ctl *c);
int cmd_guard_list(struct ctl *c);
int cmd_guard_show(struct ctl *c);
int cmd_guard_release(struct ctl *c);
int cmd_guard_block(struct ctl *c);
int cmd_acme(struct ctl *c);
int cmd_dkim_add(struct ctl *c);
int cmd_dkim_list(struct ctl *c);
int cmd_dkim_rotate(struct ctl *c);
int cmd_dkim_retire(struct ctl *c);
int cmd_dns(struct ctl *c);
int cmd_config(struct ctl *c);
int cmd_check(struct ctl *c);
int cmd_queue_list(struct ctl *c);
int cmd_queue_summary(struct ctl *c);
int cmd_queue_show(struct ctl *c);
int cmd_queue_receipt(struct ctl *c);
int cmd_queue_retry(struct ctl *c);
int cmd_queue_hold(struct ctl *c);
int cmd_queue_release(struct ctl *c);
int cmd_queue_delete(struct ctl *c);
int cmd_queue_move(struct ctl *c);
int cmd_tls_show(struct ctl *c);
int cmd_tls_next(struct ctl *c);
int cmd_tls_roll(struct ctl *c);
int cmd_tls_retire(struct ctl *c);
int cmd_store_verify(struct ctl *c);
int cmd_store_stats(struct ctl *c);
int cmd_store_reclaim(struct ctl *c);
int cmd_store_wipe(struct ctl *c);
int cmd_version(struct ctl *c);

#endif
