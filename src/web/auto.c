/* SPDX-License-Identifier: ISC */
/*
 * web/auto.c - what programs fetch to set themselves up: Mozilla's autoconfig (version 1.1),
 * Outlook's Autodiscover (POX, and the JSON that leads to it), MTA-STS (RFC 8461 3.2).
 *
 * They are told for any address of a domain of ours, whoever lives there: nobody learns from
 * them who does.
 */
#include <jansson.h>

#include "web/web_priv.h"

#define XML "text/xml; charset=utf-8"

static const struct way {
	enum web_port port;
	const char *type, *mozilla, *outlook; /* the last two: how it is encrypted */
	bool send;
} ways[] = {
	{ WEB_IMAPS, "imap", "SSL", "SSL", false },
	{ WEB_IMAP, "imap", "STARTTLS", "TLS", false },
	{ WEB_POP3S, "pop3", "SSL", "SSL", false },
	{ WEB_POP3, "pop3", "STARTTLS", "TLS", false },
	{ WEB_SUBMISSIONS, "smtp", "SSL", "SSL", true },
	{ WEB_SUBMISSION, "smtp", "STARTTLS", "TLS", true },
};

struct ways { /* rows of a template */
	struct value cell[LENGTH(ways)][4];
	struct values row[LENGTH(ways)];
	size_t n;
};

static void add(struct request *q, struct ways *w, const struct way *way, bool outlook)
{
	uint16_t port = q->web->conf.port[way->port];
	struct value *cell = w->cell[w->n];
	struct str type = str_of(way->type);

	if (!port)
		return;
	if (outlook)
		type = str_is(type, "imap")   ? S("IMAP")
		       : str_is(type, "pop3") ? S("POP3")
					      : S("SMTP");
	cell[0] = (struct value){ "type", type };
	cell[1] = (struct value){ "port", str_fmt(q->a, "%u", port) };
	cell[2] = (struct value){ "security", str_of(outlook ? way->outlook : way->mozilla) };
	cell[3] = (struct value){ "smtp", way->send ? S("1") : S("") };
	w->row[w->n] = VALUES(w->cell[w->n]);
	w->n++;
}

/* The domain of an address. */
static struct str domain_of(struct str email)
{
	size_t at = str_rfind(email, '@');

	return at && at < email.n ? str_from(email, at + 1) : S_NONE;
}

static struct str absolute(struct request *q, struct str path)
{
	return str_starts(path, S("/"))
		       ? str_fmt(q->a, "%.*s%.*s", FMT(q->web->conf.url), FMT(path))
		       : path;
}

/* --- Mozilla --- */

/* Of the address, or of "autoconfig.example.org" where none is given. */
static struct str asked_domain(struct request *q)
{
	struct str email = form_get(&q->query, "emailaddress");
	struct str host = str_part(q->head.host, 0, str_find(q->head.host, ':'));

	if (email.n)
		return domain_of(email);
	return str_istarts(host, S("autoconfig.")) ? str_from(host, 11) : host;
}

struct reply auto_mozilla(struct request *q)
{
	const struct web_conf *c = &q->web->conf;
	struct str domain = asked_domain(q);
	struct ways in = { 0 }, out = { 0 };
	enum err e = domain.n ? keeper_domain(q->web->keeper, domain) : E_NOTFOUND;

	if (e == E_NOTFOUND)
		return page_sentence(q, 404, "Diese Domain wird hier nicht geführt.",
				     "This domain is not one of ours.");
	if (e)
		return page_later(q);
	for (size_t i = 0; i < LENGTH(ways); i++)
		add(q, ways[i].send ? &out : &in, &ways[i], false);
	const struct value v[] = {
		{ "domain", str_lower(q->a, domain) },
		{ "provider", c->provider },
		{ "server", c->server },
		{ "url", c->url },
		{ "webmail", absolute(q, c->webmail) },
		{ "incoming", S(""), in.row, in.n },
		{ "outgoing", S(""), out.row, out.n },
	};
	return page_document(q, XML, "autoconfig.xml", v, LENGTH(v));
}

/* --- Outlook --- */

struct reply auto_outlook(struct request *q)
{
	const struct web_conf *c = &q->web->conf;
	struct str email = xml_email(q->body), domain = domain_of(email);
	struct ways all = { 0 };
	enum err e = domain.n ? keeper_domain(q->web->keeper, domain) : E_NOTFOUND;

	if (e && e != E_NOTFOUND)
		return page_later(q);
	for (size_t i = 0; !e && i < LENGTH(ways); i++)
		add(q, &all, &ways[i], true);
	const struct value v[] = {
		{ "known", e ? S("") : S("1") },
		{ "email", email },
		{ "server", c->server },
		{ "protocols", S(""), all.row, all.n },
	};
	return page_document(q, XML, "autodiscover.xml", v, LENGTH(v));
}

/* Where the above is; whatever else is asked for we have not got. */
struct reply auto_outlook_json(struct request *q)
{
	struct str asked = S_NONE;
	json_t *o;

	for (size_t i = 0; i < q->query.n; i++)
		if (str_iis(q->query.field[i].name, "Protocol"))
			asked = q->query.field[i].value;
	bool known = str_iis(asked, "AutodiscoverV1");
	if (known)
		o = json_pack("{s:s, s:s}", "Protocol", "AutodiscoverV1", "Url",
			      str_c(q->a, absolute(q, S("/autodiscover/autodiscover.xml"))));
	else
		o = json_pack("{s:s, s:s}", "ErrorCode", "ProtocolNotSupported", "ErrorMessage",
			      "Only AutodiscoverV1 is served here.");
	char *dump = o ? json_dumps(o, JSON_COMPACT) : NULL;
	BUG_IF(!dump);
	struct str body = str_dup(q->a, str_of(dump));
	free(dump);
	json_decref(o);
	return (struct reply){ known ? 200 : 400, "application/json", body };
}

/* --- MTA-STS --- */

struct reply auto_sts(struct request *q)
{
	const struct web_conf *c = &q->web->conf;

	if (!c->sts_mode.n)
		return page_missing(q);
	return (struct reply){ 200, "text/plain; charset=us-ascii",
			       str_fmt(q->a,
				       "version: STSv1\r\nmode: %.*s\r\nmx: %.*s\r\n"
				       "max_age: %lld\r\n",
				       FMT(c->sts_mode), FMT(c->hostname),
				       (long long)c->sts_max_age_s) };
}
