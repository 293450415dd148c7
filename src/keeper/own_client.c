/* SPDX-License-Identifier: ISC */
/* keeper/own_client.c - the calls of own.h. */
#include "keeper/own.h"

#include "keeper/app.h"
#include "keeper/client_priv.h"
#include "keeper/history.h"

enum { NUMBERS_MEMORY = IPC_MAX + 4096 };

void keeper_take_said(struct scan *in, struct said *out)
{
	out->word = scan_blob(in);
	out->de = scan_blob(in);
	out->en = scan_blob(in);
}

/* What only the owner learns; *said: "ok", or why not, and then there is no more. */
static enum err ask_own(struct keeper *k, enum keeper_call call, const struct login_try *t,
			struct arena *a, struct said *said, struct scan *in)
{
	struct buf b = buf_new(FIELDS_MAX);

	keeper_put_try(&b, t);
	enum err e = keeper_ask(k, call, &b, KEEPER_LOGIN_MS, a, in);
	if (e)
		return e;
	keeper_take_said(in, said);
	return str_is(said->word, "ok") ? OK : keeper_eaten(in);
}

enum err keeper_apps(struct keeper *k, const struct login_try *t, struct arena *a,
		     struct said *said, struct own_app **out, size_t *n)
{
	struct scan in;

	*n = 0;
	enum err e = ask_own(k, CALL_OWN_APPS, t, a, said, &in);
	if (e || !str_is(said->word, "ok"))
		return e;
	*n = scan_u32(&in);
	if (in.bad || *n > APPS_MAX)
		return E_AGAIN;
	*out = ARENA_ARRAY(a, struct own_app, *n);
	for (size_t i = 0; i < *n; i++) {
		struct own_app *app = *out + i;
		app->name = scan_blob(&in);
		app->protocols = scan_blob(&in);
		app->created = (int64_t)scan_u64(&in);
		app->used = (int64_t)scan_u64(&in);
	}
	return keeper_eaten(&in);
}

enum err keeper_app_add(struct keeper *k, const struct login_try *t, struct str name,
			struct str protocols, struct arena *a, struct said *out,
			struct str *password)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct scan in;

	buf_blob(&b, name);
	buf_blob(&b, protocols);
	keeper_put_try(&b, t);
	enum err e = keeper_ask(k, CALL_OWN_APP_ADD, &b, KEEPER_LOGIN_MS, a, &in);
	if (e)
		return e;
	keeper_take_said(&in, out);
	*password = str_is(out->word, "ok") ? scan_blob(&in) : S("");
	return keeper_eaten(&in);
}

enum err keeper_app_delete(struct keeper *k, const struct login_try *t, struct str name,
			   struct arena *a, struct said *out)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct scan in;

	buf_blob(&b, name);
	keeper_put_try(&b, t);
	enum err e = keeper_ask(k, CALL_OWN_APP_DELETE, &b, KEEPER_LOGIN_MS, a, &in);
	if (e)
		return e;
	keeper_take_said(&in, out);
	return keeper_eaten(&in);
}

bool keeper_take_logins(struct scan *in, struct arena *a, struct recent_login **out, size_t *n)
{
	*n = scan_u32(in);
	if (in->bad || *n > VISITS_MAX)
		return false;
	*out = ARENA_ARRAY(a, struct recent_login, *n);
	for (size_t i = 0; i < *n; i++) {
		struct recent_login *l = *out + i;
		l->first = (int64_t)scan_u64(in);
		l->last = (int64_t)scan_u64(in);
		l->count = scan_u32(in);
		l->good = scan_u8(in) != 0;
		l->result = scan_blob(in);
		l->address = scan_blob(in);
		l->protocol = scan_blob(in);
		l->by = scan_blob(in);
		l->program = scan_blob(in);
	}
	return scan_end(in);
}

enum err keeper_logins(struct keeper *k, const struct login_try *t, struct arena *a,
		       struct said *said, struct recent_login **out, size_t *n)
{
	struct scan in;

	*n = 0;
	enum err e = ask_own(k, CALL_OWN_LOGINS, t, a, said, &in);
	if (e || !str_is(said->word, "ok"))
		return e;
	return keeper_take_logins(&in, a, out, n) ? OK : E_AGAIN;
}

enum err keeper_sessions(struct keeper *k, const struct login_try *t, struct arena *a,
			 struct said *said, struct session_row **out, size_t *n)
{
	struct scan in;

	*n = 0;
	enum err e = ask_own(k, CALL_OWN_SESSIONS, t, a, said, &in);
	if (e || !str_is(said->word, "ok"))
		return e;
	*n = scan_u32(&in);
	if (in.bad || *n > 4 * SESSIONS_MAX)
		return E_AGAIN;
	*out = ARENA_ARRAY(a, struct session_row, *n);
	for (size_t i = 0; i < *n; i++) {
		struct session_row *r = *out + i;
		r->protocol = scan_blob(&in);
		r->address = scan_blob(&in);
		r->since = (int64_t)scan_u64(&in);
	}
	return keeper_eaten(&in);
}

enum err keeper_logout(struct keeper *k, const struct login_try *t, struct arena *a,
		       struct said *out)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct scan in;

	keeper_put_try(&b, t);
	enum err e = keeper_ask(k, CALL_OWN_LOGOUT, &b, KEEPER_LOGIN_MS, a, &in);
	if (e)
		return e;
	keeper_take_said(&in, out);
	return keeper_eaten(&in);
}

static struct guarantees take_guarantees(struct scan *in)
{
	unsigned sending = scan_u8(in);
	bool receiving = scan_u8(in) != 0;

	if (sending >= GUARANTEES)
		scan_fail(in);
	return (struct guarantees){ in->bad ? GUARANTEE_NONE : (enum guarantee)sending, receiving };
}

static enum err take_own_guarantees(struct scan *in, struct own_guarantees *out)
{
	out->own = take_guarantees(in);
	out->least = take_guarantees(in);
	return keeper_eaten(in);
}

enum err keeper_guarantees(struct keeper *k, const struct login_try *t, struct arena *a,
			   struct said *said, struct own_guarantees *out)
{
	struct scan in;
	enum err e = ask_own(k, CALL_OWN_GUARANTEES, t, a, said, &in);

	if (e || !str_is(said->word, "ok"))
		return e;
	return take_own_guarantees(&in, out);
}

enum err keeper_guarantees_set(struct keeper *k, const struct login_try *t, struct str sending,
			       struct str receiving, struct arena *a, struct said *said,
			       struct own_guarantees *out)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct scan in;

	buf_blob(&b, sending);
	buf_blob(&b, receiving);
	keeper_put_try(&b, t);
	enum err e = keeper_ask(k, CALL_OWN_GUARANTEES_SET, &b, KEEPER_LOGIN_MS, a, &in);
	if (e)
		return e;
	keeper_take_said(&in, said);
	return str_is(said->word, "ok") ? take_own_guarantees(&in, out) : keeper_eaten(&in);
}

enum err keeper_judge(struct keeper *k, struct str user, struct str password, struct arena *a,
		      struct change *out)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct scan in;

	buf_blob(&b, user);
	buf_blob(&b, password);
	enum err e = keeper_ask(k, CALL_JUDGE, &b, KEEPER_WAIT_MS, a, &in);
	return e ? e : keeper_take_change(&in, out);
}

static enum err take_standing(struct scan *in, struct standing *out)
{
	out->state = (enum lockout_state)scan_u8(in);
	out->by_hand = scan_u8(in) != 0;
	out->until = (int64_t)scan_u64(in);
	out->rules.errors = scan_u32(in);
	out->rules.blocks = scan_u32(in);
	out->rules.window_s = (int64_t)scan_u64(in);
	out->rules.block_s = (int64_t)scan_u64(in);
	out->rules.day_s = (int64_t)scan_u64(in);
	out->rules.ban_s = (int64_t)scan_u64(in);
	out->rules.prefix6 = scan_u32(in);
	out->rules.count_repeats = scan_u8(in) != 0;
	return keeper_eaten(in);
}

enum err keeper_standing(struct keeper *k, struct str ip, struct standing *out)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct arena *a = arena_new(NUMBERS_MEMORY);
	struct scan in;

	buf_blob(&b, ip);
	enum err e = keeper_ask(k, CALL_STANDING, &b, KEEPER_WAIT_MS, a, &in);
	if (!e)
		e = take_standing(&in, out);
	arena_free(&a);
	return e;
}

enum err keeper_numbers(struct keeper *k, struct keeper_numbers *out)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct arena *a = arena_new(NUMBERS_MEMORY);
	struct scan in;

	enum err e = keeper_ask(k, CALL_NUMBERS, &b, KEEPER_WAIT_MS, a, &in);
	if (!e) {
		out->started = (int64_t)scan_u64(&in);
		out->logins = scan_u64(&in);
		out->failed = scan_u64(&in);
		out->unheard = scan_u64(&in);
		out->changed = scan_u64(&in);
		out->closed = scan_u64(&in);
		e = keeper_eaten(&in);
	}
	arena_free(&a);
	return e;
}
