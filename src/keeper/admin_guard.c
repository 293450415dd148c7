/* SPDX-License-Identifier: ISC */
/* keeper/admin_guard.c - the operator's calls about the lockout, the asking side. */
#include "keeper/admin_priv.h"

static void read_record(struct scan *in, struct admin_guard *g)
{
	g->address = scan_blob(in);
	unsigned state = scan_u8(in);
	g->state = (enum lockout_state)state;
	g->by_hand = scan_u8(in) != 0;
	g->until = (int64_t)scan_u64(in);
	g->nerrors = scan_u8(in);
	g->nblocks = scan_u8(in);
	if (state > LOCKOUT_BANNED || g->nerrors > ERRORS_MAX || g->nblocks > BLOCKS_MAX)
		scan_fail(in);
}

enum err admin_guard_list(struct peer *p, struct str network,
			  void (*row)(void *arg, const struct admin_guard *g), void *arg,
			  struct arena *result, struct str *why)
{
	struct arena *a = arena_new(ADMIN_PAGE);
	unsigned at = 0;
	enum err e = OK;

	while (!e && at < GUARD_BUCKETS) {
		struct buf b = buf_new(IPC_MAX / 2);
		struct scan in;

		arena_reset(a);
		buf_blob(&b, network);
		buf_u32(&b, at);
		e = admin_ask(p, CALL_GUARD_LIST, &b, a, &in, why);
		while (!e && scan_u8(&in)) {
			struct admin_guard g = { 0 };
			read_record(&in, &g);
			if (!in.bad)
				row(arg, &g);
		}
		unsigned next = e ? 0 : scan_u32(&in);
		if (!e && (!scan_end(&in) || next <= at))
			e = admin_misunderstood(why);
		at = next;
	}
	*why = e ? str_dup(result, *why) : S("");
	arena_free(&a);
	return e;
}

static void read_rules(struct scan *in, struct lockout_rules *r)
{
	r->errors = scan_u8(in);
	r->blocks = scan_u8(in);
	r->window_s = (int64_t)scan_u64(in);
	r->block_s = (int64_t)scan_u64(in);
	r->day_s = (int64_t)scan_u64(in);
	r->ban_s = (int64_t)scan_u64(in);
}

enum err admin_guard_show(struct peer *p, struct str address, struct arena *a,
			  struct admin_guard *out, struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;

	*out = (struct admin_guard){ 0 };
	buf_blob(&b, address);
	enum err e = admin_ask(p, CALL_GUARD_SHOW, &b, a, &in, why);
	if (e)
		return e;
	unsigned exempt = scan_u8(&in);
	out->exempt = (enum guard_exempt)exempt;
	read_record(&in, out);
	if (in.bad || exempt > GUARD_AROUND)
		return admin_misunderstood(why);
	for (unsigned i = 0; i < out->nerrors; i++)
		out->errors[i] = (int64_t)scan_u64(&in);
	for (unsigned i = 0; i < out->nblocks; i++)
		out->blocks[i] = (int64_t)scan_u64(&in);
	read_rules(&in, &out->rules);
	return scan_end(&in) ? OK : admin_misunderstood(why);
}

enum err admin_guard_release(struct peer *p, struct str address, struct arena *a, struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;

	buf_blob(&b, address);
	return admin_ask(p, CALL_GUARD_RELEASE, &b, a, &in, why);
}

enum err admin_guard_block(struct peer *p, struct str address, uint32_t seconds, struct arena *a,
			   int64_t *until, struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;

	buf_blob(&b, address);
	buf_u32(&b, seconds);
	enum err e = admin_ask(p, CALL_GUARD_BLOCK, &b, a, &in, why);
	if (e)
		return e;
	*until = (int64_t)scan_u64(&in);
	return scan_end(&in) ? OK : admin_misunderstood(why);
}
