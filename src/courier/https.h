/* SPDX-License-Identifier: ISC */
#ifndef COURIER_HTTPS_H
#define COURIER_HTTPS_H
/*
 * https.h - one request to another's web server: a policy is fetched, a report is sent. HTTPS
 * alone, with a certificate that is checked; no redirects; addresses from our own resolver.
 *
 * For:      sts.c, tlsrpt_send.c. Below: dns/; libcurl in a thread of each request's own.
 * Suspends: https_get, https_post. HTTPS_MAX requests are under way, the others wait.
 */
#include "dns/dns.h"

enum { HTTPS_MAX = 16, HTTPS_WAIT_MS = 60000 }; /* a minute: RFC 8461 3.3 */

struct https_conf {
	struct dns *dns;    /* borrowed */
	struct str ca_file; /* PEM of authorities trusted besides the system's; "": none */
	uint16_t port;      /* for tests: where servers listen that name no port; 0: 443 */
	bool loopback;      /* for tests: addresses of the loopback are other servers */
};

struct https;
struct https *https_new(const struct https_conf *conf);
/* (quick) Requests under way end within a second, and new ones at once: E_CANCELED. */
void https_stop(struct https *h);
void https_close(struct https **h); /* after the last request; sets NULL */

struct https_answer {
	unsigned status;
	struct str type, body; /* type: the whole Content-Type, "" if none came */
};
/*
 * OK: the server answered, whatever its status is. E_NOTFOUND: no address; E_DENIED: its
 * certificate will not do; E_LIMIT: its answer is longer than max; E_TIMEOUT: not within
 * HTTPS_WAIT_MS; E_CLOSED: anything else; E_SYNTAX: the URL. why is a short reason in English.
 * path begins with "/".
 *
 * Hosts and URLs are what anybody has written into his DNS, and they must not reach what only we
 * can: addresses of this machine and its network are none (E_NOTFOUND), and a report, whose
 * URL has a path too, goes to port 443 (E_SYNTAX) and to no private network.
 */
MUST enum err https_get(struct https *h, struct str host, struct str path, size_t max,
			struct arena *a, struct https_answer *out, struct str *why);
MUST enum err https_post(struct https *h, struct str url, const char *type, struct str body,
			 struct arena *a, struct https_answer *out, struct str *why);

/* (quick) The parts of "https://HOST[:PORT]/..."; port 0: not given. E_SYNTAX: not of that form, or
 * with a user, or an address for a host. */
struct https_url {
	struct str host;
	uint16_t port;
	struct str path; /* with the query; never empty */
};
MUST enum err https_url(struct str text, struct https_url *out);

#endif
