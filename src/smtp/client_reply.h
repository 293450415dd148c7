/* SPDX-License-Identifier: ISC */
#ifndef SMTP_CLIENT_REPLY_H
#define SMTP_CLIENT_REPLY_H
/*
 * client_reply.h - what a server answers, line by line: RFC 5321 4.2, 4.2.1; the enhanced code
 * before its text: RFC 3463 2, RFC 2034 4. And what its EHLO offers: RFC 5321 4.1.1.1.
 * Never suspends.
 */
#include "base/base.h"
#include "base/buf.h"

enum {
	ANSWER_LINE_MAX =
		2048, /* octets of a line, four times what is allowed: RFC 5321 4.5.3.1.5 */
	ANSWER_LINES_MAX = 128, /* of one reply; more is no reply any more */
	ANSWER_TEXT_MAX = 1000, /* octets that are kept of the text; what is behind is left out */
};

/* text is UTF-8 without control characters, its lines divided by '\n'. */
struct answer {
	unsigned code;   /* 200..599; 0: none came */
	char esc[12];    /* "5.7.1"; "" where none stood there, or one of another class */
	struct str text; /* without the codes */
};

/* Owner: caller, who frees it. Set up with answer_begin. */
struct answer_parser {
	unsigned code, lines;
	char esc[12];
	bool hello; /* of EHLO: no enhanced codes (RFC 2034 3) */
	struct buf text;
};
enum answer_step { ANSWER_MORE, ANSWER_DONE, ANSWER_BAD };

void answer_begin(struct answer_parser *p, bool hello);
void answer_free(struct answer_parser *p);
/* Takes a line without its CRLF. BAD: not in the grammar, another code than the line before, or
 * one line too many; then nothing that follows makes sense. */
enum answer_step answer_line(struct answer_parser *p, struct str line);
/* After ANSWER_DONE; the text is copied into the arena. */
struct answer answer_end(const struct answer_parser *p, struct arena *a);

/* What a server offers. */
struct offer {
	bool esmtp; /* it took EHLO */
	bool pipelining, chunking, binary, eightbit, utf8, dsn, starttls, enhanced, requiretls;
	bool size, auth_plain, priority, deliver_by;
	uint64_t size_max;           /* 0: any, RFC 1870 4 */
	unsigned rcpt_max, mail_max; /* LIMITS, RFC 9422; 0: not told */
};
/* One line of the reply to EHLO behind its code, but for the first. What is not understood is
 * passed over. */
void offer_line(struct offer *o, struct str line);

#endif
