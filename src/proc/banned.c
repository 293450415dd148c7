/* SPDX-License-Identifier: ISC */
/* proc/banned.c - what the keeper tells main of bans goes to the kernel and to a file. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "keeper/serve.h"
#include "proc/bans.h"
#include "proc/supervise.h"

enum { LINE_MAX_DENY = 64, RETRY_MS = 60 * 1000 };

struct banned {
	struct program *p;
	struct bans *bans; /* owned; NULL before the keeper's first word */
	bool in_kernel;    /* what the configuration said when it was opened */
	struct group *group;
	struct signal changed;
	struct buf written; /* owned; what the file has in it */
};

/* Errors are logged where they are found; the list is right all the same, and what the kernel does
 * not do, each port does. */
static void begin(struct banned *b)
{
	b->in_kernel = b->p->orders.config.lockout.kernel;
	if (!b->in_kernel)
		bans_open_list(&b->bans);
	else if (bans_open(&b->bans))
		log_event(LOG_DEBUG, "bans.list_only");
}

/* --- the keeper's word --- */

static enum err take_list(struct message *m, struct arena *a, bool *whole, struct ban **list,
			  size_t *n)
{
	*whole = scan_u8(&m->in) != 0;
	*n = scan_u32(&m->in);
	if (m->in.bad || *n > KEEPING_BANS)
		return E_SYNTAX;
	*list = ARENA_ARRAY(a, struct ban, *n);
	for (size_t i = 0; i < *n; i++) {
		struct ban *ban = *list + i;
		ban->address = scan_blob(&m->in);
		ban->prefix = scan_u8(&m->in);
		ban->seconds = (int64_t)scan_u64(&m->in);
	}
	return scan_end(&m->in) ? OK : E_SYNTAX;
}

static enum err serve(void *arg, struct message *m, struct arena *a, struct buf *out, int *out_fd)
{
	struct banned *b = ((struct program *)arg)->banned;
	struct ban *list;
	bool whole;
	size_t n;

	(void)out, (void)out_fd;
	enum err e = m->type == TELL_BANS ? take_list(m, a, &whole, &list, &n) : E_SYNTAX;
	if (e)
		return e;
	if (!b->bans)
		begin(b);
	e = whole ? bans_set(b->bans, list, n) : bans_add_many(b->bans, list, n);
	if (e == E_LIMIT || e == E_SYNTAX)
		log_event(LOG_WARN, "bans.incomplete", KVE(e));
	signal_raise(&b->changed);
	return OK;
}

struct ipc_service banned_service(struct program *p)
{
	return (struct ipc_service){ serve, p };
}

/* --- the file --- */

static bool write_whole(int fd, struct str s)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);
		if (n <= 0)
			return false;
		s = str_from(s, (size_t)n);
	}
	return true;
}

/* A reader sees the old list or the new one. Nothing that lies in the way is followed or opened:
 * the folder may be the children's. */
static enum err replace(struct str path, struct str text)
{
	struct arena *a = arena_new(16 << 10);
	const char *name = str_c(a, path), *fresh = str_c(a, str_fmt(a, "%s.new", name));

	(void)unlink(fresh);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	bool good = fd >= 0 && fchmod(fd, 0644) == 0 && write_whole(fd, text);
	if (fd >= 0 && close(fd))
		good = false;
	good = good && rename(fresh, name) == 0;
	if (!good)
		log_event(LOG_ERROR, "deny_file.failed", KV("path", path),
			  KVC("reason", "it cannot be written"));
	arena_free(&a);
	return good ? OK : E_IO;
}

/* The list as nginx takes it, and when the next of it ends; both of this moment. */
static struct buf deny_list(const struct bans *bans, int64_t *next_s)
{
	struct buf b = buf_new((BANS_MAX + 2) * LINE_MAX_DENY);
	struct arena *a = arena_new(4096);
	struct ban ban;
	size_t at = 0;

	*next_s = INT64_MAX;
	buf_fmt(&b, "# Who is banned just now; tecsmail writes this file.\n");
	while (bans_next(bans, &at, a, &ban)) {
		bool whole = ban.prefix == (str_has(ban.address, ':') ? 128 : 32);
		if (whole)
			buf_fmt(&b, "deny %.*s;\n", FMT(ban.address));
		else
			buf_fmt(&b, "deny %.*s/%u;\n", FMT(ban.address), ban.prefix);
		if (ban.seconds < *next_s)
			*next_s = ban.seconds;
		arena_reset(a);
	}
	arena_free(&a);
	return b;
}

/* Writes it where it has changed. When it is to be looked at again, at the latest. */
static int64_t write_file(struct banned *b)
{
	struct str path = b->p->orders.config.lockout.deny_file;
	int64_t next_s;

	if (!path.n || !b->bans)
		return NEVER;
	struct buf fresh = deny_list(b->bans, &next_s);
	if (!str_eq(buf_str(&fresh), buf_str(&b->written))) {
		if (replace(path, buf_str(&fresh))) {
			buf_free(&fresh);
			return clock_in(RETRY_MS);
		}
		buf_free(&b->written);
		b->written = fresh;
	} else {
		buf_free(&fresh);
	}
	return next_s == INT64_MAX ? NEVER : clock_in(1000 * next_s);
}

static void keep_file(void *arg)
{
	struct banned *b = arg;

	for (;;) {
		uint64_t seen = b->changed.count;
		int64_t again = write_file(b);
		enum err e = signal_wait(&b->changed, seen, again);
		if (e && e != E_TIMEOUT)
			return;
	}
}

/* --- what main does --- */

void banned_reload(struct program *p)
{
	struct banned *b = p->banned;

	buf_free(&b->written); /* the file may be another, or have been removed */
	if (b->bans && b->in_kernel != p->orders.config.lockout.kernel) {
		struct bans *old = b->bans;
		begin(b);
		bans_copy(b->bans, old);
		bans_close(&old);
	}
	if (b->bans && bans_refresh(b->bans))
		log_event(LOG_DEBUG, "bans.list_only");
	signal_raise(&b->changed);
}

enum err banned_start(struct program *p)
{
	struct banned *b = p->banned = NEW(struct banned);

	b->p = p;
	b->group = group_new();
	return group_spawn(b->group, "deny-file", keep_file, b);
}

void banned_end(struct program *p)
{
	struct banned *b = p->banned;

	if (!b)
		return;
	group_close(&b->group);
	bans_close(&b->bans);
	buf_free(&b->written);
	free(b);
	p->banned = NULL;
}
