/* SPDX-License-Identifier: ISC */
/* keeper/change.c - is a new password taken, and the change by its owner. */
#include "base/log.h"
#include "fiber/fiber.h"
#include "keeper/serve_priv.h"

struct finding {
	const struct leaked *list;
	struct str password;
	bool found;
	enum err result;
};

static void find(void *arg)
{
	struct finding *f = arg;

	f->result = leaked_find(f->list, f->password, &f->found);
}

struct password_verdict password_judge(const struct keeping *k, struct str password,
				       struct str user)
{
	struct password_policy p = { .min = k->conf.password_min,
				     .classes = k->conf.password_classes,
				     .user = user };
	struct password_verdict v = password_rule(password, &p);

	if (v.fault || !k->conf.leaked)
		return v;
	struct leaked *list = leaked_hold(k->conf.leaked); /* a reload may come meanwhile */
	struct finding f = { .list = list, .password = password };
	work_run(find, &f);
	leaked_close(&list);
	/* A list that is out of order refuses nobody: it is the operator's to mend. */
	if (f.result)
		log_event(LOG_ERROR, "password.leaked", KVE(f.result));
	p.leaked = f.found;
	return password_rule(password, &p);
}
