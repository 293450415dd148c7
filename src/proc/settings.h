/* SPDX-License-Identifier: ISC */
#ifndef PROC_SETTINGS_H
#define PROC_SETTINGS_H
/*
 * settings.h - the configuration as one generation: what a connection started with it keeps
 * until it ends, however often the configuration is read anew meanwhile.
 */
#include "base/base.h"
#include "fiber/io.h"
#include "imap/imap.h"
#include "guard/lockout.h"
#include "pop3/pop3.h"
#include "proc/config.h"
#include "smtp/smtp.h"
#include "web/web.h"

/* One row a kind of listening socket: its word in the configuration and the log. */
enum process { PROCESS_MX, PROCESS_SESSION, PROCESS_KEEPER, PROCESS_COURIER };
struct settings;
struct service {
	const char *name;
	enum process who;
	bool tls;           /* from the first octet, RFC 8314 3 */
	bool internal;      /* a socket of the webmail, which says for whom it speaks */
	const char *closed; /* what comes before the sentence to an address that is locked out */
	void (*serve)(const struct settings *s, struct io *io); /* suspends */
};
const struct service *service_find(struct str name); /* NULL: no such service */

/* Reference counted; immutable but for the count. */
struct settings {
	unsigned refs;
	struct arena *arena;
	struct config config;
	struct tls *tls;
	struct lockout_rules lockout;
	struct nets exempt; /* never locked out, and as many connections as they like */
	struct smtp_conf smtp_conf;
	struct imap_conf imap_conf;
	struct pop3_conf pop3_conf;
	struct smtp_server smtp;
	struct smtp_server smtp_internal;
	struct imap_server imap, imap_internal;
	struct pop3_server pop3;
	struct web *web; /* owned; NULL in a process that serves nobody */
};

/* From a configuration's text (path is for messages). store and keeper are borrowed and may be
 * NULL in a process that serves nobody. E_SYNTAX: why is a sentence in a. */
MUST enum err settings_new(struct str path, struct str text, struct str cert, struct str key,
			   struct store *store, struct keeper *keeper, struct arena *a,
			   struct settings **out, struct str *why);
/* Of the first generation, which is there before the store is open. */
void settings_serve_from(struct settings *s, struct store *store);
struct settings *settings_hold(struct settings *s);
void settings_release(struct settings **s);

#endif
