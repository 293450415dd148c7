/* SPDX-License-Identifier: ISC */
#ifndef CTL_ZONE_H
#define CTL_ZONE_H
/*
 * zone.h - the DNS records that a domain of ours should have, as a zone file (RFC 1035 5.1).
 * Never suspends. Results live in the arena.
 */
#include "base/base.h"
#include "base/buf.h"

enum { ZONE_RECORDS_MAX = 64, ZONE_KEYS_MAX = 8, ZONE_TLSA_MAX = 4, ZONE_TTL = 3600 };

/* What is to be told. Names are A-labels without a dot at the end. */
struct zone_facts {
	struct str domain, hostname; /* hostname: takes its mail */
	struct str helo;             /* how it introduces itself to other servers */
	struct str server;           /* where programs connect to */
	struct str web;              /* the host of the pages */
	uint16_t web_port;
	struct { /* 0: not offered */
		uint16_t submissions, imaps, pop3s, submission, imap, pop3;
	} port;
	struct str sts_mode; /* "off": no policy */
	int64_t sts_max_age_s;
	struct {
		struct str hash; /* SHA-256 of the public key, hex */
		enum zone_key { ZONE_NOW, ZONE_NEXT, ZONE_OLD } which;
	} tlsa[ZONE_TLSA_MAX];
	size_t ntlsa;
	struct str caa; /* the name of the certificate's authority, or "" */
	struct {
		struct str selector, value; /* DKIM */
		bool signs;
	} key[ZONE_KEYS_MAX];
	size_t nkeys;
};

struct zone_record {
	struct str name; /* with the dot */
	const char *type;
	struct str value;    /* as a zone file has it; of TXT the text, in one piece */
	const char *de, *en; /* what it is for */
	bool elsewhere;      /* it belongs in the zone of another name */
};
struct zone {
	struct zone_record record[ZONE_RECORDS_MAX];
	size_t n;
};

void zone_make(const struct zone_facts *f, struct arena *a, struct zone *out);
/* A record of another zone is a comment there: this one may be pasted as it is. */
void zone_print(const struct zone *z, struct buf *out);
/* The text of a TXT record in strings of at most 255 octets: RFC 1035 3.3, 3.3.14. */
void zone_print_text(struct buf *out, struct str text);

#endif
