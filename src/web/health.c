/* SPDX-License-Identifier: ISC */
/* web/health.c - for an operator's monitoring. */
#include "web/web_priv.h"

#define PLAIN "text/plain; charset=utf-8"

struct reply health_show(struct request *q)
{
	struct keeper_numbers n;
	enum err e = keeper_numbers(q->web->keeper, &n);

	if (e)
		return (struct reply){
			503, PLAIN, str_fmt(q->a, "the keeper does not answer: %s\n", err_text(e))
		};
	return (struct reply){ 200, PLAIN, S("ok\n") };
}

/* The text format of Prometheus, version 0.0.4. */
struct reply health_metrics(struct request *q)
{
	struct keeper_numbers n = { 0 };
	bool up = keeper_numbers(q->web->keeper, &n) == OK;
	const struct {
		const char *name, *type, *help;
		uint64_t value;
	} rows[] = {
		{ "keeper_up", "gauge", "1 if the keeper answers", up },
		{ "keeper_start_time_seconds", "gauge", "When the keeper started",
		  (uint64_t)n.started },
		{ "logins_total", "counter", "Logins with a right password", n.logins },
		{ "logins_failed_total", "counter", "Logins with a wrong one", n.failed },
		{ "logins_unheard_total", "counter", "Logins from closed addresses", n.unheard },
		{ "password_changes_total", "counter", "Passwords changed by their owners",
		  n.changed },
		{ "addresses_closed", "gauge", "Addresses closed by the lockout now", n.closed },
	};
	struct buf b = buf_new(REPLY_MAX);

	for (size_t i = 0; i < (up ? LENGTH(rows) : 1); i++)
		buf_fmt(&b, "# HELP tecsmail_%s %s.\n# TYPE tecsmail_%s %s\ntecsmail_%s %llu\n",
			rows[i].name, rows[i].help, rows[i].name, rows[i].type, rows[i].name,
			(unsigned long long)rows[i].value);
	struct str body = str_dup(q->a, buf_str(&b));
	buf_free(&b);
	return (struct reply){ 200, "text/plain; version=0.0.4; charset=utf-8", body };
}
