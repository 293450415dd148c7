/* SPDX-License-Identifier: ISC */
#ifndef POP3_STUFF_H
#define POP3_STUFF_H
/*
 * stuff.h - a message as the lines of a multi-line response, in pieces of any size: RFC 1939 3.
 * A dot that begins a line is doubled. A LF alone becomes CR LF: a client that takes it for a
 * line end must not find the end of the response behind it.
 * Never suspends; allocates nothing.
 */
#include "base/base.h"

struct stuff {
	bool inside; /* private: not at the beginning of a line */
	bool cr;     /* private: the last octet was CR */
};

/* The next run of octets to send, a view into *in, which moves on; *insert ("." or "\r", or
 * empty) goes in front of it. Call it while in->n > 0. */
struct str stuff_take(struct stuff *st, struct str *in, struct str *insert);
/* What ends the response: ".\r\n", with the line end in front that the message lacks. */
struct str stuff_end(const struct stuff *st);

/* TOP: the header, the empty line, and some lines of the body. RFC 1939 7 */
struct top {
	uint32_t lines; /* of the body, still to come */
	bool body;      /* private: the empty line was there */
	bool inside;    /* private: the line has an octet that is no CR */
	bool done;
};
/* How many of the octets belong to it. */
size_t top_take(struct top *t, struct str octets);

#endif
