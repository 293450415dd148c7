/* SPDX-License-Identifier: ISC */
/* ctl/dns.c - what to publish for a domain of ours: gathered here, written by ctl/zone.c. */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "ctl/ctl_priv.h"
#include "ctl/roll.h"
#include "ctl/zone.h"
#include "keeper/admin.h"
#include "mail/address.h"

enum { ZONE_OCTETS_MAX = 256 * 1024 };

static X509 *certificate_of(struct str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.n ? pem.p : "", (int)pem.n);

	BUG_IF(!bio);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	return x;
}

/* --- who signed the certificate --- */

static const struct {
	const char *directory; /* the end of its host in acme.directory */
	const char *issuer;    /* its organization in the certificates, or their beginning */
	const char *caa;
} authorities[] = {
	{ "letsencrypt.org", "Let's Encrypt", "letsencrypt.org" },
	{ "zerossl.com", "ZeroSSL", "sectigo.com" },
	{ "sectigo.com", "Sectigo", "sectigo.com" },
	{ "pki.goog", "Google Trust Services", "pki.goog" },
	{ "buypass.com", "Buypass", "buypass.com" },
	{ "ssl.com", "SSL Corp", "ssl.com" },
	{ "actalis.it", "Actalis", "actalis.it" },
	{ "digicert.com", "DigiCert", "digicert.com" },
	{ "globalsign.com", "GlobalSign", "globalsign.com" },
	{ "harica.gr", "Hellenic Academic", "harica.gr" },
};

/* The host of a URL, and its port. */
static struct str host_of(struct str url, uint16_t *port)
{
	struct str rest = str_from(url, str_find_str(url, S("://")) + 3), host;

	rest = str_part(rest, 0, str_find(rest, '/'));
	if (address_split(rest, &host, port))
		return host;
	*port = 443;
	return rest;
}

/* A certificate of one's own making says nothing: then the authority that tecsmail acme asks. */
static struct str authority(struct str directory, X509 *x)
{
	bool own = !x || X509_self_signed(x, 0) == 1;
	char name[256] = "";
	uint16_t port;
	struct str host = host_of(directory, &port);

	if (!own)
		X509_NAME_get_text_by_NID(X509_get_issuer_name(x), NID_organizationName, name,
					  sizeof name);
	for (size_t i = 0; i < LENGTH(authorities); i++)
		if (own ? str_ends(host, str_of(authorities[i].directory))
			: str_starts(str_of(name), str_of(authorities[i].issuer)))
			return str_of(authorities[i].caa);
	return S("");
}

/* --- the facts --- */

static enum err tls_facts(struct ctl *c, struct zone_facts *f, struct str *why)
{
	struct roll_keys k = { 0 };
	struct str hash[ROLL_HASHES_MAX];
	bool old[ROLL_HASHES_MAX];
	enum err e = roll_read(c, &k, why);

	if (e)
		return e;
	f->ntlsa = roll_promised(&k, hash, old);
	for (size_t i = 0; i < f->ntlsa; i++) {
		f->tlsa[i].hash = hash[i];
		f->tlsa[i].which = old[i] ? ZONE_OLD : i ? ZONE_NEXT : ZONE_NOW;
	}
	X509 *x = certificate_of(k.cert_pem);
	f->caa = authority(c->config.acme.directory, x);
	X509_free(x);
	ERR_clear_error();
	return OK;
}

static struct str ascii(struct arena *a, struct str name)
{
	struct str out;

	return domain_ascii(a, name, &out) ? name : out;
}

static void config_facts(struct ctl *c, struct zone_facts *f)
{
	const struct config *k = &c->config;
	struct str server = k->web_server.n ? k->web_server : k->hostname;

	f->hostname = ascii(c->arena, k->hostname);
	f->helo = ascii(c->arena, k->outbound.name);
	f->server = ascii(c->arena, server);
	f->web = f->hostname;
	f->web_port = 443;
	if (k->web_url.n)
		f->web = ascii(c->arena, host_of(k->web_url, &f->web_port));
	f->port.submissions = config_port_told(k, "submissions", &k->submissions);
	f->port.submission = config_port_told(k, "submission", &k->submission);
	f->port.imaps = config_port_told(k, "imaps", &k->imaps);
	f->port.imap = config_port_told(k, "imap", &k->imap);
	f->port.pop3s = config_port_told(k, "pop3s", &k->pop3s);
	f->port.pop3 = config_port_told(k, "pop3", &k->pop3);
	f->sts_mode = k->sts_mode;
	f->sts_max_age_s = k->sts_max_age_ms / 1000;
}

/* All that are there: the next ones so that they are known before they are used. */
static enum err key_facts(struct ctl *c, struct zone_facts *f, struct str *why)
{
	struct dkim_keys k;
	enum err e = admin_dkim_list(c->peer, f->domain, c->arena, &k, why);

	for (size_t i = 0; i < k.n && !e; i++) {
		f->key[i].selector = k.key[i].selector;
		f->key[i].value = text_dkim(c->arena, &k.key[i]);
		f->key[i].signs = k.key[i].state == DKIM_ACTIVE;
		f->nkeys = i + 1;
	}
	return e;
}

struct looking {
	struct str domain;
	bool found;
};

static void look(void *arg, const struct admin_row *r)
{
	struct looking *l = arg;

	l->found |= str_eq(r->name, l->domain);
}

static enum err gather(struct ctl *c, struct zone_facts *f, struct str *why)
{
	if (domain_ascii(c->arena, c->words[0], &f->domain)) {
		*why = str_fmt(c->arena, "%.*s: this is no domain name", FMT(c->words[0]));
		return E_SYNTAX;
	}
	struct looking l = { .domain = f->domain };
	enum err e = admin_list(c->peer, ADMIN_DOMAINS, S(""), look, &l, c->arena, why);

	if (e)
		return e;
	if (!l.found) {
		*why = str_fmt(c->arena, "%.*s: there is no such domain here", FMT(c->words[0]));
		return E_NOTFOUND;
	}
	config_facts(c, f);
	e = key_facts(c, f, why);
	return e ? e : tls_facts(c, f, why);
}

/* --- telling --- */

static int print_json(const struct zone_facts *f, const struct zone *z)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < z->n; i++) {
		const struct zone_record *r = &z->record[i];

		json_array_append_new(rows,
				      json_pack("{s:o, s:i, s:s, s:o, s:s, s:s, s:b}", "name",
						ctl_json_str(r->name), "ttl", ZONE_TTL, "type",
						r->type, "value", ctl_json_str(r->value), "de",
						r->de, "en", r->en, "other_zone", r->elsewhere));
	}
	return ctl_print_json(
		json_pack("{s:o, s:o}", "domain", ctl_json_str(f->domain), "records", rows));
}

int cmd_dns(struct ctl *c)
{
	struct zone_facts f = { 0 };
	struct zone *z = ARENA_NEW(c->arena, struct zone);
	struct str why;
	enum err e = gather(c, &f, &why);

	if (e)
		return ctl_failed(c, e, why);
	zone_make(&f, c->arena, z);
	if (c->options & OPT_JSON)
		return print_json(&f, z);
	struct buf b = buf_new(ZONE_OCTETS_MAX);
	buf_fmt(&b,
		"; %.*s braucht A und AAAA, und einen Namen zu seinen Adressen (PTR) /\n"
		"; %.*s must have A and AAAA records, and its addresses its name (PTR)\n",
		FMT(f.hostname), FMT(f.hostname));
	zone_print(z, &b);
	if (!f.caa.n)
		buf_fmt(&b, "; CAA fehlt: der Aussteller des Zertifikats ist hier nicht bekannt /\n"
			    "; no CAA: the issuer of the certificate is not known here\n");
	BUG_IF(b.full);
	bool put = fwrite(b.p, 1, b.n, stdout) == b.n;
	buf_free(&b);
	return put ? EXIT_OK : EXIT_FAILED;
}
