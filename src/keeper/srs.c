/* SPDX-License-Identifier: ISC */
#include "keeper/srs.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/encode.h"

enum { MAC = 8, DAY = 2, DAYS_ROUND = 1024 };

static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
static const struct str prefix = { "SRS0=", 5 };

bool srs_is(struct str local)
{
	return str_istarts(local, prefix);
}

/* n letters of five bits each, of what only we can make of the text. */
static struct str mac(struct arena *a, const uint8_t key[SRS_KEY], const char *what,
		      struct str text, size_t n)
{
	struct str low = str_lower(a, str_fmt(a, "%s%.*s", what, FMT(text)));
	unsigned char sum[EVP_MAX_MD_SIZE];
	char *out = arena_alloc(a, n);

	BUG_IF(!HMAC(EVP_sha256(), key, SRS_KEY, (const unsigned char *)low.p, low.n, sum, NULL));
	for (size_t i = 0; i < n; i++)
		out[i] = letters[sum[i] & 31];
	return STR(out, n);
}

static struct str day_text(struct arena *a, int64_t day)
{
	unsigned d = (unsigned)(day % DAYS_ROUND);

	return str_fmt(a, "%c%c", letters[d / 32], letters[d % 32]);
}

/* rest: what stands behind the day and its sign. */
static struct str finish(struct arena *a, const uint8_t key[SRS_KEY], int64_t day, struct str rest)
{
	struct str text = str_fmt(a, "%.*s=%.*s", FMT(day_text(a, day)), FMT(rest));

	return str_fmt(a, "%.*s%.*s=%.*s", FMT(prefix), FMT(mac(a, key, "srs0:", text, MAC)),
		       FMT(text));
}

/* Nothing that would need quotes or SMTPUTF8. */
static bool plain(struct str local)
{
	bool ok = local.n > 0 && local.p[0] != '.' && local.p[local.n - 1] != '.';

	for (size_t i = 0; i < local.n; i++) {
		char c = local.p[i];

		ok &= ascii_alpha(c) || ascii_digit(c) ||
		      (c == '.' ? i + 1 == local.n || local.p[i + 1] != '.'
				: c && str_has(S("!#$%&'*+-/=?^_`{|}~"), c));
	}
	return ok;
}

enum err srs_encode(struct arena *a, const uint8_t key[SRS_KEY], int64_t day, struct path sender,
		    struct str *local)
{
	struct str domain;

	if (!plain(sender.local) || domain_ascii(a, sender.domain, &domain) || *domain.p == '[')
		return E_LIMIT;
	*local = finish(a, key, day, str_fmt(a, "%.*s=%.*s", FMT(domain), FMT(sender.local)));
	return local->n > SRS_LOCAL_MAX ? E_LIMIT : OK;
}

struct str srs_id(struct arena *a, const uint8_t key[SRS_KEY], int64_t day, struct path sender)
{
	return mac(a, key,
		   "id:", str_fmt(a, "%lld:%.*s", (long long)day, FMT(path_text(a, sender))),
		   SRS_ID);
}

struct str srs_kept(struct arena *a, const uint8_t key[SRS_KEY], int64_t day, struct str id)
{
	return finish(a, key, day, str_fmt(a, "=%.*s", FMT(id)));
}

static int value(char c)
{
	const char *at = memchr(letters, ascii_lower(c), sizeof letters - 1);

	return at ? (int)(at - letters) : -1;
}

/* A machine's clock may be a day ahead of another's. */
static enum err day_of(struct str text, int64_t today, int64_t *day)
{
	int high = value(text.p[0]), low = value(text.p[1]);

	if (high < 0 || low < 0)
		return E_NOTFOUND;
	int64_t age = (today + 1 + DAYS_ROUND - (high * 32 + low)) % DAYS_ROUND - 1;

	*day = today - age;
	return age > SRS_DAYS ? E_NOTFOUND : OK;
}

enum err srs_parse(struct arena *a, const uint8_t key[SRS_KEY], int64_t today, struct str local,
		   struct srs *out)
{
	struct str rest = str_from(local, prefix.n);

	*out = (struct srs){ 0 };
	if (!srs_is(local) || rest.n < MAC + 1 + DAY + 1 || rest.p[MAC] != '=' ||
	    rest.p[MAC + 1 + DAY] != '=')
		return E_NOTFOUND;
	struct str text = str_from(rest, MAC + 1);
	struct str good = mac(a, key, "srs0:", text, MAC);
	struct str said = str_lower(a, str_part(rest, 0, MAC));

	if (CRYPTO_memcmp(good.p, said.p, MAC) != 0)
		return E_NOTFOUND;
	struct scan in = scan(str_from(text, DAY + 1));
	struct str domain = scan_until(&in, '=');

	if (in.bad || !in.rest.n)
		return E_NOTFOUND;
	if (domain.n)
		out->sender = (struct path){ .local = in.rest, .domain = domain };
	else
		out->id = str_lower(a, in.rest);
	return day_of(text, today, &out->day);
}
