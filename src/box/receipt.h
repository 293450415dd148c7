/* SPDX-License-Identifier: ISC */
#ifndef BOX_RECEIPT_H
#define BOX_RECEIPT_H
/*
 * receipt.h - what became of mail that an account sent: for each recipient when, to which server,
 * over which line, and what was said last.
 *
 * They lie in the account's partition and are found by the Message-ID, so that they go with the
 * mail wherever its owner moves it. The mail itself may be gone: at most RECEIPTS_MAX mails and
 * RECEIPTS_OCTETS_MAX octets of an account are kept, the oldest go first.
 *
 * For:      smtp (who is here), courier (who is elsewhere), web and ctl (look).
 * Suspends: every call may suspend the calling fiber, unless marked (quick).
 * Durable:  as store_update says. Memory, errors: as box.h says.
 */
#include "base/base.h"
#include "store/store.h"

enum {
	RECEIPT_ROWS_MAX = 500, /* recipients of one mail; of further ones nothing is kept */
	RECEIPT_ID_MAX = 500,   /* octets; what is longer is cut, of all texts */
	RECEIPT_ADDRESS_MAX = 512,
	RECEIPT_TEXT_MAX = 512,
	RECEIPT_HOST_MAX = 255,
	RECEIPT_WORD_MAX = 64, /* ip, tls, cipher, group */
	RECEIPTS_MAX = 20000,
	RECEIPTS_OCTETS_MAX = 16 << 20,
};

enum receipt_state {
	RECEIPT_WAITING, /* after a try that came to nothing */
	RECEIPT_DELIVERED,
	RECEIPT_FAILED,
	RECEIPT_EXPIRED, /* its time was over before anybody took it */
	RECEIPT_STATES
};
enum receipt_way {
	RECEIPT_NO_WAY, /* it never came to a connection */
	RECEIPT_PLAIN,
	RECEIPT_ENCRYPTED, /* to whoever answered there: opportunistic TLS, RFC 7435 */
	RECEIPT_DANE,
	RECEIPT_MTA_STS,
	RECEIPT_BY_NAME, /* a smart host whose certificate has its name */
	RECEIPT_HERE,    /* the recipient's mailbox is on this server */
	RECEIPT_WAYS
};

struct receipt_row {
	struct str address;
	enum receipt_state state;
	enum receipt_way way;
	int64_t when; /* UTC seconds: of what is told here */
	int64_t next; /* waiting: of the next try; 0: not known */
	uint32_t tries;
	uint16_t code;      /* of SMTP; 0: none, and text says why, in English */
	uint16_t status[3]; /* RFC 3463: class, subject, detail; 0: none */
	struct str text, host, ip;
	struct str tls, cipher, group; /* tls empty: not encrypted */
};

struct receipt {
	struct str id; /* the Message-ID; brackets and blanks around it do not count */
	int64_t first; /* when it was written first */
	bool more;     /* there were more recipients than are kept */
	size_t n;
	struct receipt_row *row;
};

/*
 * (quick) Makes *out, the update that puts r's rows in the place of what is there about the same
 * addresses, to be handed to store_update_all, box_deliver_also or queue_result_also beside
 * others. now: for `first`. r and its texts must live until then. If the account is gone
 * meanwhile nothing is written, and all is well. False: there is nothing to write (no account,
 * no Message-ID, no rows), and *out is left alone.
 */
bool receipt_prepare(struct arena *a, uint32_t account, const struct receipt *r, int64_t now,
		     struct update *out);
/* The same at once. */
MUST enum err receipt_write(struct store *st, uint32_t account, const struct receipt *r,
			    int64_t now);

/* What is known of a mail. E_NOTFOUND. */
MUST enum err receipt_get(struct store *st, uint32_t account, struct str id, struct arena *a,
			  struct receipt *out);
/* All, the oldest first; fn may suspend, and what it gets lives until it returns. Its error ends
 * the walk and is the result. */
MUST enum err receipt_each(struct store *st, uint32_t account,
			   enum err (*fn)(void *arg, const struct receipt *r), void *arg);

/* (quick) "delivered", "dane": for JSON. */
const char *receipt_state_word(enum receipt_state s);
const char *receipt_way_word(enum receipt_way w);

#endif
