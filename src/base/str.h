/* SPDX-License-Identifier: ISC */
#ifndef BASE_STR_H
#define BASE_STR_H
/*
 * str.h - text and octets: a pointer and a length, passed by value. NUL means nothing.
 * A str owns nothing; whoever made the octets says how long they live. Include base/base.h.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct str {
	const char *p;
	size_t n;
};

#define S(lit)        ((struct str){ "" lit, sizeof(lit) - 1 })
#define STR(ptr, len) ((struct str){ (ptr), (len) })
#define S_NONE        ((struct str){ NULL, 0 })

/* For printf's "%.*s": cut at INT_MAX. Only inside str_fmt, buf_fmt and logs. */
#define FMT(s) (int)((s).n > 0x7fffffff ? 0x7fffffff : (s).n), (s).p ? (s).p : ""

struct str str_of(const char *cstring); /* borrowed; NULL gives S_NONE */
bool str_eq(struct str a, struct str b);
bool str_ieq(struct str a, struct str b);     /* ASCII case ignored */
bool str_is(struct str a, const char *word);  /* exact */
bool str_iis(struct str a, const char *word); /* ASCII case ignored */
int str_cmp(struct str a, struct str b);      /* unsigned octets, then length */
bool str_starts(struct str s, struct str head);
bool str_istarts(struct str s, struct str head);
bool str_ends(struct str s, struct str tail);
struct str str_from(struct str s, size_t off);           /* the rest from off; empty past the end */
struct str str_part(struct str s, size_t off, size_t n); /* clamped to s */
struct str str_trim(struct str s);                       /* SP, TAB, CR, LF off both ends */
size_t str_find(struct str s, char c);                   /* index, or s.n */
size_t str_rfind(struct str s, char c);                  /* index of the last c, or s.n */
size_t str_find_str(struct str s, struct str what);      /* index, or s.n */
bool str_has(struct str s, char c);
uint64_t str_hash(struct str s);  /* FNV-1a 64: for tables of ours, not against attackers */
uint64_t str_ihash(struct str s); /* the same for any ASCII case */

/* Copies into the arena. */
struct str str_dup(struct arena *a, struct str s);
struct str str_lower(struct arena *a, struct str s); /* ASCII */
char *str_c(struct arena *a, struct str s);          /* with a NUL behind, for system calls */
struct str str_fmt(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static inline bool ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}
static inline bool ascii_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}
static inline char ascii_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

#endif
