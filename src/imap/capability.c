/* SPDX-License-Identifier: ISC */
/* imap/capability.c - commands of any state, and those that only tell: RFC 3501 6.1 and more. */
#include "imap/imap_priv.h"

/* One for each extension that is whole; told from the greeting on, as many clients ask once. */
#define EXTENSIONS                                                          \
	"LITERAL+ "                                /* RFC 7888 */           \
	"SASL-IR "                                 /* RFC 4959 */           \
	"IDLE "                                    /* RFC 2177 */           \
	"UIDPLUS "                                 /* RFC 4315 */           \
	"MOVE "                                    /* RFC 6851 */           \
	"UNSELECT "                                /* RFC 3691 */           \
	"NAMESPACE "                               /* RFC 2342 */           \
	"ID "                                      /* RFC 2971 */           \
	"ENABLE "                                  /* RFC 5161 */           \
	"CHILDREN LIST-EXTENDED "                  /* RFC 5258 */           \
	"SPECIAL-USE CREATE-SPECIAL-USE "          /* RFC 6154 */           \
	"BINARY "                                  /* RFC 3516 */           \
	"ESEARCH "                                 /* RFC 4731 */           \
	"SORT SORT=DISPLAY "                       /* RFC 5256, RFC 5957 */ \
	"THREAD=ORDEREDSUBJECT THREAD=REFERENCES " /* RFC 5256 */           \
	"LIST-STATUS "                             /* RFC 5819 */           \
	"STATUS=SIZE "                             /* RFC 8438 */           \
	"QUOTA QUOTA=RES-STORAGE "                 /* RFC 9208, RFC 2087 */

struct str imap_capabilities(struct imap *s)
{
	const char *entry = s->state != GUEST ? ""
			    : imap_private(s) ? " AUTH=PLAIN AUTH=LOGIN"
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

/* What a client says of itself; the rest of it is read and forgotten. */
struct ident {
	struct str name, version;
	struct str ip; /* the browser's address, told by the webmail */
	unsigned ips;  /* how often */
};

/* "NIL" / "(" [string SP nstring *(SP string SP nstring)] ")"           RFC 2971 3.3, 4 */
static struct ident ident(struct scan *in, struct arena *a)
{
	struct ident out = { 0 };
	unsigned pairs = 0;

	if (scan_opt(in, "NIL"))
		return out;
	scan_lit(in, "(");
	while (!in->bad && !scan_opt(in, ")")) {
		if (pairs++)
			scan_lit(in, " ");
		struct str field = imap_string(in, a);

		scan_lit(in, " ");
		struct str value = imap_nstring(in, a);

		if (field.n > 30 || value.n > 1024 || pairs > 30)
			scan_fail(in);
		if (str_iis(field, "name"))
			out.name = value;
		else if (str_iis(field, "version"))
			out.version = value;
		else if (str_iis(field, "x-originating-ip") && out.ips++ == 0)
			out.ip = value;
	}
	return out;
}

static void add_text(struct imap *s, struct str text)
{
	for (size_t i = 0; i < text.n && s->program_n < sizeof s->program; i++)
		s->program[s->program_n++] = text.p[i] >= ' ' && text.p[i] <= '~' ? text.p[i] : '?';
}

/* Kept for the account's owner, who reads it among his last logins: the first word counts. */
static void name_program(struct imap *s, const struct ident *i)
{
	if (s->program_n || !i->name.n)
		return;
	add_text(s, i->name);
	if (i->version.n)
		add_text(s, S(" "));
	add_text(s, i->version);
	if (s->state == GUEST)
		return;
	struct login_try t = { .ip = io_peer(s->io).ip,
			       .proto = "imap",
			       .program = STR(s->program, s->program_n) };
	keeper_program(s->srv->keeper, s->who.account, &t); /* suspends */
}

/* ID NIL / ID (field value ...)                                          RFC 2971 3.1, 3.3 */
struct done imap_cmd_id(struct imap *s, struct scan *in)
{
	struct ident i = ident(in, s->cmd);

	if (!scan_end(in))
		return done_bad("usage: ID NIL, or ID (\"field\" \"value\" ...)");
	/* Once, before the login, and nobody but the webmail is believed: RFC 2971 7 */
	if (s->srv->internal && s->state == GUEST && i.ips) {
		if (s->spoken_for || i.ips > 1)
			return done_bad("the browser's address is told already");
		if (!keeper_speaks_for(s->io, i.ip))
			return done_bad("x-originating-ip is no address");
		s->spoken_for = true;
	}
	/* Only of users who logged in, or anyone could fill the log: RFC 2971 7 */
	if (s->state != GUEST && i.name.n)
		log_event(LOG_INFO, "client", KV("name", i.name), KV("version", i.version));
	name_program(s, &i);
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
