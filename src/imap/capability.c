/* SPDX-License-Identifier: ISC */
/* imap/capability.c - commands of any state, and those that only tell: RFC 3501 6.1 and more. */
#include "imap/imap_priv.h"

/* One for each extension that is whole; told from the greeting on, as many clients ask once. */
#define EXTENSIONS                                       \
	"LITERAL+ "                       /* RFC 7888 */ \
	"SASL-IR "                        /* RFC 4959 */ \
	"IDLE "                           /* RFC 2177 */ \
	"UIDPLUS "                        /* RFC 4315 */ \
	"MOVE "                           /* RFC 6851 */ \
	"UNSELECT "                       /* RFC 3691 */ \
	"NAMESPACE "                      /* RFC 2342 */ \
	"ID "                             /* RFC 2971 */ \
	"ENABLE "                         /* RFC 5161 */ \
	"CHILDREN LIST-EXTENDED "         /* RFC 5258 */ \
	"SPECIAL-USE CREATE-SPECIAL-USE " /* RFC 6154 */

struct str imap_capabilities(struct imap *s)
{
	bool tls = io_tls(s->io).on;
	const char *entry = s->state != GUEST ? ""
			    : tls             ? " AUTH=PLAIN AUTH=LOGIN"
			    : s->srv->tls     ? " STARTTLS LOGINDISABLED"
					      : " LOGINDISABLED";

	return str_fmt(s->cmd, "IMAP4rev1 %sAPPENDLIMIT=%llu%s", EXTENSIONS, /* RFC 7889 */
		       (unsigned long long)s->srv->conf->message_max, entry);
}

struct done imap_cmd_capability(struct imap *s, struct scan *in)
{
	if (!scan_end(in))
		return done_bad("usage: CAPABILITY");
	struct str caps = imap_capabilities(s);

	io_fmt(s->io, "* CAPABILITY %.*s\r\n", FMT(caps));
	return done_ok("CAPABILITY done");
}

struct done imap_cmd_noop(struct imap *s, struct scan *in)
{
	(void)s;
	return scan_end(in) ? done_ok("NOOP done") : done_bad("usage: NOOP");
}

struct done imap_cmd_logout(struct imap *s, struct scan *in)
{
	if (!scan_end(in))
		return done_bad("usage: LOGOUT");
	imap_deselect(s);
	io_put(s->io, S("* BYE logging out\r\n"));
	s->ended = true;
	return done_ok("LOGOUT done");
}

/* ID NIL / ID (field value ...)                                          RFC 2971 3.1, 3.3 */
struct done imap_cmd_id(struct imap *s, struct scan *in)
{
	struct str name = S_NONE, version = S_NONE;
	unsigned pairs = 0;

	if (!scan_opt(in, "NIL")) {
		scan_lit(in, "(");
		while (!in->bad && !scan_opt(in, ")")) {
			if (pairs++)
				scan_lit(in, " ");
			struct str field = imap_string(in, s->cmd);

			scan_lit(in, " ");
			struct str value = imap_nstring(in, s->cmd);

			if (field.n > 30 || value.n > 1024 || pairs > 30)
				scan_fail(in);
			if (str_iis(field, "name"))
				name = value;
			else if (str_iis(field, "version"))
				version = value;
		}
	}
	if (!scan_end(in))
		return done_bad("usage: ID NIL, or ID (\"field\" \"value\" ...)");
	/* Only of users who logged in, or anyone could fill the log: RFC 2971 7 */
	if (s->state != GUEST && name.n)
		log_event(LOG_INFO, "client", KV("name", name), KV("version", version));
	io_put(s->io, S("* ID (\"name\" \"tecsmail\" \"version\" \"" TECSMAIL_VERSION "\")\r\n"));
	return done_ok("ID done");
}

/* One personal namespace with all in it: RFC 2342 5 */
struct done imap_cmd_namespace(struct imap *s, struct scan *in)
{
	if (!scan_end(in))
		return done_bad("usage: NAMESPACE");
	io_put(s->io, S("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n"));
	return done_ok("NAMESPACE done");
}

/* None of our extensions needs to be enabled: what is not known is left out. RFC 5161 3.1 */
struct done imap_cmd_enable(struct imap *s, struct scan *in)
{
	do
		imap_atom(in);
	while (scan_opt(in, " "));
	if (!scan_end(in))
		return done_bad("usage: ENABLE capability ...");
	io_put(s->io, S("* ENABLED\r\n"));
	return done_ok("ENABLE done");
}
