/* SPDX-License-Identifier: ISC */
#include "trust/dane.h"

#include <openssl/err.h>
#include <openssl/x509.h>

enum { DANE_TA = 2, DANE_EE = 3 };             /* usages: RFC 7218 2.1 */
enum { CERT = 0, SPKI = 1 };                   /* selectors: RFC 7218 2.2 */
enum { FULL = 0, SHA2_256 = 1, SHA2_512 = 2 }; /* matching types: RFC 7218 2.3 */

static bool failed(const struct dns_answer *x)
{
	return x->status == DNS_SERVFAIL || x->status == DNS_BOGUS;
}

/* The answer that has an address; A and AAAA of a name lie in one zone and end at one name. */
static const struct dns_answer *found(const struct dns_answer *v6, const struct dns_answer *v4)
{
	return v6->status == DNS_FOUND ? v6 : v4->status == DNS_FOUND ? v4 : NULL;
}

static bool proven(const struct dns_answer *v6, const struct dns_answer *v4)
{
	return (v6->status != DNS_FOUND || v6->secure) && (v4->status != DNS_FOUND || v4->secure);
}

bool dane_wants_cname(bool mx_secure, const struct dns_answer *v6, const struct dns_answer *v4)
{
	const struct dns_answer *x = found(v6, v4);

	return mx_secure && x && x->alias && !proven(v6, v4);
}

struct dane_bases dane_bases(struct str host, bool mx_secure, const struct dns_answer *v6,
			     const struct dns_answer *v4, const struct dns_answer *cname)
{
	const struct dns_answer *x = found(v6, v4);
	struct dane_bases out = { 0 };

	/* A family with wrong signatures leaves the other out too: RFC 7672 2.1.3. One that is
	 * merely not answered does not, it would not change the base domain. */
	out.later = v6->status == DNS_BOGUS || v4->status == DNS_BOGUS ||
		    (!x && (failed(v6) || failed(v4)));
	if (out.later || !mx_secure || !x)
		return out;
	if (proven(v6, v4)) {
		if (x->alias)
			out.name[out.n++] = x->name;
		out.name[out.n++] = host;
	} else if (x->alias && cname) {
		out.later = failed(cname);
		if (cname->status == DNS_FOUND && cname->secure)
			out.name[out.n++] = host;
	}
	return out;
}

struct str dane_question(struct arena *a, struct str base, uint16_t port)
{
	return str_fmt(a, "_%u._tcp.%.*s", port, FMT(base));
}

/* Whole and readable, as OpenSSL wants it (SSL_dane_tlsa_add): what it does not take would prove
 * nothing, and must not be counted on here. */
static bool is_certificate(struct str der)
{
	const unsigned char *p = (const unsigned char *)der.p, *end = p + der.n;
	X509 *x = der.n ? d2i_X509(NULL, &p, (long)der.n) : NULL;
	bool good = x && p == end && X509_get0_pubkey(x);

	X509_free(x);
	ERR_clear_error();
	return good;
}

static bool is_key(struct str der)
{
	const unsigned char *p = (const unsigned char *)der.p, *end = p + der.n;
	EVP_PKEY *key = der.n ? d2i_PUBKEY(NULL, &p, (long)der.n) : NULL;
	bool good = key && p == end;

	EVP_PKEY_free(key);
	ERR_clear_error();
	return good;
}

bool dane_usable(const struct tlsa *t)
{
	if (t->usage != DANE_TA && t->usage != DANE_EE) /* 0 and 1: RFC 7672 3.1.3 */
		return false;
	if (t->selector != CERT && t->selector != SPKI)
		return false;
	switch (t->matching) {
	case FULL: return t->selector == CERT ? is_certificate(t->data) : is_key(t->data);
	case SHA2_256: return t->data.n == 32;
	case SHA2_512: return t->data.n == 64;
	default: return false;
	}
}

/* Is there a record of the same kind with a stronger digest? Then this one does not count, lest a
 * weak digest undo what a strong one promises: RFC 7671 9. */
static bool outdone(const struct tlsa *t, const struct tlsa *all, size_t n)
{
	bool stronger = false;

	for (size_t i = 0; i < n && !stronger; i++)
		stronger = t->matching == SHA2_256 && all[i].matching == SHA2_512 &&
			   all[i].usage == t->usage && all[i].selector == t->selector &&
			   dane_usable(&all[i]);
	return stronger;
}

static void add_name(struct dane *d, struct str name)
{
	name.n -= str_ends(name, S("."));
	bool known = !name.n || str_ieq(name, d->base);

	for (size_t i = 0; i < d->nalso; i++)
		known |= str_ieq(name, d->also[i]);
	if (!known && d->nalso < TLS_NAMES_MAX)
		d->also[d->nalso++] = name;
}

static void judge(struct arena *a, const struct dns_answer *answer, struct dane *d)
{
	size_t n = answer->n < TLSA_MAX ? answer->n : TLSA_MAX;

	d->tlsa = ARENA_ARRAY(a, struct tlsa, n);
	for (size_t i = 0; i < n; i++)
		if (dane_usable(&answer->tlsa[i]) && !outdone(&answer->tlsa[i], answer->tlsa, n))
			d->tlsa[d->n++] = answer->tlsa[i];
	d->status = d->n ? DANE_PROVE : DANE_ENCRYPT;
}

struct dane dane_judge(struct arena *a, const struct dane_bases *bases,
		       const struct dns_answer *tlsa, size_t nasked, struct str domain,
		       const struct dns_answer *mx)
{
	struct dane d = { .status = bases->later ? DANE_LATER : DANE_NONE };

	for (size_t i = 0; d.status == DANE_NONE && i < bases->n && i < nasked; i++) {
		if (failed(&tlsa[i]))
			d.status = DANE_LATER;
		if (tlsa[i].status != DNS_FOUND || !tlsa[i].secure)
			continue;
		d.base = bases->name[i];
		judge(a, &tlsa[i], &d);
		add_name(&d, domain);
		if (mx && mx->secure)
			add_name(&d, mx->name);
	}
	return d;
}
