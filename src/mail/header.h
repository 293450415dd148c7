/* SPDX-License-Identifier: ISC */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H
/*
 * header.h - header fields and what is in them: RFC 5322 2.2, RFC 2045 5, RFC 2047, RFC 2231.
 * Never suspends.
 */
#include "base/base.h"

struct field {
	struct str name;  /* without the colon */
	struct str body;  /* as it stands, folds included, without the last CRLF */
	struct str whole; /* name to last CRLF */
};
/* The next field of a header section; false at its end (the empty line or the text's end).
 * A line that is no field is skipped (RFC 7103 7.1). LF alone ends lines too. */
bool field_next(struct str *rest, struct field *out);
/* The first field of this name; false if there is none. */
bool field_find(struct str header, const char *name, struct field *out);

struct str header_unfold(struct arena *a, struct str body); /* folds away, trimmed */
/* Encoded words decoded to UTF-8, unfolded; what cannot be decoded stays as it is. For SEARCH,
 * SORT and display. Charsets by iconv. */
struct str header_decode(struct arena *a, struct str body);
/* Message-IDs in "<...>" of a field body, in order, without the brackets; n is how many. */
struct str *header_msgids(struct arena *a, struct str body, size_t max, size_t *n);

struct param {
	struct str name;  /* lower case */
	struct str value; /* RFC 2231 continuations joined and decoded to UTF-8, unquoted */
	struct str raw;   /* as BODYSTRUCTURE tells it: joined and unquoted, not decoded */
	bool extended;    /* then its name there ends in "*", as raw is percent-encoded */
	struct param *next;
};
/* "type/subtype; params" or "disposition; params". Lower case; false where it makes no sense. */
struct content {
	struct str type, subtype;
	struct param *params;
};
bool content_type_parse(struct arena *a, struct str body, struct content *out);
bool content_disposition_parse(struct arena *a, struct str body, struct content *out);
/* The value; S_NONE if absent. Where one is extended, and the same is there without: that one. */
struct str param_get(const struct param *p, const char *name);

/* Text of a charset to UTF-8; what makes no sense becomes U+FFFD. E_NOTFOUND: charset. The
 * result may point into the text. */
MUST enum err text_to_utf8(struct arena *a, struct str charset, struct str in, size_t max,
			   struct str *out);
/* Content-Transfer-Encodings: lenient decoding, output at most max octets. RFC 2045 6.7, 6.8. */
struct str cte_decode(struct arena *a, struct str encoding, struct str in, size_t max);
/* How much of the beginning of a text can be decoded alone, so that pieces give what the whole
 * would: all but the last piece are cut so. At least one octet of a text that has any. */
size_t cte_whole(struct str encoding, struct str piece);

#endif
