/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_WIRE_H
#define KEEPER_WIRE_H
/*
 * wire.h - the messages to the keeper. The fields of each, in order, are in the comment; both
 * sides belong to one program, so there is no version.
 *
 * name: blob local, blob domain. page: blob domain, blob after; its answer ends with u8 more
 * and, behind the rows, blob last.
 */
#include "keeper/directory.h"
#include "base/buf.h"
#include "ipc/ipc.h"

enum keeper_call {
	CALL_ROUTE = 1,  /* path -> u32 n, n * (u32 account, blob address, blob mailbox, u64 quota,
			  * u8 encrypted, u8 expired, u8 back) */
	CALL_DOMAIN,     /* blob domain -> */
	CALL_REWRITE,    /* path, blob domain -> blob sender */
	CALL_LOGIN,      /* try -> u8 1, u32 account, blob address, u64 quota, blob notice;
			  * or u8 0, blob closed; or u8 2, blob refused */
	CALL_PROGRAM,    /* u32 account, try -> */
	CALL_ADMIT,      /* blob ip -> blob closed, "" if it may speak */
	CALL_MAY_SEND,   /* u32 account, path -> blob why, "": it may; u8 guarantee */
	CALL_MAY_APPEND, /* u32 account -> u64 quota */
	CALL_CLEARTEXT,  /* try -> */
	CALL_REFUSED,    /* path from, path to, blob ip, blob host, u32 n, n * u32 account -> */
	CALL_CHANGE,     /* blob new, try -> blob word, de, en, u8 score, blob advice de, en */
	/* Of the owner: the answer begins with blob word, de, en, and goes on where it is "ok". */
	CALL_OWN_APPS,           /* try -> u32 n, n * (blob, blob, u64 created, u64 used) */
	CALL_OWN_APP_ADD,        /* blob name, blob protocols, try -> blob password */
	CALL_OWN_APP_DELETE,     /* blob name, try -> */
	CALL_OWN_LOGINS,         /* try -> logins, see keeper/logins.c */
	CALL_OWN_LOGOUT,         /* try -> */
	CALL_OWN_SESSIONS,       /* try -> u32 n, n * (blob protocol, blob address, u64 since) */
	CALL_OWN_GUARANTEES,     /* try -> 2 * (u8 sending, u8 receiving), see own_guarantee.c */
	CALL_OWN_GUARANTEES_SET, /* blob sending, blob receiving, try -> the same */
	CALL_SERVICE,            /* -> blob word, said, said */
	CALL_INVITATION,         /* blob token -> said; "ok": blob address, u64 until, u64 quota */
	CALL_JOIN,               /* blob token, blob password, blob ip -> as CALL_CHANGE */
	CALL_JUDGE,              /* blob user, blob password -> as CALL_CHANGE */
	CALL_STANDING,           /* blob ip -> u8 state, u8 by hand, u64 until, rules */
	CALL_NUMBERS,            /* -> u64 of each in struct keeper_numbers */
	CALL_SENDING_ASK,        /* u32 account, path, u32 recipients, u32 strangers -> verdict */
	CALL_SENDING_COUNT,      /* u32 account, u32 n, n * u32 hash -> verdict */
	CALL_DKIM_KEYS, /* u32 account, path -> blob domain, u8 n, n * (u8 kind, blob selector) */
	CALL_DKIM_SIGN, /* u32 account, path, blob selector, blob digest -> blob signature */
	/* The operator's; each answer begins with u8 err, blob sentence. */
	CALL_DOMAIN_ADD,    /* blob domain */
	CALL_DOMAIN_DELETE, /* blob domain */
	CALL_DOMAIN_LIST,   /* page -> rows: u8 1, blob domain, u64 created; u8 0 */
	CALL_USER_ADD,      /* blob address, blob password, blob hash, u64 quota */
	CALL_USER_DELETE,   /* blob address */
	CALL_USER_PASSWD,   /* blob address, blob password, blob hash */
	CALL_USER_LIST,     /* page -> rows, see keeper/operate.c */
	CALL_USER_SHOW,     /* blob address -> see keeper/operate_sending.c */
	CALL_USER_LIMITS,   /* blob address, 3 * u32 */
	CALL_ALIAS_ADD,     /* blob address, u32 n, n * blob target */
	CALL_ALIAS_DELETE,  /* blob address */
	CALL_ALIAS_LIST,    /* page -> rows */
	CALL_APP_ADD,       /* blob address, blob name, blob protocols -> blob password */
	CALL_APP_LIST,      /* blob address -> u32 n, n * (blob, blob, u64 created, u64 used) */
	CALL_APP_DELETE,    /* blob address, blob name */
	CALL_USER_LOGINS,   /* blob address -> logins */
	CALL_LIFE_SHOW,     /* -> u8 mode, u32 last day, u64 changed, blob notice, u8 takes mail */
	CALL_LIFE_SET,      /* u8 mode, u32 last day, blob notice */
	CALL_INVITE, /* blob address, u64 quota, u32 seconds -> blob token, u64 until, u8 mode */
	CALL_INVITE_LIST,   /* page -> rows: u8 1, blob address, 3 * u64; u8 0 */
	CALL_INVITE_DELETE, /* blob address */
	CALL_USER_SET,      /* blob address, u8 what, u8 state, u8 blocked, u32 expires, u64 quota,
			     * u8 sending, u8 receiving, blob reason */
	CALL_SEAL,          /* no fields: store_seal in all processes */
	CALL_GUARD_LIST,    /* blob network or "", u32 bucket -> rows, see operate_guard.c */
	CALL_GUARD_SHOW,    /* blob address -> u8 exempt, record, rules */
	CALL_GUARD_RELEASE, /* blob address */
	CALL_GUARD_BLOCK,   /* blob address, u32 seconds, 0: as configured -> u64 until */
	CALL_DKIM_ADD,      /* blob domain */
	CALL_DKIM_ROTATE,   /* blob domain, u8 force */
	CALL_DKIM_RETIRE,   /* blob domain, u8 force */
	CALL_DKIM_LIST,     /* blob domain -> u32 n, n * key, see operate_dkim.c */
};

enum login_answer { LOGIN_CLOSED, LOGIN_GOOD, LOGIN_REFUSED };

/* What the keeper tells a worker. */
enum keeper_tells {
	TELL_END = 1, /* u32 account, 16 octets and u8 bits of a network, u64 except, blob reason */
	TELL_LIST,    /* u32 account -> as CALL_OWN_SESSIONS */
	TELL_SEAL,    /* no fields: store_seal */
};

#endif
