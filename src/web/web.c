/* SPDX-License-Identifier: ISC */
/* web/web.c - the table of requests, and what lives as long as a configuration. */
#include <sodium.h>

#include "base/encode.h"
#include "web/web_priv.h"

static const struct row rows[] = {
	{ "/", GET, 0, WEB_PUBLIC, page_home },
	{ "/access", GET, 0, WEB_PUBLIC, page_access },
	{ "/password", GET, 0, WEB_PUBLIC, password_form },
	{ "/password", POST, FORM, WEB_PUBLIC, password_change },
	{ "/service", GET, 0, WEB_PUBLIC, service_page },
	{ "/join", GET, 0, WEB_PUBLIC, join_form },
	{ "/join", POST, FORM, WEB_PUBLIC, join_make },
	{ "/lockout", GET, 0, WEB_PUBLIC, lockout_page },
	{ "/transport", GET, 0, WEB_PUBLIC, page_transport },
	{ "/setup", GET, 0, WEB_PUBLIC, setup_page },
	{ "/setup/apple.mobileconfig", GET, 0, WEB_PUBLIC, setup_apple },
	{ "/style-", GET, PREFIX, WEB_PUBLIC, page_style },
	{ "/icon.svg", GET, 0, WEB_PUBLIC, page_icon },
	{ "/mail/config-v1.1.xml", GET, 0, WEB_PUBLIC, auto_mozilla },
	{ "/.well-known/autoconfig/mail/config-v1.1.xml", GET, 0, WEB_PUBLIC, auto_mozilla },
	{ "/autodiscover/autodiscover.xml", POST, ANY_CASE, WEB_PUBLIC, auto_outlook },
	{ "/autodiscover/autodiscover.json", GET, ANY_CASE | PREFIX, WEB_PUBLIC,
	  auto_outlook_json },
	{ "/.well-known/mta-sts.txt", GET, 0, WEB_PUBLIC, auto_sts },
	{ "/internal/service", POST, FORM, WEB_INTERNAL, internal_service },
	{ "/internal/judge", POST, FORM, WEB_INTERNAL, internal_judge },
	{ "/internal/password", POST, FORM, WEB_INTERNAL, internal_password },
	{ "/internal/logins", POST, FORM, WEB_INTERNAL, internal_logins },
	{ "/internal/sessions", POST, FORM, WEB_INTERNAL, internal_sessions },
	{ "/internal/logout", POST, FORM, WEB_INTERNAL, internal_logout },
	{ "/internal/guarantees", POST, FORM, WEB_INTERNAL, internal_guarantees },
	{ "/internal/guarantees/set", POST, FORM, WEB_INTERNAL, internal_guarantees_set },
	{ "/internal/apps/list", POST, FORM, WEB_INTERNAL, internal_apps },
	{ "/internal/apps/add", POST, FORM, WEB_INTERNAL, internal_app_add },
	{ "/internal/apps/delete", POST, FORM, WEB_INTERNAL, internal_app_delete },
	{ "/internal/receipt", POST, FORM, WEB_INTERNAL, internal_receipt },
	{ "/internal/expect", POST, FORM, WEB_INTERNAL, internal_expect },
	{ "/health", GET, 0, WEB_INTERNAL, health_show },
	{ "/metrics", GET, 0, WEB_INTERNAL, health_metrics },
};

static bool fits(const struct row *r, struct str path)
{
	struct str want = str_of(r->path);

	if (r->flags & PREFIX)
		path = str_part(path, 0, want.n);
	return r->flags & ANY_CASE ? str_ieq(path, want) : str_eq(path, want);
}

const struct row *row_find(const struct request *q, bool *other_method)
{
	bool get = str_is(q->head.method, "GET") || str_is(q->head.method, "HEAD");
	unsigned method = get ? GET : str_is(q->head.method, "POST") ? POST : 0;

	*other_method = false;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		if (rows[i].side != q->side || !fits(&rows[i], q->path))
			continue;
		if (rows[i].methods & method)
			return &rows[i];
		*other_method = true;
	}
	return NULL;
}

/* The key that all processes have makes the same secret in each of them. */
static void make_secret(struct web *w, struct str key)
{
	static const char use[] = "tecsmail web forms";

	crypto_generichash(w->secret, sizeof w->secret, (const uint8_t *)key.p, key.n,
			   (const uint8_t *)use, sizeof use - 1);
}

enum err web_new(const struct web_conf *conf, struct keeper *keeper, struct store *store,
		 struct arena *a, struct web **out, struct str *why)
{
	struct str style = page_file("style.css");
	struct web *w = NEW(struct web);
	uint8_t hash[16];

	BUG_IF(sodium_init() < 0);
	w->conf = *conf;
	w->keeper = keeper;
	w->store = store;
	make_secret(w, conf->key);
	crypto_generichash(hash, sizeof hash, (const uint8_t *)style.p, style.n, NULL, 0);
	sodium_bin2hex(w->style, sizeof w->style, hash, sizeof w->style / 2);
	enum err e = signer_new(conf->certificate, conf->key, a, &w->signer, why);
	if (e)
		web_free(&w);
	*out = w;
	return e;
}

void web_serve_from(struct web *w, struct store *store)
{
	w->store = store;
}

void web_free(struct web **w)
{
	if (!*w)
		return;
	signer_free(&(*w)->signer);
	sodium_memzero((*w)->secret, sizeof(*w)->secret);
	free(*w);
	*w = NULL;
}
