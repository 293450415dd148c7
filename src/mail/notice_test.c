/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "mail/notice.h"

int main(void)
{
	struct arena *a = arena_new(1 << 20);
	struct notice n = { .from = S("postmaster@example.test"),
			    .to = S("anna@exa\r\nmple.test"),
			    .subject = S("Voll / full\r\nX: y"),
			    .text = S("eins\n\ngr\xc3\xb6\xc3\x9f"
				      "er\nohne Ende"),
			    .id = S("17"),
			    .now = 1795502511 };

	CHECK_STR(notice_compose(a, &n), "Return-Path: <>\r\n"
					 "Date: Tue, 24 Nov 2026 06:41:51 +0000\r\n"
					 "From: Postmaster <postmaster@example.test>\r\n"
					 "To: <anna@example.test>\r\n"
					 "Subject: Voll / fullX: y\r\n"
					 "Message-ID: <17@example.test>\r\n"
					 "Auto-Submitted: auto-generated\r\n"
					 "MIME-Version: 1.0\r\n"
					 "Content-Type: text/plain; charset=utf-8\r\n"
					 "Content-Transfer-Encoding: 8bit\r\n\r\n"
					 "eins\r\n\r\ngr\xc3\xb6\xc3\x9f"
					 "er\r\nohne Ende\r\n");
	n.from = S("postmaster");
	CHECK(str_find_str(notice_compose(a, &n), S("<17@localhost>")) < 400);
	arena_free(&a);
	return check_done();
}
