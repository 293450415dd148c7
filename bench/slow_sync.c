/* SPDX-License-Identifier: ISC */
/*
 * bench/slow_sync.c - a slower disk: preloaded, it makes each fdatasync and fsync take
 * SLOW_SYNC_MS milliseconds more. (LMDB's write that waits for the disk by itself stays fast.)
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void wait_more(void)
{
	const char *ms = getenv("SLOW_SYNC_MS");
	long n = ms ? strtol(ms, NULL, 10) : 0;
	struct timespec t = { .tv_sec = n / 1000, .tv_nsec = n % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

int fdatasync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
	int rc = real(fd);

	wait_more();
	return rc;
}

int fsync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	int rc = real(fd);

	wait_more();
	return rc;
}
