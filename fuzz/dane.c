/* SPDX-License-Identifier: ISC */
/*
 * TLSA records, each an octet of length and so many octets: whatever they are, TLS is asked for,
 * a proof exactly where one can be used, and no plaintext.
 */
#include "trust/decide.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct dane_bases bases = { .name = { S("mx.test") }, .n = 1 };
	struct scan in = scan(STR((const char *)data, size));
	struct tlsa tlsa[DNS_RECORDS_MAX];
	struct dns_answer x = { .status = DNS_FOUND, .secure = true, .tlsa = tlsa };

	if (size > 65535)
		return 0;
	struct arena *a = arena_new(1 << 20);
	bool usable = false;

	while (scan_more(&in) && x.n < DNS_RECORDS_MAX) {
		tlsa[x.n] = rdata_tlsa(a, scan_take(&in, (uint8_t)scan_char(&in)));
		usable |= x.n < TLSA_MAX && dane_usable(&tlsa[x.n]);
		x.n++;
	}
	struct dane d = dane_judge(a, &bases, &x, 1, S("d.test"), NULL);
	struct decide_in ask = { .host = S("mx.test"), .dane = &d };
	struct decision out = decide(&ask);

	BUG_IF(d.status != (usable ? DANE_PROVE : DANE_ENCRYPT) || (d.n > 0) != usable);
	BUG_IF(out.what != DECIDE_SEND || out.plaintext);
	BUG_IF(out.wish.proof != (usable ? TLS_BY_DANE : TLS_UNPROVEN));
	arena_free(&a);
	return 0;
}
