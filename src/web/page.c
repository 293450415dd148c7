/* SPDX-License-Identifier: ISC */
/* web/page.c - what all pages have in common, and those that only tell. */
#include "web/web_priv.h"

#define HTML "text/html; charset=utf-8"

static struct str rendered(struct request *q, struct str text, const struct values *v)
{
	struct buf b = buf_new(REPLY_MAX);

	template_render(&b, text, v, q->lang);
	BUG_IF(b.full);
	struct str s = str_dup(q->a, buf_str(&b));
	buf_free(&b);
	return s;
}

static bool alnum(char c)
{
	return ascii_alpha(c) || ascii_digit(c);
}

/* What a switch of the language must not lose: an invitation. */
static struct str kept(struct request *q)
{
	struct str token = form_get(&q->query, "invitation");

	if (!token.p)
		token = form_get(&q->form, "invitation");
	struct scan in = scan(token);
	scan_span(&in, alnum);
	return token.n && scan_end(&in) ? str_fmt(q->a, "&invitation=%.*s", FMT(token)) : S("");
}

struct reply page_make(struct request *q, unsigned status, const char *file, struct str title,
		       const struct value *v, size_t n)
{
	const struct web_conf *c = &q->web->conf;
	bool home = str_is(q->path, "/");
	const struct value common[] = {
		{ "provider", c->provider },
		{ "hostname", c->hostname },
		{ "server", c->server },
		{ "webmail", c->webmail },
		{ "style", str_of(q->web->style) },
		{ "lang", q->lang == LANG_DE ? S("de") : S("en") },
		{ "german", q->lang == LANG_DE ? S("1") : S("") },
		{ "kept", kept(q) },
		{ "inner", home ? S("") : S("1") },
	};
	struct values outer = VALUES(common), own = { v, n, &outer };
	const struct value frame[] = {
		{ "title", rendered(q, title, &own) },
		{ "body", rendered(q, page_file(file), &own) },
	};
	struct values all = { frame, LENGTH(frame), &outer };

	return (struct reply){ status, HTML, rendered(q, page_file("layout.html"), &all) };
}

struct reply page_sentence(struct request *q, unsigned status, const char *de, const char *en)
{
	const struct value v[] = { { "text", text_in(q, de, en) } };

	if (q->side == WEB_INTERNAL)
		return (struct reply){ status, "text/plain; charset=utf-8",
				       str_fmt(q->a, "%s\n", en) };
	return page(q, status, "sentence.html", "[[Hinweis||Notice]]", v);
}

struct reply page_later(struct request *q)
{
	return page_sentence(q, 503, "Das geht gerade nicht: bitte in einer Minute noch einmal.",
			     "Not just now: please try again in a minute.");
}

struct reply page_missing(struct request *q)
{
	return page_sentence(q, 404, "Diese Seite gibt es nicht.", "There is no such page.");
}

struct reply page_bad_form(struct request *q)
{
	return page_sentence(q, 400, "Dieses Formular ist nicht zu verstehen.",
			     "This form cannot be understood.");
}

struct reply page_document(struct request *q, const char *type, const char *file,
			   const struct value *v, size_t n)
{
	struct values all = { v, n, NULL };

	return (struct reply){ 200, type, rendered(q, page_file(file), &all) };
}

struct reply page_home(struct request *q)
{
	const struct value v[] = { { "notice", service_notice(q) } };

	return page(q, 200, "home.html", "[[Ihre E-Mail||Your mail]]", v);
}

/* --- access data --- */

static const struct {
	const char *name;
	enum web_port tls, starttls;
} protocols[] = {
	{ "IMAP", WEB_IMAPS, WEB_IMAP },
	{ "POP3", WEB_POP3S, WEB_POP3 },
	{ "SMTP", WEB_SUBMISSIONS, WEB_SUBMISSION },
};

static struct str number(struct request *q, uint16_t port)
{
	return port ? str_fmt(q->a, "%u", port) : S("");
}

struct reply page_access(struct request *q)
{
	const struct web_conf *c = &q->web->conf;
	struct value cell[LENGTH(protocols)][4];
	struct values row[LENGTH(protocols)];
	size_t n = 0;

	for (size_t i = 0; i < LENGTH(protocols); i++) {
		uint16_t tls = c->port[protocols[i].tls], start = c->port[protocols[i].starttls];
		if (!tls && !start)
			continue;
		cell[n][0] = (struct value){ "protocol", str_of(protocols[i].name) };
		cell[n][1] = (struct value){ "send", i == 2 ? S("1") : S("") };
		cell[n][2] = (struct value){ "tls", number(q, tls) };
		cell[n][3] = (struct value){ "starttls", number(q, start) };
		row[n] = VALUES(cell[n]);
		n++;
	}
	const struct value v[] = { { "rows", S(""), row, n } };
	return page(q, 200, "access.html", "[[Zugangsdaten||Access data]]", v);
}

struct reply page_transport(struct request *q)
{
	const struct web_conf *c = &q->web->conf;
	struct signer_facts f = signer_facts(q->web->signer, q->a);
	struct sentence until = text_until(q->a, f.until);
	const struct value v[] = {
		{ "enforced", str_is(c->sts_mode, "enforce") ? S("1") : S("") },
		{ "testing", str_is(c->sts_mode, "testing") ? S("1") : S("") },
		{ "key", f.key },
		{ "fingerprint", f.fingerprint },
		{ "until", q->lang == LANG_DE ? until.de : until.en },
		{ "selfsigned", f.self_signed ? S("1") : S("") },
	};

	return page(q, 200, "transport.html", "[[Sicherheit||Security]]", v);
}

/* --- files --- */

static struct reply file(const char *type, const char *name, const char *cache)
{
	return (struct reply){ 200, type, page_file(name), cache };
}

/* Its name changes with its content. */
struct reply page_style(struct request *q)
{
	if (!str_eq(q->path, str_fmt(q->a, "/style-%s.css", q->web->style)))
		return page_missing(q);
	return file("text/css; charset=utf-8", "style.css", "public, max-age=31536000, immutable");
}

struct reply page_icon(struct request *q)
{
	(void)q;
	return file("image/svg+xml", "icon.svg", "public, max-age=86400");
}
