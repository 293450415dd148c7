/* SPDX-License-Identifier: ISC */
#ifndef SMTP_HEAD_H
#define SMTP_HEAD_H
/*
 * head.h - the header of a message while it streams by: where it ends, and how many servers
 * it has come through (RFC 5321 6.3). Never suspends; allocates nothing; zeroed is ready.
 */
#include "base/base.h"

struct head {
	bool ended;        /* the empty line has come by */
	unsigned received; /* Received fields so far */
	bool inside;       /* private: beyond the part of this line that matters */
	unsigned matched;  /* private: octets of "Received:" (or of CR LF) so far */
	bool cr;           /* private: this line is a CR so far */
};

/* How many of the octets belong to the header, with the empty line that ends it. */
size_t head_feed(struct head *h, struct str octets);

#endif
