/* SPDX-License-Identifier: ISC */
#ifndef BOX_WARN_H
#define BOX_WARN_H
/*
 * warn.h - the mail to whoever comes near his quota. Private to the box room.
 *
 * What fills the account and the warning about it are one update, so that none is lost and none
 * comes twice: a run of the update that finds one due writes nothing, the mail is made, and the
 * update runs again. That it was sent stands in the account's record, until the account has
 * fallen below again.
 */
#include "box/change.h"
#include "box/incoming.h"

struct warner {
	const struct quota_warning *w; /* borrowed */
	struct incoming *notice;       /* owned; made when it is due */
	bool given_up;                 /* it could not be made: the next append tries again */
	bool due;                      /* of the last run */
};

/* In an update, with nothing written yet: so many octets come now. E_AGAIN: a warning is due and
 * not made yet. */
MUST enum err warn_look(struct account *ac, struct warner *wr, uint64_t more);
/* Later in it: puts the warning that is due into the inbox, which may be a or b, the mailboxes
 * that are open in this update. */
MUST enum err warn_put(struct account *ac, const struct warner *wr, struct mailbox *a,
		       struct mailbox *b, int64_t now);
/* (suspends) After a run: shall it be made again? */
bool warn_again(struct store *st, struct warner *wr);
void warn_close(struct warner *wr);

#endif
