/* SPDX-License-Identifier: ISC */
/* keeper/journal.c - visits in memory, and the fiber that writes them. */
#include "keeper/journal.h"

#include "base/clock.h"
#include "base/log.h"
#include "fiber/fiber.h"
#include "keeper/record.h"

enum { CHAINS = 4096, NONE = UINT16_MAX, BATCH = 64 };

/* The sum of like visits that is not written yet, or was written a while ago. */
struct entry {
	uint32_t account; /* 0: empty */
	struct visit v;   /* count: those to be written, 0 where none; texts below */
	char proto[VISIT_PROTO_MAX], by[VISIT_BY_MAX], program[VISIT_PROGRAM_MAX];
	struct net place; /* no bits: none */
	uint32_t writing; /* so many are on their way to the store */
	int64_t due;      /* of clock_ms: when count is to be written */
	uint16_t next;    /* in its chain: accounts' */
};

struct journal {
	struct store *store; /* borrowed */
	struct entry entry[JOURNAL_MAX];
	uint16_t chain[CHAINS];
	unsigned hand;      /* where a place is looked for next */
	unsigned dirty;     /* entries with something to be written */
	unsigned lost;      /* since it was logged */
	struct signal come; /* dirty is no longer 0 */
	struct signal idle; /* busy no longer */
	bool busy;          /* an update is under way */
	struct group *group;
};

static const struct str secrets = { SECRET_PARTITION, sizeof(SECRET_PARTITION) - 1 };

static uint16_t *chain_of(struct journal *j, uint32_t account)
{
	return &j->chain[account % CHAINS];
}

/* --- noting --- */

static void take_out(struct journal *j, struct entry *e)
{
	uint16_t *at = chain_of(j, e->account), i = (uint16_t)(e - j->entry);

	while (*at != i)
		at = &j->entry[*at].next;
	*at = e->next;
	e->account = 0;
}

static bool is_clean(const struct entry *e)
{
	return e->v.count == 0 && e->writing == 0;
}

/* A place in the table: an empty one, or what is written and met first. NULL: none near. */
static struct entry *free_entry(struct journal *j)
{
	for (unsigned i = 0; i < BATCH; i++) {
		struct entry *e = &j->entry[j->hand];
		j->hand = (j->hand + 1) % JOURNAL_MAX;
		if (e->account == 0)
			return e;
		if (!is_clean(e))
			continue;
		take_out(j, e);
		return e;
	}
	return NULL;
}

/* The entry of like visits; or a place for one, which is of the account's own where it has
 * JOURNAL_ACCOUNT_MAX already. NULL: all is still to be written. */
static struct entry *find(struct journal *j, uint32_t account, const struct visit *v)
{
	struct entry *oldest = NULL;
	unsigned n = 0;

	for (uint16_t i = *chain_of(j, account); i != NONE; i = j->entry[i].next) {
		struct entry *e = &j->entry[i];
		if (e->account != account)
			continue;
		if (visit_same(&e->v, v))
			return e;
		n++;
		if (is_clean(e) && (!oldest || e->v.last < oldest->v.last))
			oldest = e;
	}
	if (n < JOURNAL_ACCOUNT_MAX)
		return free_entry(j);
	if (oldest)
		take_out(j, oldest);
	return oldest;
}

static struct str keep(char *place, struct str s)
{
	if (s.n)
		memcpy(place, s.p, s.n);
	return STR(place, s.n);
}

static void begin(struct journal *j, struct entry *e, uint32_t account, const struct visit *v)
{
	uint16_t *chain = chain_of(j, account);

	*e = (struct entry){ .account = account, .v = { .result = v->result, .ip = v->ip } };
	e->v.proto = keep(e->proto, v->proto);
	e->v.by = keep(e->by, v->by);
	e->v.program = keep(e->program, v->program);
	e->next = *chain;
	*chain = (uint16_t)(e - j->entry);
}

void journal_note(struct journal *j, uint32_t account, const struct visit *what,
		  const struct net *place)
{
	struct visit cut = *what, *v = &cut;
	int64_t now = clock_wall();

	if (!account)
		return;
	v->proto = str_part(v->proto, 0, VISIT_PROTO_MAX);
	v->by = str_part(v->by, 0, VISIT_BY_MAX);
	v->program = str_part(v->program, 0, VISIT_PROGRAM_MAX);
	struct entry *e = find(j, account, v);
	if (!e) {
		j->lost++;
		return;
	}
	bool goes_on = e->account == account && now - e->v.last < VISIT_GAP_S;
	if (e->account != account)
		begin(j, e, account, v);
	if (place)
		e->place = *place;
	if (e->v.count == 0) {
		e->v.first = now;
		e->due = clock_in(goes_on ? JOURNAL_HOLD_MS : JOURNAL_SOON_MS);
		if (j->dirty++ == 0)
			signal_raise(&j->come);
	}
	e->v.count++;
	e->v.last = now > e->v.first ? now : e->v.first;
}

/* The latest good visit from there that has no program, and is still to be written. */
static struct entry *unnamed(struct journal *j, uint32_t account, const struct visit *v)
{
	struct entry *found = NULL;

	for (uint16_t i = *chain_of(j, account); i != NONE; i = j->entry[i].next) {
		struct entry *e = &j->entry[i];
		if (e->account == account && e->v.count && e->v.result == VISIT_OK &&
		    !e->v.program.n && net_same(&e->v.ip, &v->ip) && str_eq(e->v.proto, v->proto) &&
		    (!found || e->v.last > found->v.last))
			found = e;
	}
	return found;
}

void journal_program(struct journal *j, uint32_t account, const struct visit *v)
{
	struct entry *e = unnamed(j, account, v);
	struct visit named = *v;
	char by[VISIT_BY_MAX];

	if (!account || !e || !v->program.n)
		return;
	struct net place = e->place;
	named.result = VISIT_OK;
	named.by = keep(by, e->v.by);
	e->v.count--;
	j->dirty -= e->v.count == 0;
	journal_note(j, account, &named, place.bits ? &place : NULL);
}

/* --- writing --- */

struct part {
	struct visit v; /* its texts are the entry's, which stays while it is being written */
	struct net place;
	struct entry *of;
};
struct put { /* what an account has to be written, the oldest first */
	uint32_t account;
	struct part *part; /* JOURNAL_ACCOUNT_MAX places */
	size_t n;
};

static enum err add_visits(struct tx *tx, const struct put *p)
{
	struct history *h = ARENA_NEW(tx_arena(tx), struct history);
	struct str key = key_account(tx_arena(tx), 'v', p->account), value;
	enum err e = tx_get(tx, key, &value);

	if (!e)
		e = history_read(value, h);
	if (e && e != E_NOTFOUND)
		return e;
	for (size_t i = 0; i < p->n; i++)
		history_add(h, &p->part[i].v);
	tx_put(tx, key, history_record(tx_arena(tx), h));
	return OK;
}

static enum err get_places(struct tx *tx, uint32_t account, struct places *out)
{
	struct str value;
	enum err e = tx_get(tx, key_account(tx_arena(tx), 'k', account), &value);

	return e ? e : places_read(value, out);
}

static enum err add_places(struct tx *tx, const struct put *p)
{
	struct places *places = ARENA_NEW(tx_arena(tx), struct places);
	enum err e = get_places(tx, p->account, places);
	bool any = false;

	if (e && e != E_NOTFOUND)
		return e;
	for (size_t i = 0; i < p->n; i++) {
		const struct part *part = &p->part[i];
		if (part->v.result != VISIT_OK || !part->place.bits)
			continue;
		places_add(places, &part->place, part->v.last);
		any = true;
	}
	if (any)
		tx_put(tx, key_account(tx_arena(tx), 'k', p->account),
		       places_record(tx_arena(tx), places));
	return OK;
}

static enum err put_account(struct tx *tx, void *arg)
{
	const struct put *p = arg;
	struct str value;
	enum err e = tx_get(tx, key_account(tx_arena(tx), 'p', p->account), &value);

	if (!e) /* else the account is gone */
		e = add_visits(tx, p);
	return e ? e : add_places(tx, p);
}

/* The account's part of the batch; NULL: the batch is full. */
static struct put *put_of(struct put *put, size_t *n, uint32_t account, struct arena *a)
{
	size_t i = 0;

	while (i < *n && put[i].account != account)
		i++;
	if (i < *n)
		return &put[i];
	if (*n == BATCH)
		return NULL;
	put[(*n)++] = (struct put){ .account = account,
				    .part = ARENA_ARRAY(a, struct part, JOURNAL_ACCOUNT_MAX) };
	return &put[i];
}

static void put_entry(struct put *p, struct entry *e)
{
	size_t i = p->n++;

	for (; i && p->part[i - 1].v.last > e->v.last; i--)
		p->part[i] = p->part[i - 1];
	p->part[i] = (struct part){ e->v, e->place, e };
	e->writing = e->v.count;
	e->v.count = 0;
}

/* Takes what is due out of the table; *more: there is more than fits. */
static size_t collect(struct journal *j, bool all, struct arena *a, struct put *put, bool *more)
{
	int64_t now = clock_ms();
	size_t n = 0;

	*more = false;
	for (size_t i = 0; i < JOURNAL_MAX; i++) {
		struct entry *e = &j->entry[i];
		if (!e->account || !e->v.count || (!all && now < e->due))
			continue;
		struct put *p = put_of(put, &n, e->account, a);
		if (!p) {
			*more = true;
			continue;
		}
		put_entry(p, e);
		j->dirty--;
	}
	return n;
}

/* What was not written is to be written later, unless the account is gone. */
static void settle(struct journal *j, const struct put *p, enum err e)
{
	bool again = e && e != E_NOTFOUND;

	if (again)
		log_event(LOG_WARN, "logins.unwritten", KVN("account", p->account), KVE(e));
	for (size_t i = 0; i < p->n; i++) {
		struct entry *entry = p->part[i].of;
		if (again) {
			j->dirty += entry->v.count == 0;
			entry->v.count += entry->writing;
			entry->v.first = p->part[i].v.first;
			entry->due = clock_in(JOURNAL_RETRY_MS);
		}
		entry->writing = 0;
	}
}

/* A batch; true: there is more to be written at once. */
static bool write_batch(struct journal *j, bool all)
{
	struct arena *a = arena_new(4 << 20);
	struct put *put = ARENA_ARRAY(a, struct put, BATCH);
	struct update *u = ARENA_ARRAY(a, struct update, BATCH);
	bool more, failed = false;
	size_t n = collect(j, all, a, put, &more);

	for (size_t i = 0; i < n; i++)
		u[i] = (struct update){ .partition = secrets, .fn = put_account, .arg = &put[i] };
	if (n)
		store_update_all(j->store, u, n);
	for (size_t i = 0; i < n; i++) {
		settle(j, &put[i], u[i].result);
		failed |= u[i].result && u[i].result != E_NOTFOUND;
	}
	arena_free(&a);
	return more && !failed;
}

static void write_all(struct journal *j, bool all)
{
	while (j->busy)
		if (signal_wait(&j->idle, j->idle.count, NEVER))
			return;
	j->busy = true;
	while (write_batch(j, all))
		;
	j->busy = false;
	signal_raise(&j->idle);
	if (j->lost)
		log_event(LOG_WARN, "logins.lost", KVN("n", j->lost),
			  KVC("reason", "more at once than can be written"));
	j->lost = 0;
}

static void writer(void *arg)
{
	struct journal *j = arg;

	for (;;) {
		uint64_t seen = j->come.count;
		if (!j->dirty && signal_wait(&j->come, seen, NEVER))
			return;
		if (fiber_sleep(clock_in(JOURNAL_SOON_MS)))
			return;
		write_all(j, false);
	}
}

void journal_flush(struct journal *j)
{
	write_all(j, true);
}

/* --- reading --- */

struct reading {
	uint32_t account;
	struct arena *a;
	struct history *history;
	struct places *places;
};

static enum err read_places(struct tx *tx, void *arg)
{
	const struct reading *r = arg;

	return get_places(tx, r->account, r->places);
}

bool journal_knows(struct journal *j, uint32_t account, const struct net *place)
{
	struct places places = { 0 };
	struct reading r = { .account = account, .places = &places };

	for (uint16_t i = *chain_of(j, account); i != NONE; i = j->entry[i].next) {
		const struct entry *e = &j->entry[i];
		if (e->account == account && e->v.result == VISIT_OK && net_same(&e->place, place))
			return true;
	}
	enum err e = store_read(j->store, secrets, read_places, &r);
	if (e && e != E_NOTFOUND)
		log_event(LOG_WARN, "logins.unread", KVN("account", account), KVE(e));
	return !e && places_have(&places, place);
}

static enum err read_history(struct tx *tx, void *arg)
{
	const struct reading *r = arg;
	struct str value;
	enum err e = tx_get(tx, key_account(tx_arena(tx), 'v', r->account), &value);

	return e ? e : history_read(str_dup(r->a, value), r->history);
}

enum err journal_read(struct journal *j, uint32_t account, struct arena *a, struct history *out)
{
	struct reading r = { .account = account, .a = a, .history = out };

	*out = (struct history){ 0 };
	journal_flush(j);
	enum err e = store_read(j->store, secrets, read_history, &r);
	return e == E_NOTFOUND ? OK : e;
}

/* --- life --- */

enum err journal_new(struct store *st, struct journal **out)
{
	struct journal *j = *out = NEW(struct journal);

	j->store = st;
	memset(j->chain, 0xff, sizeof j->chain);
	j->group = group_new();
	enum err e = group_spawn(j->group, "logins", writer, j);
	if (e)
		journal_close(out);
	return e;
}

void journal_close(struct journal **at)
{
	struct journal *j = *at;

	if (!j)
		return;
	group_close(&j->group);
	journal_flush(j);
	free(j);
	*at = NULL;
}
