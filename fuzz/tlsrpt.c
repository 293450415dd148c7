/* SPDX-License-Identifier: ISC */
/*
 * What others send and publish about TLS: a report's mail, its JSON, the record that asks for ours;
 * and our own records of the store. The first octet says which. Whatever comes out is bounded and
 * survives being written and read again.
 */
#include "courier/https.h"
#include "courier/sts_kept.h"
#include "courier/tlsrpt_got.h"
#include "courier/tlsrpt_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void keep(struct arena *a, const struct tlsrpt_got *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct tlsrpt_got_row row = { .organization = r->organization,
					      .id = r->id,
					      .reporter = S("reporter.test"),
					      .p = r->policy[i] },
				      again;
		struct str octets = tlsrpt_got_encode(a, &row);

		BUG_IF(row.p.n > TLSRPT_GOT_FAILURES_MAX || !row.p.domain.n);
		BUG_IF(tlsrpt_got_decode(octets, a, &again));
		BUG_IF(!str_eq(tlsrpt_got_encode(a, &again), octets));
	}
}

static void json(struct arena *a, struct str text)
{
	struct tlsrpt_got got;

	if (!tlsrpt_read_json(a, text, &got))
		keep(a, &got);
}

static void mail(struct arena *a, struct str text)
{
	struct str found;

	if (!tlsrpt_read_mail(a, text, &found))
		json(a, found);
}

static void record(struct arena *a, struct str text)
{
	struct tlsrpt_rua rua[TLSRPT_RUA_MAX];
	struct https_url url;
	size_t n;

	if (tlsrpt_record(a, &text, 1, rua, &n))
		return;
	BUG_IF(!n || n > TLSRPT_RUA_MAX);
	for (size_t i = 0; i < n; i++) {
		BUG_IF(rua[i].by_mail ? !str_has(rua[i].to, '@')
				      : https_url(rua[i].to, &url) != OK);
		for (size_t k = 0; k < rua[i].to.n; k++)
			BUG_IF((unsigned char)rua[i].to.p[k] < ' ');
	}
}

static void stored(struct arena *a, struct str text)
{
	struct tlsrpt_counts counts;
	struct tlsrpt_got_row row;
	struct sts_kept policy;

	if (!tlsrpt_counts_decode(text, a, &counts))
		BUG_IF(!str_eq(tlsrpt_counts_encode(a, &counts), text));
	if (!tlsrpt_got_decode(text, a, &row) && text.n < 60000)
		BUG_IF(!str_eq(tlsrpt_got_encode(a, &row), text));
	if (!sts_decode(text, a, &policy) && text.n < 60000)
		BUG_IF(!str_eq(sts_encode(a, &policy), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = STR((const char *)data + 1, size - 1);

	if (!size || size > 1 << 16)
		return 0;
	struct arena *a = arena_new(TLSRPT_READ_MEMORY + (64 << 20));
	switch (*data) {
	case 'm': mail(a, text); break;
	case 'j': json(a, text); break;
	case 'r': record(a, text); break;
	default: stored(a, text);
	}
	arena_free(&a);
	return 0;
}
