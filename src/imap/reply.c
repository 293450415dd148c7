/* SPDX-License-Identifier: ISC */
/* imap/reply.c - results of commands; fixed texts for the world's errors: RFC 3501 7.1, 5530. */
#include "imap/imap_priv.h"

struct done done_ok(const char *text)
{
	return (struct done){ .how = DONE_OK, .text = text };
}

struct done done_no(const char *code, const char *text)
{
	return (struct done){ .how = DONE_NO, .code = str_of(code), .text = text };
}

struct done done_bad(const char *text)
{
	return (struct done){ .how = DONE_BAD, .text = text };
}

struct done done_name(const char *why)
{
	return done_no("CANNOT", why);
}

static struct done bye(const char *text)
{
	return (struct done){ .how = DONE_BYE, .text = text };
}

struct done done_err(enum err e)
{
	switch (e) {
	case OK: return done_ok("done");
	case E_NOTFOUND: return done_no("NONEXISTENT", "there is no such mailbox");
	case E_EXISTS: return done_no("ALREADYEXISTS", "there is a mailbox of this name already");
	case E_DENIED: return done_no("CANNOT", "this mailbox does not allow that");
	case E_QUOTA: return done_no("OVERQUOTA", "the account is full - das Postfach ist voll");
	case E_LIMIT: return done_no("LIMIT", "a limit of this server is reached");
	case E_SYNTAX: return done_no("CANNOT", "the mailbox name is not possible");
	case E_CORRUPT: return done_no("CORRUPTION", "stored data is damaged");
	case E_VERSION: return done_no("SERVERBUG", "stored data is of another version");
	case E_IO: return done_no("UNAVAILABLE", "the storage failed, try again later");
	case E_NOSPACE: return done_no("UNAVAILABLE", "the disk is full, try again later");
	case E_AGAIN: return done_no("UNAVAILABLE", "out of reach just now, try again later");
	case E_READONLY:
		return done_no("UNAVAILABLE", "the service takes nothing new at present - "
					      "der Dienst nimmt zurzeit nichts an");
	case E_CANCELED: return bye("server is going down");
	case E_TIMEOUT: return done_no("UNAVAILABLE", "it took too long, try again later");
	case E_CLOSED: return (struct done){ .how = DONE_GONE };
	case ERR_COUNT: break;
	}
	return done_no("SERVERBUG", "this should not happen");
}

struct done done_io(enum err e)
{
	switch (e) {
	case OK: return done_ok("done");
	case E_TIMEOUT: return bye("idle for too long"); /* RFC 3501 5.4 */
	case E_CANCELED: return bye("server is going down");
	case E_LIMIT: return bye("[TOOBIG] the line is too long"); /* what follows is not known */
	default: return (struct done){ .how = DONE_GONE };
	}
}
