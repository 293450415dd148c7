/* SPDX-License-Identifier: ISC */
/* What asks for a ban, of any octets: it is refused, or becomes commands without a foreign word. */
#include "proc/bans_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char known[] = "abcdefghijklmnopqrstuvwxyz0123456789.:_{}@&; \n";
	struct buf b = buf_new(1024);
	struct net who;

	if (!size || ban_who(STR((const char *)data + 1, size - 1), data[0], &who))
		return 0;
	ban_text_set(&b, &who);
	ban_text_add(&b, &who, 60);
	BUG_IF(b.full);
	unsigned lines = 0;
	for (size_t i = 0; i < b.n; i++) {
		BUG_IF(!b.p[i] || !strchr(known, b.p[i]));
		lines += b.p[i] == '\n';
	}
	BUG_IF(lines != 5 || ban_prefix(&who) > 128);
	buf_free(&b);
	return 0;
}
