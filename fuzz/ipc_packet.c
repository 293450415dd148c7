/* SPDX-License-Identifier: ISC */
/*
 * Packets between the processes: what is understood is sent again as the same octets.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/ipc_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int pair[2];
	static char again[HEAD_SIZE + IPC_MAX];
	struct packet k;

	if (size == 0 || size > HEAD_SIZE + IPC_MAX)
		return 0;
	if (!pair[1])
		BUG_IF(ipc_pair(pair) != OK);
	BUG_IF(send(pair[0], data, size, 0) != (ssize_t)size);
	enum err e = packet_receive(pair[1], &k);

	BUG_IF(e != OK && e != E_SYNTAX);
	BUG_IF(k.fd >= 0);
	if (e || k.lost_fd)
		return 0;
	BUG_IF(packet_send(pair[1], &k) != OK);
	ssize_t n = recv(pair[0], again, sizeof again, 0);

	BUG_IF(n != (ssize_t)size || memcmp(again, data, size) != 0);
	return 0;
}
