/* SPDX-License-Identifier: ISC */
/*
 * web/token.c - a form is taken only from a page of ours: it brings a token that belongs to a
 * cookie of the same browser, to this form, and to the last hours. Nothing is kept here.
 */
#include <sodium.h>

#include "base/encode.h"
#include "web/web_priv.h"

enum { COOKIE_OCTETS = 16, MAC_OCTETS = 16, TIME_DIGITS = 8, TOKEN_S = 2 * 3600 };

#define COOKIE "__Host-form" /* no other host can set it: RFC 6265bis 4.1.3.2 */

static struct str mac(const struct request *q, struct str cookie, struct str when)
{
	struct str text = str_fmt(q->a, "%.*s %.*s %.*s", FMT(when), FMT(cookie), FMT(q->path));
	uint8_t out[MAC_OCTETS];

	crypto_generichash(out, sizeof out, (const uint8_t *)text.p, text.n, q->web->secret,
			   sizeof q->web->secret);
	return hex_encode(q->a, STR((const char *)out, sizeof out));
}

/* The browser's, S_NONE if it has none of ours. */
static struct str cookie(const struct request *q)
{
	struct str text = cookie_get(q->head.cookie, S(COOKIE)), octets;

	return hex_decode(q->a, text, &octets) && octets.n == COOKIE_OCTETS ? text : S_NONE;
}

struct str token_make(struct request *q)
{
	struct str when = str_fmt(q->a, "%08llx", (unsigned long long)clock_wall());
	struct str name = cookie(q);

	if (!name.p) {
		char octets[COOKIE_OCTETS];
		randombytes_buf(octets, sizeof octets);
		name = hex_encode(q->a, STR(octets, sizeof octets));
		q->cookies = str_fmt(q->a,
				     "%.*sSet-Cookie: " COOKIE "=%.*s; Path=/; Secure; HttpOnly; "
				     "SameSite=Strict\r\n",
				     FMT(q->cookies), FMT(name));
	}
	return str_fmt(q->a, "%.*s%.*s", FMT(when), FMT(mac(q, name, when)));
}

bool token_ok(const struct request *q)
{
	struct str token = form_get(&q->form, "token"), site = q->head.fetch_site;
	struct scan in = scan(token);
	struct str when = str_part(token, 0, TIME_DIGITS), name = cookie(q);
	int64_t made = (int64_t)scan_hex(&in, TIME_DIGITS), now = clock_wall();

	/* Browsers that know it say where a form comes from. */
	if (site.n && !str_is(site, "same-origin") && !str_is(site, "none"))
		return false;
	if (in.bad || !name.p || in.rest.n != 2 * MAC_OCTETS || made > now || now - made > TOKEN_S)
		return false;
	return sodium_memcmp(in.rest.p, mac(q, name, when).p, in.rest.n) == 0;
}

struct str token_fault(const struct request *q)
{
	return text_in(
		q,
		"Dieses Formular war zu lange offen, oder Ihr Browser nimmt keine Cookies an: "
		"bitte füllen Sie es noch einmal aus.",
		"This form was open for too long, or your browser takes no cookies: please "
		"fill it in again.");
}
