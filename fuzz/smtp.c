/* SPDX-License-Identifier: ISC */
/*
 * SMTP: the arguments of MAIL, RCPT and XCLIENT, the responses of AUTH, and the octets behind DATA,
 * in one piece and in many: whatever the pieces, the message, its end and the verdict on it are the
 * same.
 */
#include "base/buf.h"
#include "base/encode.h"
#include "mail/sasl.h"
#include "smtp/dots.h"
#include "smtp/head.h"
#include "smtp/param.h"
#include "smtp/wish.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void commands(struct arena *a, struct str text)
{
	struct scan in = scan(text);
	struct mail_args m;
	struct rcpt_args r;

	if (!mail_args(&in, a, ~0u, &m).code) {
		BUG_IF(!scan_end(&in) || m.envid.n > ENVID_MAX || m.size > INT64_MAX);
		BUG_IF(m.from.utf8 && !m.utf8);
		BUG_IF(m.hold_for < 0 || (m.hold_for && m.hold_until));
		BUG_IF(m.by_return && m.by_time <= 0);
		BUG_IF(m.priority < -PRIORITY_MAX || m.priority > PRIORITY_MAX);
	}
	in = scan(text);
	if (!rcpt_args(&in, a, ~0u, &r).code) {
		BUG_IF(!scan_end(&in) || r.orcpt.n > ORCPT_MAX || !r.to.local.n);
		BUG_IF(r.notify & NOTIFY_NEVER && r.notify != NOTIFY_NEVER);
		BUG_IF(!utf8_ok(text));
	}
	struct str ip;

	in = scan(text);
	if (xclient_addr(&in, &ip))
		BUG_IF(!scan_end(&in) || !ip.n || str_has(ip, ' '));
}

/* Gives how many octets were used. */
static size_t feed(struct str text, size_t step, struct dots *d, struct buf *out)
{
	size_t used = 0;

	while (used < text.n && !d->ended) {
		struct str piece = str_part(text, used, step);
		size_t n = piece.n;

		while (piece.n && !d->ended) {
			size_t before = piece.n;
			struct str run = dots_take(d, &piece);

			BUG_IF(piece.n == before || run.n > before - piece.n);
			buf_put(out, run);
		}
		used += n - piece.n;
	}
	return used;
}

static void data_octets(struct str text)
{
	struct dots whole = { 0 }, parts = { 0 };
	struct buf one = buf_new(text.n + 1), two = buf_new(text.n + 1);
	size_t used = feed(text, text.n + 1, &whole, &one);
	size_t step = text.n ? (unsigned char)text.p[0] % 7 + 1 : 1;

	BUG_IF(feed(text, step, &parts, &two) != used);
	BUG_IF(whole.ended != parts.ended || whole.bare != parts.bare);
	BUG_IF(!whole.bare && !str_eq(buf_str(&one), buf_str(&two)));
	struct str taken = str_part(text, 0, used);

	BUG_IF(whole.ended && !str_is(taken, ".\r\n") && !str_ends(taken, S("\r\n.\r\n")));
	BUG_IF(!whole.ended && used != text.n);
	if (whole.ended && !whole.bare)
		for (size_t i = 0; i < one.n; i++)
			BUG_IF((one.p[i] == '\n') != (i && one.p[i - 1] == '\r'));
	buf_free(&one);
	buf_free(&two);
}

static void header(struct str text)
{
	struct head whole = { 0 }, parts = { 0 };
	size_t n = head_feed(&whole, text), m = 0;

	for (size_t i = 0; i < text.n; i++)
		m += head_feed(&parts, str_part(text, i, 1));
	BUG_IF(n != m || whole.ended != parts.ended || whole.received != parts.received);
	BUG_IF(!whole.ended && n != text.n);
}

/* What is ours is gone, all else stays as it is. */
static void wishes(struct str text)
{
	struct buf once = buf_new(text.n + 1), twice = buf_new(text.n + 1);

	wish_put(&once, text);
	struct wish after = wish_look(buf_str(&once));

	BUG_IF(once.full || after.least || after.unknown);
	BUG_IF(once.n == text.n && !str_eq(buf_str(&once), text));
	wish_put(&twice, buf_str(&once));
	BUG_IF(!str_eq(buf_str(&once), buf_str(&twice)));
	buf_free(&once);
	buf_free(&twice);
}

static void auth(struct arena *a, struct str text)
{
	struct sasl plain, login;
	struct str user, password;

	if (sasl_plain_parse(text, &user, &password)) {
		BUG_IF(!user.n || user.n > SASL_USER_MAX || !utf8_ok(user));
		BUG_IF(!password.n || password.n > SASL_PASSWORD_MAX || !utf8_ok(password));
	}
	BUG_IF(!sasl_start(&plain, S("PLAIN")) || !sasl_start(&login, S("LOGIN")));
	BUG_IF(sasl_step(&plain, a, text) == SASL_MORE);
	if (sasl_step(&login, a, text) == SASL_MORE)
		BUG_IF(sasl_step(&login, a, text) == SASL_DONE &&
		       !str_eq(login.user, login.password));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = STR((const char *)data, size);
	struct arena *a = arena_new(256 * size + 1024 * 1024);

	commands(a, text);
	auth(a, text);
	data_octets(text);
	header(text);
	wishes(text);
	arena_free(&a);
	return 0;
}
