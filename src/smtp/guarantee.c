/* SPDX-License-Identifier: ISC */
/* The receiving guarantee: who takes mail over encrypted lines only, on one that is not. */
#include "base/log.h"
#include "smtp/session.h"

/*
 * RFC 3207 4 wants no server to demand STARTTLS of all who bring mail; here it is the recipient
 * who does, for himself. RFC 8689 4.2.1 has this code for mail that must not go unencrypted.
 */
static const char encrypted_only[] =
	"this mailbox takes mail over encrypted connections only: use STARTTLS\n"
	"dieses Postfach nimmt Mail nur ueber verschluesselte Verbindungen an";

/* What comes from this machine was on no line. */
static bool may_be_heard(const struct smtp *s)
{
	return s->kind != SMTP_LMTP && !is_private(s);
}

static void leave_out(struct smtp *s, struct path to, const uint32_t *account, size_t n)
{
	struct keeper_refusal r = { account, n, s->mail.from, to, io_peer(s->io).ip, s->helo };

	keeper_refused(s->srv->keeper, &r);
	if (s->told++ < TOLD_MAX)
		log_event(LOG_INFO, "rcpt.unencrypted", KV("rcpt", path_text(s->cmd, to)),
			  KV("from", path_text(s->cmd, s->mail.from)), KVN("accounts", n));
}

struct reply guarantee_rcpt(struct smtp *s, struct path to, struct route *routes, size_t *n)
{
	uint32_t *out = ARENA_ARRAY(s->cmd, uint32_t, *n);
	size_t kept = 0, nout = 0;

	if (may_be_heard(s))
		for (size_t i = 0; i < *n; i++) {
			if (routes[i].encrypted)
				out[nout++] = routes[i].account;
			else
				routes[kept++] = routes[i];
		}
	if (!nout)
		return (struct reply){ 0 };
	leave_out(s, to, out, nout);
	*n = kept;
	return kept ? (struct reply){ 0 } : reply(550, "5.7.10", encrypted_only);
}
