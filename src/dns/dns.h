/* SPDX-License-Identifier: ISC */
#ifndef DNS_DNS_H
#define DNS_DNS_H
/*
 * dns.h - questions to the DNS, answered with DNSSEC validated in this process.
 *
 * For:      fibers that send or judge mail. One resolver a process: make it once.
 * Suspends: dns_new, dns_close, dns_ask; the work is done by one thread of libunbound's.
 * Memory:   answers live in the arena passed in: at most 160 KB each, of which a usual one takes
 *           less than one. What is kept for later questions is bounded by cache_max.
 * Bounds:   DNS_ASKED_MAX questions are under way, the others wait for their turn.
 * Below:    fiber/ and base/.
 */
#include "dns/rdata.h"
#include "fiber/fiber.h"

struct dns;

enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_TLSA = 52
};
enum { DNS_RECORDS_MAX = 128, DNS_ASKED_MAX = 512 };

struct dns_server {
	struct str ip; /* numeric */
	uint16_t port;
};
struct dns_stub { /* this zone and all below are asked of that server: for tests */
	struct str zone;
	struct dns_server server;
};
struct dns_conf {
	struct str anchor_file;    /* DNSKEY or DS records of the root; Debian's dns-root-data */
	const struct str *anchors; /* more of them, as lines of a zone file: for tests */
	size_t nanchors; /* without file and lines nothing would ever be secure: E_SYNTAX */
	const struct dns_server *forward; /* resolvers to be asked instead of the authorities */
	size_t nforward;
	const struct dns_stub *stubs;
	size_t nstubs;
	size_t cache_max; /* octets, about; 0: 16 MB */
};

enum dns_status {
	DNS_FOUND,    /* one record or more */
	DNS_NODATA,   /* the name is there, but not this type */
	DNS_NXDOMAIN, /* no such name */
	DNS_SERVFAIL, /* nobody who could be reached could tell */
	DNS_BOGUS /* there was an answer, and its signatures are wrong or missing: never use it */
};

struct dns_answer {
	enum dns_status status;
	bool secure;     /* proven, CNAMEs on the way too; of NODATA and NXDOMAIN the absence */
	bool alias;      /* there were CNAMEs */
	uint32_t ttl;    /* seconds that it may be kept */
	struct str name; /* at the end of the CNAMEs, as rdata_name has it */
	struct str why;  /* of SERVFAIL and BOGUS, for logs */

	size_t n; /* records, the first DNS_RECORDS_MAX; those that cannot be read are left out */
	struct dns_mx *mx;           /* DNS_MX */
	struct dns_address *address; /* DNS_A, DNS_AAAA */
	struct tlsa *tlsa;           /* DNS_TLSA */
	struct str *text;            /* DNS_TXT: the text; DNS_CNAME, DNS_NS, DNS_PTR: the name */
};

/* E_SYNTAX, E_NOTFOUND (anchor_file cannot be read), E_IO: why is a sentence. */
MUST enum err dns_new(const struct dns_conf *conf, struct arena *a, struct dns **out,
		      struct str *why);
/* Nobody waits for an answer any more. Sets NULL. */
void dns_close(struct dns **d);

/*
 * OK: *out says what is known, be it nothing. E_TIMEOUT at the deadline: the question is pursued
 * all the same, so that the next one may find the answer. E_SYNTAX: name is no domain name (an
 * internationalized one must come as A-labels). E_IO: no memory or descriptors for it.
 */
MUST enum err dns_ask(struct dns *d, struct str name, enum dns_type type, int64_t deadline,
		      struct arena *a, struct dns_answer *out);

const char *dns_status_text(enum dns_status s); /* a word for logs; lives for ever */

#endif
