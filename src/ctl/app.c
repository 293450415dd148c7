/* SPDX-License-Identifier: ISC */
/* ctl/app.c - app passwords: made, listed, withdrawn. */
#include "ctl/ctl_priv.h"
#include "keeper/admin.h"

int cmd_app_add(struct ctl *c)
{
	struct str password = S(""), why;
	enum err e = admin_app_add(c->peer, c->words[0], c->words[1], c->protocol, c->arena,
				   &password, &why);

	if (e)
		return ctl_failed(c, e, why);
	if (c->options & OPT_JSON)
		return ctl_print_json(
			json_pack("{s:b, s:o}", "ok", 1, "password", ctl_json_str(password)));
	printf("%.*s\n", FMT(password));
	return EXIT_OK;
}

int cmd_app_list(struct ctl *c)
{
	static const char *const heads[] = { "NAME", "PROTOCOLS", "SINCE", "USED" };
	struct columns table = columns_new(c->arena, heads, LENGTH(heads));
	json_t *json = json_array();
	struct admin_app *app;
	struct str why;
	size_t n = 0;
	enum err e = admin_app_list(c->peer, c->words[0], c->arena, &app, &n, &why);

	for (size_t i = 0; !e && i < n; i++) {
		columns_add(&table, app[i].name);
		columns_add(&table, app[i].protocols);
		columns_add(&table, text_day(c->arena, app[i].created));
		columns_add(&table, text_day(c->arena, app[i].used));
		json_array_append_new(json, json_pack("{s:o, s:o, s:I, s:I}", "name",
						      ctl_json_str(app[i].name), "protocols",
						      ctl_json_str(app[i].protocols), "created",
						      (json_int_t)app[i].created, "used",
						      (json_int_t)app[i].used));
	}
	if (!e && (c->options & OPT_JSON))
		return ctl_print_json(json);
	json_decref(json);
	if (e)
		return ctl_failed(c, e, why);
	columns_print(&table, stdout);
	return EXIT_OK;
}

int cmd_app_delete(struct ctl *c)
{
	struct str why;
	enum err e = admin_app_delete(c->peer, c->words[0], c->words[1], c->arena, &why);

	return e ? ctl_failed(c, e, why) : ctl_done(c);
}
