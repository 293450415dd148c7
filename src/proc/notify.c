/* SPDX-License-Identifier: ISC */
/* proc/notify.c - the service manager's datagram socket, as sd_notify(3) describes it. */
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proc/supervise.h"

void notify(const char *state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct str path = str_of(getenv("NOTIFY_SOCKET"));

	if (path.n < 2 || path.n >= sizeof to.sun_path || !(*path.p == '/' || *path.p == '@'))
		return;
	memcpy(to.sun_path, path.p, path.n);
	if (*path.p == '@') /* the abstract namespace */
		to.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n);
	if (sendto(fd, state, str_of(state).n, MSG_NOSIGNAL, (struct sockaddr *)&to, n) < 0)
		log_event(LOG_WARN, "notify.failed");
	close(fd);
}
