/* SPDX-License-Identifier: ISC */
/* proc/bind.c - the listening sockets, bound once by main and handed to the children. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "proc/supervise.h"

enum { BACKLOG = 4096 };

static void on(int fd, int layer, int option)
{
	int one = 1;

	if (setsockopt(fd, layer, option, &one, sizeof one))
		log_event(LOG_WARN, "setsockopt", KVN("option", option),
			  KVC("reason", strerror(errno)));
}

static enum err bind_one(struct str host, uint16_t port, struct arena *a, int *out)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	bool is4 = inet_pton(AF_INET, str_c(a, host), &v4.sin_addr) == 1;

	if (!is4 && inet_pton(AF_INET6, str_c(a, host), &v6.sin6_addr) != 1)
		return E_SYNTAX;
	int fd = socket(is4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return E_NOTFOUND;
	on(fd, SOL_SOCKET, SO_REUSEADDR);
	on(fd, IPPROTO_TCP, TCP_NODELAY); /* accepted sockets inherit it */
	if (!is4)
		on(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	struct sockaddr *sa = is4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	if (bind(fd, sa, is4 ? sizeof v4 : sizeof v6) || listen(fd, BACKLOG)) {
		enum err e = errno == EADDRINUSE ? E_EXISTS
			     : errno == EACCES   ? E_DENIED
						 : E_NOTFOUND;
		close(fd);
		return e;
	}
	*out = fd;
	return OK;
}

/* A stream, for our own user alone. What an earlier run left behind is replaced if it is a
 * socket: a path set wrong shall cost nobody a file. */
static enum err bind_unix(struct str path, int *out)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct stat st;

	if (path.n >= sizeof addr.sun_path)
		return E_LIMIT;
	memcpy(addr.sun_path, path.p, path.n);
	if (lstat(addr.sun_path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(addr.sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return E_IO;
	/* The mode before the bind, which takes it over: there is no moment with a wider one. */
	if (fchmod(fd, 0600) || bind(fd, (struct sockaddr *)&addr, sizeof addr) ||
	    chmod(addr.sun_path, 0600) || listen(fd, BACKLOG)) {
		enum err e = errno == EADDRINUSE ? E_EXISTS : errno == EACCES ? E_DENIED : E_IO;
		close(fd);
		return e;
	}
	*out = fd;
	return OK;
}

static void add(struct program *p, const struct service *service, const char *name, int fd)
{
	BUG_IF(p->nsockets == SOCKETS_MAX);
	p->sockets[p->nsockets++] = (struct bound){ service, name, fd };
}

/* Who besides our own user may open the service's sockets: the webmail, where it is internal,
 * or the web server. */
static enum err share(struct program *p, const struct service *service, struct str path,
		      struct arena *a, struct str *why)
{
	const struct config *c = &p->orders.config;
	bool web = str_is(str_of(service->name), "web");
	const char *key = web ? "group" : "internal_group";
	struct str name = service->internal ? c->internal_group : web ? c->web_group : S("");

	if (!name.n)
		return OK;
	const struct group *g = getgrnam(str_c(a, name));
	if (g && !chown(str_c(a, path), (uid_t)-1, g->gr_gid) && !chmod(str_c(a, path), 0660))
		return OK;
	*why = g ? str_fmt(a, "web { %s }: cannot give %.*s to %.*s: %s", key, FMT(path), FMT(name),
			   errno == EPERM ? "our user is not in it" : strerror(errno))
		 : str_fmt(a, "web { %s }: the system has no group %.*s", key, FMT(name));
	return g ? E_DENIED : E_NOTFOUND;
}

static enum err bind_path(struct program *p, const struct service *service, struct str path,
			  struct arena *a, struct str *why)
{
	int fd;
	enum err e = bind_unix(path, &fd);

	if (e) {
		*why = str_fmt(a, "cannot listen on %.*s: %s", FMT(path),
			       e == E_LIMIT ? "the path is too long" : err_text(e));
		return e;
	}
	add(p, service, service->name, fd);
	return share(p, service, path, a, why);
}

static enum err bind_addresses(struct program *p, const char *name, const struct addresses *list,
			       struct arena *a, struct str *why)
{
	const struct service *service = service_find(str_of(name));

	for (size_t i = 0; i < list->n; i++) {
		struct str host, item = list->item[i];
		uint16_t port;
		int fd;
		if (p->nsockets + 2 > SOCKETS_MAX) {
			*why = str_fmt(a, "more than %d listening addresses", SOCKETS_MAX - 2);
			return E_LIMIT;
		}
		if (item.p[0] == '/') {
			enum err e = bind_path(p, service, item, a, why);
			if (e)
				return e;
			continue;
		}
		BUG_IF(!address_split(item, &host, &port));
		bool any = str_is(host, "*");
		enum err e = bind_one(any ? S("0.0.0.0") : host, port, a, &fd);
		if (!e)
			add(p, service, name, fd);
		/* A machine without IPv6 still is a mail server. */
		if (!e && any && bind_one(S("::"), port, a, &fd) == OK)
			add(p, service, name, fd);
		if (e) {
			*why = str_fmt(a, "cannot listen on %.*s for %s: %s", FMT(item), name,
				       e == E_EXISTS ? "another program does already"
				       : e == E_DENIED
					       ? "this port needs root or CAP_NET_BIND_SERVICE"
					       : "no such address here");
			return e;
		}
	}
	return OK;
}

/* The folders that main makes belong to the user whom the children become. */
static enum err make_folder(struct program *p, struct str path, struct arena *a, struct str *why)
{
	struct str user = p->orders.config.user;
	char *name = str_c(a, path);

	if (mkdir(name, 0700) && errno != EEXIST) {
		*why = str_fmt(a, "cannot make the folder %s: %s", name, strerror(errno));
		return errno == EACCES ? E_DENIED : E_IO;
	}
	const struct passwd *pw = user.n && geteuid() == 0 ? getpwnam(str_c(a, user)) : NULL;
	if (pw && chown(name, pw->pw_uid, pw->pw_gid))
		log_event(LOG_WARN, "chown", KV("path", path), KVC("reason", strerror(errno)));
	return OK;
}

/* One server for a folder: a second one, on other ports, would take the first one's control socket
 * away and decide about the same users. The descriptor stays open as long as the process lives. */
static enum err lock_folder(struct str state, struct arena *a, struct str *why)
{
	struct str path = str_fmt(a, "%.*s/run/lock", FMT(state));
	int fd = open(str_c(a, path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return OK;
	enum err e = fd >= 0 && errno == EWOULDBLOCK ? E_EXISTS : E_IO;
	*why = e == E_EXISTS ? str_fmt(a, "another server runs with %.*s already", FMT(state))
			     : str_fmt(a, "%.*s: %s", FMT(path), strerror(errno));
	if (fd >= 0)
		close(fd);
	return e;
}

enum err bind_all(struct program *p, struct arena *a, struct str *why)
{
	const struct config *c = &p->orders.config;
	const struct {
		const char *name;
		const struct addresses *list;
	} rows[] = {
		{ "smtp", &c->smtp },
		{ "submission", &c->submission },
		{ "lmtp", &c->lmtp },
		{ "submissions", &c->submissions },
		{ "imap", &c->imap },
		{ "imaps", &c->imaps },
		{ "pop3", &c->pop3 },
		{ "pop3s", &c->pop3s },
		{ "imap_internal", &c->imap_internal },
		{ "submission_internal", &c->submission_internal },
		{ "web", &c->web },
		{ "web_internal", &c->web_internal },
	};
	enum err e = make_folder(p, c->state, a, why);
	int fd;

	if (!e)
		e = make_folder(p, str_fmt(a, "%.*s/run", FMT(c->state)), a, why);
	if (!e)
		e = lock_folder(c->state, a, why);
	for (size_t i = 0; !e && i < LENGTH(rows); i++)
		e = bind_addresses(p, rows[i].name, rows[i].list, a, why);
	if (e)
		return e;
	e = ipc_listen(c->control, &fd);
	if (e) {
		*why = str_fmt(a, "cannot listen on %.*s", FMT(c->control));
		return e;
	}
	add(p, NULL, "control", fd);
	return OK;
}
