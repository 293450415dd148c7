/* SPDX-License-Identifier: ISC */
/* keeper/life.c - the record of the service's life, and its sentences. */
#include "keeper/life.h"

#include "base/clock.h"
#include "base/encode.h"
#include "keeper/record.h"

static const struct str dir = { DIRECTORY_PARTITION, sizeof(DIRECTORY_PARTITION) - 1 };

/* --- the record --- */

struct get_life {
	struct arena *a;
	struct life *out;
};

static enum err get_life(struct tx *tx, void *arg)
{
	struct get_life *g = arg;
	struct str value;
	enum err e = tx_get(tx, S("s"), &value);

	*g->out = (struct life){ .mode = LIFE_CLOSED };
	if (e)
		return e == E_NOTFOUND ? OK : e;
	return life_decode(value, g->a, g->out);
}

enum err life_read(struct store *st, struct arena *a, struct life *out)
{
	struct get_life g = { a, out };

	return store_read(st, dir, get_life, &g);
}

static enum err put_life(struct tx *tx, void *arg)
{
	tx_put(tx, S("s"), record_life(tx_arena(tx), arg));
	return OK;
}

enum err life_write(struct store *st, const struct life *l)
{
	struct life copy = *l;

	return store_update(st, dir, put_life, &copy);
}

const char *life_word(enum life_mode m)
{
	static const char *const words[] = {
		[LIFE_OPEN] = "open",
		[LIFE_CLOSED] = "closed",
		[LIFE_READ_ONLY] = "read-only",
		[LIFE_ENDED] = "ended",
	};

	return words[m];
}

bool life_takes_mail(const struct life *l, int64_t now)
{
	return l->mode != LIFE_READ_ONLY && !(l->mode == LIFE_ENDED && day_over(l->last_day, now));
}

enum user_standing life_user(const struct user *u, int64_t now)
{
	if (u->state == USER_LOCKED)
		return STANDS_LOCKED;
	if (day_over(u->expires, now))
		return STANDS_EXPIRED;
	return u->send_blocked ? STANDS_SEND_BLOCKED : STANDS_ACTIVE;
}

const char *life_user_word(const struct user *u, int64_t now)
{
	static const char *const words[] = {
		[STANDS_ACTIVE] = "active",
		[STANDS_LOCKED] = "locked",
		[STANDS_EXPIRED] = "expired",
		[STANDS_SEND_BLOCKED] = "send-blocked",
	};

	return words[life_user(u, now)];
}

/* --- sentences --- */

struct words life_notice(const struct life *l, int64_t now, struct arena *a)
{
	struct str de = day_de(a, l->last_day), en = day_en(a, l->last_day);
	struct words w = { .add = l->notice };

	if (l->mode == LIFE_READ_ONLY) {
		w.de = S("Der Dienst nimmt zurzeit keine Mail an und verschickt keine");
		w.en = S("The service takes and sends no mail at present");
	} else if (l->mode == LIFE_ENDED && day_over(l->last_day, now)) {
		w.de = str_fmt(a,
			       "Der Dienst wurde am %.*s beendet; Mail kann noch abgeholt werden",
			       FMT(de));
		w.en = str_fmt(a, "The service ended on %.*s; mail can still be fetched", FMT(en));
	} else if (l->mode == LIFE_ENDED) {
		w.de = str_fmt(a, "Der Dienst endet am %.*s", FMT(de));
		w.en = str_fmt(a, "The service ends on %.*s", FMT(en));
	}
	return w;
}

struct words life_no_joining(const struct life *l, struct arena *a)
{
	struct words w = { S("Der Dienst nimmt zurzeit keine neuen Benutzer auf"),
			   S("The service takes no new users at present"), l->notice };

	if (l->mode == LIFE_ENDED) {
		w.de = str_fmt(a, "Der Dienst endet am %.*s und nimmt niemanden mehr auf",
			       FMT(day_de(a, l->last_day)));
		w.en = str_fmt(a, "The service ends on %.*s and takes no new users",
			       FMT(day_en(a, l->last_day)));
	}
	return w;
}

struct words life_refused(const struct user *u, int64_t now, struct arena *a)
{
	enum user_standing st = life_user(u, now);

	if (st == STANDS_LOCKED)
		return (struct words){ S("Ihr Konto ist gesperrt"), S("Your account is locked"),
				       u->lock_reason };
	if (st != STANDS_EXPIRED)
		return (struct words){ 0 };
	return (struct words){
		str_fmt(a, "Ihr Konto ist am %.*s abgelaufen", FMT(day_de(a, u->expires))),
		str_fmt(a, "Your account expired on %.*s", FMT(day_en(a, u->expires))), S("")
	};
}

struct words life_no_sending(const struct user *u, int64_t now, struct arena *a)
{
	if (life_user(u, now) != STANDS_SEND_BLOCKED)
		return life_refused(u, now, a);
	return (struct words){ S("Das Senden ist für Ihr Konto gesperrt"),
			       S("Sending is blocked for your account"), u->send_reason };
}

struct str life_line(struct arena *a, struct words w)
{
	const char *colon = w.add.n ? ": " : "";

	if (!w.de.n)
		return ascii_spell(a, w.add);
	return ascii_spell(
		a, str_fmt(a, "%.*s / %.*s%s%.*s", FMT(w.de), FMT(w.en), colon, FMT(w.add)));
}

struct words life_sentences(struct arena *a, struct words w)
{
	if (!w.de.n)
		return (struct words){ w.add, w.add, S("") };
	if (!w.add.n)
		return (struct words){ str_fmt(a, "%.*s.", FMT(w.de)),
				       str_fmt(a, "%.*s.", FMT(w.en)), S("") };
	return (struct words){ str_fmt(a, "%.*s: %.*s", FMT(w.de), FMT(w.add)),
			       str_fmt(a, "%.*s: %.*s", FMT(w.en), FMT(w.add)), S("") };
}

bool life_text_ok(struct str text, size_t max)
{
	if (text.n > max || !utf8_ok(text))
		return false;
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
			return false;
	return true;
}
