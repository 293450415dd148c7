/* SPDX-License-Identifier: ISC */
/* ctl/ctl.c - one command line from start to exit status. */
#include "base/clock.h"
#include "ctl/ctl_priv.h"
#include "fiber/fiber.h"

enum { CONNECT_MS = 5000 };

static int status_of(enum err e)
{
	switch (e) {
	case OK: return EXIT_OK;
	case E_NOTFOUND: return EXIT_NOTFOUND;
	case E_EXISTS: return EXIT_THERE;
	case E_CLOSED:
	case E_TIMEOUT: return EXIT_NOSERVER;
	default: return EXIT_FAILED;
	}
}

static int say_failed(struct ctl *c, int status, struct str why)
{
	fprintf(stderr, "tecsmail: %.*s\n", FMT(why));
	if (c->options & OPT_JSON)
		ctl_print_json(json_pack("{s:b, s:o, s:i}", "ok", 0, "error", ctl_json_str(why),
					 "exit", status));
	return status;
}

int ctl_failed(struct ctl *c, enum err e, struct str why)
{
	return say_failed(c, status_of(e), why);
}

int ctl_done(struct ctl *c)
{
	if (c->options & OPT_JSON)
		return ctl_print_json(json_pack("{s:b}", "ok", 1));
	return EXIT_OK;
}

/* Names may hold any octets that once came as UTF-8; what does not is not lost silently. */
json_t *ctl_json_str(struct str s)
{
	json_t *j = json_stringn(s.p ? s.p : "", s.n);

	return j ? j : json_string("(not UTF-8)");
}

int ctl_print_json(json_t *j)
{
	int bad = !j || json_dumpf(j, stdout, JSON_INDENT(2)) || putchar('\n') == EOF;

	json_decref(j);
	return bad ? EXIT_FAILED : EXIT_OK;
}

static int connect_server(struct ctl *c)
{
	struct str socket = c->config.control;
	enum err e = ipc_connect(socket, clock_in(CONNECT_MS), &c->peer);

	if (!e)
		return EXIT_OK;
	struct str why =
		e == E_DENIED
			? str_fmt(c->arena,
				  "no access to the server's socket %.*s: run this as root or as "
				  "the user of the server",
				  FMT(socket))
			: str_fmt(c->arena,
				  "the server is not running (nobody answers on %.*s); start it "
				  "with: tecsmail -c %.*s serve",
				  FMT(socket), FMT(c->path));
	return say_failed(c, EXIT_NOSERVER, why);
}

static void run(void *arg)
{
	struct ctl *c = arg;
	struct str why;

	if (c->command->needs != NEEDS_NOTHING) {
		enum err e = config_load(c->path, c->arena, &c->config, &why);
		if (e) {
			c->status = say_failed(c, EXIT_FAILED, why);
			return;
		}
	}
	if (c->command->needs == NEEDS_SERVER)
		c->status = connect_server(c);
	if (!c->status)
		c->status = c->command->run(c);
	if (c->peer)
		peer_close(&c->peer);
}

int ctl_main(int argc, char **argv)
{
	struct ctl c = { .arena = arena_new(CTL_ARENA) };
	struct str why;

	if (ctl_parse(&c, argc, argv, &why)) {
		say_failed(&c, EXIT_USAGE, why);
		fprintf(stderr, "tecsmail %s%s--help tells the usage\n",
			c.command ? c.command->name : "", c.command ? " " : "");
		c.status = EXIT_USAGE;
	} else if (c.help) {
		ctl_help(stdout, c.command);
	} else {
		log_start("ctl", LOG_WARN);
		fiber_main(run, &c);
	}
	int status = c.status;
	arena_free(&c.arena);
	return fflush(stdout) ? EXIT_FAILED : status;
}
