/* SPDX-License-Identifier: ISC */
#include "courier/reporter.h"

#include "mail/address.h"
#include "mail/header.h"
#include "trust/dkim.h"

enum { SIGNATURES_MAX = 5, DNS_WAIT_MS = 20000 };

struct looking {
	struct dns *dns;
	struct arena *a;
	struct str header, body; /* header with the empty line */
	struct str from;         /* the domain in From */
	int64_t deadline;        /* ms: of all keys together */
};

static bool names_from(struct str fields)
{
	while (fields.n) {
		size_t colon = str_find(fields, ':');

		if (str_iis(str_trim(str_part(fields, 0, colon)), "from"))
			return true;
		fields = str_from(fields, colon + 1);
	}
	return false;
}

/* Is it the domain itself, or one above it? */
static bool is_above(struct str domain, struct str name)
{
	if (name.n <= domain.n)
		return str_ieq(name, domain);
	struct str tail = str_from(name, name.n - domain.n - 1);
	return str_has(domain, '.') && *tail.p == '.' && str_ieq(str_from(tail, 1), domain);
}

/* Would it count, if it held? */
static bool is_fit(const struct looking *l, const struct dkim_signature *s)
{
	return s->limit == UINT64_MAX && names_from(s->fields) && is_above(s->domain, l->from) &&
	       (s->expires < 0 || s->expires > clock_wall());
}

static enum err verify(const struct looking *l, const struct dkim_signature *s, struct str field,
		       struct str record)
{
	struct dkim_body *body = dkim_body_new(s->relaxed_body, UINT64_MAX);
	uint8_t digest[DKIM_DIGEST];
	struct dkim_key key;

	dkim_body_add(body, l->body);
	(void)dkim_body_end(body, digest);
	dkim_body_free(&body);
	if (dkim_key_parse_for(l->a, record, "tlsrpt", &key) || key.testing ||
	    (key.strict && !str_ieq(s->domain, l->from)))
		return E_DENIED;
	return dkim_verify(s, &key, l->header, field, digest) ? E_DENIED : OK;
}

static enum err try(const struct looking *l, struct str field, struct str text, struct str *domain)
{
	struct dkim_signature s;
	struct dns_answer x;

	if (dkim_parse(l->a, text, &s) || !is_fit(l, &s))
		return E_DENIED;
	struct str name = str_fmt(l->a, "%.*s._domainkey.%.*s", FMT(s.selector), FMT(s.domain));
	enum err e = dns_ask(l->dns, name, DNS_TXT, l->deadline, l->a, &x);
	if (e)
		return e == E_CANCELED || e == E_SYNTAX ? E_DENIED : E_AGAIN;
	if (x.status == DNS_SERVFAIL)
		return E_AGAIN;
	if (x.status != DNS_FOUND || x.n != 1) /* RFC 6376 3.6.2.2 */
		return E_DENIED;
	*domain = str_lower(l->a, s.domain);
	return verify(l, &s, field, x.text[0]);
}

/* One From field with one address; else nobody can say whose mail it is. */
static bool find_from(struct looking *l)
{
	struct str rest = l->header;
	const struct address *from = NULL;
	struct field f;
	size_t n = 0;

	while (field_next(&rest, &f)) {
		if (!str_iis(f.name, "From"))
			continue;
		n++;
		from = address_list(l->a, header_unfold(l->a, f.body));
	}
	if (n != 1 || !from || from->next || !from->domain.n)
		return false;
	return domain_ascii(l->a, from->domain, &l->from) == OK;
}

enum err reporter_of(struct dns *dns, struct str mail, struct arena *a, struct str *domain)
{
	size_t end = str_find_str(mail, S("\r\n\r\n"));
	struct looking l = { .dns = dns, .a = a, .deadline = clock_in(DNS_WAIT_MS) };
	enum err worst = E_DENIED, e = E_DENIED;
	size_t n = 0;
	struct field f;

	if (end == mail.n || end > REPORTER_HEADER_MAX)
		return E_DENIED;
	l.header = str_part(mail, 0, end + 4);
	l.body = str_from(mail, end + 4);
	if (!find_from(&l))
		return E_DENIED;
	for (struct str rest = l.header; e && n < SIGNATURES_MAX && field_next(&rest, &f);) {
		if (!str_iis(f.name, "DKIM-Signature"))
			continue;
		n++;
		e = try(&l, f.whole, f.body, domain);
		worst = e == E_AGAIN ? e : worst;
	}
	if (e)
		*domain = S("");
	return e ? worst : OK;
}
