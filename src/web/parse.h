/* SPDX-License-Identifier: ISC */
#ifndef WEB_PARSE_H
#define WEB_PARSE_H
/*
 * parse.h - what comes from a browser, taken apart: SCGI heads, forms, cookies, languages.
 *
 * Never suspends. Everything is bounded; what is not in the grammar is refused whole. Results
 * point into the text, but for what form_parse decodes into the arena.
 */
#include "base/base.h"

enum {
	SCGI_HEAD_MAX = 64 * 1024, /* octets */
	SCGI_VARIABLES_MAX = 128,
	BODY_MAX = 16 * 1024,
	FIELDS_MAX_FORM = 32,
	FIELD_MAX = 4096, /* octets of one value, decoded */
};

/* The variables that we look at; "" where the front end sends none. */
struct scgi {
	uint64_t length; /* CONTENT_LENGTH */
	struct str method, uri, type, address, host, cookie, languages, fetch_site, agent;
};
/* The content of the head's netstring: *(name NUL value NUL). CONTENT_LENGTH comes first, SCGI
 * is "1", no name stands there twice; but of the browser's (HTTP_*) the first one counts. */
bool scgi_parse(struct str head, struct scgi *out);

/* REQUEST_URI in its parts; the path as it was sent: our own ones have nothing to decode. False
 * for what is no absolute path, or has other octets than visible ASCII. */
bool uri_split(struct str uri, struct str *path, struct str *query);

struct field {
	struct str name, value;
};
struct fields {
	struct field field[FIELDS_MAX_FORM];
	size_t n;
};
/* application/x-www-form-urlencoded, UTF-8: a query or a body. False: malformed, a control in a
 * value, a name twice, too many. "" is no fields. */
bool form_parse(struct arena *a, struct str text, struct fields *out);
struct str form_get(const struct fields *f, const char *name); /* S_NONE: not there */
/* Has it all the names of the list, which ends with NULL, and no others? */
bool form_has_only(const struct fields *f, const char *const *names);

/* A cookie's value by its name, S_NONE: none. RFC 6265 4.2.1; of two of one name the first. */
struct str cookie_get(struct str header, struct str name);

enum lang { LANG_DE, LANG_EN };
/* The best of ours by Accept-Language, RFC 9110 12.5.4; German where neither is asked for but
 * nothing else either, else English. */
enum lang lang_accept(struct str header);

/* The address in an Autodiscover request, between <EMailAddress> and its end tag whatever the
 * prefix; S_NONE: none, or one with markup or controls in it. No XML parser: nothing else is of
 * interest. */
struct str xml_email(struct str body);

#endif
