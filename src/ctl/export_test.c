/* SPDX-License-Identifier: ISC */
/* Names of mailboxes as names of files. */
#include "check.h"
#include "ctl/export.h"

int main(void)
{
	static const struct {
		const char *mailbox, *maildir, *mbox;
	} table[] = {
		{ "INBOX", "Maildir", "mbox/INBOX.mbox" },
		{ "Sent", "Maildir/.Sent", "mbox/Sent.mbox" },
		{ "INBOX/x", "Maildir/.INBOX.x", "mbox/INBOX/x.mbox" },
		{ "Gr\xc3\xbc\xc3\x9f"
		  "e/an alle",
		  "Maildir/.Gr\xc3\xbc\xc3\x9f"
		  "e.an alle",
		  "mbox/Gr\xc3\xbc\xc3\x9f"
		  "e/an alle.mbox" },
		{ "a.b/c", "Maildir/.a%2Eb.c", "mbox/a.b/c.mbox" },
		{ "..", "Maildir/.%2E%2E", "mbox/%2E..mbox" },
		{ "../../etc", "Maildir/.%2E%2E.%2E%2E.etc", "mbox/%2E./%2E./etc.mbox" },
		{ "100%", "Maildir/.100%25", "mbox/100%25.mbox" },
		{ "x.mbox/y", "Maildir/.x%2Embox.y", "mbox/x%2Embox/y.mbox" },
	};
	struct arena *a = arena_new(1 << 20);
	char many[MAILBOX_NAME_MAX];

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct str name = str_of(table[i].mailbox);
		CHECK_STR(export_path(a, EXPORT_MAILDIR, name), table[i].maildir);
		CHECK_STR(export_path(a, EXPORT_MBOX, name), table[i].mbox);
	}
	/* Long ones are cut, not within a character, and two of them stay two. */
	memset(many, 'x', sizeof many);
	for (size_t i = 0; i + 1 < sizeof many; i += 2)
		memcpy(many + i, "\xc3\xa4", 2);
	for (int format = EXPORT_MAILDIR; format <= EXPORT_MBOX; format++) {
		struct str one = export_path(a, (enum export_format)format, STR(many, 510));
		struct str two = export_path(a, (enum export_format)format, STR(many, 512));
		CHECK(one.n < 230 && two.n < 230 && !str_eq(one, two));
	}
	many[300] = '/';
	many[301] = 'y';
	CHECK(export_path(a, EXPORT_MAILDIR, STR(many, 400)).n < 230);
	arena_free(&a);
	return check_done();
}
