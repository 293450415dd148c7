/* SPDX-License-Identifier: ISC */
#ifndef TRUST_DANE_H
#define TRUST_DANE_H
/*
 * dane.h - what a host's TLSA records ask of us: RFC 7672, 7671, 6698.
 *
 * Below:    dns/, fiber/ (types alone). Pure: the courier asks the DNS and brings the answers:
 *           dane_wants_cname -> the CNAME of the host, if wanted
 *           dane_bases       -> the names whose TLSA records are to be asked for
 *           dane_judge       -> what they say
 * Memory:   results point into the answers and into the arena.
 */
#include "dns/dns.h"
#include "fiber/io.h"

/* Is it to be asked whether the host is itself an alias in a proven zone? RFC 7672 2.2.2 */
bool dane_wants_cname(bool mx_secure, const struct dns_answer *v6, const struct dns_answer *v4);

enum { DANE_BASES_MAX = 2 };
struct dane_bases {
	bool later; /* the host's own answers are of no use: RFC 7672 2.1.2. Not this host now. */
	struct str name[DANE_BASES_MAX]; /* TLSA base domains in their order: RFC 7672 2.2.3 */
	size_t n;                        /* 0: DANE does not apply */
};
/* cname: the answer to what dane_wants_cname wants, else NULL. */
struct dane_bases dane_bases(struct str host, bool mx_secure, const struct dns_answer *v6,
			     const struct dns_answer *v4, const struct dns_answer *cname);
/* "_25._tcp." and the base. RFC 6698 3 */
struct str dane_question(struct arena *a, struct str base, uint16_t port);

enum dane_status {
	DANE_NONE,    /* there are no records, or they are not proven */
	DANE_PROVE,   /* the server proves itself by one of tlsa, else no mail for it */
	DANE_ENCRYPT, /* there are records, and none that can be used: TLS, no proof: RFC 7672 2.2
		       */
	DANE_LATER /* it could not be told whether there are: not this host now: RFC 7672 2.1.2 */
};
struct dane {
	enum dane_status status;
	struct str base; /* for SNI and the certificate, unless NONE */
	struct str
		also[TLS_NAMES_MAX]; /* names a certificate of usage 2 may have: RFC 7672 3.2.2 */
	size_t nalso;
	struct tlsa *tlsa; /* those that can be used */
	size_t n;
};
/*
 * tlsa: the answers for each of the bases, in their order; those behind the first that has proven
 * records need not be asked (nasked). domain and mx: the recipient's, and the answer about its MX,
 * or NULL for a host that was given by configuration.
 */
struct dane dane_judge(struct arena *a, const struct dane_bases *bases,
		       const struct dns_answer *tlsa, size_t nasked, struct str domain,
		       const struct dns_answer *mx);
/* Is this record one that can be used with SMTP? RFC 7672 3.1 */
bool dane_usable(const struct tlsa *t);

#endif
