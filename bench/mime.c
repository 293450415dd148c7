/* SPDX-License-Identifier: ISC */
/*
 * How fast the MIME parser is: octets of a large mail in pieces as they come from the network,
 * and small mails with their summaries.
 *
 *   build/bench/bench-mime
 */
#include "base/buf.h"
#include "base/clock.h"
#include "mail/mime.h"

enum { PIECE = 16 * 1024, LARGE_TIMES = 50, SMALL_TIMES = 20000 };

static void head(struct buf *b)
{
	buf_put(b, S("Received: from a.example.test by b.example.test; Tue, 24 Nov 2026 06:41:51 "
		     "+0000\r\n"
		     "From: \"A. Sender\" <sender@example.test>\r\n"
		     "To: User <user@example.test>, other@example.test\r\n"
		     "Subject: =?utf-8?q?Some_subject_=C3=A4?=\r\n"
		     "Date: Tue, 24 Nov 2026 06:41:51 +0000\r\n"
		     "Message-ID: <1234567890.abcdef@example.test>\r\n"
		     "References: <1@example.test> <2@example.test>\r\n"
		     "Content-Type: multipart/mixed; boundary=\"=_b0undary\"\r\n\r\n"
		     "--=_b0undary\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello.\r\n"
		     "--=_b0undary\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\n"
		     "Content-Transfer-Encoding: base64\r\n"
		     "Content-Disposition: attachment; filename=\"a.pdf\"\r\n\r\n"));
}

static void mail(struct buf *b, size_t octets)
{
	head(b);
	while (b->n < octets)
		buf_put(b,
			S("JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0"
			  "ZURl\r\n"));
	buf_put(b, S("--=_b0undary--\r\n"));
}

static void parse(struct arena *a, struct str text, bool summary)
{
	struct mime_parser *p = mime_parser_new(a);

	for (size_t i = 0; i < text.n; i += PIECE)
		mime_feed(p, str_part(text, i, PIECE));
	struct mime_part *root = mime_end(p);

	BUG_IF(!root->first || !root->first->next || root->first->next->next);
	if (summary)
		BUG_IF(!summary_make(a, root).n);
	arena_reset(a);
}

int main(void)
{
	struct arena *a = arena_new(MIME_ARENA_MAX);
	struct buf large = buf_new(16 * 1024 * 1024), small = buf_new(16 * 1024);

	mail(&large, 10 * 1024 * 1024);
	mail(&small, 10 * 1024);
	int64_t start = clock_ms();

	for (int i = 0; i < LARGE_TIMES; i++)
		parse(a, buf_str(&large), false);
	int64_t took = clock_ms() - start;

	printf("10 MB mail: %lld MB/s\n",
	       (long long)(large.n * LARGE_TIMES / 1000 / (size_t)(took ? took : 1)));
	start = clock_ms();
	for (int i = 0; i < SMALL_TIMES; i++)
		parse(a, buf_str(&small), true);
	took = clock_ms() - start;
	printf("10 KB mail with summary: %lld messages/s\n",
	       (long long)(SMALL_TIMES * INT64_C(1000) / (took ? took : 1)));
	buf_free(&large);
	buf_free(&small);
	arena_free(&a);
	return 0;
}
