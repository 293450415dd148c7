/* SPDX-License-Identifier: ISC */
/*
 * How much a user may send: each recipient is asked about, the message is counted before it is
 * delivered. The keeper decides; here stand the words, and the mail to the operator.
 */
#include "base/log.h"
#include "mail/notice.h"
#include "smtp/session.h"

static const struct {
	const char *word, *en, *de;
} whats[] = {
	[SENDING_MESSAGES] = { "messages", "messages", "Nachrichten" },
	[SENDING_RECIPIENTS] = { "recipients", "recipients", "Empfaenger" },
	[SENDING_STRANGERS] = { "new_recipients", "recipients that you never wrote to before",
				"Empfaenger, denen Sie noch nie geschrieben haben" },
};

static void tell_operator(struct smtp *s, const struct sending_verdict *v)
{
	struct str domain = str_from(s->login.address, str_rfind(s->login.address, '@') + 1);
	struct path postmaster = { .local = S("postmaster"), .domain = domain };
	struct route *r;
	size_t n = 0;
	enum err e = keeper_route(s->srv->keeper, postmaster, s->cmd, &r, &n);
	struct notice mail = {
		.from = path_text(s->cmd, postmaster),
		.to = path_text(s->cmd, postmaster),
		.subject =
			str_fmt(s->cmd, "Sendelimit / sending limit: %.*s", FMT(s->login.address)),
	};

	mail.text = str_fmt(
		s->cmd,
		"Das Konto %.*s hat sein Sendelimit erreicht (%s in 24 Stunden: %u).\n"
		"Weitere Nachrichten werden vorerst nicht angenommen. Wurde das Passwort\n"
		"gestohlen? Dann geben Sie dem Konto ein neues (tecsmail user passwd). Ist\n"
		"alles in Ordnung, hilft ein höheres Limit (tecsmail user limits).\n\n"
		"The account %.*s has reached its sending limit (%s in 24 hours: %u).\n"
		"More messages are not taken for now. Was the password stolen? Then give the\n"
		"account another one (tecsmail user passwd). If all is well, a higher limit\n"
		"helps (tecsmail user limits).\n\n"
		"Verbindung / connection: %.*s\n",
		FMT(s->login.address), whats[v->what].word, v->limit, FMT(s->login.address),
		whats[v->what].word, v->limit, FMT(io_peer(s->io).ip));
	for (size_t i = 0; i < n && !e; i++)
		if (r[i].account)
			e = box_tell(s->srv->store, r[i].account, &mail);
	if (e)
		log_event(LOG_WARN, "sending.untold", KVE(e));
}

/* The code is one that passes, 4.7.0: RFC 3463 3.8. */
static struct reply over(struct smtp *s, const struct sending_verdict *v)
{
	if (v->tell) {
		log_event(LOG_WARN, "sending.limit", KV("user", s->login.address),
			  KVC("what", whats[v->what].word), KVN("limit", v->limit));
		tell_operator(s, v);
	}
	return reply(
		450, "4.7.0",
		str_c(s->cmd, str_fmt(s->cmd,
				      "too much sent: %u %s in 24 hours are allowed\n"
				      "zu viel gesendet: erlaubt sind %u %s in 24 Stunden",
				      v->limit, whats[v->what].en, v->limit, whats[v->what].de)));
}

struct reply sending_rcpt(struct smtp *s, struct path to, uint32_t *hash, bool *stranger)
{
	struct sending_counts already = { .recipients = s->nrcpt, .strangers = s->strangers };
	struct sending_verdict v;
	enum err e = keeper_sending_ask(s->srv->keeper, s->login.account, to, already, &v);

	if (e)
		return reply_err(e);
	*hash = v.hash;
	*stranger = v.stranger;
	return v.what ? over(s, &v) : (struct reply){ 0 };
}

struct reply sending_message(struct smtp *s)
{
	uint32_t *hash = ARENA_ARRAY(s->tx, uint32_t, s->nrcpt);
	struct sending_verdict v;
	size_t n = 0;

	for (const struct rcpt *r = s->first; r; r = r->next)
		hash[n++] = r->hash;
	enum err e = keeper_sending_count(s->srv->keeper, s->login.account, hash, n, &v);

	if (e)
		return reply_err(e);
	return v.what ? over(s, &v) : (struct reply){ 0 };
}
