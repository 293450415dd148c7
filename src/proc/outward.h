/* SPDX-License-Identifier: ISC */
#ifndef PROC_OUTWARD_H
#define PROC_OUTWARD_H
/*
 * outward.h - the ways to other servers (sections outbound { } and dns { }) as lines want them.
 *
 * Two files belong to it, which main reads and hands to the couriers alone: the passwords of smart
 * hosts and the authorities that are trusted beside the system's.
 */
#include "courier/line.h"
#include "proc/config.h"

enum { OUTWARD_FILE_MAX = 64 * 1024 };

struct outward_files { /* their texts, or none */
	struct str passwords, authorities;
};
/* Points into c, the files and the arena. E_SYNTAX: why is a sentence. */
MUST enum err outward_conf(const struct config *c, const struct outward_files *files,
			   struct arena *a, struct line_conf *out, struct str *why);
/* Reads and checks both files. E_DENIED: everybody may read the passwords. (blocks) */
MUST enum err outward_read(const struct config *c, struct arena *a, struct outward_files *out,
			   struct str *why);

/* --- for the table of keys --- */
bool value_is_own(struct str text);       /* a host name or an address */
bool value_is_least(struct str text);     /* PATTERN:GUARD */
bool value_is_smarthost(struct str text); /* PATTERN:HOST:PORT */

#endif
