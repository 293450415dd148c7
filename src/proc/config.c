/* SPDX-License-Identifier: ISC */
/* proc/config.c - the table of keys, and reading a file by it. */
#include "proc/config.h"

#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proc/dns_conf.h"
#include "proc/outward.h"
#include "proc/value.h"

#define AT(field) offsetof(struct config, field)

static const struct key keys[] = {
	{ "", "hostname", VALUE_TEXT, AT(hostname), "localhost",
	  "The name of this server: in greetings and Received lines; it should be in the DNS.",
	  .fits = value_is_host, .want = "a host name like mail.example.org" },
	{ "", "state", VALUE_PATH, AT(state), "/var/lib/tecsmail",
	  "The folder of everything that is kept." },
	{ "", "store", VALUE_TEXT, AT(store), "",
	  "Engine and place of the mail; empty: lmdb in state.", .fits = value_is_store,
	  .want = "lmdb:FOLDER" },
	{ "", "control", VALUE_PATH, AT(control), "",
	  "The socket of the operator's commands; empty: run/control in state." },
	{ "", "user", VALUE_TEXT, AT(user), "",
	  "The system user whose rights the processes have when started as root; empty: "
	  "unchanged." },
	{ "", "log", VALUE_LEVEL, AT(log_level), "info", "debug, info, warn or error." },
	{ "", "postmaster", VALUE_TEXT, AT(postmaster), "",
	  "Who gets the mail for postmaster in each domain; empty: the domain's first user.",
	  .fits = value_is_address, .want = "an address (user@domain)" },
	{ "", "detail", VALUE_TEXT, AT(detail), "+", "Parts user and detail in user+detail@domain.",
	  .fits = value_is_detail, .want = "made of signs like + - _" },
	{ "", "quota", VALUE_SIZE, AT(quota), "0",
	  "Octets that a new user may keep; 0: no limit." },
	{ "", "quota_warning", VALUE_COUNT, AT(quota_warning), "90",
	  "Percent of the quota at which a user gets a mail that says so; 0: none.",
	  .most = "100" },
	{ "listen", "smtp", VALUE_LIST, AT(smtp), "*:25", "Mail from other servers." },
	{ "listen", "submission", VALUE_LIST, AT(submission), "*:587",
	  "Mail from users, STARTTLS." },
	{ "listen", "submissions", VALUE_LIST, AT(submissions), "*:465", "Mail from users, TLS." },
	{ "listen", "imap", VALUE_LIST, AT(imap), "*:143", "Mailboxes, STARTTLS." },
	{ "listen", "imaps", VALUE_LIST, AT(imaps), "*:993", "Mailboxes, TLS." },
	{ "listen", "pop3", VALUE_LIST, AT(pop3), "*:110", "The inbox by POP3, STARTTLS." },
	{ "listen", "pop3s", VALUE_LIST, AT(pop3s), "*:995", "The inbox by POP3, TLS." },
	{ "listen", "lmtp", VALUE_LIST, AT(lmtp), "", "A unix socket for programs of this machine.",
	  .fits = value_is_socket, .want = "the path of a socket" },
	{ "listen", "imap_internal", VALUE_LIST, AT(imap_internal), "",
	  "A unix socket for the webmail alone: mailboxes.", .fits = value_is_socket,
	  .want = "the path of a socket" },
	{ "listen", "submission_internal", VALUE_LIST, AT(submission_internal), "",
	  "A unix socket for the webmail alone: mail from users.", .fits = value_is_socket,
	  .want = "the path of a socket" },
	{ "listen", "web", VALUE_LIST, AT(web), "",
	  "Unix sockets for the web server: pages for everybody, by SCGI.", .fits = value_is_socket,
	  .want = "the path of a socket" },
	{ "listen", "web_internal", VALUE_LIST, AT(web_internal), "",
	  "Unix sockets for the webmail and for monitoring, by SCGI.", .fits = value_is_socket,
	  .want = "the path of a socket" },
	{ "tls", "certificate", VALUE_PATH, AT(certificate), "tls/cert.pem", "The chain, PEM." },
	{ "tls", "key", VALUE_PATH, AT(key), "tls/key.pem", "Its private key, PEM." },
	{ "acme", "directory", VALUE_TEXT, AT(acme.directory),
	  "https://acme-v02.api.letsencrypt.org/directory",
	  "The authority that signs the certificate, for tecsmail acme.", .fits = value_is_url,
	  .want = "like https://acme.example.org/directory" },
	{ "acme", "email", VALUE_TEXT, AT(acme.email), "",
	  "Where the authority can reach the operator; empty: nowhere.", .fits = value_is_address,
	  .want = "an address (user@domain)" },
	{ "acme", "names", VALUE_LIST, AT(acme.names), "",
	  "Names that the certificate is for beside those that the server needs.",
	  .fits = value_is_host, .want = "a host name like imap.example.org" },
	{ "acme", "challenges", VALUE_PATH, AT(acme.challenges), "/run/tecsmail-acme",
	  "The folder whose /.well-known/acme-challenge/ the web server shows." },
	{ "acme", "renew", VALUE_TIME, AT(acme.renew_ms), "30d",
	  "A certificate that lives no longer than this is renewed.", .least = "1h",
	  .most = "3660d" },
	{ "acme", "check", VALUE_YES, AT(acme.check), "yes",
	  "Names that do not lead to this machine are left out before the authority is asked." },
	{ "acme", "port", VALUE_COUNT, AT(acme.port), "80",
	  "The port that the check asks; authorities on the internet ask there.", .least = "1",
	  .most = "65535" },
	{ "dns", "anchor", VALUE_PATH, AT(dns.anchor), "/usr/share/dns/root.key",
	  "The keys of the root, with which all answers of the DNS are checked (DNSSEC)." },
	{ "dns", "forward", VALUE_LIST, AT(dns.forward), "",
	  "Resolvers to be asked instead of the servers of the zones; they must know DNSSEC.",
	  .fits = value_is_resolver, .want = "a numeric address with :PORT" },
	{ "dns", "stub", VALUE_LIST, AT(dns.stub), "",
	  "Zones that are asked of one server, as those of an inner network: ZONE=ADDRESS:PORT.",
	  .fits = value_is_stub, .want = "like intern.example.org=192.0.2.53:53" },
	{ "dns", "cache", VALUE_SIZE, AT(dns.cache), "16M",
	  "What each process that asks keeps of the answers, about.", .least = "1M", .most = "4G" },
	{ "workers", "mx", VALUE_COUNT, AT(workers_mx), "0",
	  "Processes for mail from other servers; 0: one for two cores." },
	{ "workers", "session", VALUE_COUNT, AT(workers_session), "0",
	  "Processes for users; 0: one a core." },
	{ "workers", "courier", VALUE_COUNT, AT(workers_courier), "1",
	  "Processes for mail to other servers; 0: none, and all of it waits.", .most = "64" },
	{ "password", "min_length", VALUE_COUNT, AT(password_min), "8",
	  "Characters of a new password; 8 is the least.", .most = "128" },
	{ "password", "require_classes", VALUE_COUNT, AT(password_classes), "0",
	  "Of lower case, upper case, digits and specials so many must be there; 0: advice only.",
	  .most = "4" },
	{ "password", "leaked", VALUE_PATH, AT(leaked), "",
	  "A sorted list of SHA-1 of leaked passwords, which are refused; empty: none." },
	{ "password", "rehash", VALUE_YES, AT(password_rehash), "yes",
	  "A hash that a user brought along becomes one of ours at his next login." },
	{ "lockout", "errors", VALUE_COUNT, AT(lockout.errors), "5",
	  "So many wrong passwords within the window close the server to an address.", .least = "1",
	  .most = "20" },
	{ "lockout", "window", VALUE_TIME, AT(lockout.window_ms), "20min",
	  "How long a wrong password counts.", .least = "1s", .most = "366d" },
	{ "lockout", "block", VALUE_TIME, AT(lockout.block_ms), "20min",
	  "How long the server is closed to the address then.", .least = "1s", .most = "366d" },
	{ "lockout", "blocks", VALUE_COUNT, AT(lockout.blocks), "3",
	  "So many blocks within the day ban the address from the whole machine.", .least = "1",
	  .most = "10" },
	{ "lockout", "day", VALUE_TIME, AT(lockout.day_ms), "24h", "How long a block counts.",
	  .least = "1s", .most = "366d" },
	{ "lockout", "ban", VALUE_TIME, AT(lockout.ban_ms), "24h", "How long a ban lasts.",
	  .least = "1s", .most = "366d" },
	{ "lockout", "prefix6", VALUE_COUNT, AT(lockout.prefix6), "64",
	  "Bits of an IPv6 address that are counted as one stranger.", .least = "16",
	  .most = "128" },
	{ "lockout", "count_repeats", VALUE_YES, AT(lockout.count_repeats), "yes",
	  "The same wrong password for the same user counts each time." },
	{ "lockout", "slow_after", VALUE_COUNT, AT(lockout.slow_after), "5",
	  "So many addresses refused for one user within the window: strangers wait; 0: never.",
	  .most = "24" },
	{ "lockout", "slow_max", VALUE_TIME, AT(lockout.slow_max_ms), "8s",
	  "Strangers wait no longer than this for an answer; 0s: not at all.", .most = "15s" },
	{ "lockout", "exempt", VALUE_LIST, AT(lockout.exempt), "",
	  "Networks that are never locked out, and have no limit of connections.",
	  .fits = value_is_network, .want = "ADDRESS or ADDRESS/BITS, like 192.0.2.0/24" },
	{ "lockout", "kernel", VALUE_YES, AT(lockout.kernel), "yes",
	  "The kernel drops what banned addresses send, on every port (nftables)." },
	{ "lockout", "deny_file", VALUE_PATH, AT(lockout.deny_file), "",
	  "Who is banned, as a list that nginx can include; empty: none is written." },
	{ "sending", "messages_per_day", VALUE_COUNT, AT(sending.messages), "1000",
	  "What one account may send within 24 hours; 0: no limit." },
	{ "sending", "recipients_per_day", VALUE_COUNT, AT(sending.recipients), "2000",
	  "Recipients of these messages together; 0: no limit." },
	{ "sending", "new_recipients_per_day", VALUE_COUNT, AT(sending.strangers), "300",
	  "Recipients to whom the account had never written; 0: no limit." },
	{ "sending", "hold", VALUE_TIME, AT(sending.hold_ms), "30d",
	  "So long may a program have a mail held back (FUTURERELEASE); 0s: not at all.",
	  .most = "365d" },
	{ "sending", "guarantee", VALUE_TEXT, AT(sending.guarantee), "none",
	  "The least that the way of each account's mail must offer: none, encrypted, "
	  "authenticated.",
	  .fits = value_is_guarantee, .want = "none, encrypted or authenticated" },
	{ "receiving", "guarantee", VALUE_TEXT, AT(receiving.guarantee), "any",
	  "On which lines other servers may bring mail: any, encrypted.",
	  .fits = value_is_receiving, .want = "any or encrypted" },
	{ "receiving", "notice", VALUE_TIME, AT(receiving.notice_ms), "24h",
	  "How long after the first one that his guarantee refused a user is told of all.",
	  .least = "1s", .most = "30d" },
	{ "outbound", "name", VALUE_TEXT, AT(outbound.name), "",
	  "How we call ourselves to other servers (EHLO); empty: the hostname.",
	  .fits = value_is_server, .want = "a host name like mail.example.org" },
	{ "outbound", "port", VALUE_COUNT, AT(outbound.port), "25",
	  "Where other servers are asked to take mail.", .least = "1", .most = "65535" },
	{ "outbound", "loopback", VALUE_YES, AT(outbound.loopback), "no",
	  "Addresses of the loopback are other servers, for tests; else they are this one." },
	{ "outbound", "own", VALUE_LIST, AT(outbound.own), "",
	  "Names and addresses of this machine besides hostname and interfaces: as behind NAT.",
	  .fits = value_is_own, .want = "a host name or an address" },
	{ "outbound", "require", VALUE_LIST, AT(outbound.require), "",
	  "The least for mail to a domain: DOMAIN:GUARANTEE; the first that fits counts.",
	  .fits = value_is_least, .want = "like *.example.org:encrypted" },
	{ "outbound", "smarthosts", VALUE_LIST, AT(outbound.smarthosts), "",
	  "Servers that take the mail for a domain instead of its own: DOMAIN:HOST:PORT.",
	  .fits = value_is_smarthost, .want = "like *:[relay.example.net]:587" },
	{ "outbound", "passwords", VALUE_PATH, AT(outbound.passwords), "",
	  "A file with the logins at smart hosts, a line each: HOST USER PASSWORD; empty: none." },
	{ "outbound", "authorities", VALUE_PATH, AT(outbound.authorities), "",
	  "Certificates (PEM) of authorities that mail servers may have besides the system's." },
	{ "outbound", "connect", VALUE_TIME, AT(outbound.connect_ms), "30s",
	  "How long one address may take to answer at all.", .least = "1s", .most = "5min" },
	{ "outbound", "connections", VALUE_COUNT, AT(outbound.connections), "400",
	  "To other servers at a time, each process; half of them for slow ones.", .least = "2",
	  .most = "20000" },
	{ "outbound", "per_destination", VALUE_COUNT, AT(outbound.per_destination), "20",
	  "The most of them for one domain; how many it really gets depends on its answers.",
	  .least = "1", .most = "1000" },
	{ "outbound", "idle", VALUE_TIME, AT(outbound.idle_ms), "10s",
	  "How long a connection is kept for more mail; 0s: not at all.", .most = "5min" },
	{ "outbound", "retry_first", VALUE_TIME, AT(outbound.retry_first_ms), "1min",
	  "From the first try to the second; then it doubles.", .least = "1s", .most = "1d" },
	{ "outbound", "retry_longest", VALUE_TIME, AT(outbound.retry_longest_ms), "4h",
	  "No two tries are further apart.", .least = "1s", .most = "7d" },
	{ "outbound", "lifetime", VALUE_TIME, AT(outbound.lifetime_ms), "5d",
	  "How long it is tried; then the mail comes back to its sender.", .least = "1s",
	  .most = "30d" },
	{ "outbound", "delay_notice", VALUE_TIME, AT(outbound.delay_notice_ms), "4h",
	  "After this the sender is told that his mail is late.", .least = "1s", .most = "30d" },
	{ "limits", "connections", VALUE_COUNT, AT(connections), "10000",
	  "At a time, each process.", .least = "1" },
	{ "limits", "per_address", VALUE_COUNT, AT(per_address), "100",
	  "Connections of one address at a time, each process; 0: any number." },
	{ "limits", "message_size", VALUE_SIZE, AT(message_size), "50M", "Octets of one message.",
	  .least = "64K" },
	{ "limits", "recipients", VALUE_COUNT, AT(recipients), "1000", "Of one message.",
	  .least = "1" },
	{ "limits", "hops", VALUE_COUNT, AT(hops), "100", "Received lines: more is a loop.",
	  .least = "1" },
	{ "limits", "idle", VALUE_TIME, AT(idle_ms), "31min", "A silent IMAP client is cut off.",
	  .least = "1s" },
	{ "web", "name", VALUE_TEXT, AT(web_name), "",
	  "The provider's name on the pages; empty: the hostname.", .fits = value_is_line,
	  .want = "one line of UTF-8" },
	{ "web", "server", VALUE_TEXT, AT(web_server), "",
	  "The host that users' programs shall connect to; empty: the hostname.",
	  .fits = value_is_server, .want = "a host name like imap.example.org" },
	{ "web", "url", VALUE_TEXT, AT(web_url), "",
	  "Where users reach the pages; empty: https:// and the hostname.", .fits = value_is_url,
	  .want = "like https://mail.example.org" },
	{ "web", "webmail", VALUE_TEXT, AT(web_webmail), "/webmail/",
	  "Where the webmail is: a path there, or a URL.", .fits = value_is_place,
	  .want = "a path or a URL" },
	{ "web", "published", VALUE_LIST, AT(web_published), "",
	  "Ports that users are told where they are not those of listen: SERVICE:PORT.",
	  .fits = value_is_published, .want = "like imaps:993" },
	{ "web", "location_de", VALUE_TEXT, AT(web_location_de), "",
	  "Where the servers stand, a sentence in German; empty: nothing is said.",
	  .fits = value_is_line, .want = "one line of UTF-8" },
	{ "web", "location_en", VALUE_TEXT, AT(web_location_en), "", "The same in English.",
	  .fits = value_is_line, .want = "one line of UTF-8" },
	{ "web", "group", VALUE_TEXT, AT(web_group), "",
	  "The system group that may open the sockets of listen.web; empty: our own user alone." },
	{ "web", "internal_group", VALUE_TEXT, AT(internal_group), "",
	  "The system group that may open the internal sockets; empty: our own user alone." },
	{ "mta_sts", "mode", VALUE_TEXT, AT(sts_mode), "testing",
	  "The policy that other servers are shown: enforce, testing, none; off: no policy.",
	  .fits = value_is_sts_mode, .want = "enforce, testing, none or off" },
	{ "mta_sts", "max_age", VALUE_TIME, AT(sts_max_age_ms), "7d",
	  "How long they may remember it.", .least = "1d", .most = "365d" },
	{ "tlsrpt", "send", VALUE_YES, AT(tlsrpt.send), "yes",
	  "Other domains that want to know it hear each day how TLS with their servers went." },
	{ "tlsrpt", "contact", VALUE_TEXT, AT(tlsrpt.contact), "",
	  "Whom they can ask, and whose domain signs; empty: postmaster of the hostname's domain.",
	  .fits = value_is_address, .want = "an address (user@domain)" },
	{ "https", "authorities", VALUE_PATH, AT(https.authorities), "",
	  "Certificates (PEM) of authorities that web servers of others may have besides the "
	  "system's." },
	{ "https", "port", VALUE_COUNT, AT(https.port), "443",
	  "The port of their web servers; on the internet it is this one.", .least = "1",
	  .most = "65535" },
};

static const struct key *key_find(struct str section, struct str name)
{
	for (size_t i = 0; i < LENGTH(keys); i++)
		if (str_is(section, keys[i].section) && str_is(name, keys[i].name))
			return &keys[i];
	return NULL;
}

struct str config_key(size_t n, struct arena *a)
{
	if (n >= LENGTH(keys))
		return S_NONE;
	return str_fmt(a, "%s%s%s", keys[n].section, *keys[n].section ? "." : "", keys[n].name);
}

/* libconfuse's callbacks have no argument of ours: this is what the parse under way tells. */
static struct parsing {
	struct arena *a;
	struct str path;
	struct str why;
} * parsing;

static void complain(cfg_t *cfg, const char *fmt, va_list args)
{
	char text[512];

	if (parsing->why.n) /* the first fault is the one to mend first */
		return;
	vsnprintf(text, sizeof text, fmt, args);
	parsing->why =
		str_fmt(parsing->a, "%.*s:%d: %s", FMT(parsing->path), cfg ? cfg->line : 0, text);
}

static struct str section_name(cfg_t *cfg)
{
	return str_is(str_of(cfg_name(cfg)), "root") ? S("") : str_of(cfg_name(cfg));
}

/* Called by the parser as soon as it has a value, while it knows the line. */
static int validate(cfg_t *cfg, cfg_opt_t *opt)
{
	const struct key *k = key_find(section_name(cfg), str_of(cfg_opt_name(opt)));
	unsigned n = cfg_opt_size(opt);
	struct config scratch;
	struct str why;

	BUG_IF(!k);
	if (k->type == VALUE_LIST) {
		if (n && !list_item_ok(k, str_of(cfg_opt_getnstr(opt, n - 1)), parsing->a, &why)) {
			cfg_error(cfg, "%.*s", FMT(why));
			return -1;
		}
		return 0;
	}
	if (!value_set(k, str_of(cfg_opt_getnstr(opt, 0)), parsing->path, parsing->a, &scratch,
		       &why)) {
		cfg_error(cfg, "%.*s", FMT(why));
		return -1;
	}
	return 0;
}

/* The table as libconfuse wants it: sections as options that hold options. */
static cfg_opt_t *options(struct arena *a, const char *section, bool top)
{
	cfg_opt_t *opts = ARENA_ARRAY(a, cfg_opt_t, 2 * LENGTH(keys) + 1);
	const char *last = "";
	size_t n = 0;

	for (size_t i = 0; i < LENGTH(keys); i++) {
		const struct key *k = &keys[i];
		if (str_is(str_of(k->section), section)) {
			if (k->type == VALUE_LIST)
				opts[n++] = (cfg_opt_t)CFG_STR_LIST(k->name, NULL, CFGF_NODEFAULT);
			else
				opts[n++] = (cfg_opt_t)CFG_STR(k->name, NULL, CFGF_NODEFAULT);
		} else if (top && !str_is(str_of(k->section), last)) {
			last = k->section;
			opts[n++] = (cfg_opt_t)CFG_SEC(k->section, options(a, k->section, false),
						       CFGF_NODEFAULT);
		}
	}
	opts[n] = (cfg_opt_t)CFG_END();
	return opts;
}

static void take_list(const struct key *k, cfg_opt_t *opt, struct arena *a, struct config *out)
{
	struct addresses *list = (struct addresses *)(void *)((char *)out + k->offset);
	size_t n = opt ? cfg_opt_size(opt) : *k->fallback ? 1 : 0;
	struct str *item = ARENA_ARRAY(a, struct str, n);

	for (size_t i = 0; i < n; i++)
		item[i] = str_dup(a, str_of(opt ? cfg_opt_getnstr(opt, (unsigned)i) : k->fallback));
	*list = (struct addresses){ item, n };
}

/* What the file says, or the default; both have passed the same checks. */
static void take(cfg_t *cfg, const struct key *k, struct str path, struct arena *a,
		 struct config *out)
{
	cfg_t *in = *k->section ? cfg_getsec(cfg, k->section) : cfg;
	cfg_opt_t *opt = in ? cfg_getopt(in, k->name) : NULL;
	struct str why;

	if (opt && !(opt->flags & CFGF_MODIFIED))
		opt = NULL;
	if (k->type == VALUE_LIST) {
		take_list(k, opt, a, out);
		return;
	}
	struct str text = str_of(opt ? cfg_opt_getnstr(opt, 0) : k->fallback);
	BUG_IF(!value_set(k, str_dup(a, text), path, a, out, &why));
}

static void derive(struct arena *a, struct config *c)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = cores < 1 ? 1 : cores > 64 ? 64 : (unsigned)cores;

	if (!c->workers_mx)
		c->workers_mx = (n + 1) / 2;
	if (!c->workers_session)
		c->workers_session = n;
	if (!c->outbound.name.n)
		c->outbound.name = c->hostname;
	if (!c->store.n)
		c->store = str_fmt(a, "lmdb:%.*s/store", FMT(c->state));
	if (!c->control.n)
		c->control = str_fmt(a, "%.*s/run/control", FMT(c->state));
}

static void set_validators(cfg_t *cfg, struct arena *a)
{
	for (size_t i = 0; i < LENGTH(keys); i++) {
		const char *section = keys[i].section;
		struct str name = *section ? str_fmt(a, "%s|%s", section, keys[i].name)
					   : str_of(keys[i].name);
		cfg_set_validate_func(cfg, str_c(a, name), validate);
	}
}

/* The parse of a text; what is wrong with it is in now->why. The caller frees the result. */
static cfg_t *read_text(struct parsing *now, struct str text, bool *good)
{
	cfg_t *cfg = cfg_init(options(now->a, "", true), CFGF_NONE);

	parsing = now;
	cfg_set_error_function(cfg, complain);
	set_validators(cfg, now->a);
	*good = cfg_parse_buf(cfg, str_c(now->a, text)) == CFG_SUCCESS;
	return cfg;
}

/* libconfuse takes the end of the file for the end of a section: where one more brace is no
 * fault, one was missing. */
static bool is_open(struct str path, struct str text, struct arena *a)
{
	struct parsing now = { a, path, S_NONE };
	bool good;
	cfg_t *cfg = read_text(&now, str_fmt(a, "%.*s\n}", FMT(text)), &good);

	cfg_free(cfg);
	return good;
}

enum err config_parse(struct str path, struct str text, struct arena *a, struct config *out,
		      struct str *why)
{
	struct parsing now = { a, path, S_NONE };
	bool good;

	if (text.n > CONFIG_MAX || memchr(text.p ? text.p : "", 0, text.n)) {
		*why = str_fmt(a, "%.*s: not a configuration: too long, or not text", FMT(path));
		return E_SYNTAX;
	}
	*out = (struct config){ 0 };
	cfg_t *cfg = read_text(&now, text, &good);
	if (!good)
		*why = now.why.n ? now.why : str_fmt(a, "%.*s: not understood", FMT(path));
	if (good && is_open(path, text, a)) {
		good = false;
		*why = str_fmt(a, "%.*s:%d: a section is not closed", FMT(path), cfg->line);
	}
	parsing = &now; /* cfg_getsec complains of sections that are not there */
	for (size_t i = 0; good && i < LENGTH(keys); i++)
		take(cfg, &keys[i], path, a, out);
	cfg_free(cfg);
	parsing = NULL;
	if (good)
		derive(a, out);
	return good ? OK : E_SYNTAX;
}

enum err file_read(struct str path, size_t max, struct arena *a, struct str *out, struct str *why)
{
	int fd = open(str_c(a, path), O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		int reason = errno;
		*why = str_fmt(a, "%.*s: %s", FMT(path), strerror(reason));
		if (fd >= 0)
			close(fd);
		return reason == ENOENT ? E_NOTFOUND : reason == EACCES ? E_DENIED : E_IO;
	}
	char *p = arena_alloc(a, max + 1);
	size_t n = 0;
	ssize_t got = 0;
	while (n <= max && (got = read(fd, p + n, max + 1 - n)) > 0)
		n += (size_t)got;
	if (got < 0) {
		*why = str_fmt(a, "%.*s: %s", FMT(path), strerror(errno));
		close(fd);
		return E_IO;
	}
	close(fd);
	if (n > max) {
		*why = str_fmt(a, "%.*s: longer than %zu octets", FMT(path), max);
		return E_LIMIT;
	}
	*out = STR(p, n);
	return OK;
}

enum err config_load(struct str path, struct arena *a, struct config *out, struct str *why)
{
	struct str text;

	enum err e = file_read(path, CONFIG_MAX, a, &text, why);
	return e ? e : config_parse(path, text, a, out, why);
}

void config_print(struct buf *out)
{
	const char *section = "";

	buf_fmt(out, "# tecsmail.conf - every key with its default; tecsmail.conf(5) says more.\n");
	for (size_t i = 0; i < LENGTH(keys); i++) {
		const struct key *k = &keys[i];
		const char *indent = *k->section ? "\t" : "";
		if (!str_is(str_of(k->section), section)) {
			buf_fmt(out, "%s\n%s {\n", *section ? "}\n" : "", k->section);
			section = k->section;
		}
		buf_fmt(out, "%s# %s\n", indent, k->meaning);
		if (k->type == VALUE_LIST)
			buf_fmt(out, "%s%s = {%s%s%s}\n", indent, k->name, *k->fallback ? "\"" : "",
				k->fallback, *k->fallback ? "\"" : "");
		else
			buf_fmt(out, "%s%s = \"%s\"\n", indent, k->name, k->fallback);
	}
	buf_fmt(out, "}\n");
}

uint16_t config_port_told(const struct config *c, const char *service, const struct addresses *list)
{
	struct str host;
	uint16_t port;

	for (size_t i = 0; i < c->web_published.n; i++)
		if (address_split(c->web_published.item[i], &host, &port) && str_is(host, service))
			return port;
	return list->n && address_split(list->item[0], &host, &port) ? port : 0;
}

struct queue_plan config_plan(const struct config *c)
{
	struct queue_plan plan = queue_plan_default; /* what is not asked of anybody */

	plan.first = (unsigned)(c->outbound.retry_first_ms / 1000);
	plan.longest = (unsigned)(c->outbound.retry_longest_ms / 1000);
	plan.lifetime = (unsigned)(c->outbound.lifetime_ms / 1000);
	plan.delay = (unsigned)(c->outbound.delay_notice_ms / 1000);
	return plan;
}
