/* SPDX-License-Identifier: ISC */
/* Command lines with literals in them: whatever comes, the parsers stay within it. */
#include "imap/parse_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(struct arena *a, struct str name, struct scan *in)
{
	struct imap_fetch fetch;
	struct imap_list list;
	struct imap_append append;
	struct imap_search search = { .star_number = 1000, .star_uid = 5000 };
	const char *why;

	if (str_iis(name, "FETCH")) {
		uidset_scan(in, a, 1000);
		scan_lit(in, " ");
		imap_fetch_items(in, a, &fetch);
	} else if (str_iis(name, "SEARCH")) {
		imap_search_request(in, a, &search);
	} else if (str_iis(name, "SORT")) {
		struct imap_sort sort;

		imap_sort_request(in, a, &sort, &search);
	} else if (str_iis(name, "THREAD")) {
		enum imap_thread how;

		imap_thread_request(in, a, &how, &search);
	} else if (str_iis(name, "STATUS")) {
		struct imap_status status;

		imap_status_items(in, &status);
	} else if (str_iis(name, "LIST")) {
		imap_list_request(in, a, &list);
	} else if (str_iis(name, "APPEND")) {
		imap_append_head(in, a, &append);
	} else if (str_iis(name, "STORE")) {
		uidset_scan(in, a, 1000);
		scan_lit(in, " FLAGS ");
		imap_flag_list(in, a);
	} else {
		struct str mailbox = imap_mailbox(in, a, &why);

		imap_fold(a, mailbox);
		scan_lit(in, " ");
		imap_nstring(in, a);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = STR((const char *)data, size), head;
	struct imap_literal lit;

	if (size > 64 * 1024) /* what a command may have */
		return 0;
	struct arena *a = arena_new(64 << 20);
	struct scan in = scan(text);

	imap_literal_tail(text, &head, &lit);
	imap_tag(&in);
	scan_lit(&in, " ");
	parse(a, scan_word(&in), &in);
	arena_free(&a);
	return 0;
}
