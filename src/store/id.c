/* SPDX-License-Identifier: ISC */
#include <pthread.h>
#include <sys/random.h>
#include <unistd.h>

#include "store/engine.h"

/*
 * A blob's id: 6 octets milliseconds since 1970, 6 octets of chance that are this process's own,
 * 4 octets that count; all big-endian, so that ids ascend with time.
 */
struct blob_id blob_id_new(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static pid_t owner; /* a forked child must not count on from where its parent was */
	static uint8_t chance[6];
	static uint32_t count;
	uint64_t now = (uint64_t)clock_wall_ms();
	struct blob_id id;

	pthread_mutex_lock(&lock);
	if (owner != getpid() || count == UINT32_MAX) {
		BUG_IF(getrandom(chance, sizeof chance, 0) != sizeof chance);
		owner = getpid();
		count = 0;
	}
	uint32_t mine = count++;

	memcpy(id.octets + 6, chance, sizeof chance);
	pthread_mutex_unlock(&lock);
	for (unsigned i = 0; i < 6; i++)
		id.octets[i] = (uint8_t)(now >> (40 - 8 * i));
	for (unsigned i = 0; i < 4; i++)
		id.octets[12 + i] = (uint8_t)(mine >> (24 - 8 * i));
	return id;
}
