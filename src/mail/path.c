/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <idn2.h>

#include "mail/address.h"
#include "base/encode.h"

enum { LABEL_MAX = 63, DNS_NAME_MAX = 253 }; /* RFC 1035 2.3.4, without the root's octet */

/* Octets above 127 belong to UTF-8 characters, which are looked at as a whole: RFC 6531 3.3. */
static bool above(char c)
{
	return (unsigned char)c > 127;
}

/* atext: RFC 5322 3.2.3, RFC 6531 3.3. */
static bool atext(char c)
{
	return ascii_alpha(c) || ascii_digit(c) || above(c) ||
	       (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* "_" is in no host name, but in names of domains that send mail. */
static bool label_char(char c)
{
	return ascii_alpha(c) || ascii_digit(c) || above(c) || c == '-' || c == '_';
}

static bool dcontent(char c)
{
	return c >= 33 && c <= 126 && c != '[' && c != '\\' && c != ']';
}

/* What lies between where the scanner was and where it is. */
static struct str passed(struct scan before, const struct scan *now)
{
	return now->bad ? S_NONE : STR(before.rest.p, before.rest.n - now->rest.n);
}

/* Quoted-string: RFC 5321 4.1.2; gives what it means. */
static struct str quoted(struct scan *in, struct arena *a)
{
	struct scan ahead = *in;
	bool escaped = false;
	size_t n = 0;

	scan_lit(&ahead, "\"");
	for (;;) {
		char c = scan_char(&ahead);

		if (ahead.bad || (unsigned char)c < ' ' || c == 127) {
			scan_fail(in);
			return S_NONE;
		}
		if (escaped || (c != '"' && c != '\\')) {
			escaped = false;
			n++;
		} else if (c == '"') {
			break;
		} else {
			escaped = true;
		}
	}
	char *out = arena_alloc(a, n);

	scan_lit(in, "\"");
	for (size_t i = 0; i < n; i++) {
		scan_opt(in, "\\");
		out[i] = scan_char(in);
	}
	scan_lit(in, "\"");
	return STR(out, n);
}

static struct str dot_string(struct scan *in)
{
	struct scan before = *in;

	do {
		if (scan_span(in, atext).n == 0)
			scan_fail(in);
	} while (scan_opt(in, "."));
	return passed(before, in);
}

static struct str domain_name(struct scan *in)
{
	struct scan before = *in;

	do {
		struct str label = scan_span(in, label_char);

		/* A U-label has more octets than its A-label: domain_ascii counts those. */
		if (!label.n || *label.p == '-' || label.p[label.n - 1] == '-' ||
		    (label.n > LABEL_MAX && str_ascii(label)))
			scan_fail(in);
	} while (scan_opt(in, "."));
	return passed(before, in);
}

/* address-literal: RFC 5321 4.1.3. */
static struct str domain_literal(struct scan *in, struct arena *a)
{
	struct scan before = *in;
	unsigned char octets[sizeof(struct in6_addr)];

	scan_lit(in, "[");
	struct str inside = scan_span(in, dcontent);

	scan_lit(in, "]");
	if (inside.n > PATH_DOMAIN_MAX)
		scan_fail(in);
	if (in->bad)
		return S_NONE;
	bool v6 = str_istarts(inside, S("IPv6:"));
	char *text = str_c(a, str_from(inside, v6 ? 5 : 0));

	/* Standardized-tag ":" 1*dcontent: none but IPv6 is known today. */
	if (inet_pton(v6 ? AF_INET6 : AF_INET, text, octets) != 1)
		scan_fail(in);
	return passed(before, in);
}

/* Mailbox: RFC 5321 4.1.2. */
static struct path mailbox(struct scan *in, struct arena *a, bool postmaster)
{
	struct path p = { .domain = S("") };

	p.local = scan_at(in, '"') ? quoted(in, a) : dot_string(in);
	/* "RCPT TO:<Postmaster>" has no domain: RFC 5321 4.1.1.3. */
	if (!(postmaster && scan_at(in, '>') && str_iis(p.local, "postmaster"))) {
		scan_lit(in, "@");
		p.domain = scan_at(in, '[') ? domain_literal(in, a) : domain_name(in);
	}
	p.utf8 = !str_ascii(p.local) || !str_ascii(p.domain);
	if (p.local.n > PATH_LOCAL_MAX || p.domain.n > PATH_DOMAIN_MAX || !utf8_ok(p.local) ||
	    !utf8_ok(p.domain))
		scan_fail(in);
	return p;
}

/* A-d-l ":", to be taken and ignored: RFC 5321 4.1.1.3, appendix C. */
static void source_route(struct scan *in)
{
	do {
		scan_lit(in, "@");
		domain_name(in);
	} while (scan_opt(in, ","));
	scan_lit(in, ":");
}

struct path path_scan(struct scan *in, struct arena *a, bool allow_null)
{
	struct path p = { .local = S(""), .domain = S("") };

	scan_lit(in, "<");
	if (scan_at(in, '@'))
		source_route(in);
	struct scan before = *in;

	if (!(allow_null && scan_at(in, '>')))
		p = mailbox(in, a, !allow_null);
	scan_lit(in, ">");
	/* PATH_MAX_OCTETS counts both brackets: RFC 5321 4.5.3.1.3. */
	if (passed(before, in).n > PATH_MAX_OCTETS - 1)
		scan_fail(in);
	return in->bad ? (struct path){ 0 } : p;
}

enum err path_parse(struct arena *a, struct str text, struct path *out)
{
	struct scan in = scan(text);

	*out = mailbox(&in, a, false);
	if (scan_end(&in) && text.n <= PATH_MAX_OCTETS - 2)
		return OK;
	*out = (struct path){ 0 };
	return E_SYNTAX;
}

struct str path_text(struct arena *a, struct path p)
{
	struct scan in = scan(p.local);

	if (!p.local.n && !p.domain.n)
		return S("");
	dot_string(&in);
	bool plain = scan_end(&in);
	/* At worst each octet is escaped; two quotes, one "@". */
	char *out = arena_alloc(a, 2 * p.local.n + p.domain.n + 3);
	size_t n = 0;

	if (!plain)
		out[n++] = '"';
	for (size_t i = 0; i < p.local.n; i++) {
		if (p.local.p[i] == '"' || p.local.p[i] == '\\')
			out[n++] = '\\';
		out[n++] = p.local.p[i];
	}
	if (!plain)
		out[n++] = '"';
	if (p.domain.n) {
		out[n++] = '@';
		memcpy(out + n, p.domain.p, p.domain.n);
		n += p.domain.n;
	}
	return STR(out, n);
}

static bool name_ok(struct str domain)
{
	struct scan in = scan(domain);

	domain_name(&in);
	return scan_end(&in) && domain.n <= DNS_NAME_MAX && str_ascii(domain);
}

enum err domain_ascii(struct arena *a, struct str domain, struct str *out)
{
	struct scan in = scan(domain);
	uint8_t *ascii = NULL;

	*out = S_NONE;
	if (scan_at(&in, '[')) {
		domain_literal(&in, a);
		if (!scan_end(&in))
			return E_SYNTAX;
		*out = domain;
		return OK;
	}
	if (str_ascii(domain)) {
		if (!name_ok(domain))
			return E_SYNTAX;
		*out = str_lower(a, domain);
		return OK;
	}
	if (domain.n > PATH_DOMAIN_MAX || !utf8_ok(domain) || str_has(domain, '\0'))
		return E_SYNTAX;
	int rc = idn2_lookup_u8((const uint8_t *)str_c(a, domain), &ascii,
				IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

	if (rc != IDN2_OK)
		return E_SYNTAX;
	/* UTS 46 lets through much that is in no domain name: spaces, for one. */
	struct str mapped = str_lower(a, str_of((const char *)ascii));

	idn2_free(ascii);
	if (!name_ok(mapped))
		return E_SYNTAX;
	*out = mapped;
	return OK;
}
