/* SPDX-License-Identifier: ISC */
/* keeper/admin.c - the operator's calls, the asking side. */
#include "base/buf.h"
#include "base/clock.h"
#include "keeper/admin_priv.h"
#include "keeper/client_priv.h"

enum err admin_ask(struct peer *p, uint32_t type, struct buf *fields, struct arena *a,
		   struct scan *in, struct str *why)
{
	struct message m = { .fd = -1 };
	enum err e = fields->full ? E_LIMIT : OK;

	*why = S("this is more than fits into one command");
	if (!e) {
		e = ipc_call(p, type, buf_str(fields), -1, clock_in(KEEPER_LOGIN_MS), a, &m);
		*why = str_fmt(a, "the server gave no answer: %s", err_text(e));
	}
	buf_free(fields);
	if (e)
		return e;
	*in = m.in;
	unsigned result = scan_u8(in);
	*why = scan_blob(in);
	if (in->bad || result >= ERR_COUNT) {
		*why = S("the server's answer was not understood: is it of another version?");
		return E_VERSION;
	}
	return (enum err)result;
}

enum err admin_misunderstood(struct str *why)
{
	*why = S("the server's answer was not understood");
	return E_VERSION;
}

static enum err ask_text(struct peer *p, uint32_t type, struct str text, struct arena *a,
			 struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;

	buf_blob(&b, text);
	return admin_ask(p, type, &b, a, &in, why);
}

enum err admin_domain_add(struct peer *p, struct str domain, struct arena *a, struct str *why)
{
	return ask_text(p, CALL_DOMAIN_ADD, domain, a, why);
}

enum err admin_domain_delete(struct peer *p, struct str domain, struct arena *a, struct str *why)
{
	return ask_text(p, CALL_DOMAIN_DELETE, domain, a, why);
}

enum err admin_user_delete(struct peer *p, struct str address, struct arena *a, struct str *why)
{
	return ask_text(p, CALL_USER_DELETE, address, a, why);
}

enum err admin_alias_delete(struct peer *p, struct str address, struct arena *a, struct str *why)
{
	return ask_text(p, CALL_ALIAS_DELETE, address, a, why);
}

static void put_user(struct buf *b, struct str address, struct admin_password pw)
{
	buf_blob(b, address);
	buf_blob(b, pw.password);
	buf_blob(b, pw.hash);
}

enum err admin_user_add(struct peer *p, struct str address, struct admin_password pw,
			uint64_t quota, struct arena *a, struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;

	put_user(&b, address, pw);
	buf_u64(&b, quota);
	return admin_ask(p, CALL_USER_ADD, &b, a, &in, why);
}

enum err admin_user_passwd(struct peer *p, struct str address, struct admin_password pw,
			   struct arena *a, struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;

	put_user(&b, address, pw);
	return admin_ask(p, CALL_USER_PASSWD, &b, a, &in, why);
}

enum err admin_alias_add(struct peer *p, struct str address, const struct str *targets, size_t n,
			 struct arena *a, struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;

	buf_blob(&b, address);
	buf_u32(&b, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		buf_blob(&b, targets[i]);
	return admin_ask(p, CALL_ALIAS_ADD, &b, a, &in, why);
}

/* --- app passwords --- */

enum err admin_app_add(struct peer *p, struct str address, struct str name, struct str protocols,
		       struct arena *a, struct str *password, struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;

	buf_blob(&b, address);
	buf_blob(&b, name);
	buf_blob(&b, protocols);
	enum err e = admin_ask(p, CALL_APP_ADD, &b, a, &in, why);
	if (e)
		return e;
	*password = scan_blob(&in);
	return scan_end(&in) ? OK : admin_misunderstood(why);
}

enum err admin_app_delete(struct peer *p, struct str address, struct str name, struct arena *a,
			  struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;

	buf_blob(&b, address);
	buf_blob(&b, name);
	return admin_ask(p, CALL_APP_DELETE, &b, a, &in, why);
}

enum err admin_app_list(struct peer *p, struct str address, struct arena *a, struct admin_app **out,
			size_t *n, struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;

	buf_blob(&b, address);
	enum err e = admin_ask(p, CALL_APP_LIST, &b, a, &in, why);
	if (e)
		return e;
	*n = scan_u32(&in);
	if (in.bad || *n > APPS_MAX)
		return admin_misunderstood(why);
	*out = ARENA_ARRAY(a, struct admin_app, *n);
	for (size_t i = 0; i < *n; i++) {
		struct admin_app *app = *out + i;
		app->name = scan_blob(&in);
		app->protocols = scan_blob(&in);
		app->created = (int64_t)scan_u64(&in);
		app->used = (int64_t)scan_u64(&in);
	}
	return scan_end(&in) ? OK : admin_misunderstood(why);
}

enum err admin_user_logins(struct peer *p, struct str address, struct arena *a,
			   struct recent_login **out, size_t *n, struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;

	buf_blob(&b, address);
	enum err e = admin_ask(p, CALL_USER_LOGINS, &b, a, &in, why);
	if (e)
		return e;
	return keeper_take_logins(&in, a, out, n) ? OK : admin_misunderstood(why);
}

/* --- lists --- */

static void read_domain(struct scan *in, struct arena *a, struct admin_row *r)
{
	(void)a;
	r->name = scan_blob(in);
	r->created = (int64_t)scan_u64(in);
}

static struct guarantees read_guarantees(struct scan *in)
{
	unsigned sending = scan_u8(in);
	bool receiving = scan_u8(in) != 0;

	if (sending >= GUARANTEES)
		scan_fail(in);
	return (struct guarantees){ in->bad ? GUARANTEE_NONE : (enum guarantee)sending, receiving };
}

void admin_read_user(struct scan *in, struct arena *a, struct admin_row *r)
{
	(void)a;
	r->account = scan_u32(in);
	r->name = scan_blob(in);
	r->created = (int64_t)scan_u64(in);
	r->quota = scan_u64(in);
	r->password_changed = (int64_t)scan_u64(in);
	r->octets = scan_u64(in);
	r->messages = scan_u64(in);
	r->state = scan_blob(in);
	r->reason = scan_blob(in);
	r->expires = scan_u32(in);
	r->guarantees = read_guarantees(in);
	r->in_force = read_guarantees(in);
}

static void read_invitation(struct scan *in, struct arena *a, struct admin_row *r)
{
	(void)a;
	r->name = scan_blob(in);
	r->created = (int64_t)scan_u64(in);
	r->until = (int64_t)scan_u64(in);
	r->quota = scan_u64(in);
}

static void read_alias(struct scan *in, struct arena *a, struct admin_row *r)
{
	r->name = scan_blob(in);
	r->created = (int64_t)scan_u64(in);
	r->ntargets = scan_u32(in);
	if (in->bad || r->ntargets > ALIAS_TARGETS_MAX) {
		scan_fail(in);
		return;
	}
	r->targets = ARENA_ARRAY(a, struct str, r->ntargets);
	for (size_t i = 0; i < r->ntargets; i++)
		r->targets[i] = scan_blob(in);
}

static const struct {
	enum keeper_call type;
	void (*read)(struct scan *in, struct arena *a, struct admin_row *r);
} lists[] = {
	[ADMIN_DOMAINS] = { CALL_DOMAIN_LIST, read_domain },
	[ADMIN_USERS] = { CALL_USER_LIST, admin_read_user },
	[ADMIN_ALIASES] = { CALL_ALIAS_LIST, read_alias },
	[ADMIN_INVITATIONS] = { CALL_INVITE_LIST, read_invitation },
};

enum err admin_list(struct peer *p, enum admin_list what, struct str domain,
		    void (*row)(void *arg, const struct admin_row *r), void *arg,
		    struct arena *result, struct str *why)
{
	struct arena *a = arena_new(ADMIN_PAGE);
	char after[KEY_MAX];
	size_t nafter = 0;
	bool more = true;
	enum err e = OK;

	while (more && !e) {
		struct buf b = buf_new(IPC_MAX / 2);
		struct scan in;

		arena_reset(a);
		buf_blob(&b, domain);
		buf_blob(&b, STR(after, nafter));
		e = admin_ask(p, lists[what].type, &b, a, &in, why);
		while (!e && scan_u8(&in)) {
			struct admin_row r = { 0 };
			lists[what].read(&in, a, &r);
			if (!in.bad)
				row(arg, &r);
		}
		if (e)
			break;
		more = scan_u8(&in) != 0;
		struct str last = scan_blob(&in);
		if (!scan_end(&in) || last.n > sizeof(after)) {
			*why = S("the server's answer was not understood");
			e = E_VERSION;
			break;
		}
		memcpy(after, last.p, last.n);
		nafter = last.n;
	}
	*why = e ? str_dup(result, *why) : S("");
	arena_free(&a);
	return e;
}
