/* SPDX-License-Identifier: ISC */
/* keeper/sending_client.c - how much may be sent: the side that asks. */
#include "keeper/client_priv.h"

static enum err ask(struct keeper *k, uint32_t type, struct buf *b, struct sending_verdict *out)
{
	struct arena *a = arena_new(IPC_MAX + 4096);
	struct scan in;
	enum err e = keeper_ask(k, type, b, KEEPER_WAIT_MS, a, &in);

	*out = (struct sending_verdict){ 0 };
	if (!e) {
		unsigned what = scan_u8(&in);
		out->what = (enum sending_what)what;
		out->limit = scan_u32(&in);
		out->tell = scan_u8(&in) != 0;
		out->hash = scan_u32(&in);
		out->stranger = scan_u8(&in) != 0;
		e = what > SENDING_STRANGERS ? E_AGAIN : keeper_eaten(&in);
	}
	arena_free(&a);
	return e;
}

enum err keeper_sending_ask(struct keeper *k, uint32_t account, struct path to,
			    struct sending_counts already, struct sending_verdict *out)
{
	struct buf b = buf_new(FIELDS_MAX);

	buf_u32(&b, account);
	keeper_put_path(&b, to);
	buf_u32(&b, already.recipients);
	buf_u32(&b, already.strangers);
	return ask(k, CALL_SENDING_ASK, &b, out);
}

enum err keeper_sending_count(struct keeper *k, uint32_t account, const uint32_t *hash, size_t n,
			      struct sending_verdict *out)
{
	struct buf b = buf_new(IPC_MAX - 4096);

	buf_u32(&b, account);
	buf_u32(&b, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		buf_u32(&b, hash[i]);
	return ask(k, CALL_SENDING_COUNT, &b, out);
}
