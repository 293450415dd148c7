/* SPDX-License-Identifier: ISC */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H
/*
 * encode.h - octets as text: base64, hex, UTF-8, modified UTF-7.
 * Results are in the arena. Decoders say false for anything outside the grammar.
 */
#include "base/base.h"

/* Base64 with padding, RFC 4648 4 (as SASL wants it, RFC 4954 4). */
struct str base64_encode(struct arena *a, struct str in);
bool base64_decode(struct arena *a, struct str in, struct str *out);

struct str hex_encode(struct arena *a, struct str in); /* lower case */
bool hex_decode(struct arena *a, struct str in, struct str *out);

/* UTF-8: RFC 3629 4; surrogates, overlong forms and beyond U+10FFFF are wrong. */
bool utf8_ok(struct str s);
struct str utf8_part(struct str s, size_t max); /* at most so many octets; no character is cut */
/* One character of *s; 0 at the end, UINT32_MAX (and one octet eaten) where it is wrong. */
uint32_t utf8_next(struct str *s);
size_t utf8_put(char out[4], uint32_t c); /* the number of octets written */
/* Can what somebody else wrote have it and stay one line of text, for a terminal too? Not so:
 * controls, ends of lines, marks that turn the direction of writing, and what is no character. */
bool utf8_harmless(uint32_t c);
bool str_ascii(struct str s); /* no octet above 126, no NUL; CR LF TAB are fine */
/* For lines that carry ASCII alone: "ae" for U+00E4 and the like, "?" for what has no such
 * spelling, a space for a control character. */
struct str ascii_spell(struct arena *a, struct str utf8);

/*
 * Mailbox names on the wire: RFC 3501 5.1.3. Decoding takes only the one form that encoding gives;
 * encoding writes U+FFFD for what is not UTF-8.
 */
struct str utf7_encode(struct arena *a, struct str utf8);
bool utf7_decode(struct arena *a, struct str utf7, struct str *utf8);

#endif
