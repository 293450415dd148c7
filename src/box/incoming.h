/* SPDX-License-Identifier: ISC */
#ifndef BOX_INCOMING_H
#define BOX_INCOMING_H
/* incoming.h - what deliver.c sees of a message on its way in. Private to the box room. */
#include "box/box.h"

#define MESSAGE_SIZE_MAX (((uint64_t)1 << 40) - 1) /* what a record has room for */

struct incoming {
	struct blob *blob;
	struct arena *arena; /* the parser's, and the summary */
	struct mime_parser *parser;
	uint64_t size;
	bool finished;
	struct blob_id id;
	struct summary summary;
};

/* A notice as a finished message. Owner: caller, who closes it; NULL at an error. (suspends) */
struct notice;
MUST enum err tell_prepare(struct store *st, const struct notice *n, struct incoming **out);

#endif
