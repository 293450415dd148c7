/* SPDX-License-Identifier: ISC */
/* proc/value.c - sizes, times, paths and addresses as operators write them. */
#include "proc/value.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/encode.h"
#include "guard/net.h"
#include "keeper/guarantee.h"

enum { COUNT_MAX = 1000000, TEXT_MAX = 1000 };

struct unit {
	const char *name;
	uint64_t factor;
};
static const struct unit sizes[] = {
	{ "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 }, { "G", 1 << 30 }, { "T", 1ULL << 40 },
};
static const struct unit times[] = {
	{ "ms", 1 }, { "s", 1000 }, { "min", 60000 }, { "h", 3600000 }, { "d", 86400000 },
};

static bool with_unit(struct str text, const struct unit *units, size_t n, uint64_t *out)
{
	struct scan in = scan(text);
	uint64_t number = scan_num(&in, 1000000000000);

	for (size_t i = 0; !in.bad && i < n; i++) {
		if (str_iis(in.rest, units[i].name) && number <= INT64_MAX / units[i].factor) {
			*out = number * units[i].factor;
			return true;
		}
	}
	return false;
}

bool value_time(struct str text, uint64_t *ms)
{
	return with_unit(text, times, LENGTH(times), ms);
}

static bool count(struct str text, uint64_t *out)
{
	struct scan in = scan(text);

	*out = scan_num(&in, COUNT_MAX);
	return scan_end(&in);
}

static struct str absolute(struct str text, struct str path, struct arena *a)
{
	size_t slash = str_rfind(path, '/');

	if (!text.n || text.p[0] == '/' || slash == path.n)
		return text;
	if (str_is(text, "."))
		return str_part(path, 0, slash ? slash : 1);
	return str_fmt(a, "%.*s/%.*s", FMT(str_part(path, 0, slash)), FMT(text));
}

static bool alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool value_is_host(struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool inner = i && i + 1 < text.n && text.p[i - 1] != '.';
		if (!alnum(c) && !((c == '-' || c == '.') && inner))
			return false;
	}
	return text.n && text.n <= 253;
}

bool value_is_store(struct str text)
{
	return !text.n || str_is(text, "mem:") || (text.n > 5 && str_starts(text, S("lmdb:")));
}

bool value_is_address(struct str text)
{
	size_t at = str_rfind(text, '@');

	return !text.n || (at && at < text.n && value_is_host(str_from(text, at + 1)));
}

/* What parts may stand in no other role: neither letters nor the sign before the domain. */
bool value_is_detail(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~' || alnum(text.p[i]) || text.p[i] == '@')
			return false;
	return true;
}

bool value_is_line(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 127)
			return false;
	return utf8_ok(text);
}

bool value_is_server(struct str text)
{
	return !text.n || value_is_host(text);
}

bool value_is_socket(struct str text)
{
	return text.n && text.p[0] == '/' && text.n < 100;
}

bool value_is_network(struct str text)
{
	struct net n;

	return net_parse(text, &n);
}

/* What can stand in a link as it is. */
static bool is_plain(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~' || strchr("\"'<>\\", text.p[i]))
			return false;
	return true;
}

bool value_is_url(struct str text)
{
	return !text.n || (text.n > 8 && str_starts(text, S("https://")) && is_plain(text) &&
			   !str_ends(text, S("/")));
}

bool value_is_place(struct str text)
{
	bool path = str_starts(text, S("/")) && !str_starts(text, S("//"));

	return is_plain(text) && (path || (text.n > 8 && str_starts(text, S("https://"))));
}

bool value_is_published(struct str text)
{
	static const char *const services[] = { "imap",  "imaps",      "pop3",
						"pop3s", "submission", "submissions" };
	struct str service;
	uint16_t port;

	if (!address_split(text, &service, &port))
		return false;
	for (size_t i = 0; i < LENGTH(services); i++)
		if (str_is(service, services[i]))
			return true;
	return false;
}

bool value_is_sts_mode(struct str text)
{
	return str_is(text, "enforce") || str_is(text, "testing") || str_is(text, "none") ||
	       str_is(text, "off");
}

bool value_is_guarantee(struct str text)
{
	enum guarantee sending;

	return guarantee_of(text, &sending);
}

bool value_is_receiving(struct str text)
{
	bool receiving;

	return guarantee_receiving_of(text, &receiving);
}

static bool wrong(const struct key *k, struct str text, const char *want, struct arena *a,
		  struct str *why)
{
	*why = str_fmt(a, "%s: \"%.*s\" is not %s", k->name, FMT(str_part(text, 0, 100)), want);
	return false;
}

static bool number_of(enum value_type type, struct str text, uint64_t *out)
{
	return type == VALUE_COUNT  ? count(text, out)
	       : type == VALUE_SIZE ? with_unit(text, sizes, LENGTH(sizes), out)
				    : value_time(text, out);
}

static bool within(const struct key *k, struct str text, uint64_t number, struct arena *a,
		   struct str *why)
{
	uint64_t bound;

	if (k->least && number_of(k->type, str_of(k->least), &bound) && number < bound)
		return wrong(k, text, str_c(a, str_fmt(a, "at least %s", k->least)), a, why);
	if (k->most && number_of(k->type, str_of(k->most), &bound) && number > bound)
		return wrong(k, text, str_c(a, str_fmt(a, "at most %s", k->most)), a, why);
	return true;
}

bool value_set(const struct key *k, struct str text, struct str path, struct arena *a,
	       struct config *out, struct str *why)
{
	void *field = (char *)out + k->offset;
	uint64_t number = 0;

	if (text.n > TEXT_MAX)
		return wrong(k, text, "short enough", a, why);
	switch (k->type) {
	case VALUE_TEXT:
		if (k->fits && !k->fits(text))
			return wrong(k, text, k->want, a, why);
		*(struct str *)field = text;
		return true;
	case VALUE_PATH: *(struct str *)field = absolute(text, path, a); return true;
	case VALUE_COUNT:
		if (!number_of(k->type, text, &number))
			return wrong(k, text, "a number up to 1000000", a, why);
		*(unsigned *)field = (unsigned)number;
		return within(k, text, number, a, why);
	case VALUE_SIZE:
		if (!number_of(k->type, text, &number))
			return wrong(k, text, "a size like 50M (K, M, G, T)", a, why);
		*(uint64_t *)field = number;
		return within(k, text, number, a, why);
	case VALUE_TIME:
		if (!number_of(k->type, text, &number))
			return wrong(k, text, "a time like 30s (ms, s, min, h, d)", a, why);
		*(int64_t *)field = (int64_t)number;
		return within(k, text, number, a, why);
	case VALUE_LEVEL:
		if (!log_level_of(text, field))
			return wrong(k, text, "debug, info, warn or error", a, why);
		return true;
	case VALUE_YES:
		if (!str_is(text, "yes") && !str_is(text, "no"))
			return wrong(k, text, "yes or no", a, why);
		*(bool *)field = str_is(text, "yes");
		return true;
	case VALUE_LIST: break;
	}
	BUG_IF(true);
	return false;
}

bool address_split(struct str text, struct str *host, uint16_t *port)
{
	size_t colon = str_rfind(text, ':');
	struct scan in = scan(str_from(text, colon + 1));

	*host = str_part(text, 0, colon);
	*port = (uint16_t)scan_num(&in, 65535);
	if (colon == text.n || !scan_end(&in) || !*port)
		return false;
	if (host->n > 2 && host->p[0] == '[' && host->p[host->n - 1] == ']')
		*host = str_part(*host, 1, host->n - 2);
	return true;
}

static bool numeric(struct str host)
{
	unsigned char to[16];
	char text[INET6_ADDRSTRLEN];

	if (host.n >= sizeof text)
		return false;
	memcpy(text, host.n ? host.p : "", host.n);
	text[host.n] = '\0';
	return inet_pton(AF_INET, text, to) == 1 || inet_pton(AF_INET6, text, to) == 1;
}

bool value_is_resolver(struct str text)
{
	struct str host;
	uint16_t port;

	return address_split(text, &host, &port) && numeric(host);
}

bool list_item_ok(const struct key *k, struct str text, struct arena *a, struct str *why)
{
	struct str host;
	uint16_t port;

	if (k->fits)
		return k->fits(text) || wrong(k, text, k->want, a, why);
	if (!address_split(text, &host, &port))
		return wrong(k, text, "ADDRESS:PORT", a, why);
	if (str_is(host, "*") || numeric(host))
		return true;
	return wrong(k, text, "a numeric address, or *, with :PORT", a, why);
}
