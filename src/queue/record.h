/* SPDX-License-Identifier: ISC */
#ifndef QUEUE_RECORD_H
#define QUEUE_RECORD_H
/*
 * record.h - what the queue keeps of a message and of its recipients, and its octets. A value
 * begins with its format version; numbers are little-endian. Never suspends.
 */
#include "base/base.h"
#include "store/store.h"

enum {
	QUEUE_VERSION = 1,
	QUEUE_PART_MAX = 100,     /* recipients of a part: RFC 5321 4.5.3.1.8 */
	QUEUE_ADDRESS_MAX = 512,  /* octets */
	QUEUE_ORCPT_MAX = 500,    /* RFC 3461 4.2 */
	QUEUE_ENVID_MAX = 100,    /* RFC 3461 4.4 */
	QUEUE_DOMAIN_MAX = 255,   /* a destination: RFC 5321 4.5.3.1.2 */
	QUEUE_HOLDER_MAX = 64,    /* who has the lease */
	QUEUE_TEXT_MAX = 512,     /* of a reply */
	QUEUE_TLS_TEXT_MAX = 64,  /* a cipher's name, a group's */
	QUEUE_VALUE_MAX = 400000, /* a full part of the longest texts fits */
};
#define QUEUE_NEVER INT64_MAX
/* As the time of a try: at once, by an order, even while the destination rests. */
#define QUEUE_ORDERED 1

enum queue_ret { QUEUE_RET_NONE, QUEUE_RET_FULL, QUEUE_RET_HDRS, QUEUE_RETS }; /* RFC 3461 4.3 */
enum queue_body { QUEUE_7BIT, QUEUE_8BITMIME, QUEUE_BINARYMIME, QUEUE_BODIES };
/* The least that a way must offer: nothing, a cipher, a name that was proved (DANE, MTA-STS). */
enum queue_guard { QUEUE_ANY, QUEUE_ENCRYPTED, QUEUE_AUTHENTICATED, QUEUE_GUARDS };
/* RFC 3461 4.1; 0: not told */
enum { QUEUE_NEVER_TELL = 1, QUEUE_ON_SUCCESS = 2, QUEUE_ON_FAILURE = 4, QUEUE_ON_DELAY = 8 };

struct queue_message {
	uint64_t id;       /* 42 bits of time, 22 of chance: ids rise with time, roughly */
	struct str sender; /* "" is the null sender */
	struct str envid;  /* xtext as it came */
	enum queue_ret ret;
	enum queue_body body;
	enum queue_guard guard;
	bool utf8, requiretls, tls_optional; /* RFC 6531; RFC 8689 2, and 5: TLS-Required: No */
	int8_t priority;                     /* -9..9, RFC 6710 */
	uint32_t account;                    /* whose it is; 0: nobody's */
	int64_t submitted;                   /* UTC seconds, as all times here */
	int64_t hold_until;                  /* RFC 4865; 0: none */
	int64_t deliver_by;                  /* RFC 2852; 0: none */
	bool by_return;      /* then it comes back after it; else its sender is told alone */
	struct blob_id blob; /* the queue holds one reference */
	uint32_t skip;       /* octets at its begin that stay here: our Return-Path, RFC 5321 4.4 */
	uint64_t size;       /* of what is sent: all behind them */
	uint32_t parts;      /* that are left */
};

enum queue_state {
	QUEUE_WAITING,
	QUEUE_DELIVERED,
	QUEUE_FAILED,
	QUEUE_EXPIRED,
	QUEUE_HELD,
	QUEUE_STATES
};
enum queue_auth {
	QUEUE_PLAIN,
	QUEUE_OPPORTUNISTIC,
	QUEUE_DANE,
	QUEUE_MTA_STS,
	QUEUE_BY_NAME, /* a smart host, by the name that the operator gave it */
	QUEUE_AUTHS
};

/* What the other side said last, and over which line: the facts of a receipt. */
struct queue_reply {
	int64_t when;       /* 0: nothing yet */
	uint16_t code;      /* 0: it never came to a reply; text says why, in English */
	uint16_t status[3]; /* RFC 3463: class, subject, detail; 0: none was given */
	struct str text, host, ip;
	struct str tls, cipher, group; /* tls empty: not encrypted */
	enum queue_auth auth;
};

struct queue_recipient {
	struct str address;
	struct str orcpt; /* "rfc822;..." as it came */
	unsigned notify;
	enum queue_state state;
	bool told;       /* whatever is to be reported of its end has been */
	bool delay_told; /* a delay was */
	bool passed;     /* the other server took over telling of the success: RFC 3461 5.2.2 */
	uint32_t tries;
	int64_t next; /* of the next try; held: of the one that would be */
	struct queue_reply last;
};

struct queue_part {
	uint64_t id;
	uint32_t number;
	struct str domain;   /* of the recipients, lower-case A-labels */
	struct str via;      /* a host instead of its MX; "" */
	uint64_t lease;      /* 0: nobody has it */
	struct str holder;   /* who has */
	int64_t lease_until; /* 0: nobody has it */
	size_t n;
	struct queue_recipient *rcpt;
};

/* Texts of what is decoded point into value; arrays are the arena's. E_CORRUPT, E_VERSION. id
 * and number stand in the key and are left alone. Encoding: E_LIMIT, a bound above is passed; the
 * octets are the arena's. */
MUST enum err queue_message_decode(struct str value, struct queue_message *out);
MUST enum err queue_message_encode(struct arena *a, const struct queue_message *m, struct str *out);
MUST enum err queue_part_decode(struct str value, struct arena *a, struct queue_part *out);
MUST enum err queue_part_encode(struct arena *a, const struct queue_part *p, struct str *out);

/* An id as people read it: 13 letters and digits. Reading is lenient about what looks alike; false:
 * it is none. */
struct str queue_id_text(struct arena *a, uint64_t id);
bool queue_id_read(struct str text, uint64_t *out);
/* Where a part goes: its domain, or "[via]". */
struct str queue_destination_of(struct arena *a, const struct queue_part *p);
/* When it next wants something: its lease ends, a try or a report is due. */
int64_t queue_part_due(const struct queue_part *p);
/* Nothing is left to be done for it. */
bool queue_part_over(const struct queue_part *p);

#endif
