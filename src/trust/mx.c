/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "trust/mx.h"

/* SplitMix64: enough to spread load, of no use against attackers. */
static uint64_t chance(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* --- hosts --- */

static void shuffle_hosts(struct mx_host *host, size_t n, uint64_t seed)
{
	for (size_t i = n; i > 1; i--) {
		size_t other = chance(&seed) % i;
		struct mx_host h = host[i - 1];

		host[i - 1] = host[other];
		host[other] = h;
	}
}

/* Keeps the order of equals. */
static void sort(struct mx_host *host, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct mx_host h = host[i];
		size_t at = i;

		for (; at > 0 && host[at - 1].preference > h.preference; at--)
			host[at] = host[at - 1];
		host[at] = h;
	}
}

static bool has(const struct mx_host *host, size_t n, struct str name)
{
	bool found = false;

	for (size_t i = 0; i < n && !found; i++)
		found = str_ieq(host[i].name, name);
	return found;
}

/* Sorted: so a name that stands there twice is kept where it is best. */
static size_t once_each(struct mx_host *host, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!has(host, kept, host[i].name))
			host[kept++] = host[i];
	return kept;
}

void mx_cut(struct mx_route *r, uint16_t preference)
{
	while (r->n && r->host[r->n - 1].preference >= preference)
		r->n--;
	if (!r->n)
		r->status = MX_LOOP;
}

static void cut_own(struct mx_route *r, const struct str *own, size_t nown)
{
	for (size_t i = 0; i < r->n; i++)
		for (size_t j = 0; j < nown; j++)
			if (i < r->n && str_ieq(r->host[i].name, own[j]))
				mx_cut(r, r->host[i].preference);
}

static void hosts(struct arena *a, const struct dns_answer *answer, uint64_t seed,
		  struct mx_route *r)
{
	r->host = ARENA_ARRAY(a, struct mx_host, answer->n);
	/* "." beside others means nothing: RFC 7505 3. */
	for (size_t i = 0; i < answer->n; i++)
		if (answer->mx[i].host.n)
			r->host[r->n++] =
				(struct mx_host){ answer->mx[i].host, answer->mx[i].preference };
	if (!r->n) {
		r->status = MX_NULL;
		return;
	}
	shuffle_hosts(r->host, r->n, seed);
	sort(r->host, r->n);
	r->n = once_each(r->host, r->n);
}

static struct str without_dot(struct str name)
{
	name.n -= str_ends(name, S("."));
	return name;
}

struct mx_route mx_route(struct arena *a, struct str domain, const struct dns_answer *answer,
			 const struct str *own, size_t nown, uint64_t seed)
{
	struct mx_route r = { .secure = answer->secure };

	switch (answer->status) {
	case DNS_FOUND: hosts(a, answer, seed, &r); break;
	case DNS_NODATA:
		r.implicit = true;
		r.n = 1;
		r.host = ARENA_NEW(a, struct mx_host);
		r.host->name = str_lower(a, without_dot(domain));
		break;
	case DNS_NXDOMAIN: r.status = MX_NODOMAIN; break;
	case DNS_SERVFAIL:
	case DNS_BOGUS: r.status = MX_LATER; break;
	}
	/* The whole list counts for what is cut off; then it may be shortened. */
	cut_own(&r, own, nown);
	if (r.n > MX_HOSTS_MAX)
		r.n = MX_HOSTS_MAX;
	return r;
}

/* --- addresses --- */

static bool starts(const struct dns_address *x, const char *octets, size_t n)
{
	return memcmp(x->octets, octets, n) == 0;
}

/* Where a host that is not this one can be asked for mail: RFC 6890 2.2.2, 2.2.3. */
static bool reachable(const struct dns_address *x, bool as_v6, const struct mx_machine *m)
{
	static const char zero[15];

	if (dns_address_v4(x)) {
		uint8_t first = x->octets[12];

		if (as_v6 || !m->v4 || first == 0 || first >= 224)
			return false;
		return first != 127 || m->loopback;
	}
	if (!as_v6 || !m->v6 || x->octets[0] == 0xff ||
	    (x->octets[0] == 0xfe && (x->octets[1] & 0xc0) == 0x80))
		return false;
	if (starts(x, zero, sizeof zero) && x->octets[15] <= 1)
		return x->octets[15] == 1 && m->loopback;
	return true;
}

static bool is_own(const struct dns_address *x, const struct mx_machine *m)
{
	bool own = false;

	for (size_t i = 0; i < m->n && !own; i++)
		own = memcmp(x, &m->address[i], sizeof *x) == 0;
	return own;
}

/* A loopback address is this machine too, unless a test says that it is not. */
static bool is_here(const struct dns_address *x, const struct mx_machine *m)
{
	static const char one[16] = { [15] = 1 };
	bool loopback = dns_address_v4(x) ? x->octets[12] == 127 : starts(x, one, sizeof one);

	return is_own(x, m) || (loopback && !m->loopback);
}

/* Those of one family that are worth a try, shuffled, behind what is in *out. */
static void collect(const struct dns_answer *answer, bool as_v6, const struct mx_machine *m,
		    uint64_t seed, struct mx_addresses *out)
{
	struct dns_address *first = out->address + out->n;
	size_t n = 0;

	for (size_t i = 0; answer->status == DNS_FOUND && i < answer->n; i++) {
		out->own |= is_here(&answer->address[i], m);
		if (reachable(&answer->address[i], as_v6, m))
			first[n++] = answer->address[i];
	}
	for (size_t i = n; i > 1; i--) {
		size_t other = chance(&seed) % i;
		struct dns_address x = first[i - 1];

		first[i - 1] = first[other];
		first[other] = x;
	}
	out->n += n;
}

struct mx_addresses mx_addresses(struct arena *a, const struct dns_answer *v6,
				 const struct dns_answer *v4, const struct mx_machine *m,
				 uint64_t seed)
{
	struct mx_addresses all = { .address = ARENA_ARRAY(a, struct dns_address, v6->n + v4->n) };
	struct mx_addresses out = { .address =
					    ARENA_ARRAY(a, struct dns_address, MX_ADDRESSES_MAX) };

	collect(v6, true, m, seed, &all);
	size_t n6 = all.n;

	collect(v4, false, m, seed, &all);
	out.own = all.own;
	for (size_t i = 0; i < n6 || n6 + i < all.n; i++) {
		if (i < n6 && out.n < MX_ADDRESSES_MAX)
			out.address[out.n++] = all.address[i];
		if (n6 + i < all.n && out.n < MX_ADDRESSES_MAX)
			out.address[out.n++] = all.address[n6 + i];
	}
	return out;
}
