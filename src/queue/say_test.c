/* SPDX-License-Identifier: ISC */
#include "base/encode.h"
#include "check.h"
#include "queue/say.h"

enum { T = 1795514400 }; /* 2026-11-24 10:00 UTC */

static const struct {
	enum queue_state state;
	uint32_t tries;
	uint16_t code, status[3];
	const char *text, *de, *en;
} t[] = {
	{ QUEUE_WAITING,
	  0,
	  0,
	  { 0 },
	  "",
	  "Der erste Versuch geschieht am 24.11.2026 um 12:00 Uhr (UTC).",
	  "The first try is made on 2026-11-24 at 12:00 (UTC)." },
	{ QUEUE_WAITING,
	  1,
	  451,
	  { 4, 7, 1 },
	  "Greylisted,\r\ncome back",
	  "mx.b.test sagte: \"451 4.7.1 Greylisted, come back\". Der fremde Server lässt die Mail "
	  "vorerst warten; das tun viele beim ersten Mal. Der nächste Versuch (bisher 1) geschieht "
	  "am "
	  "24.11.2026 um 12:00 Uhr (UTC); am 29.11.2026 um 10:00 Uhr (UTC) geben wir auf und "
	  "melden "
	  "es dem Absender.",
	  "mx.b.test said: \"451 4.7.1 Greylisted, come back\". The other server makes the mail "
	  "wait "
	  "for now; many do at the first time. The next try (1 so far) is made on 2026-11-24 at "
	  "12:00 "
	  "(UTC); on 2026-11-29 at 10:00 (UTC) we give up and tell the sender." },
	{ QUEUE_FAILED,
	  1,
	  550,
	  { 5, 1, 1 },
	  "No such user",
	  "mx.b.test sagte: \"550 5.1.1 No such user\". Diese Adresse gibt es dort nicht. Wir "
	  "versuchen "
	  "es nicht wieder.",
	  "mx.b.test said: \"550 5.1.1 No such user\". There is no such address there. We do not "
	  "try "
	  "again." },
	{ QUEUE_FAILED,
	  1,
	  554,
	  { 0 },
	  "No.",
	  "mx.b.test sagte: \"554 No.\". Der fremde Server lehnt die Mail endgültig ab. Wir "
	  "versuchen "
	  "es nicht wieder.",
	  "mx.b.test said: \"554 No.\". The other server refuses the mail for good. We do not try "
	  "again." },
	{ QUEUE_EXPIRED,
	  40,
	  0,
	  { 4, 4, 1 },
	  "connection timed out",
	  "mx.b.test gab keine Antwort (connection timed out). Der fremde Server hat nicht "
	  "geantwortet. Die Zeit dafür ist um; wir versuchen es nicht wieder.",
	  "mx.b.test gave no answer (connection timed out). The other server did not answer. The "
	  "time for it is over; we do not try again." },
	{ QUEUE_FAILED,
	  1,
	  0,
	  { 5, 7, 10 },
	  "the server offers no encryption",
	  "mx.b.test: Der Server bietet keine Verschlüsselung an. Eine ausreichend verschlüsselte "
	  "Verbindung war nicht möglich. Wir versuchen es nicht wieder.",
	  "mx.b.test: The server offers no encryption. A connection encrypted well enough was not "
	  "possible. We do not try again." },
	{ QUEUE_FAILED,
	  1,
	  0,
	  { 5, 7, 4 },
	  "the domain offers no proof of its servers (DANE or MTA-STS): more",
	  "mx.b.test: Die Domain bietet keinen Nachweis für ihre Server an (weder DANE noch "
	  "MTA-STS). Die Mail darf nur zu einem Server gehen, der beweist, dass er der richtige "
	  "ist. Wir versuchen es nicht wieder.",
	  "mx.b.test: The domain offers no proof of its servers (neither DANE nor MTA-STS). The "
	  "mail may go only to a server that proves to be the right one. We do not try again." },
	{ QUEUE_FAILED,
	  1,
	  0,
	  { 5, 1, 10 },
	  "the domain takes no mail",
	  "mx.b.test: Die Domain gibt bekannt, dass sie keine Mail annimmt. Wir versuchen es nicht "
	  "wieder.",
	  "mx.b.test: The domain declares that it takes no mail. We do not try again." },
	{ QUEUE_DELIVERED,
	  1,
	  250,
	  { 2, 1, 1 },
	  "ok",
	  "mx.b.test sagte: \"250 2.1.1 ok\". Der fremde Server hat die Mail übernommen. Die Mail "
	  "ist "
	  "zugestellt.",
	  "mx.b.test said: \"250 2.1.1 ok\". The other server has taken the mail. The mail is "
	  "delivered." },
	{ QUEUE_HELD,
	  0,
	  0,
	  { 0 },
	  "",
	  "Der Betreiber hält die Mail an, bis er sie freigibt.",
	  "The operator holds the mail until he releases it." },
};

static void statuses(struct arena *a)
{
	static const struct {
		enum queue_state state;
		uint16_t code, status[3];
		bool by_return;
		const char *want;
	} s[] = {
		{ QUEUE_FAILED, 550, { 5, 1, 1 }, false, "5.1.1" },
		{ QUEUE_FAILED, 550, { 0 }, false, "5.0.0" },
		{ QUEUE_FAILED, 550, { 4, 1, 1 }, false, "5.0.0" },
		{ QUEUE_WAITING, 451, { 4, 7, 1 }, false, "4.7.1" },
		{ QUEUE_WAITING, 451, { 0 }, false, "4.0.0" },
		{ QUEUE_WAITING, 0, { 0 }, false, "4.4.1" },
		{ QUEUE_EXPIRED, 451, { 4, 7, 1 }, false, "4.4.7" },
		{ QUEUE_EXPIRED, 451, { 4, 7, 1 }, true, "5.4.7" },
		{ QUEUE_DELIVERED, 250, { 2, 1, 5 }, false, "2.1.5" },
		{ QUEUE_DELIVERED, 250, { 0 }, false, "2.0.0" },
	};

	for (size_t i = 0; i < LENGTH(s); i++) {
		struct queue_message m = { .deliver_by = s[i].by_return,
					   .by_return = s[i].by_return };
		struct queue_recipient r = { .state = s[i].state, .last.code = s[i].code };
		uint16_t out[3];

		memcpy(r.last.status, s[i].status, sizeof r.last.status);
		queue_status(&m, &r, out);
		CHECK_STR(str_fmt(a, "%u.%u.%u", out[0], out[1], out[2]), s[i].want);
	}
}

/* What others wrote cannot steer the terminal of whoever reads it. */
static void one_line(struct arena *a)
{
	static const char *const table[][2] = {
		{ " a\t b\r\n c ", "a b c" },
		{ "a\x1b[2Jb\x7f", "a [2Jb" },
		{ "gr\xc3\xbcn", "gr\xc3\xbcn" },
		{ "a\xc2\x9b[2J", "a [2J" },    /* U+009B begins a sequence as well */
		{ "a\xe2\x80\xae <x", "a <x" }, /* what follows would stand reversed */
		{ "a\x9b<\xe2\x80", "a?<??" },  /* no UTF-8 */
	};

	for (size_t i = 0; i < LENGTH(table); i++)
		CHECK_STR(queue_one_line(a, str_of(table[i][0])), table[i][1]);
	CHECK_STR(queue_one_line(a, S("a\0b")), "a b");
}

int main(void)
{
	struct arena *a = arena_new(1 << 20);

	one_line(a);
	struct queue_message m = { .sender = S("a@x.test"), .submitted = T };

	for (size_t i = 0; i < LENGTH(t); i++) {
		struct queue_recipient r = {
			.state = t[i].state,
			.tries = t[i].tries,
			.next = T + 7200,
			.last = { .when = t[i].tries ? T : 0,
				  .code = t[i].code,
				  .host = S("mx.b.test"),
				  .text = str_of(t[i].text) },
		};

		memcpy(r.last.status, t[i].status, sizeof r.last.status);
		CHECK_STR(queue_say(a, QUEUE_DE, &queue_plan_default, &m, &r), t[i].de);
		CHECK_STR(queue_say(a, QUEUE_EN, &queue_plan_default, &m, &r), t[i].en);
	}
	for (uint16_t class = 0; class < 7; class ++)
		for (uint16_t subject = 0; subject < 9; subject++)
			for (uint16_t detail = 0; detail < 40; detail++) {
				uint16_t s[] = { class, subject, detail };

				CHECK(queue_meaning(QUEUE_EN, s).n > 9);
				CHECK(utf8_ok(queue_meaning(QUEUE_DE, s)));
			}
	statuses(a);
	arena_free(&a);
	return check_done();
}
