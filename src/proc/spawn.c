/* SPDX-License-Identifier: ISC */
/* proc/spawn.c - a child is this program executed anew: fresh memory, fresh randomness. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc/supervise.h"

/* What runs between fork and exec: system calls only. */
static _Noreturn void become(struct minded *m, int fd, const struct passwd *user)
{
	static char program[] = "tecsmail", verb[] = "proc";
	char *const argv[] = { program, verb, m->name, NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(fd, CHILD_FD) < 0 || fcntl(CHILD_FD, F_SETFD, 0) < 0)
		_exit(NO_SOCKET);
	syscall(SYS_close_range, CHILD_FD + 1, ~0U, 0);
	if (user && (initgroups(user->pw_name, user->pw_gid) || setgid(user->pw_gid) ||
		     setuid(user->pw_uid)))
		_exit(NO_USER);
	/* What the service manager gave main (ports below 1024, the kernel's bans) is main's. */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	execv("/proc/self/exe", argv);
	_exit(NO_EXEC);
}

enum err spawn(struct minded *m)
{
	struct str name = m->program->orders.config.user;
	const struct passwd *user = NULL;
	int fds[2];

	if (name.n && geteuid() == 0) {
		user = getpwnam(str_c(m->program->orders.arena, name));
		if (!user) {
			log_event(LOG_ERROR, "user.unknown", KV("user", name));
			return E_NOTFOUND;
		}
	}
	enum err e = ipc_pair(fds);
	if (e)
		return e;
	pid_t pid = fork();
	if (pid == 0)
		become(m, fds[1], user);
	close(fds[1]);
	if (pid < 0) {
		log_event(LOG_ERROR, "fork", KVC("reason", strerror(errno)));
		close(fds[0]);
		return E_IO;
	}
	m->pid = pid;
	m->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	BUG_IF(m->pidfd < 0);
	/* The others have nothing to tell. */
	m->peer = peer_new(fds[0], m->kind == PROCESS_KEEPER ? banned_service(m->program)
							     : (struct ipc_service){ 0 });
	return OK;
}
