/* SPDX-License-Identifier: ISC */
/*
 * Random changes by three sessions on two mailboxes, against a model that is an array. Each
 * session keeps what a client would know from what it was told; after a sync it must be what
 * the model says.
 */
#include "box/box_test.h"

enum { ACCOUNT = 1, BOXES = 2, SESSIONS = 3, KEYS = 4, STEPS = 3000, MESSAGES = 20000 };

static const char *const names[BOXES] = { "INBOX", "Archive" };
static const uint32_t seeds[] = { 1, 2, 3, 20261124 };

static uint32_t seed;

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % n;
}

/* --- the model: flags have bits 0-4, and keyword "key<n>" is bit 8 + n --- */

static struct model_box {
	uint32_t uidnext;
	bool here[MESSAGES]; /* by uid */
	uint32_t flags[MESSAGES];
	unsigned changed[MESSAGES]; /* in which step */
} model[BOXES];

static unsigned step;

static void model_add(struct model_box *m, uint32_t flags)
{
	uint32_t uid = m->uidnext++;

	m->here[uid] = true;
	m->flags[uid] = flags;
	m->changed[uid] = step;
}

/* --- a session and what its client knows --- */

static struct session {
	struct box *b;
	unsigned which;
	unsigned synced; /* the last step whose changes it was told */
	size_t n;
	uint32_t uid[MESSAGES], flags[MESSAGES]; /* by message number - 1 */
	/* for VANISHED: what it knew once */
	uint64_t then;
	bool had[MESSAGES];
	uint32_t then_uidnext;
} sessions[SESSIONS];

static uint32_t known_flags(const struct box *b, uint64_t flags)
{
	uint32_t out = flags & FLAG_SYSTEM;

	for (unsigned bit = FLAG_KEYWORD; bit < 64; bit++) {
		struct str name = box_flag_name(b, bit);

		if (flags >> bit & 1 && CHECK(name.n == 4))
			out |= 1u << (8 + (name.p[3] - '0'));
	}
	return out;
}

static void learn(struct session *s, uint32_t number, const struct msg *m)
{
	if (CHECK(number >= 1 && number <= s->n) && CHECK_NUM(s->uid[number - 1], m->uid))
		s->flags[number - 1] = known_flags(s->b, m->flags);
}

static void told_expunged(void *arg, uint32_t number, uint32_t uid)
{
	struct session *s = arg;

	if (!CHECK(number >= 1 && number <= s->n) || !CHECK_NUM(s->uid[number - 1], uid))
		return;
	s->n--;
	memmove(s->uid + number - 1, s->uid + number, (s->n - number + 1) * sizeof *s->uid);
	memmove(s->flags + number - 1, s->flags + number, (s->n - number + 1) * sizeof *s->flags);
}

static enum err learn_new(void *arg, uint32_t number, const struct msg *m)
{
	learn(arg, number, m);
	return OK;
}

/* A client asks for what is new. */
static void told_exists(void *arg, uint32_t exists, uint32_t recent)
{
	struct session *s = arg;
	uint32_t from = s->n ? s->uid[s->n - 1] + 1 : 1;

	(void)recent;
	CHECK(exists >= s->n);
	while (s->n < exists) {
		s->uid[s->n] = box_uid(s->b, (uint32_t)s->n + 1);
		s->n++;
	}
	CHECK_NUM(box_each(s->b, uidset_one(mem, from, UINT32_MAX), learn_new, s), OK);
}

static void told_changed(void *arg, uint32_t number, const struct msg *m)
{
	learn(arg, number, m);
}

/* What the session knows is what the model says; only with keep may it hold more. */
static void compare(struct session *s, bool keep)
{
	const struct model_box *m = &model[s->which];
	struct box_view v = box_view(s->b);
	size_t at = 0;
	uint32_t unseen = 0;

	CHECK_NUM(v.exists, s->n);
	CHECK_NUM(v.uidnext, m->uidnext);
	for (uint32_t uid = 1; uid < m->uidnext; uid++) {
		bool known = at < s->n && s->uid[at] == uid;

		CHECK(m->here[uid] ? known : !known || keep);
		if (!known)
			continue;
		CHECK_NUM(box_number(s->b, uid), at + 1);
		CHECK_NUM(box_uid(s->b, (uint32_t)at + 1), uid);
		if (m->here[uid]) {
			CHECK_NUM(s->flags[at], m->flags[uid]);
			unseen += !(m->flags[uid] & FLAG_SEEN);
		}
		at++;
	}
	CHECK_NUM(at, s->n);
	if (!keep)
		CHECK_NUM(v.unseen, unseen);
}

static void synchronize(struct session *s, bool expunges)
{
	struct box_changes tell = { s, told_expunged, told_exists, told_changed, NULL };

	CHECK_NUM(box_sync(s->b, expunges, &tell), OK);
	s->synced = step;
	compare(s, !expunges);
}

static void remember(struct session *s)
{
	s->then = box_view(s->b).modseq;
	s->then_uidnext = box_view(s->b).uidnext;
	memset(s->had, 0, sizeof s->had);
	for (size_t i = 0; i < s->n; i++)
		s->had[s->uid[i]] = true;
}

static void open_session(struct session *s)
{
	box_close(&s->b);
	s->which = below(BOXES);
	s->b = open_box(ACCOUNT, names[s->which]);
	s->n = 0;
	s->synced = step;
	told_exists(s, box_view(s->b).exists, 0);
	compare(s, false);
	remember(s);
}

/* QRESYNC: of what it had then, exactly what is not there now has vanished. */
static void vanished(struct session *s)
{
	struct uidset set;

	synchronize(s, true);
	CHECK_NUM(box_vanished(s->b, s->then, mem, &set), OK);
	for (uint32_t uid = 1; uid < s->then_uidnext; uid++)
		if (s->had[uid])
			CHECK_NUM(uidset_has(set, uid), box_number(s->b, uid) == 0);
	for (size_t i = 0; i < s->n; i++)
		CHECK(!uidset_has(set, s->uid[i]));
	remember(s);
}

/* --- changes --- */

static struct uidset random_set(const struct session *s)
{
	struct uidset_builder set = { .a = mem };
	uint32_t sparse = 1 + below(8);

	for (size_t i = 0; i < s->n; i++)
		if (below(sparse) == 0)
			uidset_add(&set, s->uid[i]);
	return uidset_done(&set);
}

static void add(void)
{
	unsigned which = below(BOXES);
	uint32_t flags = below(32);

	CHECK_NUM(deliver(ACCOUNT, names[which], flags), model[which].uidnext);
	model_add(&model[which], flags);
}

static void change_flags(struct session *s)
{
	struct model_box *m = &model[s->which];
	struct uidset set = random_set(s), kept;
	unsigned key = below(KEYS);
	struct str name = str_fmt(mem, "key%u", key);
	bool conditional = below(4) == 0;
	struct flag_change ch = { .op = below(3),
				  .flags = below(32),
				  .keywords = &name,
				  .nkeywords = below(2),
				  .unless_after =
					  conditional ? box_view(s->b).modseq : UINT64_MAX };
	uint32_t bits = (uint32_t)ch.flags | (ch.nkeywords ? 1u << (8 + key) : 0);

	CHECK_NUM(box_flags(s->b, set, &ch, mem, &kept), OK);
	for (uint32_t u = uidset_first(set); u; u = uidset_next(set, u)) {
		uint32_t old = m->flags[u], now = bits;
		bool keep = m->here[u] && conditional && m->changed[u] > s->synced;

		CHECK_NUM(uidset_has(kept, u), keep);
		if (!m->here[u] || keep)
			continue;
		if (ch.op == FLAG_ADD)
			now = old | bits;
		if (ch.op == FLAG_CLEAR)
			now = old & ~bits;
		if (now != old)
			m->changed[u] = step;
		m->flags[u] = now;
	}
}

static void copy(struct session *s, bool move)
{
	struct model_box *from = &model[s->which];
	unsigned target = below(BOXES);
	struct model_box *to = &model[target];
	struct uidset set = random_set(s);
	uint32_t expect = to->uidnext, n = 0;
	struct copied c;

	if (uidset_count(set) > 200)
		return;
	CHECK_NUM(box_copy(s->b, set, str_of(names[target]), move, 0, mem, &c), OK);
	for (uint32_t u = uidset_first(set); u; u = uidset_next(set, u)) {
		CHECK_NUM(uidset_has(c.from, u), from->here[u]);
		if (!from->here[u])
			continue;
		CHECK(uidset_has(c.to, expect + n++));
		model_add(to, from->flags[u]);
		from->here[u] = from->here[u] && !move;
	}
	CHECK_NUM(uidset_count(c.to), n);
}

static void expunge(struct session *s)
{
	struct model_box *m = &model[s->which];
	struct uidset set = random_set(s), gone;
	bool all = below(3) == 0;

	CHECK_NUM(box_expunge(s->b, set, all, mem, &gone), OK);
	for (uint32_t u = uidset_first(set); u; u = uidset_next(set, u)) {
		bool goes = m->here[u] && (all || m->flags[u] & FLAG_DELETED);

		CHECK_NUM(uidset_has(gone, u), goes);
		m->here[u] = m->here[u] && !goes;
	}
}

static void one_step(void)
{
	struct session *s = &sessions[below(SESSIONS)];

	step++;
	switch (below(20)) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
	case 5:
	case 6: add(); break;
	case 7:
	case 8:
	case 9: change_flags(s); break;
	case 10: copy(s, false); break;
	case 11: copy(s, true); break;
	case 12: expunge(s); break;
	case 13:
	case 14:
	case 15:
	case 16: synchronize(s, true); break;
	case 17:
	case 18: synchronize(s, false); break;
	case 19: below(2) ? vanished(s) : open_session(s); break;
	}
}

static void run_seed(uint32_t start)
{
	seed = start;
	memset(model, 0, sizeof model);
	for (unsigned i = 0; i < BOXES; i++)
		model[i].uidnext = 1;
	CHECK_NUM(box_account_create(st, ACCOUNT), OK);
	for (unsigned i = 0; i < SESSIONS; i++)
		open_session(&sessions[i]);
	for (unsigned i = 0; i < STEPS && !check_failed; i++) {
		one_step();
		if (i % 100 == 0)
			CHECK_SOUND(ACCOUNT);
		for (unsigned k = 0; k < BOXES; k++)
			if (model[k].uidnext > MESSAGES - 300)
				i = STEPS;
	}
	if (check_failed)
		fprintf(stderr, "seed %u, step %u\n", start, step);
	for (unsigned i = 0; i < SESSIONS; i++)
		box_close(&sessions[i].b);
	CHECK_SOUND(ACCOUNT);
	CHECK_NUM(box_account_delete(st, ACCOUNT), OK);
}

static void body(void)
{
	for (size_t i = 0; i < LENGTH(seeds); i++)
		run_seed(seeds[i]);
}

int main(int argc, char **argv)
{
	return run_test(argc, argv, body);
}
