/* SPDX-License-Identifier: ISC */
/* ctl/own.c - commands that need no server: version, config, check. */
#include "ctl/ctl_priv.h"

int cmd_version(struct ctl *c)
{
	if (c->options & OPT_JSON)
		return ctl_print_json(json_pack("{s:s}", "version", TECSMAIL_VERSION));
	printf("tecsmail %s\n", TECSMAIL_VERSION);
	return EXIT_OK;
}

int cmd_config(struct ctl *c)
{
	struct buf b = buf_new(CONFIG_MAX);

	(void)c;
	config_print(&b);
	size_t put = fwrite(b.p, 1, b.n, stdout);
	bool whole = put == b.n && !b.full;
	buf_free(&b);
	return whole ? EXIT_OK : EXIT_FAILED;
}

int cmd_check(struct ctl *c)
{
	struct str why;

	if (config_load(c->path, c->arena, &c->config, &why))
		return ctl_failed(c, E_SYNTAX, why);
	if (c->options & OPT_TLS)
		return ctl_check_tls(c);
	if (!(c->options & OPT_JSON))
		printf("%.*s: no fault found\n", FMT(c->path));
	return ctl_done(c);
}
