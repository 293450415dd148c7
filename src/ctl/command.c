/* SPDX-License-Identifier: ISC */
/* ctl/command.c - the table of commands, reading a command line by it, and its help. */
#include "ctl/ctl_priv.h"

enum {
	SECRET = OPT_PASSWORD_STDIN | OPT_HASH,
	CHOICE = OPT_TO | OPT_FROM | OPT_DESTINATION | OPT_HELD,
	ORDER = OPT_JSON | CHOICE | OPT_ALL | OPT_YES,
};

static const struct command commands[] = {
	{ "domain add", cmd_domain_add, NEEDS_SERVER, OPT_JSON, 1, 1, "DOMAIN",
	  "take mail for a domain" },
	{ "domain list", cmd_domain_list, NEEDS_SERVER, OPT_JSON, 0, 0, "", "show the domains" },
	{ "domain delete", cmd_domain_delete, NEEDS_SERVER, OPT_JSON, 1, 1, "DOMAIN",
	  "take no more mail for a domain that has no users and aliases left" },
	{ "user add", cmd_user_add, NEEDS_SERVER, OPT_JSON | SECRET | OPT_QUOTA, 1, 1, "ADDRESS",
	  "make a user with his mailboxes; asks for the password" },
	{ "user list", cmd_user_list, NEEDS_SERVER, OPT_JSON, 0, 1, "[DOMAIN]",
	  "show the users and what they keep" },
	{ "user show", cmd_user_show, NEEDS_SERVER, OPT_JSON, 1, 1, "ADDRESS",
	  "show what a user keeps and sends" },
	{ "user limits", cmd_user_limits, NEEDS_SERVER,
	  OPT_JSON | OPT_MESSAGES | OPT_RECIPIENTS | OPT_NEW, 1, 1, "ADDRESS",
	  "let a user send more or less than the others" },
	{ "user export", cmd_user_export, NEEDS_CONFIG, OPT_JSON | OPT_TO | OPT_FORMAT, 1, 1,
	  "ADDRESS", "write everything of a user into a folder" },
	{ "user set", cmd_user_set, NEEDS_SERVER,
	  OPT_JSON | OPT_QUOTA | OPT_EXPIRES | OPT_SENDING | OPT_RECEIVING, 1, 1, "ADDRESS",
	  "give a user another quota, a last day, or guarantees for his mail" },
	{ "user lock", cmd_user_lock, NEEDS_SERVER, OPT_JSON | OPT_REASON, 1, 1, "ADDRESS",
	  "let a user in no more, at once; his mail is still taken" },
	{ "user unlock", cmd_user_unlock, NEEDS_SERVER, OPT_JSON, 1, 1, "ADDRESS",
	  "let a user in again" },
	{ "user block-sending", cmd_user_block_sending, NEEDS_SERVER, OPT_JSON | OPT_REASON, 1, 1,
	  "ADDRESS", "let a user read, but not send" },
	{ "user allow-sending", cmd_user_allow_sending, NEEDS_SERVER, OPT_JSON, 1, 1, "ADDRESS",
	  "let a user send again" },
	{ "user passwd", cmd_user_passwd, NEEDS_SERVER, OPT_JSON | SECRET, 1, 1, "ADDRESS",
	  "give a user another password" },
	{ "user delete", cmd_user_delete, NEEDS_SERVER, OPT_JSON, 1, 1, "ADDRESS",
	  "remove a user and all of his mail" },
	{ "user erase", cmd_user_erase, NEEDS_SERVER, OPT_JSON | OPT_YES, 1, 1, "ADDRESS",
	  "remove a user, and each octet of his mail from the disk" },
	{ "user app-password add", cmd_app_add, NEEDS_SERVER, OPT_JSON | OPT_PROTOCOL, 2, 2,
	  "ADDRESS NAME", "make an app password for a device and show it, once" },
	{ "user app-password list", cmd_app_list, NEEDS_SERVER, OPT_JSON, 1, 1, "ADDRESS",
	  "show a user's app passwords and when they were used" },
	{ "user app-password delete", cmd_app_delete, NEEDS_SERVER, OPT_JSON, 2, 2, "ADDRESS NAME",
	  "withdraw an app password" },
	{ "user logins", cmd_user_logins, NEEDS_SERVER, OPT_JSON, 1, 1, "ADDRESS",
	  "show a user's recent logins, and those that were refused" },
	{ "alias add", cmd_alias_add, NEEDS_SERVER, OPT_JSON, 2, WORDS_MAX, "ADDRESS TARGET...",
	  "deliver an address (or *@DOMAIN: all that nobody has) to others" },
	{ "alias list", cmd_alias_list, NEEDS_SERVER, OPT_JSON, 0, 1, "[DOMAIN]",
	  "show the aliases" },
	{ "alias delete", cmd_alias_delete, NEEDS_SERVER, OPT_JSON, 1, 1, "ADDRESS",
	  "remove an alias with all of its targets" },
	{ "service show", cmd_service_show, NEEDS_SERVER, OPT_JSON, 0, 0, "",
	  "show whether the service is open, closed, read-only or ends" },
	{ "service open", cmd_service_open, NEEDS_SERVER, OPT_JSON | OPT_NOTICE, 0, 0, "",
	  "let those join who are invited" },
	{ "service closed", cmd_service_closed, NEEDS_SERVER, OPT_JSON | OPT_NOTICE, 0, 0, "",
	  "let nobody join; all else goes on" },
	{ "service read-only", cmd_service_read_only, NEEDS_SERVER, OPT_JSON | OPT_NOTICE, 0, 0, "",
	  "take no mail and send none; what is there can be fetched" },
	{ "service ended", cmd_service_ended, NEEDS_SERVER, OPT_JSON | OPT_NOTICE | OPT_ON, 0, 0,
	  "", "end the service: closed up to its last day, then read-only" },
	/* Before "invite", which would take their second word for an address. */
	{ "invite list", cmd_invite_list, NEEDS_SERVER, OPT_JSON, 0, 1, "[DOMAIN]",
	  "show the invitations" },
	{ "invite delete", cmd_invite_delete, NEEDS_SERVER, OPT_JSON, 1, 1, "ADDRESS",
	  "withdraw an invitation" },
	{ "invite", cmd_invite, NEEDS_SERVER, OPT_JSON | OPT_QUOTA | OPT_FOR, 1, 1, "ADDRESS",
	  "make a link with which somebody makes this account himself" },
	{ "guard list", cmd_guard_list, NEEDS_SERVER, OPT_JSON, 0, 1, "[NETWORK]",
	  "show the addresses that are locked out just now" },
	{ "guard show", cmd_guard_show, NEEDS_SERVER, OPT_JSON, 1, 1, "ADDRESS",
	  "show the wrong passwords and blocks of an address, and what comes next" },
	{ "guard release", cmd_guard_release, NEEDS_SERVER, OPT_JSON, 1, 1, "ADDRESS",
	  "open the server to an address again and forget its wrong passwords" },
	{ "guard block", cmd_guard_block, NEEDS_SERVER, OPT_JSON | OPT_FOR, 1, 1, "ADDRESS",
	  "lock an address out" },
	{ "dkim add", cmd_dkim_add, NEEDS_SERVER, OPT_JSON, 1, 1, "DOMAIN",
	  "make keys that sign a domain's mail: the first, or the next ones" },
	{ "dkim list", cmd_dkim_list, NEEDS_SERVER, OPT_JSON, 1, 1, "DOMAIN",
	  "show a domain's keys and what each is to be published as" },
	{ "dkim rotate", cmd_dkim_rotate, NEEDS_SERVER, OPT_JSON | OPT_YES, 1, 1, "DOMAIN",
	  "sign with the next keys; the old ones stay published" },
	{ "dkim retire", cmd_dkim_retire, NEEDS_SERVER, OPT_JSON | OPT_YES, 1, 1, "DOMAIN",
	  "publish the old keys no more" },
	{ "dns", cmd_dns, NEEDS_SERVER, OPT_JSON, 1, 1, "DOMAIN",
	  "print the DNS records to publish for a domain, as a zone file" },
	{ "tls show", cmd_tls_show, NEEDS_CONFIG, OPT_JSON, 0, 0, "",
	  "show the keys of TLS, what the DNS promises of them, and what is to be done" },
	{ "tls next", cmd_tls_next, NEEDS_CONFIG, OPT_JSON, 0, 0, "",
	  "make the key that comes next, to be published before it is used" },
	{ "tls roll", cmd_tls_roll, NEEDS_SERVER, OPT_JSON | OPT_YES | OPT_CERTIFICATE, 0, 0, "",
	  "use the next key, once its record is in all caches" },
	{ "tls retire", cmd_tls_retire, NEEDS_CONFIG, OPT_JSON | OPT_YES, 0, 0, "",
	  "publish the key before no more" },
	{ "acme", cmd_acme, NEEDS_SERVER, OPT_JSON | OPT_NEW_KEY | OPT_DRY_RUN | OPT_YES, 0, 0, "",
	  "obtain the certificate for all names, or renew it when it is time" },
	{ "queue list", cmd_queue_list, NEEDS_CONFIG, OPT_JSON | CHOICE, 0, 0, "",
	  "show the mail that is on its way to other servers, the oldest first" },
	{ "queue show", cmd_queue_show, NEEDS_CONFIG, OPT_JSON | OPT_LANG, 1, 1, "ID",
	  "say what became of a mail so far, what that means and what comes next" },
	{ "queue receipt", cmd_queue_receipt, NEEDS_CONFIG, OPT_JSON | OPT_LANG | OPT_USER, 1, 1,
	  "ID|MESSAGE-ID", "show to which server a mail went, over what, and the last reply" },
	{ "queue retry", cmd_queue_retry, NEEDS_CONFIG, ORDER, 0, WORDS_MAX, "[ID...]",
	  "try what waits now" },
	{ "queue hold", cmd_queue_hold, NEEDS_CONFIG, ORDER, 0, WORDS_MAX, "[ID...]",
	  "try it no more until it is released" },
	{ "queue release", cmd_queue_release, NEEDS_CONFIG, ORDER, 0, WORDS_MAX, "[ID...]",
	  "try what is held now" },
	{ "queue delete", cmd_queue_delete, NEEDS_CONFIG, ORDER, 0, WORDS_MAX, "[ID...]",
	  "take it out of the queue, without a report to the sender" },
	{ "queue move", cmd_queue_move, NEEDS_CONFIG, ORDER, 1, WORDS_MAX, "[ID...] HOST",
	  "send it by this host instead, now (-: by that of its domain again)" },
	{ "queue summary", cmd_queue_summary, NEEDS_CONFIG, OPT_JSON, 0, 0, "",
	  "count the queue by destination" },
	{ "queue", cmd_queue_summary, NEEDS_CONFIG, OPT_JSON, 0, 0, "", "the same" },
	{ "config", cmd_config, NEEDS_NOTHING, 0, 0, 0, "",
	  "print a configuration with every key and its default" },
	{ "tlsrpt", cmd_tlsrpt, NEEDS_CONFIG, OPT_JSON, 0, 1, "[DOMAIN]",
	  "show what other servers reported of TLS with ours" },
	{ "check", cmd_check, NEEDS_NOTHING, OPT_JSON | OPT_CONFIG | OPT_TLS | OPT_LANG, 0, 0,
	  "--config|--tls",
	  "read the configuration, or what others reported, and say what is wrong" },
	{ "store stats", cmd_store_stats, NEEDS_CONFIG, OPT_JSON, 0, 0, "",
	  "show what the store holds and has done" },
	{ "store verify", cmd_store_verify, NEEDS_CONFIG, OPT_JSON, 0, 0, "",
	  "check each record, reference and checksum of the store" },
	{ "store reclaim", cmd_store_reclaim, NEEDS_CONFIG, OPT_JSON, 0, 0, "",
	  "give back the space of deleted mail now" },
	{ "store wipe", cmd_store_wipe, NEEDS_SERVER, OPT_JSON, 0, 0, "",
	  "make zeros of what deleted mail left on the disk" },
	{ "version", cmd_version, NEEDS_NOTHING, OPT_JSON, 0, 0, "", "print the version" },
};

static const struct {
	const char *word;
	enum ctl_option bit;
	const char *meaning;
	const char *value; /* what it takes, or NULL */
	size_t place;      /* of the value, in struct ctl */
} options[] = {
	{ "--json", OPT_JSON, "write JSON, for programs" },
	{ "--password-stdin", OPT_PASSWORD_STDIN,
	  "read the password from the first line of standard input" },
	{ "--hash", OPT_HASH, "what is asked for or read is a hash: crypt(3) or {SCHEME}" },
	{ "--quota", OPT_QUOTA, "SIZE that the user may keep (500M, 2G; 0: no limit)", "SIZE",
	  offsetof(struct ctl, quota) },
	{ "--protocol", OPT_PROTOCOL, "LIST of imap,pop3,submission: for these alone", "LIST",
	  offsetof(struct ctl, protocol) },
	{ "--for", OPT_FOR, "TIME that it lasts (90s, 20min, 2h, 7d)", "TIME",
	  offsetof(struct ctl, time) },
	{ "--messages", OPT_MESSAGES, "N that he may send in 24 hours (0: any; default)", "N",
	  offsetof(struct ctl, messages) },
	{ "--recipients", OPT_RECIPIENTS, "N that these may have together", "N",
	  offsetof(struct ctl, recipients) },
	{ "--new-recipients", OPT_NEW, "N of these that he had never written to", "N",
	  offsetof(struct ctl, strangers) },
	{ "--to", OPT_TO,
	  "FOLDER that an export makes; of the queue: TEXT in a recipient's address",
	  "FOLDER or TEXT", offsetof(struct ctl, to) },
	{ "--format", OPT_FORMAT, "FORMAT of the mail: maildir (default) or mbox", "FORMAT",
	  offsetof(struct ctl, format) },
	{ "--yes", OPT_YES, "do not ask" },
	{ "--reason", OPT_REASON, "TEXT that the user is shown", "TEXT",
	  offsetof(struct ctl, reason) },
	{ "--expires", OPT_EXPIRES, "DATE of his last day (2026-12-31), or never", "DATE",
	  offsetof(struct ctl, expires) },
	{ "--sending", OPT_SENDING, "GUARANTEE of his mail's way: none, encrypted, authenticated",
	  "GUARANTEE", offsetof(struct ctl, sending) },
	{ "--receiving", OPT_RECEIVING, "LINES on which his mail is taken: any, encrypted", "LINES",
	  offsetof(struct ctl, receiving) },
	{ "--on", OPT_ON, "DATE of the last day of the service (2026-12-31)", "DATE",
	  offsetof(struct ctl, on) },
	{ "--notice", OPT_NOTICE, "TEXT that all users are shown at their logins", "TEXT",
	  offsetof(struct ctl, notice) },
	{ "--new-key", OPT_NEW_KEY, "make another key, and obtain a certificate for it now" },
	{ "--dry-run", OPT_DRY_RUN, "say what would be done" },
	{ "--from", OPT_FROM, "ADDRESS of the sender (<>: reports, which have none)", "ADDRESS",
	  offsetof(struct ctl, from) },
	{ "--destination", OPT_DESTINATION, "DOMAIN that it goes to, or [HOST] that it goes by",
	  "DOMAIN", offsetof(struct ctl, destination) },
	{ "--held", OPT_HELD, "what is held" },
	{ "--all", OPT_ALL, "all of it, or all that these options choose" },
	{ "--user", OPT_USER, "ADDRESS of who sent it; without it, of all users", "ADDRESS",
	  offsetof(struct ctl, user) },
	{ "--certificate", OPT_CERTIFICATE, "FILE of the next key's certificate and chain, PEM",
	  "FILE", offsetof(struct ctl, certificate) },
	{ "--lang", OPT_LANG, "de or en; without it, as the environment says", "LANGUAGE",
	  offsetof(struct ctl, lang) },
	{ "--config", OPT_CONFIG, "check the configuration file" },
	{ "--tls", OPT_TLS, "check what others reported of TLS with our servers, 7 days back" },
};

static const char codes[] =
	"exit status: 0 done, 1 failed (the reason is on standard error), 2 wrong usage,\n"
	"3 not found, 4 exists already, 5 the server is not reachable\n";

const struct command *ctl_command(size_t n)
{
	return n < LENGTH(commands) ? &commands[n] : NULL;
}

const char *ctl_option(size_t n)
{
	return n < LENGTH(options) ? options[n].word : NULL;
}

/* --- help --- */

static void help_one(FILE *to, const struct command *c)
{
	fprintf(to, "usage: tecsmail [-c FILE] %s%s%s\n       %s\n\n", c->name,
		*c->usage ? " " : "", c->usage, c->meaning);
	for (size_t i = 0; i < LENGTH(options); i++)
		if (c->options & options[i].bit)
			fprintf(to, "  %-17s %s\n", options[i].word, options[i].meaning);
	fprintf(to, "  %-17s the configuration; default %s\n\n%s", "-c FILE", CONFIG_PATH, codes);
}

void ctl_help(FILE *to, const struct command *only)
{
	char head[64];

	if (only) {
		help_one(to, only);
		return;
	}
	fprintf(to, "usage: tecsmail [-c FILE] COMMAND [--json] [ARGUMENT...]\n\n");
	fprintf(to, "  %-38s the server, in the foreground\n", "serve");
	for (size_t i = 0; i < LENGTH(commands); i++) {
		snprintf(head, sizeof(head), "%s %s", commands[i].name, commands[i].usage);
		fprintf(to, "  %-38s %s\n", head, commands[i].meaning);
	}
	fprintf(to, "\ntecsmail COMMAND --help tells more. Default of -c: %s\n\n%s", CONFIG_PATH,
		codes);
}

/* --- reading the command line --- */

static void give(struct ctl *c, size_t option, struct str value)
{
	*(struct str *)((char *)c + options[option].place) = value;
	c->options |= options[option].bit;
}

/* "--quota SIZE" in two words. */
static bool takes_next(struct str word, size_t *option)
{
	for (size_t i = 0; i < LENGTH(options); i++) {
		*option = i;
		if (options[i].value && str_is(word, options[i].word))
			return true;
	}
	return false;
}

static enum err take_option(struct ctl *c, struct str word, struct str *why)
{
	struct str name = str_part(word, 0, str_find(word, '='));

	if (str_is(word, "--help") || str_is(word, "-h")) {
		c->help = true;
		return OK;
	}
	for (size_t i = 0; i < LENGTH(options); i++) {
		if (!str_is(name, options[i].word))
			continue;
		const char *value = options[i].value;
		if ((value != NULL) != (name.n < word.n)) {
			*why = value ? str_fmt(c->arena, "%s wants a value: %s=%s", options[i].word,
					       options[i].word, value)
				     : str_fmt(c->arena, "%s takes no value", options[i].word);
			return E_SYNTAX;
		}
		if (value)
			give(c, i, str_from(word, name.n + 1));
		c->options |= options[i].bit;
		return OK;
	}
	*why = str_fmt(c->arena, "%.*s is not an option here", FMT(word));
	return E_SYNTAX;
}

/* How many words at the front are those of the name; all: they are all of them. */
static size_t words_of(const struct ctl *c, struct str name, bool *all)
{
	size_t n = 0;

	while (name.n && n < c->nwords) {
		size_t sp = str_find(name, ' ');
		if (!str_eq(c->words[n], str_part(name, 0, sp)))
			break;
		n++;
		name = str_from(name, sp + 1);
	}
	*all = name.n == 0;
	return n;
}

/* Takes the command's name, of one to three words, off the front of the words. */
static enum err find_command(struct ctl *c, struct str *why)
{
	bool group = false, all;

	for (size_t i = 0; i < LENGTH(commands); i++) {
		size_t n = words_of(c, str_of(commands[i].name), &all);

		group |= n > 0;
		if (!all)
			continue;
		c->command = &commands[i];
		c->words += n;
		c->nwords -= n;
		return OK;
	}
	if (group && c->nwords > 1)
		*why = str_fmt(c->arena, "\"%.*s %.*s\" is not a command", FMT(c->words[0]),
			       FMT(c->words[1]));
	else
		*why = str_fmt(c->arena,
			       group ? "%.*s: which of its commands?" : "\"%.*s\" is not a command",
			       FMT(c->words[0]));
	return E_SYNTAX;
}

static enum err check_command(struct ctl *c, struct str *why)
{
	const struct command *k = c->command;

	for (size_t i = 0; i < LENGTH(options); i++) {
		if (c->options & ~k->options & options[i].bit) {
			*why = str_fmt(c->arena, "%s makes no sense for %s", options[i].word,
				       k->name);
			return E_SYNTAX;
		}
	}
	if (c->nwords < k->least || c->nwords > k->most) {
		*why = str_fmt(c->arena, "%s wants %s%s", k->name, k->most ? "" : "no arguments",
			       k->most ? k->usage : "");
		return E_SYNTAX;
	}
	if ((k->options & OPT_CONFIG) &&
	    ((c->options & OPT_CONFIG) != 0) == ((c->options & OPT_TLS) != 0)) {
		*why = S("check what? There are --config and --tls");
		return E_SYNTAX;
	}
	return OK;
}

enum err ctl_parse(struct ctl *c, int argc, char **argv, struct str *why)
{
	bool only_words = false;
	size_t option;
	enum err e;

	c->path = S(CONFIG_PATH);
	c->words = ARENA_ARRAY(c->arena, struct str, WORDS_MAX + 2);
	for (int i = 1; i < argc; i++) {
		struct str word = str_of(argv[i]);

		if (!only_words && str_is(word, "--")) {
			only_words = true;
		} else if (!only_words && str_is(word, "-c")) {
			if (++i == argc) {
				*why = S("-c wants the configuration's path");
				return E_SYNTAX;
			}
			c->path = str_of(argv[i]);
		} else if (!only_words && i + 1 < argc && takes_next(word, &option)) {
			give(c, option, str_of(argv[++i]));
		} else if (!only_words && word.n > 1 && *word.p == '-') {
			if ((e = take_option(c, word, why)))
				return e;
		} else if (c->nwords == WORDS_MAX + 2) {
			*why = S("too many arguments");
			return E_SYNTAX;
		} else {
			c->words[c->nwords++] = word;
		}
	}
	if (c->nwords == 0) {
		*why = S("which command?");
		return c->help ? OK : E_SYNTAX;
	}
	e = find_command(c, why);
	return e || c->help ? e : check_command(c, why);
}
