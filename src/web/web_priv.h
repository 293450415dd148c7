/* SPDX-License-Identifier: ISC */
#ifndef WEB_WEB_PRIV_H
#define WEB_WEB_PRIV_H
/* web_priv.h - one request and its reply, shared by the files of this room only. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "keeper/own.h"
#include "web/parse.h"
#include "web/rate.h"
#include "web/template.h"
#include "web/web.h"

enum { REPLY_MAX = 256 * 1024, REQUEST_MEMORY = 4 << 20 };

struct web {
	struct web_conf conf;
	struct keeper *keeper; /* borrowed */
	struct store *store;   /* borrowed */
	struct rates rates;
	uint8_t secret[32]; /* of the tokens in forms; the same in each process */
	char style[17];     /* in the style sheet's name: its hash */
	struct signer *signer;
	int64_t lookups[256]; /* receipt.c: clock_ms at which an account has them all back */
};

struct request {
	struct web *web; /* borrowed */
	struct arena *a;
	enum web_side side;
	struct scgi head;
	struct str path, body;
	struct fields query, form; /* form: of a row that says FORM */
	enum lang lang;
	struct str cookies; /* header lines that set some */
};

/* What a handler answers; only server.c writes it. */
struct reply {
	unsigned status;
	const char *type;
	struct str body;
	const char *cache;       /* Cache-Control; NULL: nobody keeps it */
	const char *disposition; /* Content-Disposition, or NULL */
};

/* One path and its methods. A handler may suspend. */
enum { GET = 1, POST = 2 };
enum {
	FORM = 1,     /* a body has to be a form */
	PREFIX = 2,   /* the path is what it begins with */
	ANY_CASE = 4, /* as some programs write it */
};
struct row {
	const char *path;
	unsigned methods, flags;
	enum web_side side;
	struct reply (*run)(struct request *q);
};
/* NULL: there is no such path. With several rows for a path the method decides. */
const struct row *row_find(const struct request *q, bool *other_method);

/* --- page.c --- */
/* A page of ours around a template, which finds `v` and what all pages have. */
#define page(q, status, file, title, array) \
	page_make((q), (status), (file), S(title), (array), LENGTH(array))
struct reply page_make(struct request *q, unsigned status, const char *file, struct str title,
		       const struct value *v, size_t n);
/* A page with a sentence: "de", "en". */
struct reply page_sentence(struct request *q, unsigned status, const char *de, const char *en);
struct reply page_later(struct request *q);    /* the keeper does not answer */
struct reply page_missing(struct request *q);  /* no such page */
struct reply page_bad_form(struct request *q); /* not one of ours */
/* A template as a whole document. */
struct reply page_document(struct request *q, const char *type, const char *file,
			   const struct value *v, size_t n);
struct reply page_home(struct request *q);
struct reply page_access(struct request *q);
struct reply page_transport(struct request *q);
struct reply page_style(struct request *q);
struct reply page_icon(struct request *q);

/* --- text.c: what people read --- */
struct sentence {
	struct str de, en;
};
struct sentence text_closed(struct arena *a, const struct standing *s);
struct str text_in(const struct request *q, const char *de, const char *en);
struct sentence text_until(struct arena *a, int64_t until);               /* "14:35 Uhr (CET)" */
struct str text_length(struct arena *a, int64_t seconds, enum lang lang); /* "20 Minuten" */

/* --- token.c: forms that only our own pages send --- */
struct str token_make(struct request *q); /* sets the cookie where there is none */
bool token_ok(const struct request *q);   /* the form's field "token" */
struct str token_fault(const struct request *q);

/* --- the rest of the handlers --- */
struct reply password_form(struct request *q); /* password.c */
struct reply password_change(struct request *q);
struct str password_differs(const struct request *q);
struct str service_notice(struct request *q); /* join.c; "" if there is none */
struct reply service_page(struct request *q);
struct reply join_form(struct request *q);
struct reply join_make(struct request *q);
struct reply lockout_page(struct request *q); /* lockout.c */
struct reply setup_page(struct request *q);   /* setup.c */
struct reply setup_apple(struct request *q);
struct reply auto_mozilla(struct request *q); /* auto.c */
struct reply auto_outlook(struct request *q);
struct reply auto_outlook_json(struct request *q);
struct reply auto_sts(struct request *q);
struct reply internal_service(struct request *q); /* internal.c */
struct reply internal_judge(struct request *q);
struct reply internal_password(struct request *q);
struct reply internal_logins(struct request *q);
struct reply internal_sessions(struct request *q);
struct reply internal_logout(struct request *q);
struct reply internal_guarantees(struct request *q);
struct reply internal_guarantees_set(struct request *q);
struct reply internal_apps(struct request *q);
struct reply internal_app_add(struct request *q);
struct reply internal_app_delete(struct request *q);
struct reply internal_receipt(struct request *q); /* receipt.c */
struct reply internal_expect(struct request *q);
struct reply health_show(struct request *q); /* health.c */
struct reply health_metrics(struct request *q);

/* --- qr.c, sign.c --- */
/* A QR code as the data of an SVG path, a module a unit, and how wide it is; false: too long. */
bool qr_path(struct arena *a, struct str text, struct str *path, unsigned *width);
struct signer; /* certificate and key */
MUST enum err signer_new(struct str cert_pem, struct str key_pem, struct arena *a,
			 struct signer **out, struct str *why);
void signer_free(struct signer **s);
/* What everybody may know of the certificate. */
struct signer_facts {
	struct str key;         /* "EC, 256 bit" */
	struct str fingerprint; /* SHA-256, as people compare it: "AB:CD:..." */
	int64_t until;          /* UTC seconds */
	bool self_signed;
};
struct signer_facts signer_facts(const struct signer *s, struct arena *a);
/* CMS SignedData around the text, DER: RFC 5652 5. (suspends) */
MUST enum err signer_sign(struct signer *s, struct str text, struct arena *a, struct str *out);

#endif
