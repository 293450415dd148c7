/* SPDX-License-Identifier: ISC */
#ifndef PROC_CONFIG_H
#define PROC_CONFIG_H
/*
 * config.h - the operator's settings: few keys, each with a default; one table in config.c is
 * their list for the parser, for `tecsmail config` and for the manual page.
 *
 * The syntax is libconfuse's: `key = value`, sections in braces, lists in braces, '#' comments.
 * Relative paths count from the folder of the file. What is not known or makes no sense is an
 * error with file and line, never a guess.
 */
#include "base/base.h"
#include "base/buf.h"
#include "base/log.h"
#include "queue/schedule.h"

#define CONFIG_PATH "/etc/tecsmail/tecsmail.conf"

struct addresses { /* "ADDRESS:PORT", "[V6]:PORT", "*:PORT"; or paths of unix sockets */
	const struct str *item;
	size_t n;
};

/* The lockout as the operator writes it; settings.h has what is made of it. */
struct lockout_conf {
	unsigned errors, blocks, prefix6;
	int64_t window_ms, block_ms, day_ms, ban_ms;
	bool count_repeats;
	unsigned slow_after;
	int64_t slow_max_ms;
	struct addresses exempt; /* "ADDRESS" or "ADDRESS/BITS" */
	bool kernel;             /* main tells it who is banned */
	struct str deny_file;    /* a path, or "" */
};

struct config {
	struct str hostname, state, store, user, control, postmaster, detail;
	enum log_level log_level;
	struct addresses smtp, submission, submissions, imap, imaps, pop3, pop3s, lmtp;
	struct addresses imap_internal, submission_internal; /* sockets of the webmail */
	struct str internal_group;
	struct addresses web, web_internal, web_published;
	struct str certificate, key;
	struct {
		struct str directory, email, challenges;
		struct addresses names; /* host names */
		int64_t renew_ms;
		bool check;
		unsigned port;
	} acme;
	struct {
		struct str anchor;        /* a file */
		struct addresses forward; /* numeric, with ports */
		struct addresses stub;    /* ZONE=ADDRESS:PORT */
		uint64_t cache;           /* octets */
	} dns;
	unsigned workers_mx, workers_session, workers_courier;
	struct lockout_conf lockout;
	struct {
		unsigned messages, recipients, strangers; /* of an account within 24 hours */
		struct str guarantee;
		int64_t hold_ms; /* of mail that a user wants held back, at most */
	} sending;
	struct {
		struct str guarantee;
		int64_t notice_ms;
	} receiving;
	struct {
		struct str name; /* in EHLO; never empty */
		unsigned port, connections, per_destination;
		bool loopback;
		struct addresses own, require, smarthosts;
		struct str passwords, authorities; /* files, or "" */
		int64_t connect_ms;
		int64_t idle_ms, retry_first_ms, retry_longest_ms, lifetime_ms, delay_notice_ms;
	} outbound;
	unsigned connections;  /* of one process */
	unsigned per_address;  /* likewise, of one address; 0: any number */
	uint64_t message_size; /* octets */
	unsigned recipients, hops;
	unsigned password_min; /* characters of a new password */
	unsigned password_classes;
	struct str leaked;      /* a file, or "" */
	bool password_rehash;   /* hashes brought along become ours at a login */
	unsigned quota_warning; /* percent; 0: none */
	uint64_t quota;         /* octets for a new user, 0: no limit */
	int64_t idle_ms;
	struct str web_name, web_server, web_url, web_webmail, web_group;
	struct str web_location_de, web_location_en;
	struct str sts_mode; /* "off": no policy */
	int64_t sts_max_age_ms;
	struct {
		bool send;
		struct str contact; /* an address, or "" */
	} tlsrpt;
	struct {
		struct str authorities; /* a file, or "" */
		unsigned port;
	} https; /* of others, who are asked and told */
};

enum { CONFIG_MAX = 128 * 1024 };

/* Everything lives in the arena. path names the text in messages and is the base of relative
 * paths. E_SYNTAX: why is "FILE:LINE: sentence". */
MUST enum err config_parse(struct str path, struct str text, struct arena *a, struct config *out,
			   struct str *why);
/* The same from a file. E_NOTFOUND, E_DENIED, E_LIMIT, E_IO. (blocks: at a program's start) */
MUST enum err config_load(struct str path, struct arena *a, struct config *out, struct str *why);
/* A whole file of at most max octets; why as above. (blocks) */
MUST enum err file_read(struct str path, size_t max, struct arena *a, struct str *out,
			struct str *why);
/* A configuration file with every key, its meaning and its default, ready to be edited. */
void config_print(struct buf *out);
/* The n-th key as "section.key" or "key"; S_NONE past the end. For tests of the manual. */
struct str config_key(size_t n, struct arena *a);

/* The port that users are told of: of web.published, or the first of the list; 0: none. */
uint16_t config_port_told(const struct config *c, const char *service,
			  const struct addresses *list);
/* What the queue goes by. */
struct queue_plan config_plan(const struct config *c);

/* "ADDRESS:PORT" in parts; a "*" is every address of the machine. */
bool address_split(struct str text, struct str *host, uint16_t *port);

#endif
