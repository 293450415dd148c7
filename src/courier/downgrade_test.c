/* SPDX-License-Identifier: ISC */
/* What is sent in the place of a message, and that its signatures hold. The keeper is in this file.
 */
#include "check.h"
#include "courier/downgrade.h"
#include "courier/sign.h"
#include "mail/header.h"

static struct arena *a;
static struct store *st;
static unsigned signed_times;
static enum err keeper_error;

enum err keeper_signers(struct keeper *k, uint32_t account, struct path from, struct arena *scratch,
			struct keeper_signers *out)
{
	(void)k, (void)scratch;
	CHECK_NUM(account, 0);
	*out = (struct keeper_signers){ .domain = from.domain };
	if (keeper_error)
		return keeper_error;
	if (!str_is(from.domain, "ours.test"))
		return E_DENIED;
	out->n = 1;
	out->by[0].selector = S("one");
	return OK;
}

enum err keeper_sign(struct keeper *k, uint32_t account, struct path from, struct str selector,
		     struct str digest, struct arena *scratch, struct str *out)
{
	(void)k, (void)account, (void)from, (void)selector, (void)digest;
	signed_times++;
	*out = str_dup(scratch, S("signature"));
	return OK;
}

static enum err refer(struct tx *tx, void *id)
{
	tx_put(tx, S("k"), S("v"));
	return tx_blob_ref(tx, *(struct blob_id *)id);
}

static struct blob_id stored(struct str text)
{
	struct blob *b = blob_new(st);
	struct blob_id id;

	CHECK_NUM(blob_write(b, S("ab")), OK);
	CHECK_NUM(blob_write(b, text), OK);
	CHECK_NUM(blob_finish(b, S("x"), &id), OK);
	CHECK_NUM(store_update(st, S("p"), refer, &id), OK);
	blob_close(&b);
	return id;
}

/* What it is made into, read in pieces; "-" and "!" for E_EXISTS and E_DENIED. */
static struct str made(struct str text)
{
	struct buf all = buf_new(4 << 20);
	struct downgraded *d;
	enum err e = downgrade_make(st, NULL, stored(text), 2, S("/tmp"), &d);

	if (e)
		return e == E_EXISTS ? S("-") : e == E_DENIED ? S("!") : str_of(err_text(e));
	for (struct str piece; all.n < downgrade_size(d);) {
		CHECK_NUM(downgrade_read(d, all.n, 1000, &piece), OK);
		if (!CHECK(piece.n > 0 && piece.n <= 1000))
			break;
		buf_put(&all, piece);
	}
	struct str s = str_dup(a, buf_str(&all)), end;

	CHECK_NUM(downgrade_read(d, all.n, 1000, &end), E_CORRUPT);
	buf_free(&all);
	downgrade_close(&d);
	return s;
}

#define QP "Content-Transfer-Encoding: quoted-printable\r\n"

static void test_without(void)
{
	CHECK_STR(made(S("A: b\r\n\r\nhello\r\n")), "-");
	CHECK_STR(made(S("Content-Type: message/partial\r\n\r\n\xfc\r\n")), "!");
	CHECK_STR(made(S("A: b\r\n\r\n\xfc\r\n")), "A: b\r\n" QP "\r\n=FC\r\n");
	CHECK_STR(made(S("\r\n\xfc\r\n")), QP "\r\n=FC\r\n");
}

/* More than one piece of header and body. */
static void test_long(void)
{
	struct buf b = buf_new(1 << 20);

	for (unsigned i = 0; i < 3000; i++)
		buf_fmt(&b, "X-%u: a field\r\n", i);
	size_t head = b.n;

	buf_put(&b, S("\r\n"));
	for (unsigned i = 0; i < 3000; i++)
		buf_fmt(&b, "line %u \xc3\xbc\r\n", i);
	struct str got = made(buf_str(&b));

	CHECK(str_starts(got, str_part(buf_str(&b), 0, head)));
	CHECK(str_starts(str_from(got, head), S(QP "\r\nline 0 =C3=BC\r\n")));
	CHECK(str_ends(got, S("\r\nline 2999 =C3=BC\r\n")));
	buf_free(&b);
}

#define SIGNATURE(d)                                                                \
	"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=" d "; s=old;\r\n" \
	"\th=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n"

static unsigned fields_named(struct str header, const char *name)
{
	struct field f;
	unsigned n = 0;

	while (field_next(&header, &f))
		n += str_iis(f.name, name);
	return n;
}

/* Ours is made anew, somebody else's stays. */
static void test_signatures(void)
{
	struct str got;

	signed_times = 0;
	got = made(S(SIGNATURE("ours.test")
			     SIGNATURE("theirs.test") "From: a@ours.test\r\n\r\n\xfc\r\n"));
	CHECK_NUM(signed_times, 1);
	CHECK_NUM(fields_named(got, "DKIM-Signature"), 2);
	CHECK(str_starts(got, S("DKIM-Signature: v=1; a=rsa-sha256;")));
	CHECK(str_find_str(got, S("d=ours.test")) < str_find_str(got, S("d=theirs.test")));
	CHECK(str_find_str(got, S("s=one;")) < got.n);
	CHECK(str_find_str(got, S("d=ours.test; s=old")) == got.n);
	CHECK(str_ends(got, S("From: a@ours.test\r\n" QP "\r\n=FC\r\n")));
	got = made(S(SIGNATURE("theirs.test") "\r\n\xfc\r\n"));
	CHECK_NUM(signed_times, 1);
	CHECK_STR(got, SIGNATURE("theirs.test") QP "\r\n=FC\r\n");
	keeper_error = E_AGAIN;
	CHECK_STR(made(S(SIGNATURE("ours.test") "\r\n\xfc\r\n")), err_text(E_AGAIN));
	keeper_error = OK;
}

static void test(void *arg)
{
	struct str why;

	(void)arg;
	if (!CHECK_NUM(store_open(S("mem:"), a, &st, &why), OK))
		return;
	test_without();
	test_long();
	test_signatures();
	store_close(&st);
}

int main(void)
{
	a = arena_new(64 << 20);
	fiber_main(test, NULL);
	arena_free(&a);
	return check_done();
}
