/* SPDX-License-Identifier: ISC */
/* keeper/client.c - the side that asks; it waits for a keeper that is just being started. */
#include "base/buf.h"
#include "base/clock.h"
#include "keeper/client_priv.h"

enum { REPORTS_MAX = 64, USER_OCTETS_MAX = 1024 };

struct keeper {
	struct peer *peer;       /* owned; NULL before the first keeper_connect */
	struct signal connected; /* another peer is there */
	struct group *reports;   /* fibers of keeper_cleartext and keeper_refused */
	struct keeper_orders orders;
};

struct keeper *keeper_new(void)
{
	struct keeper *k = NEW(struct keeper);

	k->reports = group_new();
	return k;
}

void keeper_obey(struct keeper *k, struct keeper_orders o)
{
	k->orders = o;
}

static enum err tell_list(const struct keeper *k, struct scan *in, struct arena *a, struct buf *out)
{
	struct session_row *row = ARENA_ARRAY(a, struct session_row, SESSIONS_MAX);
	uint32_t account = scan_u32(in);
	size_t n = 0;

	if (!scan_end(in))
		return E_SYNTAX;
	if (account && k->orders.list)
		n = k->orders.list(k->orders.arg, account, a, row);
	buf_u32(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		buf_blob(out, row[i].protocol);
		buf_blob(out, row[i].address);
		buf_u64(out, (uint64_t)row[i].since);
	}
	return OK;
}

static enum err end_sessions(const struct keeper *k, struct message *m)
{
	struct session_end end = { .account = scan_u32(&m->in) };
	struct str from = scan_take(&m->in, sizeof end.from.octets);

	end.from.bits = scan_u8(&m->in);
	end.except = scan_u64(&m->in);
	end.reason = scan_blob(&m->in);
	if (!scan_end(&m->in) || end.from.bits > 128)
		return E_SYNTAX;
	memcpy(end.from.octets, from.p, from.n);
	if (k->orders.end)
		k->orders.end(k->orders.arg, &end);
	return OK;
}

static enum err serve(void *arg, struct message *m, struct arena *a, struct buf *out, int *out_fd)
{
	const struct keeper *k = arg;

	(void)out_fd;
	if (m->type == TELL_LIST)
		return tell_list(k, &m->in, a, out);
	if (m->type == TELL_END)
		return end_sessions(k, m);
	if (m->type != TELL_SEAL || !scan_end(&m->in))
		return E_SYNTAX;
	if (k->orders.seal)
		k->orders.seal(k->orders.arg);
	return OK;
}

void keeper_connect(struct keeper *k, int fd)
{
	struct peer *old = k->peer;

	k->peer = peer_new(fd, (struct ipc_service){ serve, k });
	signal_raise(&k->connected);
	if (old)
		peer_close(&old);
}

void keeper_close(struct keeper **k)
{
	if (!*k)
		return;
	group_close(&(*k)->reports);
	if ((*k)->peer)
		peer_close(&(*k)->peer);
	free(*k);
	*k = NULL;
}

/* All calls may be asked twice: a keeper that died before it answered is asked again. */
static enum err call(struct keeper *k, uint32_t type, struct buf *fields, int64_t wait_ms,
		     struct arena *a, struct scan *in)
{
	int64_t deadline = clock_in(wait_ms);
	struct message m = { .fd = -1 };
	enum err e = OK;

	while (!e) {
		uint64_t seen = k->connected.count;
		if (k->peer && !peer_gone(k->peer)) {
			e = ipc_call(k->peer, type, buf_str(fields), -1, deadline, a, &m);
			if (e != E_CLOSED)
				break;
		}
		e = k->connected.count == seen ? signal_wait(&k->connected, seen, deadline) : OK;
	}
	*in = m.in;
	return e == E_TIMEOUT || e == E_CLOSED ? E_AGAIN : e;
}

enum err keeper_ask(struct keeper *k, uint32_t type, struct buf *fields, int64_t wait_ms,
		    struct arena *a, struct scan *in)
{
	enum err e = fields->full ? E_DENIED : call(k, type, fields, wait_ms, a, in);

	buf_free(fields);
	return e;
}

void keeper_put_path(struct buf *b, struct path p)
{
	buf_blob(b, p.local);
	buf_blob(b, p.domain);
	buf_u8(b, p.utf8);
}

enum err keeper_eaten(const struct scan *in)
{
	return scan_end(in) ? OK : E_AGAIN;
}

enum err keeper_route(struct keeper *k, struct path to, struct arena *a, struct route **out,
		      size_t *n)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct scan in;

	keeper_put_path(&b, to);
	enum err e = keeper_ask(k, CALL_ROUTE, &b, KEEPER_WAIT_MS, a, &in);
	if (e)
		return e;
	*n = scan_u32(&in);
	if (in.bad || *n > ALIAS_TARGETS_MAX)
		return E_AGAIN;
	*out = ARENA_ARRAY(a, struct route, *n);
	for (size_t i = 0; i < *n; i++) {
		struct route *r = *out + i;
		r->account = scan_u32(&in);
		r->address = scan_blob(&in);
		r->mailbox = scan_blob(&in);
		r->quota = scan_u64(&in);
		r->encrypted = scan_u8(&in) != 0;
		r->expired = scan_u8(&in) != 0;
		r->back = scan_u8(&in) != 0;
	}
	return keeper_eaten(&in);
}

enum err keeper_domain(struct keeper *k, struct str domain)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct arena *a = arena_new(IPC_MAX + 4096);
	struct scan in;

	buf_blob(&b, domain);
	enum err e = keeper_ask(k, CALL_DOMAIN, &b, KEEPER_WAIT_MS, a, &in);
	arena_free(&a);
	return e == E_DENIED ? E_NOTFOUND : e;
}

enum err keeper_rewrite(struct keeper *k, struct path sender, struct str domain, struct arena *a,
			struct str *out)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct scan in;

	keeper_put_path(&b, sender);
	buf_blob(&b, domain);
	enum err e = keeper_ask(k, CALL_REWRITE, &b, KEEPER_WAIT_MS, a, &in);
	if (e)
		return e;
	*out = scan_blob(&in);
	return keeper_eaten(&in);
}

/* Which connection it came over: the keeper's line about it says so. */
static struct login_try with_connection(const struct login_try *t)
{
	struct login_try out = *t;

	if (log_current) {
		out.conn = log_current->conn;
		out.port = log_current->port;
	}
	return out;
}

void keeper_put_try(struct buf *b, const struct login_try *try)
{
	struct login_try full = with_connection(try), *t = &full;

	buf_blob(b, t->user);
	buf_blob(b, t->password);
	buf_blob(b, t->ip);
	buf_blob(b, str_of(t->proto));
	buf_u8(b, t->tls);
	buf_u64(b, t->conn);
	buf_u16(b, t->port);
	buf_blob(b, t->program);
}

enum err keeper_login(struct keeper *k, const struct login_try *t, struct arena *a,
		      struct login *out)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct scan in;

	*out = (struct login){ 0 };
	keeper_put_try(&b, t);
	enum err e = keeper_ask(k, CALL_LOGIN, &b, KEEPER_LOGIN_MS, a, &in);
	if (e)
		return e;
	unsigned how = scan_u8(&in);
	if (how != LOGIN_GOOD) {
		*(how == LOGIN_CLOSED ? &out->closed : &out->refused) = scan_blob(&in);
		return !scan_end(&in) ? E_AGAIN : how == LOGIN_CLOSED ? E_LIMIT : E_DENIED;
	}
	out->account = scan_u32(&in);
	out->address = scan_blob(&in);
	out->quota = scan_u64(&in);
	out->notice = scan_blob(&in);
	e = keeper_eaten(&in);
	if (!e && k->orders.logged_in && log_current)
		k->orders.logged_in(k->orders.arg, log_current->conn, out->account);
	return e;
}

enum err keeper_admit(struct keeper *k, struct str ip, struct arena *a, struct str *why)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct scan in;

	buf_blob(&b, ip);
	enum err e = keeper_ask(k, CALL_ADMIT, &b, KEEPER_ADMIT_MS, a, &in);
	if (e)
		return e == E_CANCELED ? e : OK;
	*why = scan_blob(&in);
	return scan_end(&in) && why->n ? E_LIMIT : OK;
}

enum err keeper_may_send(struct keeper *k, uint32_t account, struct path from, struct arena *a,
			 struct str *why, enum guarantee *least)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct scan in;

	*why = S("");
	*least = GUARANTEE_NONE;
	buf_u32(&b, account);
	keeper_put_path(&b, from);
	enum err e = keeper_ask(k, CALL_MAY_SEND, &b, KEEPER_WAIT_MS, a, &in);
	if (e)
		return e;
	*why = scan_blob(&in);
	unsigned level = scan_u8(&in);
	if (!scan_end(&in) || level >= GUARANTEES)
		return E_AGAIN;
	*least = (enum guarantee)level;
	return why->n ? E_DENIED : OK;
}

enum err keeper_may_append(struct keeper *k, uint32_t account, uint64_t *quota)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct arena *a = arena_new(IPC_MAX + 4096);
	struct scan in;

	buf_u32(&b, account);
	enum err e = keeper_ask(k, CALL_MAY_APPEND, &b, KEEPER_WAIT_MS, a, &in);
	if (!e) {
		*quota = scan_u64(&in);
		e = keeper_eaten(&in);
	}
	arena_free(&a);
	return e;
}

enum err keeper_take_change(struct scan *in, struct change *out)
{
	out->word = scan_blob(in);
	out->de = scan_blob(in);
	out->en = scan_blob(in);
	out->score = scan_u8(in);
	out->advice_de = scan_blob(in);
	out->advice_en = scan_blob(in);
	return keeper_eaten(in);
}

void keeper_program(struct keeper *k, uint32_t account, const struct login_try *t)
{
	struct arena *a = arena_new(FIELDS_MAX);
	struct buf b = buf_new(FIELDS_MAX);
	struct scan in;

	buf_u32(&b, account);
	keeper_put_try(&b, t);
	enum err e = keeper_ask(k, CALL_PROGRAM, &b, KEEPER_WAIT_MS, a, &in);
	if (e)
		log_event(LOG_DEBUG, "program.unknown", KVE(e));
	arena_free(&a);
}

enum err keeper_change_password(struct keeper *k, const struct login_try *t, struct str fresh,
				struct arena *a, struct change *out)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct scan in;

	buf_blob(&b, fresh);
	keeper_put_try(&b, t);
	enum err e = keeper_ask(k, CALL_CHANGE, &b, KEEPER_LOGIN_MS, a, &in);
	return e ? e : keeper_take_change(&in, out);
}

/* --- reports that nobody waits for --- */

struct report {
	struct keeper *k;
	struct arena *a; /* owned: of this, and of all below */
	enum keeper_call type;
	struct str fields;
	const char *event, *proto; /* for the log, where it gets lost */
	struct str user, ip;
};

static void lost(const struct report *r, enum err e)
{
	log_event(LOG_WARN, r->event, KV("user", r->user), KV("ip", r->ip), KVC("proto", r->proto),
		  KVE(e));
}

static void send_report(void *arg)
{
	struct report *r = arg;
	struct arena *a = r->a;
	struct buf b = buf_new(FIELDS_MAX);
	struct scan in;

	buf_put(&b, r->fields);
	enum err e = keeper_ask(r->k, r->type, &b, KEEPER_WAIT_MS, a, &in);
	if (e && e != E_CANCELED)
		lost(r, e);
	arena_free(&a);
}

/* Takes the fields; the rest is borrowed. */
static void report(struct report r, struct buf *fields)
{
	struct arena *a = arena_new(IPC_MAX + 2 * FIELDS_MAX);
	struct report *kept = ARENA_NEW(a, struct report);

	*kept = r;
	kept->a = a;
	kept->fields = str_dup(a, buf_str(fields));
	kept->user = str_dup(a, r.user);
	kept->ip = str_dup(a, r.ip);
	buf_free(fields);
	if (group_size(r.k->reports) < REPORTS_MAX &&
	    !group_spawn(r.k->reports, r.event, send_report, kept))
		return;
	lost(kept, E_LIMIT);
	arena_free(&a);
}

void keeper_cleartext(struct keeper *k, struct str user, struct str ip, const char *proto)
{
	struct report r = { .k = k,
			    .type = CALL_CLEARTEXT,
			    .event = "login.cleartext",
			    .proto = proto,
			    .user = str_part(user, 0, USER_OCTETS_MAX),
			    .ip = str_part(ip, 0, 64) };
	struct login_try t = { .user = r.user, .ip = r.ip, .proto = proto };
	struct buf b = buf_new(FIELDS_MAX);

	keeper_put_try(&b, &t);
	report(r, &b);
}

static struct path cut(struct path p)
{
	return (struct path){ str_part(p.local, 0, USER_OCTETS_MAX),
			      str_part(p.domain, 0, USER_OCTETS_MAX), p.utf8 };
}

void keeper_refused(struct keeper *k, const struct keeper_refusal *what)
{
	struct report r = { .k = k,
			    .type = CALL_REFUSED,
			    .event = "refused.unknown",
			    .proto = "smtp",
			    .user = cut(what->to).local,
			    .ip = str_part(what->ip, 0, 64) };
	struct buf b = buf_new(FIELDS_MAX);

	keeper_put_path(&b, cut(what->from));
	keeper_put_path(&b, cut(what->to));
	buf_blob(&b, r.ip);
	buf_blob(&b, str_part(what->host, 0, USER_OCTETS_MAX));
	buf_u32(&b, (uint32_t)what->n);
	for (size_t i = 0; i < what->n; i++)
		buf_u32(&b, what->account[i]);
	report(r, &b);
}
