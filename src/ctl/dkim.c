/* SPDX-License-Identifier: ISC */
/* ctl/dkim.c - the keys that sign a domain's mail. */
#include "ctl/ctl_priv.h"
#include "keeper/admin.h"
#include "trust/dkim.h"

struct str text_dkim(struct arena *a, const struct dkim_pair_key *k)
{
	return dkim_key_record(a, k->kind == KIND_RSA ? DKIM_RSA : DKIM_ED25519, k->open);
}

int cmd_dkim_add(struct ctl *c)
{
	struct str why;
	enum err e = admin_dkim_add(c->peer, c->words[0], c->arena, &why);

	return e ? ctl_failed(c, e, why) : ctl_done(c);
}

int cmd_dkim_rotate(struct ctl *c)
{
	struct str why;
	bool force = (c->options & OPT_YES) != 0;
	enum err e = admin_dkim_rotate(c->peer, c->words[0], force, c->arena, &why);

	return e ? ctl_failed(c, e, why) : ctl_done(c);
}

int cmd_dkim_retire(struct ctl *c)
{
	struct str why;
	bool force = (c->options & OPT_YES) != 0;
	enum err e = admin_dkim_retire(c->peer, c->words[0], force, c->arena, &why);

	return e ? ctl_failed(c, e, why) : ctl_done(c);
}

static const char *state_word(unsigned state)
{
	return state == DKIM_NEXT ? "next" : state == DKIM_ACTIVE ? "active" : "retired";
}

static const char *kind_word(unsigned kind)
{
	return kind == KIND_RSA ? "rsa-sha256" : "ed25519-sha256";
}

int cmd_dkim_list(struct ctl *c)
{
	static const char *const heads[] = { "SELECTOR", "ALGORITHM", "STATE", "SINCE", "RECORD" };
	struct columns t = columns_new(c->arena, heads, LENGTH(heads));
	json_t *rows = json_array();
	struct dkim_keys k;
	struct str why;
	enum err e = admin_dkim_list(c->peer, c->words[0], c->arena, &k, &why);

	for (size_t i = 0; i < k.n && !e; i++) {
		const struct dkim_pair_key *p = &k.key[i];
		struct str record = text_dkim(c->arena, p);

		columns_add(&t, p->selector);
		columns_add(&t, str_of(kind_word(p->kind)));
		columns_add(&t, str_of(state_word(p->state)));
		columns_add(&t, text_time(c->arena, p->changed));
		columns_add(&t, record);
		json_array_append_new(
			rows, json_pack("{s:o, s:s, s:s, s:I, s:I, s:o}", "selector",
					ctl_json_str(p->selector), "algorithm", kind_word(p->kind),
					"state", state_word(p->state), "created",
					(json_int_t)p->created, "changed", (json_int_t)p->changed,
					"record", ctl_json_str(record)));
	}
	if (!e && (c->options & OPT_JSON))
		return ctl_print_json(rows);
	json_decref(rows);
	if (e)
		return ctl_failed(c, e, why);
	columns_print(&t, stdout);
	return EXIT_OK;
}
