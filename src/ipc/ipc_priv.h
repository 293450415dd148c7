/* SPDX-License-Identifier: ISC */
#ifndef IPC_IPC_PRIV_H
#define IPC_IPC_PRIV_H
/*
 * ipc_priv.h - one packet on the socket. Private to the room.
 *
 *   octet 0      kind: CALL or ANSWER
 *   octet 1      1 where a descriptor comes along
 *   octets 2-3   an answer's enum err; 0 in calls
 *   octets 4-7   type; an answer repeats that of its call
 *   octets 8-15  id, chosen by the caller
 *   then         the fields, to the end of the packet
 */
#include "ipc/ipc.h"

enum packet_kind { CALL = 1, ANSWER = 2 };
enum { HEAD_SIZE = 16 };

struct packet {
	enum packet_kind kind;
	enum err err;
	uint32_t type;
	uint64_t id;
	struct str fields; /* received: lives until the next packet_receive of the thread */
	int fd;            /* -1: none. Received: the reader owns it. */
	bool lost_fd;      /* one was sent, but this process had no room for it */
};

/* (quick) One attempt each. E_AGAIN: it would block. E_CLOSED: the peer has gone.
 * E_SYNTAX: not a packet as above. */
MUST enum err packet_send(int fd, const struct packet *k);
MUST enum err packet_receive(int fd, struct packet *k);

#endif
