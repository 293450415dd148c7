/* SPDX-License-Identifier: ISC */
#ifndef CTL_TLSRPT_H
#define CTL_TLSRPT_H
/* tlsrpt.h - what the reports of others come to, for people and programs. Never suspends. */
#include "courier/tlsrpt_got.h"

enum { TLS_REASONS_MAX = 32 };

struct tls_findings {
	uint64_t reports, good, bad;
	size_t n; /* reasons, the most frequent first */
	struct tls_reason {
		struct str word, reporter; /* reporter: the first that told of it */
		uint64_t sessions;
		bool others; /* there are more reporters */
	} reason[TLS_REASONS_MAX];
};
/* One row more. Texts are borrowed. Reasons beyond the bound are left out. */
void tls_findings_add(struct tls_findings *f, const struct tlsrpt_got_row *r);
void tls_findings_sort(struct tls_findings *f);
/* The sentences, in one line. */
struct str tls_findings_say(struct arena *a, bool german, const struct tls_findings *f);

#endif
