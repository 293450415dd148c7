/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/lmdb/lmdb_priv.h"

/*
 * Segments kept open for reading. A number is never given twice, so what is found under one is
 * right for ever; one that was removed (its blobs have moved) is closed at the next trim.
 */

static enum err open_file(struct lmdb *lm, uint32_t number, int *fd)
{
	char head[SEGMENT_HEAD], name[16];
	uint32_t version = 0;

	*fd = openat(lm->segments_dir, segment_name(name, number), O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return errno_err(errno);

	enum err e = read_all(*fd, head, sizeof head, 0);

	if (!e)
		e = segment_head_parse(STR(head, sizeof head), number, &version);
	if (e) {
		log_event(LOG_ERROR, "store.segment", KVE(e), KVC("what", "its head"),
			  KVN("segment", number), KVN("version", version));
		close(*fd);
	}
	return e;
}

/* The one of that number, or the longest unused; called with cache_lock. */
static struct open_segment *slot(struct lmdb *lm, uint32_t number)
{
	struct open_segment *oldest = NULL;

	for (size_t i = 0; i < SEGMENT_CACHE; i++) {
		struct open_segment *o = &lm->cache[i];

		if (o->number == number)
			return o;
		if (o->users == 0 && (!oldest || o->used < oldest->used))
			oldest = o;
	}
	return oldest;
}

enum err segment_open(struct lmdb *lm, uint32_t number, int *fd)
{
	pthread_mutex_lock(&lm->cache_lock);

	struct open_segment *o = slot(lm, number);
	enum err e = OK;

	if (!o || o->number != number) {
		e = open_file(lm, number, fd);
		if (!e && o) {
			if (o->number)
				close(o->fd);
			*o = (struct open_segment){ .number = number, .fd = *fd };
		}
	}
	if (!e && o) {
		o->users++;
		o->used = ++lm->cache_used;
		*fd = o->fd;
	}
	pthread_mutex_unlock(&lm->cache_lock);
	return e;
}

void segment_close(struct lmdb *lm, uint32_t number, int fd)
{
	bool cached = false;

	pthread_mutex_lock(&lm->cache_lock);
	for (size_t i = 0; i < SEGMENT_CACHE && !cached; i++) {
		struct open_segment *o = &lm->cache[i];

		cached = o->number == number && o->fd == fd;
		if (cached)
			o->users--;
	}
	pthread_mutex_unlock(&lm->cache_lock);
	if (!cached)
		close(fd);
}

void cache_trim(struct lmdb *lm, bool all)
{
	pthread_mutex_lock(&lm->cache_lock);
	for (size_t i = 0; i < SEGMENT_CACHE; i++) {
		struct open_segment *o = &lm->cache[i];
		struct stat st;

		if (!o->number || o->users || (!all && fstat(o->fd, &st) == 0 && st.st_nlink > 0))
			continue;
		close(o->fd);
		*o = (struct open_segment){ 0 };
	}
	pthread_mutex_unlock(&lm->cache_lock);
}
