/* SPDX-License-Identifier: ISC */
/*
 * proc/supervise.c - the process `main`.
 *
 * Who:    the one that the operator or the service manager starts; root or an ordinary user.
 * Holds:  the listening sockets, the configuration's and the TLS files' text, a socket to each
 *         child.
 * May:    bind ports, start, stop and restart the others.
 * Not:    parse a byte from the network, open the store.
 */
#include "proc/supervise.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"

enum {
	ASK_MS = 30000,
	STOP_MS = 15000,
	DELAY_MIN_MS = 10,
	DELAY_MAX_MS = 30000,
	KEEPER_DELAY_MAX_MS = 1000,
	STEADY_MS = 60000, /* lived so long: the next crash counts as the first */
};

/* Asks a child; its sentence, where it gave one, is logged here: once, where it was found. */
static enum err ask(struct minded *m, enum ask what, struct str fields, int fd)
{
	struct arena *a = arena_new(1 << 20);
	struct message answer;
	struct str why = S_NONE;

	enum err e = m->peer ? ipc_call(m->peer, what, fields, fd, clock_in(ASK_MS), a, &answer)
			     : E_CLOSED;
	if (e == OK) {
		e = (enum err)scan_u8(&answer.in);
		why = scan_blob(&answer.in);
		if (!scan_end(&answer.in) || e >= ERR_COUNT)
			e = E_SYNTAX;
	}
	/* A child that was just coming up is killed when all stops. */
	bool natural = m->program->stopping && what != ASK_STOP;
	if (e && e != E_CANCELED && !natural) {
		log_event(LOG_ERROR, "child.refused", KVC("child", m->name), KVN("ask", what),
			  KVE(e), KV("reason", why));
		if (!m->program->started && !m->program->failure.n)
			m->program->failure = str_dup(m->program->orders.arena, why);
	}
	arena_free(&a);
	return e;
}

static enum err tell_files(struct minded *m)
{
	const struct outward_files *f = &m->program->orders.outward;
	struct buf b = buf_new(IPC_MAX);

	if (!m->role->files)
		return OK;
	buf_blob(&b, f->passwords);
	buf_blob(&b, f->authorities);
	enum err e = ask(m, ASK_FILES, buf_str(&b), -1);
	buf_free(&b);
	return e;
}

static enum err tell_settings(struct minded *m)
{
	const struct orders *o = &m->program->orders;
	enum err e = tell_files(m);

	if (e)
		return e;
	struct buf b = buf_new(IPC_MAX);

	buf_blob(&b, o->path);
	buf_blob(&b, o->text);
	buf_blob(&b, o->cert);
	buf_blob(&b, o->key);
	e = b.full ? E_LIMIT : ask(m, ASK_SETTINGS, buf_str(&b), -1);
	buf_free(&b);
	if (!e && m->kind == PROCESS_KEEPER && o->leaked >= 0) {
		buf_blob(&b, S("leaked"));
		e = ask(m, ASK_SOCKET, buf_str(&b), o->leaked);
		buf_free(&b);
	}
	return e;
}

static enum err hand_sockets(struct minded *m)
{
	struct program *p = m->program;

	for (size_t i = 0; i < p->nsockets; i++) {
		const struct bound *s = &p->sockets[i];
		enum process who = s->service ? s->service->who : PROCESS_KEEPER;
		if (who != m->kind)
			continue;
		struct buf b = buf_new(256);
		buf_blob(&b, str_of(s->name));
		enum err e = ask(m, ASK_SOCKET, buf_str(&b), s->fd);
		buf_free(&b);
		if (e)
			return e;
	}
	return OK;
}

/* A fresh pair of sockets between the keeper and a worker: for either one's new start. */
static enum err introduce(struct minded *keeper, struct minded *worker)
{
	bool running = worker->up;
	int fds[2];

	enum err e = ipc_pair(fds);
	if (e)
		return e;
	struct buf b = buf_new(256);
	buf_blob(&b, str_of(worker->role->name));
	buf_u8(&b, running);
	e = ask(keeper, ASK_CLIENT, buf_str(&b), fds[0]);
	buf_free(&b);
	if (!e)
		e = ask(worker, ASK_KEEPER, S_NONE, fds[1]);
	close(fds[0]);
	close(fds[1]);
	return e;
}

static enum err bring_up(struct minded *m)
{
	struct program *p = m->program;
	struct minded *keeper = &p->children[0];

	enum err e = spawn(m);
	if (!e)
		e = tell_settings(m);
	if (!e)
		e = hand_sockets(m);
	if (!e && m != keeper && keeper->up)
		e = introduce(keeper, m);
	if (!e)
		e = ask(m, ASK_START, S_NONE, -1);
	if (e)
		return e;
	m->up = true;
	for (size_t i = 1; m == keeper && i < p->nchildren; i++)
		if (p->children[i].up && introduce(keeper, &p->children[i]))
			log_event(LOG_WARN, "introduce.failed", KVC("child", p->children[i].name));
	return OK;
}

static const char *meaning(int status)
{
	switch (WIFEXITED(status) ? WEXITSTATUS(status) : 0) {
	case NO_USER: return "could not become the user of the configuration";
	case NO_EXEC: return "the program cannot be executed, perhaps not by that user";
	default: return WIFSIGNALED(status) ? "killed" : "ended";
	}
}

/* Waits for the process to end, and says how it ended. */
static void mourn(struct minded *m)
{
	int status = 0;

	if (fiber_wait_fd(m->pidfd, FD_READ, NEVER)) /* canceled: the program is ending */
		return;
	waitpid(m->pid, &status, 0);
	if (!m->program->stopping)
		log_event(LOG_ERROR, "child.ended", KVC("child", m->name), KVN("pid", m->pid),
			  KVN("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
			  KVN("status", WIFEXITED(status) ? WEXITSTATUS(status) : 0),
			  KVC("reason", meaning(status)));
	if (!m->program->started && !m->program->failure.n)
		m->program->failure =
			str_fmt(m->program->orders.arena, "%s: %s", m->name, meaning(status));
	m->pid = 0;
}

static void put_away(struct minded *m)
{
	m->up = false;
	if (m->peer)
		peer_close(&m->peer);
	if (m->pidfd >= 0) {
		fd_forget(m->pidfd);
		close(m->pidfd);
		m->pidfd = -1;
	}
}

/* The life of a child as main sees it: again and again, with a delay that grows. */
static void care(void *arg)
{
	struct minded *m = arg;
	struct program *p = m->program;
	int64_t delay = DELAY_MIN_MS;
	/* All wait for the keeper: it never rests for long. */
	int64_t most = m->kind == PROCESS_KEEPER ? KEEPER_DELAY_MAX_MS : DELAY_MAX_MS;

	while (!p->stopping && !fiber_canceled()) {
		int64_t born = clock_ms();
		enum err e = bring_up(m);
		if (!e)
			log_event(LOG_INFO, "child.up", KVC("child", m->name), KVN("pid", m->pid),
				  KVN("ms", clock_ms() - born));
		else if (m->pid)
			kill(m->pid, SIGKILL);
		signal_raise(&p->changed);
		if (m->pid)
			mourn(m);
		put_away(m);
		signal_raise(&p->changed);
		if (e && !p->started)
			return;
		if (clock_ms() - born > STEADY_MS)
			delay = DELAY_MIN_MS;
		if (p->stopping || fiber_sleep(clock_in(delay)))
			return;
		delay = delay * 2 < most ? delay * 2 : most;
	}
}

static void add_child(struct program *p, const struct role *role, enum process kind, int number)
{
	struct minded *m = &p->children[p->nchildren++];

	*m = (struct minded){ .role = role, .kind = kind, .pidfd = -1, .program = p };
	if (number < 0)
		snprintf(m->name, sizeof m->name, "%s", role->name);
	else
		snprintf(m->name, sizeof m->name, "%s%d", role->name, number);
}

/* Starts the care of children [from, to) and waits until each is up or one has failed. */
static enum err start_some(struct program *p, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (group_spawn(p->care, "care", care, &p->children[i]))
			return E_LIMIT;
	for (;;) {
		uint64_t seen = p->changed.count;
		size_t up = 0;
		for (size_t i = from; i < to; i++)
			up += p->children[i].up;
		if (up == to - from)
			return OK;
		if (p->stop.count || group_size(p->care) < to)
			return E_IO;
		if (signal_wait(&p->changed, seen, clock_in(1000)) == E_CANCELED)
			return E_CANCELED;
	}
}

static void reload(struct program *p)
{
	struct arena *a = arena_new(4 << 20);
	struct orders fresh;
	struct str why = S_NONE;

	notify("RELOADING=1");
	enum err e = orders_read(p->orders.path, a, &fresh, &why);
	if (e) {
		log_event(LOG_ERROR, "reload.refused", KV("reason", why));
	} else {
		struct orders old = p->orders;
		p->orders = fresh;
		orders_free(&old);
		for (size_t i = 0; i < p->nchildren; i++)
			if (p->children[i].up && tell_settings(&p->children[i]))
				log_event(LOG_WARN, "reload.late",
					  KVC("child", p->children[i].name));
		banned_reload(p);
		log_event(LOG_INFO, "reload");
	}
	notify("READY=1");
	arena_free(&a);
}

static void on_signals(void *arg)
{
	struct program *p = arg;
	struct signalfd_siginfo info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	while (fiber_wait_fd(fd, FD_READ, NEVER) == OK) {
		while (read(fd, &info, sizeof info) == sizeof info) {
			if (info.ssi_signo == SIGHUP)
				reload(p);
			else
				signal_raise(&p->stop);
			signal_raise(&p->changed);
		}
	}
	fd_forget(fd);
	close(fd);
}

/* Workers first, so that the keeper still answers what they have open. */
static void stop_some(struct program *p, size_t from, size_t to)
{
	int64_t deadline = clock_in(STOP_MS);

	for (size_t i = from; i < to; i++) {
		struct minded *m = &p->children[i];
		/* One that is just coming up has nobody to say goodbye to. */
		if (m->peer && (!m->up || ask(m, ASK_STOP, S_NONE, -1)))
			kill(m->pid, SIGKILL);
	}
	for (size_t i = from; i < to; i++) {
		struct minded *m = &p->children[i];
		while (m->pid) {
			uint64_t seen = p->changed.count;
			if (signal_wait(&p->changed, seen, deadline) == OK)
				continue;
			log_event(LOG_WARN, "stop.killed", KVC("child", m->name));
			kill(m->pid, SIGKILL);
			deadline = clock_in(STOP_MS);
		}
	}
}

static enum err start_all(struct program *p)
{
	const struct config *c = &p->orders.config;

	add_child(p, &role_keeper, PROCESS_KEEPER, -1);
	for (unsigned i = 0; i < c->workers_mx && p->nchildren < CHILDREN_MAX / 2; i++)
		add_child(p, &role_mx, PROCESS_MX, (int)i);
	for (unsigned i = 0; i < c->workers_session && p->nchildren < CHILDREN_MAX; i++)
		add_child(p, &role_session, PROCESS_SESSION, (int)i);
	for (unsigned i = 0; i < c->workers_courier && p->nchildren < CHILDREN_MAX; i++)
		add_child(p, &role_courier, PROCESS_COURIER, (int)i);
	enum err e = start_some(p, 0, 1);
	return e ? e : start_some(p, 1, p->nchildren);
}

struct supervising {
	const char *path;
	int status;
};

static void live(void *arg)
{
	struct supervising *s = arg;
	struct program *p = NEW(struct program);
	struct arena *a = arena_new(4 << 20);
	struct group *signals = group_new();
	struct str why = S_NONE;

	s->status = 1;
	p->care = group_new();
	enum err e = orders_read(str_of(s->path), a, &p->orders, &why);
	if (!e) {
		log_start("main", p->orders.config.log_level);
		e = bind_all(p, a, &why);
	}
	if (!e)
		e = group_spawn(signals, "signals", on_signals, p);
	if (!e)
		e = banned_start(p);
	if (!e && (e = start_all(p)))
		why = p->failure;
	if (!e) {
		p->started = true;
		s->status = 0;
		log_event(LOG_INFO, "ready", KVN("children", p->nchildren));
		notify("READY=1");
		e = signal_wait(&p->stop, 0, NEVER);
		log_event(LOG_INFO, "stopping");
		notify("STOPPING=1");
	} else if (p->stop.count) { /* told to stop before it was ready: nothing is wrong */
		s->status = 0;
		log_event(LOG_INFO, "stopping");
	} else {
		fprintf(stderr, "tecsmail: %.*s\n", FMT(why.n ? why : str_of(err_text(e))));
	}
	p->stopping = true;
	stop_some(p, 1, p->nchildren);
	stop_some(p, 0, p->nchildren ? 1 : 0);
	group_close(&p->care);
	group_close(&signals);
	banned_end(p);
	for (size_t i = 0; i < p->nsockets; i++)
		close(p->sockets[i].fd);
	orders_free(&p->orders);
	arena_free(&a);
	free(p);
}

int supervise(const char *config_path)
{
	struct supervising s = { .path = config_path };
	struct rlimit files;

	log_start("main", LOG_INFO);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	fiber_main(live, &s);
	return s.status;
}
