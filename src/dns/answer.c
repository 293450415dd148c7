/* SPDX-License-Identifier: ISC */
#include <unbound.h>

#include "dns/answer.h"

enum { NXDOMAIN = 3, WHY_MAX = 300 }; /* RFC 1035 4.1.1 */

static enum dns_status status(const struct ub_result *r)
{
	if (r->bogus)
		return DNS_BOGUS;
	if (r->havedata)
		return DNS_FOUND;
	if (r->nxdomain || r->rcode == NXDOMAIN)
		return DNS_NXDOMAIN;
	return r->rcode ? DNS_SERVFAIL : DNS_NODATA;
}

static struct str name_text(struct arena *a, struct str name)
{
	name.n -= str_ends(name, S("."));
	return str_lower(a, str_part(name, 0, DNS_NAME_MAX));
}

/* Puts one record into the array of its type, or not if it cannot be read. */
static void record(struct arena *a, struct str rdata, enum dns_type type, struct dns_answer *out)
{
	enum err e = OK;

	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		e = rdata.n == (type == DNS_A ? 4 : 16)
			    ? rdata_address(rdata, &out->address[out->n])
			    : E_SYNTAX;
		break;
	case DNS_MX: e = rdata_mx(a, rdata, &out->mx[out->n]); break;
	case DNS_TXT: e = rdata_txt(a, rdata, &out->text[out->n]); break;
	case DNS_TLSA: out->tlsa[out->n] = rdata_tlsa(a, rdata); break;
	case DNS_NS:
	case DNS_CNAME:
	case DNS_PTR: e = rdata_name(a, rdata, &out->text[out->n]); break;
	}
	out->n += e == OK;
}

static void records(struct arena *a, const struct ub_result *r, enum dns_type type,
		    struct dns_answer *out)
{
	size_t n = 0;

	while (n < DNS_RECORDS_MAX && r->data[n])
		n++;
	if (type == DNS_MX)
		out->mx = ARENA_ARRAY(a, struct dns_mx, n);
	else if (type == DNS_TLSA)
		out->tlsa = ARENA_ARRAY(a, struct tlsa, n);
	else if (type == DNS_A || type == DNS_AAAA)
		out->address = ARENA_ARRAY(a, struct dns_address, n);
	else
		out->text = ARENA_ARRAY(a, struct str, n);
	for (size_t i = 0; i < n; i++)
		record(a, STR(r->data[i], (size_t)r->len[i]), type, out);
}

void dns_answer_read(struct arena *a, const struct ub_result *r, enum dns_type type,
		     struct dns_answer *out)
{
	struct str asked = name_text(a, str_of(r->qname));

	*out = (struct dns_answer){ .status = status(r), .secure = r->secure && !r->bogus };
	out->name = r->canonname ? name_text(a, str_of(r->canonname)) : asked;
	out->alias = !str_eq(out->name, asked);
	out->ttl = r->ttl > 0 ? (uint32_t)r->ttl : 0;
	if (out->status == DNS_BOGUS)
		out->why = str_dup(a, str_part(str_of(r->why_bogus), 0, WHY_MAX));
	if (out->status == DNS_SERVFAIL)
		out->why = str_fmt(a, "the answer's code is %d", r->rcode);
	if (out->status != DNS_FOUND)
		return;
	records(a, r, type, out);
	/* Not as if there were none: an absence has consequences of its own, as an implicit MX. */
	if (!out->n) {
		out->status = DNS_SERVFAIL;
		out->why = S("no record of the answer could be read");
	}
}
