/* SPDX-License-Identifier: ISC */
/*
 * proc/mx.c - the process that faces the whole internet.
 *
 * Who:    "mx0", "mx1", ...: one a core; port 25, and LMTP on a unix socket.
 * Holds:  the store, a socket to the keeper, the TLS key.
 * May:    take mail and append it to mailboxes.
 * Not:    authenticate users, read mailboxes, connect to anywhere.
 */
#include "proc/child.h"

static enum err take_socket(struct child *c, struct str name, int fd)
{
	return serve_socket(c, name, fd, PROCESS_MX);
}

const struct role role_mx = { "mx", take_socket, NULL, serve_start, NULL, NULL };
