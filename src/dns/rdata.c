/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <string.h>

#include "base/buf.h"
#include "dns/rdata.h"

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool plain(char c)
{
	return c > ' ' && c < 127 && c != '.' && c != '\\';
}

static bool label_ok(struct str label)
{
	bool ok = label.n >= 1 && label.n <= DNS_LABEL_MAX;

	for (size_t i = 0; ok && i < label.n; i++)
		ok = plain(label.p[i]);
	return ok;
}

/* A name in the form of the wire: RFC 1035 3.1. */
static struct str name(struct arena *a, struct scan *in)
{
	struct buf out = buf_new(DNS_NAME_MAX);
	struct str label;

	while ((label = scan_take(in, scan_u8(in))).n) {
		if (!label_ok(label))
			scan_fail(in);
		if (out.n)
			buf_c(&out, '.');
		buf_put(&out, label);
	}
	if (out.full)
		scan_fail(in);
	struct str text = in->bad ? S_NONE : str_lower(a, buf_str(&out));

	buf_free(&out);
	return text;
}

static uint16_t number(struct scan *in)
{
	unsigned high = scan_u8(in);

	return (uint16_t)(high << 8 | scan_u8(in));
}

enum err rdata_name(struct arena *a, struct str rdata, struct str *out)
{
	struct scan in = scan(rdata);

	*out = name(a, &in);
	return scan_end(&in) ? OK : E_SYNTAX;
}

enum err rdata_mx(struct arena *a, struct str rdata, struct dns_mx *out)
{
	struct scan in = scan(rdata);

	out->preference = number(&in);
	out->host = name(a, &in);
	return scan_end(&in) ? OK : E_SYNTAX;
}

enum err rdata_address(struct str rdata, struct dns_address *out)
{
	if (rdata.n != 4 && rdata.n != 16)
		return E_SYNTAX;
	memcpy(out->octets, mapped, sizeof mapped);
	memcpy(out->octets + 16 - rdata.n, rdata.p, rdata.n);
	return OK;
}

enum err rdata_txt(struct arena *a, struct str rdata, struct str *out)
{
	struct scan in = scan(rdata);
	char *p = arena_alloc(a, rdata.n);
	size_t n = 0;

	if (!rdata.n) /* at least one string: RFC 1035 3.3.14 */
		return E_SYNTAX;
	while (scan_more(&in)) {
		struct str s = scan_take(&in, scan_u8(&in));

		if (s.n)
			memcpy(p + n, s.p, s.n);
		n += s.n;
	}
	*out = STR(p, n);
	return scan_end(&in) ? OK : E_SYNTAX;
}

struct tlsa rdata_tlsa(struct arena *a, struct str rdata)
{
	struct scan in = scan(rdata);
	struct tlsa t = { 0 };

	t.usage = scan_u8(&in);
	t.selector = scan_u8(&in);
	t.matching = scan_u8(&in);
	if (in.bad)
		return (struct tlsa){ 255, 255, 255, S_NONE };
	t.data = str_dup(a, in.rest);
	return t;
}

bool dns_name_ok(struct str text)
{
	if (str_ends(text, S(".")))
		text.n--;
	if (text.n > DNS_NAME_MAX)
		return false;
	struct scan in = scan(text);

	while (scan_more(&in)) {
		size_t n = str_find(in.rest, '.');

		if (!label_ok(scan_take(&in, n)) || str_is(in.rest, "."))
			return false;
		scan_opt(&in, ".");
	}
	return true;
}

bool dns_address_parse(struct str text, struct dns_address *out)
{
	char c[INET6_ADDRSTRLEN] = "";

	if (text.n >= sizeof c || str_has(text, '\0'))
		return false;
	if (text.n)
		memcpy(c, text.p, text.n);
	memcpy(out->octets, mapped, sizeof mapped);
	return inet_pton(AF_INET, c, out->octets + sizeof mapped) == 1 ||
	       inet_pton(AF_INET6, c, out->octets) == 1;
}

bool dns_address_v4(const struct dns_address *address)
{
	return memcmp(address->octets, mapped, sizeof mapped) == 0;
}

#define V4(...)                                \
	{                                      \
		[10] = 0xff, 0xff, __VA_ARGS__ \
	}

static bool begins(const uint8_t *octets, const uint8_t *prefix, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff << (8 - rest));

	return memcmp(octets, prefix, whole) == 0 &&
	       (!rest || ((octets[whole] ^ prefix[whole]) & mask) == 0);
}

enum dns_scope dns_address_scope(const struct dns_address *address)
{
	static const struct {
		uint8_t prefix[16];
		unsigned bits;
		enum dns_scope scope;
	} special[] = {
		{ V4(0), 96 + 8, DNS_NOWHERE },      { V4(127), 96 + 8, DNS_LOOPBACK },
		{ V4(169, 254), 96 + 16, DNS_LINK }, { V4(10), 96 + 8, DNS_INNER },
		{ V4(172, 16), 96 + 12, DNS_INNER }, { V4(192, 168), 96 + 16, DNS_INNER },
		{ V4(100, 64), 96 + 10, DNS_INNER }, { V4(224), 96 + 3, DNS_NOWHERE },
		{ { 0 }, 128, DNS_NOWHERE },         { { [15] = 1 }, 128, DNS_LOOPBACK },
		{ { 0xfe, 0x80 }, 10, DNS_LINK },    { { 0xfc }, 7, DNS_INNER },
		{ { 0xff }, 8, DNS_NOWHERE },
	};

	for (size_t i = 0; i < LENGTH(special); i++)
		if (begins(address->octets, special[i].prefix, special[i].bits))
			return special[i].scope;
	return DNS_OUTER;
}

struct str dns_address_text(struct arena *a, const struct dns_address *address)
{
	bool v4 = dns_address_v4(address);
	char text[INET6_ADDRSTRLEN];

	BUG_IF(!inet_ntop(v4 ? AF_INET : AF_INET6, address->octets + (v4 ? sizeof mapped : 0), text,
			  sizeof text));
	return str_dup(a, str_of(text));
}
