/* SPDX-License-Identifier: ISC */
/* keeper/address.c - addresses in the form of the directory. */
#include <uninorm.h>

#include "base/encode.h"
#include "keeper/address.h"

static bool has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] < ' ' || s.p[i] == 127)
			return true;
	return false;
}

/* RFC 6532 3.1 asks for NFC, so that an umlaut is one character however it was typed. */
static struct str nfc(struct arena *a, struct str s)
{
	size_t n = 0;

	if (str_ascii(s))
		return str_dup(a, s);
	uint8_t *made = u8_normalize(UNINORM_NFC, (const uint8_t *)s.p, s.n, NULL, &n);
	if (!made) /* not UTF-8: only off a damaged record */
		return str_dup(a, s);
	s = str_dup(a, STR((const char *)made, n));
	free(made);
	return s;
}

/* Again NFC behind it: the small letter may have a composed form where the capital has none. */
struct str name_fold(struct arena *a, struct str written)
{
	return nfc(a, str_lower(a, written));
}

static enum err local_part(struct arena *a, struct str local, struct name *out)
{
	if (local.n == 0 || local.n > PATH_LOCAL_MAX || has_control(local) || !utf8_ok(local))
		return E_SYNTAX;
	out->written = nfc(a, local);
	out->local = name_fold(a, out->written);
	return OK;
}

enum err name_domain(struct arena *a, struct str domain, struct str *out)
{
	if (domain.n == 0 || domain.n > PATH_DOMAIN_MAX || *domain.p == '[')
		return E_SYNTAX;
	enum err e = domain_ascii(a, domain, out);
	if (e)
		return e;
	return str_has(*out, '/') || str_has(*out, '@') || has_control(*out) ? E_SYNTAX : OK;
}

enum err name_of(struct arena *a, struct path p, struct name *out)
{
	enum err e = local_part(a, p.local, out);
	if (!e)
		e = name_domain(a, p.domain, &out->domain);
	if (e)
		return e;
	return out->local.n + 1 + out->domain.n > NAME_MAX_OCTETS ? E_SYNTAX : OK;
}

enum err name_parse(struct arena *a, struct str text, bool catch_all, struct name *out)
{
	struct path p;

	if (text.n > PATH_MAX_OCTETS)
		return E_SYNTAX;
	enum err e = path_parse(a, text, &p);
	if (!e)
		e = name_of(a, p, out);
	if (!e && name_is_catch_all(*out) && !catch_all)
		return E_SYNTAX;
	return e;
}

struct str name_text(struct arena *a, struct name n)
{
	return path_text(a, (struct path){ .local = n.local, .domain = n.domain });
}

struct str name_written(struct arena *a, struct name n)
{
	if (n.written.n)
		n.local = n.written;
	return name_text(a, n);
}
