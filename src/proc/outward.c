/* SPDX-License-Identifier: ISC */
#include "proc/outward.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "fiber/io.h"
#include "keeper/guarantee.h"
#include "proc/dns_conf.h"
#include "proc/value.h"

enum { SUBMISSIONS = 465, LINES_MAX = 256 };

/* --- one item --- */

static bool is_pattern(struct str text)
{
	return str_is(text, "*") ||
	       value_is_host(str_starts(text, S("*.")) ? str_from(text, 2) : text);
}

static bool is_place(struct str text)
{
	struct dns_address address;

	return value_is_host(text) || dns_address_parse(text, &address);
}

bool value_is_own(struct str text)
{
	return is_place(text);
}

static bool least_of(struct str text, struct line_least *out)
{
	size_t colon = str_rfind(text, ':');
	enum guarantee g;

	out->pattern = str_part(text, 0, colon);
	if (!is_pattern(out->pattern) || !guarantee_of(str_from(text, colon + 1), &g))
		return false;
	out->guard = (enum queue_guard)g;
	return true;
}

bool value_is_least(struct str text)
{
	struct line_least least;

	return least_of(text, &least);
}

static bool relay_of(struct str text, struct line_relay *out)
{
	size_t colon = str_find(text, ':');

	*out = (struct line_relay){ .pattern = str_part(text, 0, colon) };
	if (!is_pattern(out->pattern) ||
	    !address_split(str_from(text, colon + 1), &out->host, &out->port))
		return false;
	out->at_once = out->port == SUBMISSIONS;
	return is_place(out->host);
}

bool value_is_smarthost(struct str text)
{
	struct line_relay relay;

	return relay_of(text, &relay);
}

/* --- passwords --- */

/* HOST[:PORT] USER PASSWORD, the password to the end of the line. */
static bool take_line(struct str line, struct line_conf *out, struct line_relay *relay)
{
	struct scan in = scan(line);
	struct str place = scan_word(&in), user = scan_word(&in), password = str_trim(in.rest);
	struct str host;
	uint16_t port = 0;

	if (!address_split(place, &host, &port))
		host = place;
	if (!is_place(host) || !user.n || !password.n)
		return false;
	for (size_t i = 0; i < out->nrelay; i++)
		if (str_ieq(relay[i].host, host) && (!port || port == relay[i].port)) {
			relay[i].user = user;
			relay[i].password = password;
		}
	return true;
}

static enum err take_passwords(const struct config *c, struct str text, struct arena *a,
			       struct line_conf *out, struct line_relay *relay, struct str *why)
{
	struct scan in = scan(text);

	for (unsigned n = 1; in.rest.n; n++) {
		struct str line = str_part(in.rest, 0, str_find(in.rest, '\n'));

		in.rest = str_from(in.rest, line.n + 1);
		line = str_trim(line);
		if (!line.n || line.p[0] == '#')
			continue;
		if (n <= LINES_MAX && take_line(line, out, relay))
			continue;
		*why = str_fmt(a, "%.*s:%u: not \"HOST USER PASSWORD\"", FMT(c->outbound.passwords),
			       n);
		return E_SYNTAX;
	}
	return OK;
}

/* --- all of it --- */

static void take_items(const struct config *c, struct line_least *least, struct line_relay *relay,
		       struct line_conf *out)
{
	for (size_t i = 0; i < c->outbound.require.n; i++)
		BUG_IF(!least_of(c->outbound.require.item[i], &least[i]));
	for (size_t i = 0; i < c->outbound.smarthosts.n; i++)
		BUG_IF(!relay_of(c->outbound.smarthosts.item[i], &relay[i]));
	out->least = least;
	out->nleast = c->outbound.require.n;
	out->relay = relay;
	out->nrelay = c->outbound.smarthosts.n;
}

/* The hostname, too: the name for EHLO may be another. */
static const struct str *own_names(const struct config *c, struct arena *a)
{
	struct str *own = ARENA_ARRAY(a, struct str, c->outbound.own.n + 1);

	for (size_t i = 0; i < c->outbound.own.n; i++)
		own[i] = c->outbound.own.item[i];
	own[c->outbound.own.n] = c->hostname;
	return own;
}

enum err outward_conf(const struct config *c, const struct outward_files *files, struct arena *a,
		      struct line_conf *out, struct str *why)
{
	struct line_least *least = ARENA_ARRAY(a, struct line_least, c->outbound.require.n);
	struct line_relay *relay = ARENA_ARRAY(a, struct line_relay, c->outbound.smarthosts.n);

	*out = (struct line_conf){ .name = c->outbound.name,
				   .own = own_names(c, a),
				   .nown = c->outbound.own.n + 1,
				   .dns = config_dns(c, a),
				   .port = (uint16_t)c->outbound.port,
				   .loopback = c->outbound.loopback,
				   .trust = files->authorities,
				   .connect_ms = c->outbound.connect_ms,
				   .times = client_times_default() };
	take_items(c, least, relay, out);
	return take_passwords(c, files->passwords, a, out, relay, why);
}

static enum err check_private(struct str path, struct arena *a, struct str *why)
{
	struct stat st;

	if (stat(str_c(a, path), &st) || !(st.st_mode & (S_IROTH | S_IWOTH)))
		return OK; /* what cannot be read is told by who reads it */
	*why = str_fmt(a, "%.*s: it has passwords, and everybody may read or write it (chmod o=)",
		       FMT(path));
	return E_DENIED;
}

static enum err check_authorities(struct str path, struct str pem, struct arena *a, struct str *why)
{
	struct tls *t = tls_client_new();
	enum err e = tls_client_trust(t, pem);

	tls_release(&t);
	if (e)
		*why = str_fmt(a, "%.*s: not certificates in PEM", FMT(path));
	return e;
}

enum err outward_read(const struct config *c, struct arena *a, struct outward_files *out,
		      struct str *why)
{
	struct str passwords = c->outbound.passwords, authorities = c->outbound.authorities;
	struct line_conf ignored;
	enum err e = OK;

	*out = (struct outward_files){ 0 };
	if (passwords.n)
		e = check_private(passwords, a, why);
	if (!e && passwords.n)
		e = file_read(passwords, OUTWARD_FILE_MAX, a, &out->passwords, why);
	if (!e && authorities.n)
		e = file_read(authorities, OUTWARD_FILE_MAX, a, &out->authorities, why);
	if (!e && authorities.n)
		e = check_authorities(authorities, out->authorities, a, why);
	return e ? e : outward_conf(c, out, a, &ignored, why);
}
