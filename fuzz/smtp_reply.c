/* SPDX-License-Identifier: ISC */
/* What another server answers: whatever it is, the code is one, the text can be shown to people
 * and is bounded, and so are the limits it offers. */
#include "base/encode.h"
#include "smtp/client_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct answer *r)
{
	BUG_IF(r->code < 200 || r->code > 599 || r->text.n > ANSWER_TEXT_MAX || !utf8_ok(r->text));
	for (size_t i = 0; i < r->text.n; i++)
		BUG_IF((unsigned char)r->text.p[i] < ' ' && r->text.p[i] != '\n');
	BUG_IF(r->esc[0] && (unsigned)(r->esc[0] - '0') != r->code / 100);
	BUG_IF(!memchr(r->esc, 0, sizeof r->esc));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(64 * 1024);
	struct str rest = STR((const char *)data, size);
	bool hello = size && data[0] & 1;
	struct answer_parser p;
	struct offer o = { 0 };
	enum answer_step step = ANSWER_MORE;

	answer_begin(&p, hello);
	while (rest.n && step == ANSWER_MORE) {
		size_t n = str_find(rest, '\n');
		struct str line = STR(rest.p, n);

		offer_line(&o, line);
		step = answer_line(&p, line);
		rest = str_from(rest, n + 1);
	}
	BUG_IF(p.lines > ANSWER_LINES_MAX || o.rcpt_max > 999999 || o.size_max > INT64_MAX);
	if (step == ANSWER_DONE) {
		struct answer r = answer_end(&p, a);

		look(&r);
		BUG_IF(hello && r.esc[0]);
	}
	answer_free(&p);
	arena_free(&a);
	return 0;
}
