/* SPDX-License-Identifier: ISC */
#ifndef CTL_EXPORT_H
#define CTL_EXPORT_H
/*
 * export.h - what export.c (the command), export_name.c (names) and export_mail.c (mbox and
 * Maildir) share.
 */
#include <jansson.h>
#include <stdio.h>

#include "box/box.h"

enum export_format { EXPORT_MAILDIR, EXPORT_MBOX };
enum { EXPORT_LEVEL_MAX = 200 }; /* octets of one level of a name, as a file */

/* Where the messages of a mailbox go, below the export's folder. Names stay UTF-8; what a file
 * system or Maildir++ could misread comes as %XX, and a level that is too long is cut and gets a
 * hash. "INBOX" is "Maildir" or "mbox/INBOX.mbox", "A/B" is "Maildir/.A.B" or "mbox/A/B.mbox". */
struct str export_path(struct arena *a, enum export_format format, struct str mailbox);

/* One mailbox on its way out. */
struct export_box {
	enum export_format format;
	struct str path; /* of the file or the Maildir */
	struct str name;
	struct box *box; /* borrowed */
	struct arena *a; /* of one message; emptied by export_message */
	bool again;      /* it was there before: further messages come behind the others */
	FILE *index;     /* a JSON line for each message */
	FILE *mbox, *uidlist;
	uint64_t size; /* octets written for the message under way */
	/* where in a line the message under way is */
	bool cr, line_start;
	unsigned from; /* octets of "From " that are held back */
};
/* Makes what is there before the first message. E_IO: errno says why. */
MUST enum err export_open(struct export_box *x);
/* (suspends) One message. E_IO, or the store's; E_NOTFOUND: it is gone and leaves nothing. */
MUST enum err export_message(struct export_box *x, const struct msg *m);
MUST enum err export_close(struct export_box *x); /* E_IO; closes in any case */

/* Folders on the way to path are made, those above root are there. */
MUST enum err export_folders(struct str root, struct str path, struct arena *a);

/* (suspends) Adds those aliases that name a user as their target. The store's errors. */
struct name;
struct user;
MUST enum err export_aliases(struct store *st, const struct name *user, json_t *out);
/* (suspends) A JSON line for each mail of which there are receipts, the oldest first, into a new
 * file. E_IO, the store's. */
MUST enum err export_receipts(struct store *st, const struct user *user, const char *path);

#endif
