/* SPDX-License-Identifier: ISC */
/* guard/lockout.c - the policy: windows, blocks, bans of one address. */
#include "guard/lockout.h"

enum { MINUTE = 60, HOUR = 3600 };

struct lockout_rules lockout_rules_default(void)
{
	return (struct lockout_rules){
		.errors = 5,
		.window_s = 20 * MINUTE,
		.block_s = 20 * MINUTE,
		.blocks = 3,
		.day_s = 24 * HOUR,
		.ban_s = 24 * HOUR,
		.prefix6 = 64,
		.count_repeats = true,
	};
}

struct net lockout_key(struct net address, const struct lockout_rules *r)
{
	return net_is_v4(&address) ? address : net_cut(address, (uint8_t)r->prefix6);
}

/* A clock before 1970 or after 2106 is wrong, and must not wrap. */
static uint32_t second(int64_t t)
{
	return t < 0 ? 0 : t > UINT32_MAX ? UINT32_MAX : (uint32_t)t;
}

/* Keeps the times of the last span_s; those ahead become now. Gives how many are left. */
static uint8_t keep_recent(uint32_t *at, uint32_t *what, uint8_t n, int64_t span_s, int64_t now)
{
	uint8_t left = 0;

	for (uint8_t i = 0; i < n; i++) {
		if (now - at[i] >= span_s)
			continue;
		at[left] = at[i] > now ? second(now) : at[i];
		if (what)
			what[left] = what[i];
		left++;
	}
	return left;
}

void lockout_settle(struct lockout *l, const struct lockout_rules *r, int64_t now)
{
	l->nfails = keep_recent(l->fails, l->what, l->nfails, r->window_s, now);
	l->nblocks = keep_recent(l->blocks, NULL, l->nblocks, r->day_s, now);
	if (l->state == LOCKOUT_OPEN)
		return;
	if (now >= l->until) {
		l->state = LOCKOUT_OPEN;
		l->by_hand = 0;
		l->until = l->length_s = 0;
	} else if (l->until - now > l->length_s) {
		l->until = second(now + l->length_s);
	}
}

bool lockout_is_blank(const struct lockout *l)
{
	return l->state == LOCKOUT_OPEN && !l->nfails && !l->nblocks;
}

uint32_t lockout_latest(const struct lockout *l)
{
	uint32_t fail = l->nfails ? l->fails[l->nfails - 1] : 0;
	uint32_t block = l->nblocks ? l->blocks[l->nblocks - 1] : 0;

	return fail > block ? fail : block;
}

static void push(uint32_t *at, uint8_t *n, size_t max, uint32_t t)
{
	if (*n == max) {
		memmove(at, at + 1, (max - 1) * sizeof *at);
		(*n)--;
	}
	at[(*n)++] = t;
}

static void close_for(struct lockout *l, int64_t now, enum lockout_state state, int64_t length_s)
{
	l->state = (uint8_t)state;
	l->until = second(now + length_s);
	l->length_s = second(length_s);
	l->nfails = 0;
}

enum lockout_effect lockout_fail(struct lockout *l, const struct lockout_rules *r, int64_t now,
				 uint32_t what)
{
	lockout_settle(l, r, now);
	if (l->state != LOCKOUT_OPEN)
		return LOCKOUT_UNHEARD;
	for (uint8_t i = 0; what && i < l->nfails; i++)
		if (l->what[i] == what)
			return LOCKOUT_REPEATED;
	if (l->nfails + 1u < r->errors) {
		push(l->fails, &l->nfails, ERRORS_MAX, second(now));
		l->what[l->nfails - 1] = what;
		return LOCKOUT_COUNTED;
	}
	push(l->blocks, &l->nblocks, BLOCKS_MAX, second(now));
	if (l->nblocks >= r->blocks)
		close_for(l, now, LOCKOUT_BANNED, r->ban_s);
	else
		close_for(l, now, LOCKOUT_BLOCKED, r->block_s);
	return LOCKOUT_CLOSED;
}

void lockout_close(struct lockout *l, const struct lockout_rules *r, int64_t now,
		   enum lockout_state state, uint32_t length_s)
{
	lockout_settle(l, r, now);
	close_for(l, now, state, length_s);
	l->by_hand = 1;
}

void lockout_release(struct lockout *l)
{
	*l = (struct lockout){ .who = l->who };
}

/* --- octets --- */

enum { BY_HAND = 0x80, WITH_WHAT = 0x40, STATE = 0x0f };

void lockout_put(struct buf *out, const struct lockout *l)
{
	bool what = false;

	for (uint8_t i = 0; i < l->nfails; i++)
		what |= l->what[i] != 0;
	buf_put(out, STR((const char *)l->who.octets, sizeof l->who.octets));
	buf_u8(out, l->who.bits);
	buf_u8(out, (uint8_t)(l->state | (l->by_hand ? BY_HAND : 0) | (what ? WITH_WHAT : 0)));
	buf_u8(out, l->nfails);
	buf_u8(out, l->nblocks);
	if (l->state != LOCKOUT_OPEN) {
		buf_u32(out, l->until);
		buf_u32(out, l->length_s);
	}
	for (uint8_t i = 0; i < l->nfails; i++) {
		buf_u32(out, l->fails[i]);
		if (what)
			buf_u32(out, l->what[i]);
	}
	for (uint8_t i = 0; i < l->nblocks; i++)
		buf_u32(out, l->blocks[i]);
}

bool lockout_take(struct scan *in, struct lockout *l)
{
	struct str who = scan_take(in, sizeof l->who.octets);

	*l = (struct lockout){ .who.bits = scan_u8(in) };
	uint8_t flags = scan_u8(in);

	l->state = flags & STATE;
	l->by_hand = (flags & BY_HAND) != 0;
	l->nfails = scan_u8(in);
	l->nblocks = scan_u8(in);
	if (in->bad || l->who.bits > 128 || l->state > LOCKOUT_BANNED || l->nfails > ERRORS_MAX ||
	    l->nblocks > BLOCKS_MAX) {
		scan_fail(in);
		return false;
	}
	memcpy(l->who.octets, who.p, who.n);
	if (l->state != LOCKOUT_OPEN) {
		l->until = scan_u32(in);
		l->length_s = scan_u32(in);
	}
	for (uint8_t i = 0; i < l->nfails; i++) {
		l->fails[i] = scan_u32(in);
		l->what[i] = flags & WITH_WHAT ? scan_u32(in) : 0;
	}
	for (uint8_t i = 0; i < l->nblocks; i++)
		l->blocks[i] = scan_u32(in);
	return !in->bad;
}
