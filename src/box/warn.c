/* SPDX-License-Identifier: ISC */
#include "base/log.h"
#include "box/warn.h"
#include "mail/notice.h"

/* A share of the quota in octets, without overflow. */
static uint64_t share(const struct quota_warning *w, unsigned percent)
{
	return w->quota / 100 * percent + w->quota % 100 * percent / 100;
}

enum err warn_look(struct account *ac, struct warner *wr, uint64_t more)
{
	const struct quota_warning *w = wr->w;

	wr->due = false;
	if (!w->quota || !w->percent || wr->given_up)
		return OK;
	if (ac->rec.warned && ac->rec.octets < share(w, w->percent - w->percent / 9)) {
		ac->rec.warned = false;
		ac->dirty = true;
	}
	wr->due = !ac->rec.warned && ac->rec.octets + more > share(w, w->percent);
	return wr->due && !wr->notice ? E_AGAIN : OK;
}

enum err warn_put(struct account *ac, const struct warner *wr, struct mailbox *a, struct mailbox *b,
		  int64_t now)
{
	struct mailbox *inbox = a->id == ac->rec.inbox ? a : b->id == ac->rec.inbox ? b : NULL;
	enum err e = OK;
	uint32_t uid;

	if (!wr->due)
		return OK;
	struct msg m = { .size = wr->notice->size,
			 .blob = wr->notice->id,
			 .thread = wr->notice->summary.thread,
			 .arrived = now,
			 .saved = now };

	if (!inbox)
		e = mailbox_load(ac, ac->rec.inbox, &inbox);
	if (!e)
		e = tx_blob_ref(ac->tx, wr->notice->id);
	if (!e)
		e = mailbox_add(inbox, &m, &uid);
	if (!e && inbox != a && inbox != b)
		e = mailbox_save(inbox);
	ac->rec.warned = true;
	ac->dirty = true;
	return e == E_NOTFOUND ? E_CORRUPT : e;
}

static enum err make(struct store *st, const struct quota_warning *w, struct incoming **out)
{
	struct arena *a = arena_new(64 << 10);
	struct str domain = str_from(w->address, str_rfind(w->address, '@'));
	double mib = (double)w->quota / (1 << 20);
	struct notice n = {
		.from = str_fmt(a, "postmaster%.*s", FMT(domain)),
		.to = w->address,
		.subject = str_fmt(a, "Postfach zu %u %% voll / Mailbox %u %% full", w->percent,
				   w->percent),
		.text = str_fmt(
			a,
			"Ihr Postfach %.*s ist zu mehr als %u %% voll (erlaubt sind\n"
			"%.1f MiB). Ist es ganz voll, können keine Nachrichten mehr ankommen.\n"
			"Bitte löschen Sie, was Sie nicht mehr brauchen, und leeren Sie den\n"
			"Papierkorb.\n\n"
			"Your mailbox %.*s is more than %u %% full (%.1f MiB are allowed).\n"
			"When it is full, no more messages can arrive. Please delete what you\n"
			"no longer need, and empty the trash.\n",
			FMT(w->address), w->percent, mib, FMT(w->address), w->percent, mib),
	};
	enum err e = tell_prepare(st, &n, out);

	arena_free(&a);
	return e;
}

bool warn_again(struct store *st, struct warner *wr)
{
	if (!wr->due || wr->notice || wr->given_up)
		return false;
	enum err e = make(st, wr->w, &wr->notice);

	wr->given_up = e != OK;
	if (e)
		log_event(LOG_WARN, "quota.unwarned", KV("user", wr->w->address), KVE(e));
	return true;
}

void warn_close(struct warner *wr)
{
	incoming_close(&wr->notice);
}
