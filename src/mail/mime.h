/* SPDX-License-Identifier: ISC */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H
/*
 * mime.h - a message as a tree of parts with octet offsets, parsed once on its way in, whole
 * or in pieces of any size. RFC 2045, 2046, 5322; what is broken is taken leniently (RFC 7103),
 * never refused: beyond a limit the rest is one leaf. Never suspends.
 *
 * Offsets count from the first octet of the message; lines are those ended by CRLF or LF.
 */
#include "base/base.h"

enum {
	MIME_DEPTH_MAX = 64,
	MIME_PARTS_MAX = 10000,
	MIME_HEADER_MAX = 256 * 1024, /* octets of one part's header that are looked at */
	MIME_TEXT_MAX = 256 * 1024,   /* octets of all fields together that the tree keeps */
	MIME_BOUNDARY_MAX = 200,      /* RFC 2046 5.1.1 allows 70 */
	SUMMARY_MAX = 4 * 1024 * 1024,
	/* What parser and summary of one message use at most: the least maximum of their arena. */
	MIME_ARENA_MAX = 64 * 1024 * 1024,
};

enum mime_kind { MIME_LEAF, MIME_MULTIPART, MIME_MESSAGE };

struct param; /* mail/header.h */
struct envelope_fields;

struct mime_part {
	enum mime_kind kind;
	uint64_t header_off, header_size; /* with the empty line at its end */
	uint64_t body_off, body_size;
	uint32_t header_lines, body_lines;
	struct mime_part *parent, *first, *next; /* MIME_MESSAGE: first is the message inside */
	/* of the part's header, in the arena; texts as they stand, unfolded */
	struct str type, subtype; /* upper case, "TEXT" "PLAIN" if absent (RFC 2045 5.2) */
	struct param *params;     /* mail/header.h */
	struct str id, description, encoding;  /* encoding upper case, "7BIT" if absent */
	struct str md5, disposition, location; /* .p NULL: absent; disposition lower case */
	struct param *disposition_params;
	struct str language; /* the field's body */
	struct envelope_fields
		*env; /* the message's own header: root and children of MIME_MESSAGE */
};

/* The fields that ENVELOPE, threading and sorting want; unfolded, as they stand; first wins. */
struct envelope_fields {
	struct str date, subject, from, sender, reply_to, to, cc, bcc, in_reply_to, message_id,
		references;
};

struct mime_parser;
/* All that the tree needs is in the arena. */
struct mime_parser *mime_parser_new(struct arena *a);
void mime_feed(struct mime_parser *p, struct str octets);
/* The end of the message; the tree lives in the arena. Never NULL. */
struct mime_part *mime_end(struct mime_parser *p);

/* --- what is stored with each message --- */

/* The summary: one run of octets with a format version. It holds the tree and the texts of
 * ENVELOPE, BODY and BODYSTRUCTURE as IMAP sends them. */
struct str summary_make(struct arena *a, const struct mime_part *root);

struct summary {
	struct str envelope, body, bodystructure; /* ready for the wire: RFC 3501 7.4.2 */
	struct str subject, message_id;           /* message_id without brackets */
	struct str from, to, cc;                  /* field bodies, for SORT and SEARCH later */
	uint64_t thread;                          /* of the conversation: thread_id() */
	int64_t sent;                             /* Date: as UTC seconds; INT64_MIN if none */
	int sent_zone;                            /* minutes east */
	struct str parts;                         /* private: the encoded tree */
};
/* Points into octets. E_VERSION, E_CORRUPT. */
MUST enum err summary_open(struct str octets, struct summary *out);

/* A part by its number as IMAP writes it: path {} n 0 is the message, {2,1} is "2.1".
 * RFC 3501 6.4.5. E_NOTFOUND, E_CORRUPT. */
struct part_info {
	enum mime_kind kind;
	uint64_t header_off, header_size, body_off, body_size; /* the part's MIME header and body */
	bool message; /* it is the message, or a message/rfc822, and these are its content: */
	uint64_t msg_header_off, msg_header_size, msg_body_off, msg_body_size;
	struct str encoding; /* upper case */
};
MUST enum err summary_part(const struct summary *s, const uint32_t *path, size_t n,
			   struct part_info *out);

/* Deterministic id of the conversation: hash of the first of References, else of In-Reply-To,
 * else of the message's own id: the root of the thread says it without any index. 0: no ids. */
uint64_t thread_id(const struct envelope_fields *env);

#endif
