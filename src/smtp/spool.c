/* SPDX-License-Identifier: ISC */
#include "smtp/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "fiber/fiber.h"

/* On a worker: the piece to the end of the file, or the next one from it. */
struct spool_job {
	struct spool *s;
	uint64_t at;
	size_t n;
	char *to;
	int error; /* errno */
};

/* Not every file system makes one without a name; then it loses its name at once. */
static int nameless(struct str folder)
{
	struct buf path = buf_new(4096);

	buf_put(&path, folder);
	buf_c(&path, '\0');
	int fd = path.full ? -1 : open(path.p, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 && !path.full && (errno == EOPNOTSUPP || errno == EISDIR)) {
		path.n--;
		buf_put(&path, S("/.spool-XXXXXX"));
		buf_c(&path, '\0');
		fd = mkostemp(path.p, O_CLOEXEC);
		if (fd >= 0)
			unlink(path.p);
	}
	buf_free(&path);
	return fd;
}

static void write_piece(void *arg)
{
	struct spool_job *j = arg;
	struct spool *s = j->s;
	size_t done = 0;

	if (s->fd < 0 && (s->fd = nameless(s->folder)) < 0) {
		j->error = errno;
		return;
	}
	while (done < s->piece.n) {
		ssize_t n = pwrite(s->fd, s->piece.p + done, s->piece.n - done,
				   (off_t)(s->written + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			j->error = n ? errno : EIO;
			return;
		}
		done += (size_t)n;
	}
	s->written += done;
}

static void read_piece(void *arg)
{
	struct spool_job *j = arg;
	size_t done = 0;

	while (done < j->n) {
		ssize_t n = pread(j->s->fd, j->to + done, j->n - done, (off_t)(j->at + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			j->error = n ? errno : EIO;
			return;
		}
		done += (size_t)n;
	}
}

static enum err run(void (*fn)(void *arg), struct spool_job *j)
{
	work_run(fn, j);
	if (!j->error)
		return OK;
	log_event(LOG_ERROR, "spool.failed", KV("folder", j->s->folder), KVN("errno", j->error));
	return j->error == ENOSPC || j->error == EDQUOT ? E_NOSPACE : E_IO;
}

enum err spool_write(struct spool *s, struct str octets)
{
	while (octets.n) {
		size_t room = SPOOL_MEMORY - s->piece.n;
		struct str part = str_part(octets, 0, room);

		buf_put(&s->piece, part);
		octets = str_from(octets, part.n);
		if (!octets.n)
			break;
		struct spool_job j = { .s = s };
		enum err e = run(write_piece, &j);
		if (e)
			return e;
		buf_clear(&s->piece);
	}
	return OK;
}

enum err spool_copy(struct spool *s, enum err (*put)(void *arg, struct str octets), void *arg)
{
	char *piece = s->written ? mem_new(SPOOL_MEMORY) : NULL;
	enum err e = OK;

	for (uint64_t at = 0; at < s->written && !e; at += SPOOL_MEMORY) {
		uint64_t left = s->written - at;
		struct spool_job j = { .s = s, .at = at, .to = piece };

		j.n = left < SPOOL_MEMORY ? (size_t)left : SPOOL_MEMORY;
		e = run(read_piece, &j);
		if (!e)
			e = put(arg, STR(piece, j.n));
	}
	free(piece);
	return e ? e : put(arg, buf_str(&s->piece));
}

void spool_close(struct spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	buf_free(&s->piece);
}
