/* SPDX-License-Identifier: ISC */
#include <time.h>

#include "base/encode.h"
#include "queue/why.h"

enum { ANY_CLASS = 0, SECURITY = 7 }; /* RFC 3463 3.8 */

/* RFC 3463 3 and the registry of RFC 5248; a class of its own comes before any class. */
static const struct meaning {
	uint16_t class, subject, detail;
	const char *text[2];
} meanings[] = {
	{ ANY_CLASS,
	  1,
	  1,
	  { "Diese Adresse gibt es dort nicht.", "There is no such address there." } },
	{ ANY_CLASS,
	  1,
	  2,
	  { "Die Domain nach dem @ gibt es nicht, oder sie hat keinen Mailserver.",
	    "The domain behind the @ does not exist or has no mail server." } },
	{ ANY_CLASS,
	  1,
	  3,
	  { "Die Adresse ist falsch geschrieben.", "The address is misspelled." } },
	{ ANY_CLASS, 1, 6, { "Der Empfänger ist umgezogen.", "The recipient has moved." } },
	{ ANY_CLASS,
	  1,
	  7,
	  { "Der fremde Server lehnt die Absenderadresse ab.",
	    "The other server refuses the sender's address." } },
	{ ANY_CLASS,
	  1,
	  8,
	  { "Der fremde Server lehnt die Absenderadresse ab.",
	    "The other server refuses the sender's address." } },
	{ ANY_CLASS,
	  1,
	  10,
	  { "Die Domain nimmt überhaupt keine Mail an.", "The domain takes no mail at all." } },
	{ ANY_CLASS,
	  2,
	  1,
	  { "Das Postfach ist dort abgeschaltet.", "The mailbox is disabled there." } },
	{ ANY_CLASS,
	  2,
	  2,
	  { "Das Postfach des Empfängers ist voll.", "The recipient's mailbox is full." } },
	{ ANY_CLASS,
	  2,
	  3,
	  { "Die Mail ist für dieses Postfach zu groß.",
	    "The mail is too large for this mailbox." } },
	{ ANY_CLASS,
	  3,
	  1,
	  { "Der fremde Server hat keinen Platz mehr.", "The other server has no space left." } },
	{ ANY_CLASS,
	  3,
	  2,
	  { "Der fremde Server nimmt zurzeit keine Mail an.",
	    "The other server takes no mail at present." } },
	{ ANY_CLASS,
	  3,
	  4,
	  { "Die Mail ist für den fremden Server zu groß.",
	    "The mail is too large for the other server." } },
	{ ANY_CLASS,
	  4,
	  1,
	  { "Der fremde Server hat nicht geantwortet.", "The other server did not answer." } },
	{ ANY_CLASS,
	  4,
	  2,
	  { "Die Verbindung zum fremden Server brach ab.",
	    "The connection to the other server broke." } },
	{ ANY_CLASS,
	  4,
	  3,
	  { "Der Namensdienst hat nicht geantwortet.", "The name service did not answer." } },
	{ ANY_CLASS,
	  4,
	  4,
	  { "Es gibt keinen Weg zum fremden Server.", "There is no way to the other server." } },
	{ ANY_CLASS, 4, 6, { "Die Mail liefe im Kreis.", "The mail would go round in circles." } },
	{ ANY_CLASS,
	  4,
	  7,
	  { "Die Zeit für die Zustellung ist abgelaufen.", "The time for the delivery is over." } },
	{ ANY_CLASS,
	  5,
	  3,
	  { "Der fremde Server nimmt nicht so viele Empfänger auf einmal.",
	    "The other server does not take so many recipients at once." } },
	{ ANY_CLASS,
	  6,
	  7,
	  { "Der fremde Server kann keine Adressen mit Umlauten.",
	    "The other server cannot do addresses beyond ASCII." } },
	{ 4,
	  7,
	  1,
	  { "Der fremde Server lässt die Mail vorerst warten; das tun viele beim ersten Mal.",
	    "The other server makes the mail wait for now; many do at the first time." } },
	{ ANY_CLASS,
	  7,
	  1,
	  { "Der fremde Server lehnt die Mail nach seinen Regeln ab.",
	    "The other server refuses the mail by its rules." } },
	{ ANY_CLASS,
	  7,
	  4,
	  { "Die Mail darf nur zu einem Server gehen, der beweist, dass er der richtige ist.",
	    "The mail may go only to a server that proves to be the right one." } },
	{ ANY_CLASS,
	  7,
	  5,
	  { "Mit der Verschlüsselung oder ihrem Nachweis stimmt etwas nicht.",
	    "Something is wrong with the encryption or its proof." } },
	{ ANY_CLASS,
	  7,
	  10,
	  { "Eine ausreichend verschlüsselte Verbindung war nicht möglich.",
	    "A connection encrypted well enough was not possible." } },
	{ ANY_CLASS,
	  7,
	  20,
	  { "Der fremde Server vermisst eine gültige DKIM-Signatur.",
	    "The other server misses a valid DKIM signature." } },
	{ ANY_CLASS,
	  7,
	  23,
	  { "Nach dem SPF-Eintrag der Absenderdomain darf unser Server sie nicht senden.",
	    "By the SPF record of the sender's domain our server may not send it." } },
	{ ANY_CLASS,
	  7,
	  25,
	  { "Dem fremden Server fehlt der Name zu unserer IP-Adresse.",
	    "The other server misses the name of our IP address." } },
	{ ANY_CLASS,
	  7,
	  26,
	  { "Die Mail besteht weder SPF noch DKIM.", "The mail passes neither SPF nor DKIM." } },
	{ ANY_CLASS,
	  7,
	  30,
	  { "Der fremde Server kann nicht zusichern, sie nur verschlüsselt weiterzugeben.",
	    "The other server cannot promise to pass it on encrypted only." } },
};
static const struct {
	const char *text[2];
} classes[] = {
	[0] = { { "Der fremde Server wurde nicht erreicht.",
		  "The other server was not reached." } },
	[2] = { { "Der fremde Server hat die Mail übernommen.",
		  "The other server has taken the mail." } },
	[4] = { { "Das ist eine vorübergehende Störung.", "This is a passing trouble." } },
	[5] = { { "Der fremde Server lehnt die Mail endgültig ab.",
		  "The other server refuses the mail for good." } },
};

struct str queue_meaning(enum queue_language l, const uint16_t status[3])
{
	unsigned class = status[0];

	for (size_t i = 0; i < LENGTH(meanings) && class != 2; i++) {
		const struct meaning *m = &meanings[i];

		if (m->subject == status[1] && m->detail == status[2] &&
		    (m->class == ANY_CLASS || m->class == class))
			return str_of(m->text[l]);
	}
	return str_of(classes[class == 2 || class == 4 || class == 5 ? class : 0].text[l]);
}

void queue_status(const struct queue_message *m, const struct queue_recipient *r, uint16_t out[3])
{
	static const uint16_t class_of[] = { [QUEUE_WAITING] = 4,
					     [QUEUE_HELD] = 4,
					     [QUEUE_DELIVERED] = 2,
					     [QUEUE_FAILED] = 5,
					     [QUEUE_EXPIRED] = 4 };
	const struct queue_reply *last = &r->last;
	uint16_t class = class_of[r->state];

	if (r->state ==
	    QUEUE_EXPIRED) { /* RFC 2852 4.2 has a code of its own for a bound that was asked for */
		bool asked = m->deliver_by && m->by_return;

		memcpy(out, asked ? (uint16_t[]){ 5, 4, 7 } : (uint16_t[]){ 4, 4, 7 },
		       3 * sizeof *out);
	} else if (last->status[0] == class) {
		memcpy(out, last->status, 3 * sizeof *out);
	} else if (class == 4 && last->code == 0) {
		memcpy(out, (uint16_t[]){ 4, 4, 1 }, 3 * sizeof *out);
	} else {
		memcpy(out, (uint16_t[]){ class, 0, 0 }, 3 * sizeof *out);
	}
}

struct str queue_one_line(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t n = 0;

	while (s.n) {
		struct str before = s;
		uint32_t c = utf8_next(&s);
		size_t octets = before.n - s.n;

		if (c == UINT32_MAX) {
			p[n++] = '?';
		} else if (c > ' ' && utf8_harmless(c)) {
			memcpy(p + n, before.p, octets);
			n += octets;
		} else if (n && p[n - 1] != ' ') {
			p[n++] = ' ';
		}
	}
	return str_trim(STR(p, n));
}

static struct str moment(struct arena *a, enum queue_language l, int64_t utc)
{
	time_t t = (time_t)utc;
	struct tm tm = { 0 };

	if (utc <= QUEUE_ORDERED)
		return l == QUEUE_DE ? S("sofort") : S("at once");
	if (!gmtime_r(&t, &tm))
		return S("?");
	if (l == QUEUE_DE)
		return str_fmt(a, "am %02d.%02d.%d um %02d:%02d Uhr (UTC)", tm.tm_mday,
			       tm.tm_mon + 1, tm.tm_year + 1900, tm.tm_hour, tm.tm_min);
	return str_fmt(a, "on %d-%02d-%02d at %02d:%02d (UTC)", tm.tm_year + 1900, tm.tm_mon + 1,
		       tm.tm_mday, tm.tm_hour, tm.tm_min);
}

/* It explains itself, but for what the sender or the domain asked for. */
static struct str our_reason(struct arena *a, enum queue_language l, const struct queue_reply *y,
			     struct str why)
{
	struct str host = queue_one_line(a, y->host);
	struct str more = y->status[1] == SECURITY ? queue_meaning(l, y->status) : S("");

	return str_fmt(a, "%.*s%s%.*s %.*s%s", FMT(host), host.n ? ": " : "", FMT(why), FMT(more),
		       more.n ? " " : "");
}

struct str queue_said(struct arena *a, enum queue_language l, const struct queue_reply *y)
{
	struct str host = y->host.n       ? queue_one_line(a, y->host)
			  : l == QUEUE_DE ? S("Der fremde Server")
					  : S("The other server");
	struct str text = queue_one_line(a, y->text);
	uint16_t status[3] = { y->status[0], y->status[1], y->status[2] };
	struct str code = S(""), why = queue_why_say(l, text);

	if (!y->when)
		return S("");
	if (!y->code && why.n)
		return our_reason(a, l, y, why);
	if (status[0])
		code = str_fmt(a, " %u.%u.%u", status[0], status[1], status[2]);
	else
		status[0] = y->code / 100;
	if (y->code)
		return str_fmt(a,
			       l == QUEUE_DE ? "%.*s sagte: \"%u%.*s %.*s\". %.*s "
					     : "%.*s said: \"%u%.*s %.*s\". %.*s ",
			       FMT(host), y->code, FMT(code), FMT(text),
			       FMT(queue_meaning(l, status)));
	return str_fmt(a,
		       l == QUEUE_DE ? "%.*s gab keine Antwort (%.*s). %.*s "
				     : "%.*s gave no answer (%.*s). %.*s ",
		       FMT(host), FMT(text), FMT(queue_meaning(l, status)));
}

static struct str waiting(struct arena *a, enum queue_language l, const struct queue_plan *plan,
			  const struct queue_message *m, const struct queue_recipient *r)
{
	struct str next = moment(a, l, r->next);

	bool back = m->sender.n && !(r->notify & QUEUE_NEVER_TELL);

	if (!r->tries)
		return str_fmt(a,
			       l == QUEUE_DE ? "Der erste Versuch geschieht %.*s."
					     : "The first try is made %.*s.",
			       FMT(next));
	struct str end = moment(a, l, schedule_end(plan, m));

	if (l == QUEUE_DE)
		return str_fmt(
			a, "Der nächste Versuch (bisher %u) geschieht %.*s; %.*s geben wir auf%s.",
			r->tries, FMT(next), FMT(end), back ? " und melden es dem Absender" : "");
	return str_fmt(a, "The next try (%u so far) is made %.*s; %.*s we give up%s.", r->tries,
		       FMT(next), FMT(end), back ? " and tell the sender" : "");
}

struct str queue_say(struct arena *a, enum queue_language l, const struct queue_plan *plan,
		     const struct queue_message *m, const struct queue_recipient *r)
{
	static const char *const ends[QUEUE_STATES][2] = {
		[QUEUE_DELIVERED] = { "Die Mail ist zugestellt.", "The mail is delivered." },
		[QUEUE_FAILED] = { "Wir versuchen es nicht wieder.", "We do not try again." },
		[QUEUE_EXPIRED] = { "Die Zeit dafür ist um; wir versuchen es nicht wieder.",
				    "The time for it is over; we do not try again." },
		[QUEUE_HELD] = { "Der Betreiber hält die Mail an, bis er sie freigibt.",
				 "The operator holds the mail until he releases it." },
	};
	struct str next =
		r->state == QUEUE_WAITING ? waiting(a, l, plan, m, r) : str_of(ends[r->state][l]);

	return str_fmt(a, "%.*s%.*s", FMT(queue_said(a, l, &r->last)), FMT(next));
}
