/* SPDX-License-Identifier: ISC */
/* ctl/zone.c - the records of a domain, and how a zone file writes them. */
#include "ctl/zone.h"

#include <openssl/evp.h>

#include "base/encode.h"

enum { STRING_MAX = 255 };

struct making {
	const struct zone_facts *f;
	struct arena *a;
	struct zone *out;
};

/* Is it the domain or below it? */
static bool is_within(struct str name, struct str domain)
{
	if (name.n <= domain.n)
		return str_ieq(name, domain);
	struct str tail = str_from(name, name.n - domain.n - 1);
	return *tail.p == '.' && str_ieq(str_from(tail, 1), domain);
}

static void add(struct making *m, struct str owner, const char *type, struct str value,
		const char *de, const char *en)
{
	BUG_IF(m->out->n == ZONE_RECORDS_MAX);
	m->out->record[m->out->n++] = (struct zone_record){
		.name = str_fmt(m->a, "%.*s.", FMT(owner)),
		.type = type,
		.value = value,
		.de = de,
		.en = en,
		.elsewhere = !is_within(owner, m->f->domain),
	};
}

static struct str below(struct making *m, const char *label)
{
	return str_fmt(m->a, "%s.%.*s", label, FMT(m->f->domain));
}

static void mail_records(struct making *m)
{
	const struct zone_facts *f = m->f;
	bool signs = false;

	add(m, f->domain, "MX", str_fmt(m->a, "10 %.*s.", FMT(f->hostname)),
	    "Wohin Mail für die Domain geht", "where mail for the domain goes");
	add(m, f->domain, "TXT", S("v=spf1 mx -all"),
	    "SPF: nur dieser Server verschickt Mail der Domain",
	    "SPF: this server alone sends mail of the domain");
	/* Reports have no sender: then the name counts, RFC 7208 2.3, 2.4. */
	if (!str_ieq(f->helo, f->domain))
		add(m, f->helo, "TXT", S("v=spf1 a -all"),
		    "SPF: für Berichte des Servers, die keinen Absender haben",
		    "SPF: for reports of the server, which have no sender");
	for (size_t i = 0; i < f->nkeys; i++) {
		signs |= f->key[i].signs;
		add(m,
		    str_fmt(m->a, "%.*s._domainkey.%.*s", FMT(f->key[i].selector), FMT(f->domain)),
		    "TXT", f->key[i].value, "DKIM: der Schlüssel, mit dem Mail unterschrieben wird",
		    "DKIM: the key with which mail is signed");
	}
	/* Without signatures a forwarded mail would fail for want of SPF. */
	add(m, below(m, "_dmarc"), "TXT",
	    str_fmt(m->a, "v=DMARC1; p=%s; rua=mailto:postmaster@%.*s",
		    signs ? "quarantine" : "none", FMT(f->domain)),
	    signs ? "DMARC: was andere mit gefälschter Mail tun sollen, und wohin sie berichten"
		  : "DMARC: solange nicht unterschrieben wird (DKIM), nur Berichte",
	    signs ? "DMARC: what others shall do with forged mail, and where they report"
		  : "DMARC: as long as nothing is signed (DKIM), reports only");
}

/* It changes whenever the policy does: RFC 8461 3.1. */
static struct str policy_id(struct making *m)
{
	const struct zone_facts *f = m->f;
	struct str policy = str_fmt(m->a, "%.*s %.*s %lld", FMT(f->sts_mode), FMT(f->hostname),
				    (long long)f->sts_max_age_s);
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	BUG_IF(!EVP_Digest(policy.p, policy.n, hash, &n, EVP_sha256(), NULL));
	return hex_encode(m->a, STR((const char *)hash, 8));
}

/* A name of its own for the web server, unless the web server is called so. */
static void alias(struct making *m, const char *label, const char *de, const char *en)
{
	struct str name = below(m, label);

	if (!str_ieq(name, m->f->web))
		add(m, name, "CNAME", str_fmt(m->a, "%.*s.", FMT(m->f->web)), de, en);
}

static void transport_records(struct making *m)
{
	static const struct {
		const char *de, *en;
	} keys[] = { [ZONE_NOW] = { "DANE: der Schlüssel von Port 25 (nur mit DNSSEC)",
				    "DANE: the key of port 25 (with DNSSEC only)" },
		     [ZONE_NEXT] = { "DANE: der nächste Schlüssel", "DANE: the next key" },
		     [ZONE_OLD] = { "DANE: der vorige Schlüssel, bis tecsmail tls retire",
				    "DANE: the key before, until tecsmail tls retire" } };
	const struct zone_facts *f = m->f;

	if (!str_is(f->sts_mode, "off")) {
		add(m, below(m, "_mta-sts"), "TXT",
		    str_fmt(m->a, "v=STSv1; id=%.*s", FMT(policy_id(m))),
		    "MTA-STS: es gibt eine Richtlinie; die id ändert sich mit ihr",
		    "MTA-STS: there is a policy; the id changes with it");
		alias(m, "mta-sts", "MTA-STS: wo sie steht", "MTA-STS: where it is");
	}
	add(m, below(m, "_smtp._tls"), "TXT",
	    str_fmt(m->a, "v=TLSRPTv1; rua=mailto:tls-reports@%.*s", FMT(f->domain)),
	    "TLSRPT: wohin andere Server berichten, was an TLS nicht ging",
	    "TLSRPT: where other servers report what failed of TLS");
	for (size_t i = 0; i < f->ntlsa; i++)
		add(m, str_fmt(m->a, "_25._tcp.%.*s", FMT(f->hostname)), "TLSA",
		    str_fmt(m->a, "3 1 1 %.*s", FMT(f->tlsa[i].hash)), keys[f->tlsa[i].which].de,
		    keys[f->tlsa[i].which].en);
	if (f->caa.n) {
		add(m, f->domain, "CAA", str_fmt(m->a, "0 issue \"%.*s\"", FMT(f->caa)),
		    "Wer Zertifikate ausstellen darf", "who may issue certificates");
		if (!is_within(f->hostname, f->domain))
			add(m, f->hostname, "CAA", str_fmt(m->a, "0 issue \"%.*s\"", FMT(f->caa)),
			    "Wer Zertifikate ausstellen darf", "who may issue certificates");
	}
}

/* RFC 6186 3.1, 3.4, RFC 8314 5.1: "." says that there is none. TLS from the first octet first. */
static void service_record(struct making *m, const char *label, uint16_t port, bool tls)
{
	add(m, below(m, label), "SRV",
	    port ? str_fmt(m->a, "%d 1 %u %.*s.", tls ? 0 : 10, port, FMT(m->f->server))
		 : S("0 0 0 ."),
	    port ? "Programme finden den Server" : "Wird nicht angeboten",
	    port ? "programs find the server" : "not offered");
}

static void program_records(struct making *m)
{
	const struct zone_facts *f = m->f;

	service_record(m, "_submissions._tcp", f->port.submissions, true);
	service_record(m, "_submission._tcp", f->port.submission, false);
	service_record(m, "_imaps._tcp", f->port.imaps, true);
	service_record(m, "_imap._tcp", f->port.imap, false);
	service_record(m, "_pop3s._tcp", f->port.pop3s, true);
	service_record(m, "_pop3._tcp", f->port.pop3, false);
	alias(m, "autoconfig", "Thunderbird richtet sich selbst ein", "Thunderbird sets itself up");
	alias(m, "autodiscover", "Outlook richtet sich selbst ein", "Outlook sets itself up");
	add(m, below(m, "_autodiscover._tcp"), "SRV",
	    str_fmt(m->a, "0 1 %u %.*s.", f->web_port, FMT(f->web)),
	    "Outlook richtet sich selbst ein", "Outlook sets itself up");
}

void zone_make(const struct zone_facts *f, struct arena *a, struct zone *out)
{
	struct making m = { f, a, out };

	out->n = 0;
	mail_records(&m);
	transport_records(&m);
	program_records(&m);
}

/* --- writing --- */

static void quoted(struct buf *out, struct str part)
{
	buf_c(out, '"');
	for (size_t i = 0; i < part.n; i++) {
		unsigned char c = (unsigned char)part.p[i];

		if (c < ' ' || c > '~')
			buf_fmt(out, "\\%03u", c);
		else
			buf_fmt(out, "%s%c", c == '"' || c == '\\' ? "\\" : "", c);
	}
	buf_c(out, '"');
}

void zone_print_text(struct buf *out, struct str text)
{
	do {
		quoted(out, str_part(text, 0, STRING_MAX));
		text = str_from(text, STRING_MAX);
		if (text.n)
			buf_c(out, ' ');
	} while (text.n);
}

void zone_print(const struct zone *z, struct buf *out)
{
	for (size_t i = 0; i < z->n; i++) {
		const struct zone_record *r = &z->record[i];
		const struct zone_record *before = i ? r - 1 : NULL;

		if (!before || before->en != r->en)
			buf_fmt(out, "; %s / %s%s\n", r->de, r->en,
				r->elsewhere ? " (andere Zone / in another zone)" : "");
		buf_fmt(out, "%s%.*s %d IN %s ", r->elsewhere ? ";" : "", FMT(r->name), ZONE_TTL,
			r->type);
		if (str_is(str_of(r->type), "TXT"))
			zone_print_text(out, r->value);
		else
			buf_put(out, r->value);
		buf_c(out, '\n');
	}
}
