/* SPDX-License-Identifier: ISC */
/* web/setup.c - help with setting programs up, and the profile for Apple's. */
#include <sodium.h>

#include "base/encode.h"
#include "web/web_priv.h"

struct reply setup_page(struct request *q)
{
	const struct web_conf *c = &q->web->conf;
	struct str here = str_fmt(q->a, "%.*s/setup", FMT(c->url)), path = S("");
	unsigned width = 0;
	bool qr = qr_path(q->a, here, &path, &width);
	const struct value v[] = {
		{ "here", here },
		{ "qr", qr ? S("1") : S("") },
		{ "path", path },
		{ "width", str_fmt(q->a, "%u", width) },
		{ "imap", c->port[WEB_IMAPS] || c->port[WEB_IMAP] ? S("1") : S("") },
	};

	return page(q, 200, "setup.html", "[[Programme einrichten||Set up programs]]", v);
}

/* --- Apple --- */

/* The same for the same address: a profile that is fetched again replaces the first. RFC 9562 5.8
 */
static struct str uuid(struct request *q, struct str email, const char *part)
{
	struct str text = str_fmt(q->a, "%s %.*s %.*s", part, FMT(q->web->conf.hostname),
				  FMT(str_lower(q->a, email)));
	uint8_t b[16];

	crypto_generichash(b, sizeof b, (const uint8_t *)text.p, text.n, NULL, 0);
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x80);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	struct str h = hex_encode(q->a, STR((const char *)b, sizeof b));
	return str_fmt(q->a, "%.*s-%.*s-%.*s-%.*s-%.*s", FMT(str_part(h, 0, 8)),
		       FMT(str_part(h, 8, 4)), FMT(str_part(h, 12, 4)), FMT(str_part(h, 16, 4)),
		       FMT(str_part(h, 20, 12)));
}

static struct str port(struct request *q, enum web_port tls, enum web_port starttls)
{
	uint16_t p = q->web->conf.port[tls];

	return str_fmt(q->a, "%u", p ? p : q->web->conf.port[starttls]);
}

struct reply setup_apple(struct request *q)
{
	const struct web_conf *c = &q->web->conf;
	struct str email = str_trim(form_get(&q->query, "email")), signed_text;
	size_t at = str_rfind(email, '@');
	enum err e = at && at < email.n && email.n <= 320
			     ? keeper_domain(q->web->keeper, str_from(email, at + 1))
			     : E_NOTFOUND;

	if (e == E_NOTFOUND)
		return page_sentence(
			q, 404, "Das ist keine E-Mail-Adresse einer Domain, die hier geführt wird.",
			"This is no mail address in a domain of ours.");
	const struct value v[] = {
		{ "email", email },
		{ "provider", c->provider },
		{ "hostname", c->hostname },
		{ "server", c->server },
		{ "imap", port(q, WEB_IMAPS, WEB_IMAP) },
		{ "smtp", port(q, WEB_SUBMISSIONS, WEB_SUBMISSION) },
		{ "uuid", uuid(q, email, "account") },
		{ "profile", uuid(q, email, "profile") },
	};
	struct reply r =
		page_document(q, "application/x-apple-aspen-config", "apple.plist", v, LENGTH(v));
	if (!e)
		e = signer_sign(q->web->signer, r.body, q->a, &signed_text);
	if (e)
		return page_later(q);
	r.body = signed_text;
	r.disposition = "attachment; filename=\"mail.mobileconfig\"";
	return r;
}
