/* SPDX-License-Identifier: ISC */
/* web/server.c - one connection: the request is read whole, then answered. */
#include "fiber/io.h"
#include "web/web_priv.h"

enum { READ_MS = 30000, WRITE_MS = 60000, DIGITS_MAX = 6, SKIP_MAX = 1 << 20 };

/* "LENGTH:" of the head; false: not SCGI. */
static enum err read_length(struct io *io, struct arena *a, size_t *out)
{
	*out = 0;
	for (unsigned i = 0; i <= DIGITS_MAX; i++) {
		struct str c;
		enum err e = io_take(io, a, 1, &c);
		if (e)
			return e;
		if (c.p[0] == ':')
			return i && *out <= SCGI_HEAD_MAX ? OK : E_SYNTAX;
		if (!ascii_digit(c.p[0]))
			return E_SYNTAX;
		*out = *out * 10 + (size_t)(c.p[0] - '0');
	}
	return E_SYNTAX;
}

/* E_SYNTAX: not SCGI. E_LIMIT: the body is too long; its head is there all the same. */
static enum err read_request(struct request *q, struct io *io)
{
	struct str head, comma;
	size_t n;

	enum err e = read_length(io, q->a, &n);
	if (!e)
		e = io_take(io, q->a, n, &head);
	if (!e)
		e = io_take(io, q->a, 1, &comma);
	if (e)
		return e;
	if (comma.p[0] != ',' || !scgi_parse(head, &q->head))
		return E_SYNTAX;
	/* The front end hears an answer only behind what it sends. */
	if (q->head.length > BODY_MAX && q->head.length <= SKIP_MAX)
		e = io_skip(io, q->head.length);
	if (q->head.length > BODY_MAX)
		return e ? e : E_LIMIT;
	return io_take(io, q->a, (size_t)q->head.length, &q->body);
}

/* --- the answer --- */

static const char *phrase(unsigned status)
{
	switch (status) {
	case 200: return "OK";
	case 303: return "See Other";
	case 400: return "Bad Request";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 413: return "Content Too Large";
	case 415: return "Unsupported Media Type";
	case 422: return "Unprocessable Content";
	case 429: return "Too Many Requests";
	case 503: return "Service Unavailable";
	default: return "Internal Server Error";
	}
}

static void write_reply(struct request *q, struct io *io, const struct reply *r)
{
	io_fmt(io, "Status: %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n", r->status,
	       phrase(r->status), r->type, r->body.n);
	io_fmt(io, "Cache-Control: %s\r\n", r->cache ? r->cache : "no-store");
	if (r->disposition)
		io_fmt(io, "Content-Disposition: %s\r\n", r->disposition);
	io_put(io, S("Content-Security-Policy: default-src 'none'; style-src 'self'; "
		     "img-src 'self'; form-action 'self'; base-uri 'none'; "
		     "frame-ancestors 'none'\r\n"
		     "X-Content-Type-Options: nosniff\r\n"
		     "X-Frame-Options: DENY\r\n"
		     "Referrer-Policy: no-referrer\r\n"
		     "Cross-Origin-Opener-Policy: same-origin\r\n"
		     "Cross-Origin-Resource-Policy: same-origin\r\n"
		     "Permissions-Policy: camera=(), geolocation=(), microphone=()\r\n"));
	if (q->side == WEB_PUBLIC && !r->cache)
		io_fmt(io, "Vary: Accept-Language, Cookie\r\n");
	io_put(io, q->cookies);
	io_put(io, S("\r\n"));
	if (!str_is(q->head.method, "HEAD"))
		io_put(io, r->body);
	io_deadline(io, clock_in(WRITE_MS));
	if (io_flush(io))
		log_event(LOG_DEBUG, "web.unread", KV("path", q->path));
}

/* --- between them --- */

/* The language that was chosen last, else the browser's. */
static void choose_language(struct request *q)
{
	struct str chosen = form_get(&q->query, "lang");
	bool fresh = str_is(chosen, "de") || str_is(chosen, "en");
	struct str kept = fresh ? chosen : cookie_get(q->head.cookie, S("lang"));

	q->lang = str_is(kept, "de")   ? LANG_DE
		  : str_is(kept, "en") ? LANG_EN
				       : lang_accept(q->head.languages);
	if (fresh)
		q->cookies = str_fmt(q->a,
				     "Set-Cookie: lang=%.*s; Path=/; Max-Age=31536000; Secure; "
				     "HttpOnly; SameSite=Lax\r\n",
				     FMT(chosen));
}

static bool is_form(const struct request *q)
{
	struct str type = q->head.type;

	return str_iis(str_trim(str_part(type, 0, str_find(type, ';'))),
		       "application/x-www-form-urlencoded");
}

static struct reply too_fast(struct request *q)
{
	log_event(LOG_INFO, "web.rate", KV("path", q->path));
	return page_sentence(q, 429,
			     "Zu viele Anfragen von Ihrer Adresse: bitte warten Sie eine Minute.",
			     "Too many requests from your address: please wait a minute.");
}

static struct reply run(struct request *q, enum err read)
{
	struct str query;
	bool other_method, form_ok = true;

	if (!uri_split(q->head.uri, &q->path, &query) || !form_parse(q->a, query, &q->query))
		return page_sentence(q, 400, "Diese Anfrage ist nicht zu verstehen.",
				     "This request cannot be understood.");
	choose_language(q);
	const struct row *row = row_find(q, &other_method);
	unsigned cost = row && row->flags & FORM ? RATE_WRITE : RATE_READ;
	if (q->side == WEB_PUBLIC && !rate_spend(&q->web->rates, q->head.address, cost, clock_ms()))
		return too_fast(q);
	if (!row && other_method)
		return page_sentence(q, 405, "So lässt sich diese Seite nicht aufrufen.",
				     "This page cannot be asked for in this way.");
	if (!row)
		return page_missing(q);
	if (read == E_LIMIT)
		return page_sentence(q, 413, "Das ist zu lang.", "This is too long.");
	if (row->flags & FORM)
		form_ok = is_form(q) && form_parse(q->a, q->body, &q->form);
	if (!form_ok)
		return page_bad_form(q);
	return row->run(q);
}

void web_serve(struct web *w, enum web_side side, struct io *io)
{
	struct request q = { .web = w, .side = side, .a = arena_new(REQUEST_MEMORY) };
	struct net address;

	io_deadline(io, clock_in(READ_MS));
	enum err e = read_request(&q, io);
	/* The public are those whose address the front end tells. */
	if (side == WEB_PUBLIC && (!e || e == E_LIMIT) && !net_address(q.head.address, &address))
		e = E_SYNTAX;
	if (!e || e == E_LIMIT) {
		if (log_current)
			log_current->ip = q.head.address;
		struct reply r = run(&q, e);
		write_reply(&q, io, &r);
		log_event(LOG_DEBUG, "web", KV("method", q.head.method), KV("path", q.path),
			  KVN("status", r.status));
	} else if (e == E_SYNTAX) {
		log_event(LOG_WARN, "web.syntax", KVC("reason", "no request in SCGI"));
	}
	if (log_current)
		log_current->ip = S_NONE;
	arena_free(&q.a);
}
