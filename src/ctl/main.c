/* SPDX-License-Identifier: ISC */
/*
 * ctl/main.c - the program's front door: `tecsmail serve` is the server, `tecsmail proc NAME`
 * one of its processes (started by main only), and all else the operator's command line. uacme
 * calls it too, while `tecsmail acme` waits for it.
 */
#include <unistd.h>

#include "ctl/acme.h"
#include "ctl/ctl.h"
#include "proc/child.h"
#include "proc/supervise.h"

static const struct role *const roles[] = { &role_keeper, &role_mx, &role_session, &role_courier };

/* The name is the role and a number: "mx0". */
static int run_role(const char *name)
{
	for (size_t i = 0; i < LENGTH(roles); i++)
		if (str_starts(str_of(name), str_of(roles[i]->name)))
			return child_run(roles[i], name);
	fprintf(stderr, "tecsmail: \"%s\" is no process of mine\n", name);
	return 2;
}

/* The command's own word: the first that is no option and not the value of -c. */
static int verb_at(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (str_is(str_of(argv[i]), "-c"))
			i++;
		else if (argv[i][0] != '-')
			return i;
	}
	return 0;
}

static const char *config_path(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i++)
		if (str_is(str_of(argv[i]), "-c"))
			return argv[i + 1];
	return CONFIG_PATH;
}

int main(int argc, char **argv)
{
	int verb = verb_at(argc, argv);
	struct str word = verb ? str_of(argv[verb]) : S_NONE;

	if (acme_is_hook(argc, argv))
		return acme_hook(argv);
	if (str_is(word, "proc") && verb + 1 < argc)
		return run_role(argv[verb + 1]);
	if (str_is(word, "serve") && verb + 1 == argc)
		return supervise(config_path(argc, argv));
	return ctl_main(argc, argv);
}
