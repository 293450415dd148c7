/* SPDX-License-Identifier: ISC */
/* proc/child.c - the life of a child process: settings, sockets, start, stop. */
#include "proc/child.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/buf.h"

enum { SENTENCE_MAX = 4096, STOP_MS = 10000 };

static enum err answer(struct buf *out, enum err e, struct str sentence)
{
	buf_u8(out, (uint8_t)e);
	buf_blob(out, str_part(sentence, 0, SENTENCE_MAX));
	return OK;
}

/* New connections take the new settings; those that are open keep theirs. */
static enum err take_settings(struct child *c, struct message *m, struct arena *a, struct str *why)
{
	struct str path = scan_blob(&m->in), text = scan_blob(&m->in);
	struct str cert = scan_blob(&m->in), key = scan_blob(&m->in);
	struct settings *fresh;

	if (!scan_end(&m->in))
		return E_SYNTAX;
	enum err e = settings_new(path, text, cert, key, c->store, c->keeper, a, &fresh, why);
	if (e)
		return e;
	if (c->settings) {
		log_event(LOG_INFO, "reloaded");
		settings_release(&c->settings);
	}
	c->settings = fresh;
	log_start(c->name, fresh->config.log_level);
	return OK;
}

static enum err start(struct child *c, const struct role *role, struct arena *a, struct str *why)
{
	BUG_IF(!c->settings || c->store);
	enum err e = store_open(c->settings->config.store, a, &c->store, why);
	if (e)
		return e;
	settings_serve_from(c->settings, c->store);
	return role->start(c);
}

struct served {
	struct child *c;
	const struct role *role;
};

static enum err take_files(struct served *s, struct message *m)
{
	struct outward_files files = { 0 };

	files.passwords = scan_blob(&m->in);
	files.authorities = scan_blob(&m->in);
	if (!scan_end(&m->in) || !s->role->files)
		return E_SYNTAX;
	s->role->files(s->c, &files);
	return OK;
}

static enum err serve(void *arg, struct message *m, struct arena *a, struct buf *out, int *out_fd)
{
	struct served *s = arg;
	struct child *c = s->c;
	struct str why = S_NONE;
	enum err e = E_SYNTAX;
	int fd = m->fd;

	(void)out_fd;
	m->fd = -1;
	switch ((enum ask)m->type) {
	case ASK_SETTINGS:
		e = take_settings(c, m, a, &why);
		if (!e && s->role->configure)
			s->role->configure(c);
		break;
	case ASK_SOCKET:
		e = s->role->socket ? s->role->socket(c, scan_blob(&m->in), fd) : E_DENIED;
		break;
	case ASK_FILES: e = take_files(s, m); break;
	case ASK_CLIENT:
		e = E_DENIED;
		if (s->role->client) {
			struct str asks = scan_blob(&m->in);
			e = s->role->client(c, asks, scan_u8(&m->in) != 0, fd);
		}
		break;
	case ASK_START: e = start(c, s->role, a, &why); break;
	case ASK_KEEPER:
		keeper_connect(c->keeper, fd);
		e = OK;
		break;
	case ASK_STOP:
		signal_raise(&c->stop);
		e = OK;
		break;
	}
	if (e && fd >= 0 && m->type != ASK_KEEPER)
		close(fd);
	return answer(out, e, why.n ? why : str_of(err_text(e)));
}

/* --- the keeper's word --- */

static void end_sessions(void *arg, const struct session_end *end)
{
	struct child *c = arg;
	unsigned n = clients_end(c->clients, end);

	if (n)
		log_event(LOG_INFO, "sessions.end", KV("reason", end->reason),
			  KVN("account", end->account), KVN("sessions", n));
}

static size_t list_sessions(void *arg, uint32_t account, struct arena *a, struct session_row *out)
{
	return clients_list(((struct child *)arg)->clients, account, a, out);
}

static void seal(void *arg)
{
	struct child *c = arg;

	if (c->store)
		store_seal(c->store);
}

static void logged_in(void *arg, uint64_t conn, uint32_t account)
{
	clients_logged_in(((struct child *)arg)->clients, conn, account);
}

struct run {
	const struct role *role;
	const char *name;
};

/* Each process counts its connections from a number of its own, so that one in the log is one. */
static uint64_t first_conn(const struct run *r)
{
	uint64_t n = 0;

	for (const char *p = r->name; *p; p++)
		if (ascii_digit(*p))
			n = n * 10 + (uint64_t)(*p - '0');
	return (r->role == &role_session ? CONN_STEP / 2 : 0) + n % (CONN_STEP / 2);
}

static void live(void *arg)
{
	const struct run *r = arg;
	struct child c = { .name = r->name, .arena = arena_new(64 << 20) };
	struct served served = { &c, r->role };

	c.keeper = keeper_new();
	c.accepting = group_new();
	c.connections = group_new();
	c.clients = clients_new();
	keeper_obey(c.keeper,
		    (struct keeper_orders){ end_sessions, list_sessions, logged_in, &c, seal });
	c.conn = first_conn(r);
	c.main = peer_new(CHILD_FD, (struct ipc_service){ serve, &served });
	if (signal_wait(&c.stop, 0, NEVER)) /* a first fiber is in no group: never canceled */
		log_event(LOG_ERROR, "stop.unasked");

	serve_stop(&c);
	if (r->role->stop)
		r->role->stop(&c);
	/* Protocol code says goodbye (421, BYE) in canceled fibers; what hangs is cut off. */
	group_cancel(c.connections);
	if (group_wait(c.connections, clock_in(STOP_MS)))
		log_event(LOG_WARN, "stop.late", KVN("connections", group_size(c.connections)));
	group_close(&c.accepting);
	group_close(&c.connections);
	peer_close(&c.main);
	keeper_close(&c.keeper);
	clients_free(&c.clients);
	settings_release(&c.settings);
	store_close(&c.store);
	arena_free(&c.arena);
}

int child_run(const struct role *role, const char *name)
{
	struct run r = { role, name };

	log_start(name, LOG_INFO);
	prctl(PR_SET_NAME, name);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* no child outlives a main that was killed */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	signal(SIGINT, SIG_IGN); /* Ctrl-C at a terminal is main's affair; it tells us */
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	fiber_main(live, &r);
	return 0;
}
