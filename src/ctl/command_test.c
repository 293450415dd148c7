/* SPDX-License-Identifier: ISC */
/* Tests of the command line: what is understood, what is refused and how, help and manual. */
#include <unistd.h>

#include "check.h"
#include "ctl/ctl_priv.h"

enum { ARGS_MAX = 12 };

static const struct {
	const char *line;            /* words by single spaces */
	const char *command, *words; /* what comes out, or NULL and why */
	unsigned options;
	const char *why;
} lines[] = {
	{ "domain add example.org", "domain add", "example.org", 0, NULL },
	{ "-c /x/y domain list --json", "domain list", "", OPT_JSON, NULL },
	{ "user --json list", "user list", "", OPT_JSON, NULL },
	{ "user list example.org", "user list", "example.org", 0, NULL },
	{ "invite a@b.c --for 2d", "invite", "a@b.c", OPT_FOR, NULL },
	{ "invite list b.c", "invite list", "b.c", 0, NULL },
	{ "invite delete a@b.c", "invite delete", "a@b.c", 0, NULL },
	{ "service ended --on=2026-12-31", "service ended", "", OPT_ON, NULL },
	{ "service open --on=2026-12-31", NULL, NULL, 0, "--on makes no sense for service open" },
	{ "user lock a@b.c --reason x", "user lock", "a@b.c", OPT_REASON, NULL },
	{ "user set a@b.c --sending encrypted --receiving any", "user set", "a@b.c",
	  OPT_SENDING | OPT_RECEIVING, NULL },
	{ "user add --password-stdin a@b.c", "user add", "a@b.c", OPT_PASSWORD_STDIN, NULL },
	{ "user add a@b.c --quota 5G --hash", "user add", "a@b.c", OPT_QUOTA | OPT_HASH, NULL },
	{ "user add a@b.c --quota=5G", "user add", "a@b.c", OPT_QUOTA, NULL },
	{ "user app-password add a@b.c phone --protocol imap,pop3", "user app-password add",
	  "a@b.c phone", OPT_PROTOCOL, NULL },
	{ "user logins a@b.c --json", "user logins", "a@b.c", OPT_JSON, NULL },
	{ "user app-password list a@b.c --json", "user app-password list", "a@b.c", OPT_JSON,
	  NULL },
	{ "alias add a@b.c d@e.f g@h.i", "alias add", "a@b.c d@e.f g@h.i", 0, NULL },
	{ "alias add *@b.c -- -d@e.f", "alias add", "*@b.c -d@e.f", 0, NULL },
	{ "guard list", "guard list", "", 0, NULL },
	{ "guard list 192.0.2.0/24 --json", "guard list", "192.0.2.0/24", OPT_JSON, NULL },
	{ "guard block 192.0.2.1 --for 2h", "guard block", "192.0.2.1", OPT_FOR, NULL },
	{ "guard block 192.0.2.1 --for=2h", "guard block", "192.0.2.1", OPT_FOR, NULL },
	{ "check --config", "check", "", OPT_CONFIG, NULL },
	{ "check --tls", "check", "", OPT_TLS, NULL },
	{ "check --tls --config", NULL, NULL, 0, "check what? There are --config and --tls" },
	{ "tlsrpt example.org", "tlsrpt", "example.org", 0, NULL },
	{ "store verify", "store verify", "", 0, NULL },
	{ "queue", "queue", "", 0, NULL },
	{ "tls roll --certificate=/x --yes", "tls roll", "", OPT_CERTIFICATE | OPT_YES, NULL },
	{ "tls next --yes", NULL, NULL, 0, "--yes makes no sense for tls next" },
	{ "tls", NULL, NULL, 0, "tls: which of its commands?" },
	{ "queue --json summary", "queue summary", "", OPT_JSON, NULL },
	{ "queue list --to x --from=<> --held --destination d.e", "queue list", "",
	  OPT_TO | OPT_FROM | OPT_HELD | OPT_DESTINATION, NULL },
	{ "queue show 7 --lang de", "queue show", "7", OPT_LANG, NULL },
	{ "queue delete 1 2 --yes", "queue delete", "1 2", OPT_YES, NULL },
	{ "queue move --all --held -", "queue move", "-", OPT_ALL | OPT_HELD, NULL },
	{ "queue receipt --user a@b.c <x@y>", "queue receipt", "<x@y>", OPT_USER, NULL },
	{ "queue frob", NULL, NULL, 0, "queue wants no arguments" },
	{ "queue move", NULL, NULL, 0, "queue move wants [ID...] HOST" },
	{ "queue list --all", NULL, NULL, 0, "--all makes no sense for queue list" },
	{ "version", "version", "", 0, NULL },
	{ "domain add --help", "domain add", "", 0, NULL },
	{ "", NULL, NULL, 0, "which command?" },
	{ "frobnicate", NULL, NULL, 0, "\"frobnicate\" is not a command" },
	{ "domain", NULL, NULL, 0, "domain: which of its commands?" },
	{ "domain frob", NULL, NULL, 0, "\"domain frob\" is not a command" },
	{ "user app-password", NULL, NULL, 0, "\"user app-password\" is not a command" },
	{ "user app-password add a@b.c", NULL, NULL, 0,
	  "user app-password add wants ADDRESS NAME" },
	{ "user list --protocol=imap", NULL, NULL, 0, "--protocol makes no sense for user list" },
	{ "domain add", NULL, NULL, 0, "domain add wants DOMAIN" },
	{ "domain add a b", NULL, NULL, 0, "domain add wants DOMAIN" },
	{ "domain list a", NULL, NULL, 0, "domain list wants no arguments" },
	{ "alias add a@b.c", NULL, NULL, 0, "alias add wants ADDRESS TARGET..." },
	{ "domain list --frob", NULL, NULL, 0, "--frob is not an option here" },
	{ "domain list --hash", NULL, NULL, 0, "--hash makes no sense for domain list" },
	{ "domain list --json=yes", NULL, NULL, 0, "--json takes no value" },
	{ "user add a@b.c --quota", NULL, NULL, 0, "--quota wants a value: --quota=SIZE" },
	{ "user add a@b.c --password secret", NULL, NULL, 0, "--password is not an option here" },
	{ "domain list -c", NULL, NULL, 0, "-c wants the configuration's path" },
	{ "guard show", NULL, NULL, 0, "guard show wants ADDRESS" },
	{ "guard release ::1 --for 2h", NULL, NULL, 0, "--for makes no sense for guard release" },
	{ "guard block ::1 --for", NULL, NULL, 0, "--for wants a value: --for=TIME" },
	{ "check", NULL, NULL, 0, "check what? There are --config and --tls" },
	{ "config --json", NULL, NULL, 0, "--json makes no sense for config" },
};

static int split(struct arena *a, const char *line, char **argv)
{
	struct scan in = scan(str_of(line));
	int argc = 1;

	argv[0] = str_c(a, S("tecsmail"));
	while (scan_more(&in) && argc < ARGS_MAX - 1)
		argv[argc++] = str_c(a, scan_word(&in));
	return argc;
}

static enum err parse(struct ctl *c, const char *line, struct str *why)
{
	char *argv[ARGS_MAX] = { NULL };

	return ctl_parse(c, split(c->arena, line, argv), argv, why);
}

static int status_of(const char *line)
{
	struct arena *a = arena_new(1 << 20);
	char *argv[ARGS_MAX] = { NULL };
	int status = ctl_main(split(a, line, argv), argv);

	arena_free(&a);
	return status;
}

static void test_lines(void)
{
	for (size_t i = 0; i < LENGTH(lines); i++) {
		struct ctl c = { .arena = arena_new(1 << 20) };
		struct str why = S_NONE, words = S("");
		enum err e = parse(&c, lines[i].line, &why);

		CHECK_NUM(e, lines[i].why ? E_SYNTAX : OK);
		if (lines[i].why) {
			CHECK_STR(why, lines[i].why);
		} else if (CHECK(c.command)) {
			CHECK_STR(str_of(c.command->name), lines[i].command);
			for (size_t j = 0; j < c.nwords; j++)
				words = str_fmt(c.arena, "%.*s%s%.*s", FMT(words), j ? " " : "",
						FMT(c.words[j]));
			CHECK_STR(words, lines[i].words);
			CHECK_NUM(c.options, lines[i].options);
		}
		arena_free(&c.arena);
	}
}

static void test_status(void)
{
	char dir[] = "/tmp/tecsmail-ctl-XXXXXX", conf[64], line[128];

	CHECK_NUM(status_of("version"), EXIT_OK);
	CHECK_NUM(status_of("--help"), EXIT_OK);
	CHECK_NUM(status_of("user add --help"), EXIT_OK);
	CHECK_NUM(status_of("config"), EXIT_OK);
	CHECK_NUM(status_of("frobnicate"), EXIT_USAGE);
	CHECK_NUM(status_of("-c /nonexistent/tecsmail.conf domain list"), EXIT_FAILED);

	/* A configuration is there, a server is not. */
	CHECK(mkdtemp(dir));
	snprintf(conf, sizeof(conf), "%s/tecsmail.conf", dir);
	FILE *f = fopen(conf, "w");
	CHECK(f && fprintf(f, "state = .\n") > 0 && fclose(f) == 0);
	snprintf(line, sizeof(line), "-c %s domain list", conf);
	CHECK_NUM(status_of(line), EXIT_NOSERVER);
	snprintf(line, sizeof(line), "-c %s check --config", conf);
	CHECK_NUM(status_of(line), EXIT_OK);
	CHECK(unlink(conf) == 0 && rmdir(dir) == 0);
}

static void test_text(void)
{
	struct arena *a = arena_new(1 << 20);
	uint64_t n;

	CHECK_STR(text_size(a, 0), "0");
	CHECK_STR(text_size(a, 1023), "1023");
	CHECK_STR(text_size(a, 1536), "1.5K");
	CHECK_STR(text_size(a, 50 << 20), "50M");
	CHECK_STR(text_day(a, 0), "-");
	CHECK_STR(text_day(a, 1767225600), "2026-01-01");
	CHECK_STR(text_span(a, 1200), "20 minutes");
	CHECK_STR(text_span(a, 86400), "24 hours");
	CHECK_STR(text_span(a, 60), "1 minute");
	CHECK_STR(text_span(a, 3601), "3601 seconds");
	CHECK(setenv("TZ", "CET-1", 1) == 0);
	CHECK_STR(text_time(a, 1767225600), "2026-01-01 01:00:00");
	CHECK(size_parse(S("0"), &n) == OK && n == 0);
	CHECK(size_parse(S("1234"), &n) == OK && n == 1234);
	CHECK(size_parse(S("5000000000"), &n) == OK && n == 5000000000);
	CHECK(size_parse(S("99999999T"), &n) == E_SYNTAX);
	CHECK(size_parse(S("500K"), &n) == OK && n == 500 << 10);
	CHECK(size_parse(S("2g"), &n) == OK && n == 2ull << 30);
	CHECK(size_parse(S(""), &n) == E_SYNTAX);
	CHECK(size_parse(S("5x"), &n) == E_SYNTAX);
	CHECK(size_parse(S("5MB"), &n) == E_SYNTAX);
	CHECK(size_parse(S("-5"), &n) == E_SYNTAX);
	CHECK(size_parse(S("99999999999999999999"), &n) == E_SYNTAX);
	arena_free(&a);
}

int main(void)
{
	test_lines();
	test_status();
	test_text();
	return check_done();
}
