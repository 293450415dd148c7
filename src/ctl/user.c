/* SPDX-License-Identifier: ISC */
/* ctl/user.c - one user: what he keeps and sends, and how much he may send. */
#include "ctl/ctl_priv.h"
#include "keeper/admin.h"
#include "keeper/day.h"

static json_t *json_counts(struct sending_counts used, struct sending_counts limits,
			   struct sending_counts own)
{
	const struct {
		const char *name;
		uint32_t used, limit, own;
	} rows[] = {
		{ "messages", used.messages, limits.messages, own.messages },
		{ "recipients", used.recipients, limits.recipients, own.recipients },
		{ "new_recipients", used.strangers, limits.strangers, own.strangers },
	};
	json_t *j = json_object();

	for (size_t i = 0; i < LENGTH(rows); i++)
		json_object_set_new(j, rows[i].name,
				    json_pack("{s:I, s:I, s:b}", "used", (json_int_t)rows[i].used,
					      "limit", (json_int_t)rows[i].limit, "own",
					      rows[i].own != SENDING_DEFAULT));
	return j;
}

static void print_count(const char *name, uint32_t used, uint32_t limit, uint32_t own)
{
	printf("%-17s %u of ", name, used);
	if (limit)
		printf("%u%s\n", limit, own == SENDING_DEFAULT ? "" : " (set for this user)");
	else
		printf("any number%s\n", own == SENDING_DEFAULT ? "" : " (set for this user)");
}

static void print_guarantee(const char *name, const char *own, const char *in_force)
{
	printf("%-17s %s%s\n", name, in_force,
	       strcmp(own, in_force) == 0 ? "" : " (as configured for all)");
}

static void print_user(struct ctl *c, const struct admin_user *u)
{
	const struct admin_row *r = &u->row;

	printf("%-17s %.*s\n%-17s %u\n%-17s %.*s\n", "address", FMT(r->name), "account", r->account,
	       "since", FMT(text_day(c->arena, r->created)));
	printf("%-17s %.*s%s%.*s\n", "state", FMT(r->state), r->reason.n ? ": " : "",
	       FMT(r->reason));
	if (r->expires)
		printf("%-17s %.*s\n", "last day", FMT(day_en(c->arena, r->expires)));
	printf("%-17s %.*s\n", "password changed", FMT(text_day(c->arena, r->password_changed)));
	printf("%-17s %llu mails, %.*s", "keeps", (unsigned long long)r->messages,
	       FMT(text_size(c->arena, r->octets)));
	if (r->quota)
		printf(" of %.*s (%.0f %%)", FMT(text_size(c->arena, r->quota)),
		       100.0 * (double)r->octets / (double)r->quota);
	printf("\n");
	print_guarantee("sending", guarantee_word(r->guarantees.sending),
			guarantee_word(r->in_force.sending));
	print_guarantee("receiving", guarantee_receiving_word(r->guarantees.receiving),
			guarantee_receiving_word(r->in_force.receiving));
	printf("sent in the last 24 hours:\n");
	print_count("  messages", u->used.messages, u->limits.messages, u->own.messages);
	print_count("  recipients", u->used.recipients, u->limits.recipients, u->own.recipients);
	print_count("  new recipients", u->used.strangers, u->limits.strangers, u->own.strangers);
}

/* What counts for the mail, and what is the user's own wish. */
static void put_guarantees(json_t *j, const struct admin_row *r)
{
	json_object_set_new(j, "sending_guarantee",
			    json_string(guarantee_word(r->in_force.sending)));
	json_object_set_new(j, "receiving_guarantee",
			    json_string(guarantee_receiving_word(r->in_force.receiving)));
	json_object_set_new(j, "own_sending_guarantee",
			    json_string(guarantee_word(r->guarantees.sending)));
	json_object_set_new(j, "own_receiving_guarantee",
			    json_string(guarantee_receiving_word(r->guarantees.receiving)));
}

json_t *ctl_json_user(struct arena *a, const struct admin_row *r)
{
	json_t *j = json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "address",
			      ctl_json_str(r->name), "account", (json_int_t)r->account, "quota",
			      (json_int_t)r->quota, "octets", (json_int_t)r->octets, "messages",
			      (json_int_t)r->messages, "created", (json_int_t)r->created,
			      "password_changed", (json_int_t)r->password_changed, "state",
			      ctl_json_str(r->state), "reason", ctl_json_str(r->reason), "expires",
			      r->expires ? ctl_json_str(day_en(a, r->expires)) : json_null());

	put_guarantees(j, r);
	return j;
}

struct str text_state(struct arena *a, const struct admin_row *r)
{
	if (!r->expires || str_is(r->state, "expired"))
		return r->state;
	return str_fmt(a, "%.*s, until %.*s", FMT(r->state), FMT(day_en(a, r->expires)));
}

static json_t *show_json(struct ctl *c, const struct admin_user *u)
{
	json_t *j = ctl_json_user(c->arena, &u->row);

	json_object_set_new(j, "sending", json_counts(u->used, u->limits, u->own));
	return j;
}

int cmd_user_show(struct ctl *c)
{
	struct admin_user u = { 0 };
	struct str why;
	enum err e = admin_user_show(c->peer, c->words[0], c->arena, &u, &why);

	if (e)
		return ctl_failed(c, e, why);
	if (c->options & OPT_JSON)
		return ctl_print_json(show_json(c, &u));
	print_user(c, &u);
	return EXIT_OK;
}

/* A number, or "default": as configured. */
static bool limit_parse(struct str text, uint32_t *out)
{
	struct scan in = scan(text);

	if (str_is(text, "default")) {
		*out = SENDING_DEFAULT;
		return true;
	}
	*out = (uint32_t)scan_num(&in, SENDING_KEEP - 1);
	return scan_end(&in);
}

int cmd_user_limits(struct ctl *c)
{
	struct sending_counts own = { SENDING_KEEP, SENDING_KEEP, SENDING_KEEP };
	const struct {
		unsigned option;
		struct str text;
		uint32_t *to;
	} given[] = {
		{ OPT_MESSAGES, c->messages, &own.messages },
		{ OPT_RECIPIENTS, c->recipients, &own.recipients },
		{ OPT_NEW, c->strangers, &own.strangers },
	};
	struct str why;

	for (size_t i = 0; i < LENGTH(given); i++)
		if ((c->options & given[i].option) && !limit_parse(given[i].text, given[i].to))
			return ctl_failed(c, E_SYNTAX,
					  str_fmt(c->arena,
						  "\"%.*s\" is no limit: a number (0: none) or "
						  "default",
						  FMT(given[i].text)));
	if (!(c->options & (OPT_MESSAGES | OPT_RECIPIENTS | OPT_NEW)))
		return ctl_failed(c, E_SYNTAX,
				  S("which limit? There are --messages, --recipients and "
				    "--new-recipients"));
	enum err e = admin_user_limits(c->peer, c->words[0], own, c->arena, &why);

	return e ? ctl_failed(c, e, why) : ctl_done(c);
}

/* --- the state of an account --- */

static int set_state(struct ctl *c, unsigned what, const struct admin_state *s)
{
	struct str why;
	enum err e = admin_user_set(c->peer, c->words[0], what, s, c->arena, &why);

	return e ? ctl_failed(c, e, why) : ctl_done(c);
}

int cmd_user_lock(struct ctl *c)
{
	return set_state(c, SET_STATE,
			 &(struct admin_state){ .locked = true, .reason = c->reason });
}

int cmd_user_unlock(struct ctl *c)
{
	return set_state(c, SET_STATE, &(struct admin_state){ 0 });
}

int cmd_user_block_sending(struct ctl *c)
{
	return set_state(c, SET_SENDING,
			 &(struct admin_state){ .send_blocked = true, .reason = c->reason });
}

int cmd_user_allow_sending(struct ctl *c)
{
	return set_state(c, SET_SENDING, &(struct admin_state){ 0 });
}

int cmd_user_set(struct ctl *c)
{
	struct admin_state s = { 0 };
	unsigned what = 0;

	if (c->options & OPT_QUOTA) {
		what |= SET_QUOTA;
		if (size_parse(c->quota, &s.quota))
			return ctl_failed(c, E_SYNTAX,
					  S("--quota: this is no size (500M, 2G; 0: no limit)"));
	}
	if (c->options & OPT_EXPIRES) {
		what |= SET_EXPIRES;
		if (!str_is(c->expires, "never") && day_parse(c->expires, &s.expires))
			return ctl_failed(c, E_SYNTAX,
					  S("--expires: this is no day (2026-12-31), nor never"));
	}
	if (c->options & OPT_SENDING) {
		what |= SET_SENDING_GUARANTEE;
		if (!guarantee_of(c->sending, &s.guarantees.sending))
			return ctl_failed(c, E_SYNTAX,
					  S("--sending: this is not none, encrypted or "
					    "authenticated"));
	}
	if (c->options & OPT_RECEIVING) {
		what |= SET_RECEIVING_GUARANTEE;
		if (!guarantee_receiving_of(c->receiving, &s.guarantees.receiving))
			return ctl_failed(c, E_SYNTAX,
					  S("--receiving: this is not any or encrypted"));
	}
	if (!what)
		return ctl_failed(c, E_SYNTAX,
				  S("set what? There are --quota, --expires, --sending and "
				    "--receiving"));
	return set_state(c, what, &s);
}
