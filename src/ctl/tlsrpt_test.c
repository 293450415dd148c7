/* SPDX-License-Identifier: ISC */
/* What reports of others come to, in German and English. */
#include "check.h"
#include "ctl/tlsrpt.h"

static struct arena *a;

int main(void)
{
	struct tlsrpt_failure one[] = { { S("certificate-expired"), S("mx"), 2 },
					{ S("new-word"), S(""), 1 } };
	struct tlsrpt_failure two[] = { { S("tlsa-invalid"), S("mx"), 1 },
					{ S("certificate-expired"), S("mx2"), 5 } };
	struct tlsrpt_got_row big = { .reporter = S("big.test"), .p = { S("x"), 90, 3, 2, one } },
			      small = { .reporter = S("small.test"),
					.p = { S("x"), 4, 6, 2, two } };
	struct tls_findings f = { 0 };

	a = arena_new(1 << 20);
	CHECK_STR(tls_findings_say(a, false, &f),
		  "No report about TLS came in the last 7 days. They come once the record is "
		  "published (tecsmail dns DOMAIN) and large providers send mail here.");
	tls_findings_add(&f, &big);
	CHECK_STR(tls_findings_say(a, false, &f),
		  "In the last 7 days: 1 report about TLS, 3 of 93 sessions failed. Why: the "
		  "certificate had expired (2, as told by big.test); new-word (1, as told by "
		  "big.test).");
	tls_findings_add(&f, &small);
	tls_findings_sort(&f);
	CHECK_STR(tls_findings_say(a, true, &f),
		  "In den letzten 7 Tagen: 2 Berichte über TLS, 9 von 103 Verbindungen "
		  "gescheitert. Warum: das Zertifikat war abgelaufen (7, laut big.test und "
		  "anderen); new-word (1, laut big.test); der TLSA-Eintrag war unbrauchbar oder "
		  "passte nicht (1, laut small.test).");
	for (unsigned i = 0; i < 3 * TLS_REASONS_MAX; i++) {
		struct tlsrpt_failure x = { str_fmt(a, "word%u", i), S(""), 1 };
		struct tlsrpt_got_row r = { .reporter = S("big.test"),
					    .p = { S("x"), 0, 1, 1, &x } };

		tls_findings_add(&f, &r);
	}
	CHECK_NUM(f.n, TLS_REASONS_MAX);
	CHECK_NUM(f.reports, 2 + 3 * TLS_REASONS_MAX);
	arena_free(&a);
	return check_done();
}
