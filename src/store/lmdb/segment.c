/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/lmdb/lmdb_priv.h"

/*
 * Segment files: who writes to which, and where.
 *
 * The lock on the file (flock) is what others go by: as long as somebody holds it, records may
 * still come to be referred to, so nobody else may remove the file or move what is in it. Its
 * owner lets go when it is no longer the active one and no blob in it is held by its writer.
 * What was written by a process that died stays as dead octets; the next owner goes on behind it.
 */

char *segment_name(char out[16], uint32_t number)
{
	snprintf(out, 16, "%08x.seg", number);
	return out;
}

bool segment_number(const char *name, uint32_t *number)
{
	struct scan in = scan(str_of(name));

	*number = (uint32_t)scan_hex(&in, 8);
	scan_lit(&in, ".seg");
	return scan_end(&in);
}

enum err write_all(int fd, struct str s, uint64_t at)
{
	while (s.n) {
		ssize_t n = pwrite(fd, s.p, s.n, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno_err(errno) : E_IO;
		s = str_from(s, (size_t)n);
		at += (uint64_t)n;
	}
	return OK;
}

enum err read_all(int fd, char *p, size_t n, uint64_t at)
{
	while (n) {
		ssize_t got = pread(fd, p, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? errno_err(errno) : E_CORRUPT;
		p += got;
		n -= (size_t)got;
		at += (uint64_t)got;
	}
	return OK;
}

/* A length that the file does not have is no reason to ask for so much memory. */
enum err segment_record(int fd, uint64_t at, uint64_t n, char **out)
{
	struct stat st;

	*out = NULL;
	if (fstat(fd, &st) < 0)
		return errno_err(errno);
	if (at > (uint64_t)st.st_size || n > (uint64_t)st.st_size - at)
		return E_CORRUPT;
	*out = mem_new(n);
	return read_all(fd, *out, n, at);
}

static enum err sync_fd(struct lmdb *lm, int fd)
{
	atomic_fetch_add(&lm->syncs, 1);
	return fdatasync(fd) == 0 ? OK : errno_err(errno);
}

static enum err failed(const char *what, uint32_t number, enum err e)
{
	log_event(LOG_ERROR, "store.segment", KVE(e), KVC("what", what), KVN("segment", number));
	return e;
}

/* --- a new active segment --- */

/* Waits for the lock; false if the file was removed meanwhile. */
static bool locked(int fd)
{
	struct stat st;

	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return false;
	return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

static enum err create(struct lmdb *lm, uint32_t *number, int *out)
{
	char head[SEGMENT_HEAD], name[16];
	enum err e = map_next_segment(&lm->map, number);

	atomic_fetch_add(&lm->syncs, 2);
	if (e)
		return e;

	int fd = openat(lm->segments_dir, segment_name(name, *number),
			O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return failed("open", *number, errno_err(errno));
	/* Another's sweep may find it before it is locked, and take it for a leftover. */
	if (!locked(fd)) {
		close(fd);
		return E_AGAIN;
	}
	segment_head(head, *number);
	e = write_all(fd, STR(head, sizeof head), 0);
	if (!e)
		e = sync_fd(lm, fd);
	if (!e)
		e = sync_fd(lm, lm->segments_dir);
	if (e) {
		unlinkat(lm->segments_dir, name, 0);
		close(fd);
		return failed("create", *number, e);
	}
	*out = fd;
	return OK;
}

/* Takes over a segment that has room and that nobody writes to. E_NOTFOUND: not this one. */
static enum err adopt(struct lmdb *lm, uint32_t number, int *out, uint64_t *end)
{
	char head[SEGMENT_HEAD];
	struct stat st;
	uint32_t version;

	if (segment_lock(lm, number, out))
		return E_NOTFOUND;
	if (fstat(*out, &st) == 0 && st.st_size < SEGMENT_ROLL / 2 &&
	    read_all(*out, head, sizeof head, 0) == OK &&
	    segment_head_parse(STR(head, sizeof head), number, &version) == OK) {
		*end = ((uint64_t)st.st_size + 7) & ~(uint64_t)7;
		return OK;
	}
	close(*out);
	return E_NOTFOUND;
}

/* The first few segments with room: a process that starts often must not leave one each time. */
static size_t with_room(struct lmdb *lm, uint32_t *out, size_t max)
{
	struct str key, value;
	MDB_cursor *c;
	MDB_txn *txn;
	size_t n = 0;

	if (map_read_begin(&lm->map, &txn))
		return 0;
	if (walk_begin(txn, lm->map.segments, &c) == OK) {
		enum err e = walk_from(c, S_NONE, &key, &value);

		for (; !e && n < max; e = walk_next(c, &key, &value)) {
			struct segment_row r;

			if (segment_row_parse(key, value, &out[n], &r) == OK &&
			    r.total < SEGMENT_ROLL / 2)
				n++;
		}
		mdb_cursor_close(c);
	}
	map_read_end(&lm->map, txn);
	return n;
}

/* Gives s the file of a new active segment with room for n. Called with roll_lock. */
static enum err find_file(struct lmdb *lm, struct segment *s, uint64_t n)
{
	uint32_t candidates[16];
	size_t some = lm->sealed ? 0 : with_room(lm, candidates, LENGTH(candidates));
	enum err e = E_AGAIN;

	lm->sealed = false;

	for (size_t i = 0; i < some; i++) {
		s->number = candidates[i];
		if (segment_owned(lm, s->number) || adopt(lm, s->number, &s->fd, &s->end))
			continue;
		if (s->end + n <= SEGMENT_ROLL)
			return OK;
		close(s->fd);
	}
	for (unsigned tries = 0; e == E_AGAIN && tries < 5; tries++)
		e = create(lm, &s->number, &s->fd);
	s->end = SEGMENT_HEAD;
	return e == E_AGAIN ? E_IO : e;
}

/* Called with own_lock. */
static void unhold(struct lmdb *lm, struct segment *s)
{
	if (--s->holds)
		return;

	struct segment **at = &lm->own;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	close(s->fd);
	free(s);
}

static bool fits(const struct segment *s, uint64_t n)
{
	return s && !s->bad && (s->end + n <= SEGMENT_ROLL || s->end == SEGMENT_HEAD);
}

/* Called with own_lock; true if there was room. */
static bool take(struct lmdb *lm, uint64_t n, struct segment **out, uint64_t *at)
{
	struct segment *s = lm->active;

	if (!fits(s, n))
		return false;
	*at = s->end;
	s->end += n;
	s->holds++;
	*out = s;
	return true;
}

static enum err roll(struct lmdb *lm, uint64_t n)
{
	struct segment *s = NEW(struct segment);
	enum err e = find_file(lm, s, n);

	if (e) {
		free(s);
		return e;
	}
	s->holds = 1;
	pthread_mutex_lock(&lm->own_lock);
	s->next = lm->own;
	lm->own = s;
	if (lm->active)
		unhold(lm, lm->active);
	lm->active = s;
	pthread_mutex_unlock(&lm->own_lock);
	return OK;
}

uint64_t disk_reserve = 16 << 20;

enum err disk_room(struct lmdb *lm, uint64_t n)
{
	struct statvfs fs;

	if (fstatvfs(lm->segments_dir, &fs) < 0)
		return errno_err(errno);
	return (uint64_t)fs.f_bavail * fs.f_frsize < n + disk_reserve ? E_NOSPACE : OK;
}

enum err segment_reserve(struct lmdb *lm, uint64_t n, struct segment **out, uint64_t *at)
{
	enum err e = disk_room(lm, n);

	if (e)
		return e;
	pthread_mutex_lock(&lm->own_lock);

	bool done = take(lm, n, out, at);

	pthread_mutex_unlock(&lm->own_lock);
	if (done)
		return OK;

	/* One rolls, the others wait for it here and find room then, unless it is used up again. */
	pthread_mutex_lock(&lm->roll_lock);
	while (!e && !done) {
		pthread_mutex_lock(&lm->own_lock);
		done = take(lm, n, out, at);
		pthread_mutex_unlock(&lm->own_lock);
		if (!done)
			e = roll(lm, n);
	}
	pthread_mutex_unlock(&lm->roll_lock);
	return e;
}

void segment_unreserve(struct lmdb *lm, struct segment *s, uint64_t n, uint64_t at)
{
	pthread_mutex_lock(&lm->own_lock);
	if (s->end == at + n && ftruncate(s->fd, (off_t)at) == 0)
		s->end = at;
	pthread_mutex_unlock(&lm->own_lock);
}

void segment_written(struct lmdb *lm, struct segment *s)
{
	pthread_mutex_lock(&lm->own_lock);
	s->written++;
	pthread_mutex_unlock(&lm->own_lock);
}

enum err segment_sync(struct lmdb *lm, struct segment *s)
{
	pthread_mutex_lock(&lm->own_lock);

	uint64_t written = s->written;
	bool due = written > s->synced, bad = s->bad;

	pthread_mutex_unlock(&lm->own_lock);
	if (bad || !due)
		return bad ? E_IO : OK;

	enum err e = sync_fd(lm, s->fd);

	pthread_mutex_lock(&lm->own_lock);
	if (e)
		s->bad =
			true; /* what the kernel could not write it may have dropped: never again */
	else if (s->synced < written)
		s->synced = written;
	pthread_mutex_unlock(&lm->own_lock);
	return e ? failed("sync", s->number, e) : OK;
}

void segment_hold(struct lmdb *lm, struct segment *s)
{
	pthread_mutex_lock(&lm->own_lock);
	s->holds++;
	pthread_mutex_unlock(&lm->own_lock);
}

void segment_release(struct lmdb *lm, struct segment *s)
{
	pthread_mutex_lock(&lm->own_lock);
	unhold(lm, s);
	pthread_mutex_unlock(&lm->own_lock);
}

bool segment_owned(struct lmdb *lm, uint32_t number)
{
	pthread_mutex_lock(&lm->own_lock);

	const struct segment *s = lm->own;

	while (s && s->number != number)
		s = s->next;
	pthread_mutex_unlock(&lm->own_lock);
	return s != NULL;
}

void segments_seal(struct lmdb *lm)
{
	pthread_mutex_lock(&lm->roll_lock);
	pthread_mutex_lock(&lm->own_lock);
	if (lm->active)
		unhold(lm, lm->active);
	lm->active = NULL;
	lm->sealed = true;
	pthread_mutex_unlock(&lm->own_lock);
	pthread_mutex_unlock(&lm->roll_lock);
}

void segments_close(struct lmdb *lm)
{
	pthread_mutex_lock(&lm->own_lock);
	if (lm->active)
		unhold(lm, lm->active);
	lm->active = NULL;
	pthread_mutex_unlock(&lm->own_lock);
	BUG_IF(lm->own);
}

enum err segment_lock(struct lmdb *lm, uint32_t number, int *fd)
{
	struct stat st;
	char name[16];

	*fd = openat(lm->segments_dir, segment_name(name, number), O_RDWR | O_CLOEXEC);
	if (*fd < 0)
		return errno_err(errno);
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0 && fstat(*fd, &st) == 0 && st.st_nlink > 0)
		return OK;
	close(*fd);
	return E_AGAIN;
}
