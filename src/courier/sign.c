/* SPDX-License-Identifier: ISC */
#include "courier/sign.h"

#include "base/clock.h"

enum { TRIES = 2, FIELDS_MAX = 16 << 10 };

struct signing {
	struct keeper *keeper;
	struct path from;
	struct str header;
	const uint8_t *body;
	struct keeper_signers signers;
};

/* E_NOTFOUND: the keys were rotated meanwhile. */
static enum err sign(const struct signing *g, struct arena *a, struct buf *out)
{
	struct dkim_signing how = { .domain = g->signers.domain,
				    .when = clock_wall(),
				    .header = g->header,
				    .body = g->body };
	enum err e = OK;

	buf_clear(out);
	for (size_t i = 0; i < g->signers.n && !e; i++) {
		uint8_t digest[DKIM_DIGEST];
		struct str signature;

		how.algorithm = g->signers.by[i].ed25519 ? DKIM_ED25519 : DKIM_RSA;
		how.selector = g->signers.by[i].selector;
		struct str field = dkim_field(a, &how, digest);
		if (!field.p)
			return E_LIMIT;
		e = keeper_sign(g->keeper, 0, g->from, how.selector,
				STR((const char *)digest, sizeof digest), a, &signature);
		if (!e)
			buf_put(out, dkim_signed(a, field, signature));
	}
	return e;
}

enum err own_sign_body(struct keeper *k, struct path from, struct str header,
		       const uint8_t body[DKIM_DIGEST], struct arena *a, struct str *out)
{
	struct signing g = { .keeper = k, .from = from, .header = header, .body = body };
	struct buf fields = buf_new(FIELDS_MAX);
	enum err e = E_NOTFOUND;

	for (unsigned i = 0; i < TRIES && e == E_NOTFOUND; i++) {
		e = keeper_signers(k, 0, from, a, &g.signers);
		if (!e)
			e = sign(&g, a, &fields);
	}
	if (!e)
		*out = str_dup(a, buf_str(&fields));
	buf_free(&fields);
	return e == E_NOTFOUND ? E_AGAIN : e;
}

enum err own_sign(struct keeper *k, struct path from, const struct str *part, size_t n,
		  struct arena *a, struct str *out)
{
	size_t end = n ? str_find_str(part[0], S("\r\n\r\n")) + 4 : 0;
	uint8_t digest[DKIM_DIGEST];

	if (!n || end > part[0].n)
		return E_SYNTAX;
	struct dkim_body *body = dkim_body_new(true, UINT64_MAX);
	dkim_body_add(body, str_from(part[0], end));
	for (size_t i = 1; i < n; i++)
		dkim_body_add(body, part[i]);
	(void)dkim_body_end(body, digest);
	dkim_body_free(&body);
	return own_sign_body(k, from, str_part(part[0], 0, end), digest, a, out);
}
