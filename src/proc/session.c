/* SPDX-License-Identifier: ISC */
/*
 * proc/session.c - the process that faces users.
 *
 * Who:    "session0", "session1", ...: one a core; IMAP, POP3, submission.
 * Holds:  the store, a socket to the keeper, the TLS key.
 * May:    open the mailboxes of users who logged in, append what they send.
 * Not:    see password hashes: whoever knows the password is the keeper's word.
 */
#include "proc/child.h"

static enum err take_socket(struct child *c, struct str name, int fd)
{
	return serve_socket(c, name, fd, PROCESS_SESSION);
}

/* One of them is enough to sweep the house. */
static enum err start(struct child *c)
{
	enum err e = str_is(str_of(c->name), "session0") ? housekeep_start(c) : OK;

	return e ? e : serve_start(c);
}

const struct role role_session = { "session", take_socket, NULL, start, NULL, NULL };
