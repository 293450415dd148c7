/* SPDX-License-Identifier: ISC */
#ifndef TEST_RIG_H
#define TEST_RIG_H
/*
 * rig.h - a protocol server and its client in one process, over a socket pair, with the store
 * in memory and a keeper of few words in this file. Include it in one file of a test program,
 * which then needs no keeper room. All of it runs inside fiber_main.
 *
 * Who lives in example.test: alice (1), bob (2), carol (3, a quota of 2,000 octets), dave (4),
 * ghost (99, in the directory only); all with the password "secret". team@ is alice and bob,
 * mixed@ is alice and eve@far.test, gone@ is she alone, impossible@ leads nowhere, back@ to a
 * sender of forwarded mail (joe@far.test), full@ is bob and carol, broken@ finds no keeper,
 * expired@ takes no mail any more.
 */
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "box/box.h"
#include "check.h"
#include "fiber/io.h"
#include "keeper/keeper.h"

enum { CAROLS_QUOTA = 2000 };

static struct rig {
	struct arena *arena;
	struct store *store;
	struct group *group;
	struct tls *server_tls, *client_tls;
	struct str cert_pem;       /* of server_tls: mail.example.test's, by its own hand */
	struct str cleartext_user; /* the last one that keeper_cleartext was told */
	unsigned cleartexts, logins;
	unsigned sent, sending_max; /* messages of users, counted, and how many may be */
	bool told;                  /* the operator, of that */
	const char *login_ip;       /* whose logins these should be */
	enum err login_error;       /* OK: look at the password */
	enum err new_error;         /* why nothing new is let in; OK: it is */
	enum guarantee least;       /* of the way out, of each account */
	uint32_t encrypted;         /* the account that takes mail over encrypted lines only */
	unsigned refusals;          /* that keeper_refused was told of, and the last one: */
	struct str refused_from, refused_to, refused_host;
	const char *notice;  /* at a login, or NULL */
	const char *refused; /* why right passwords are refused, or NULL */
	unsigned signers;    /* keys of example.test */
	unsigned rotations;  /* so many signatures are asked of keys that are gone */
	enum err sign_error; /* why there is none; OK: there is */
	void (*serve)(struct io *io, int kind);
} rig;

/* --- the keeper --- */

struct keeper {
	int nothing;
};
static struct keeper rig_keeper;

static inline struct route rig_user(uint32_t account, struct str mailbox)
{
	static const char *const names[] = { "", "alice", "bob", "carol", "dave" };
	struct route r = { .account = account, .mailbox = mailbox };

	r.address = str_fmt(rig.arena, "%s@example.test", account < 5 ? names[account] : "ghost");
	r.quota = account == 3 ? CAROLS_QUOTA : 0;
	return r;
}

enum err keeper_route(struct keeper *k, struct path to, struct arena *a, struct route **out,
		      size_t *n)
{
	static const struct {
		const char *local;
		uint32_t account[2];
	} table[] = {
		{ "alice", { 1 } },   { "bob", { 2 } },     { "carol", { 3 } },
		{ "dave", { 4 } },    { "ghost", { 99 } },  { "postmaster", { 1 } },
		{ "team", { 1, 2 } }, { "full", { 2, 3 } }, { "haunted", { 1, 99 } },
	};
	struct scan in = scan(to.local);
	struct str local = str_has(to.local, '+') ? scan_until(&in, '+') : to.local;
	struct str detail = str_has(to.local, '+') ? str_dup(a, in.rest) : S("");

	(void)k;
	*out = ARENA_ARRAY(a, struct route, 2);
	*n = 0;
	if (str_is(to.domain, "broken.test"))
		return E_AGAIN;
	if (to.domain.n && !str_iis(to.domain, "example.test"))
		return E_DENIED;
	if (str_iis(local, "mixed")) {
		(*out)[(*n)++] = rig_user(1, detail);
		(*out)[(*n)++] = (struct route){ .address = S("eve@far.test") };
	}
	if (str_iis(local, "gone"))
		(*out)[(*n)++] = (struct route){ .address = S("eve@far.test") };
	if (str_iis(local, "impossible"))
		(*out)[(*n)++] = (struct route){ .address = S("eve@far") };
	if (str_iis(local, "back"))
		(*out)[(*n)++] = (struct route){ .address = S("joe@far.test"), .back = true };
	if (str_iis(local, "expired")) {
		(*out)[(*n)++] = rig_user(4, detail);
		(*out)->expired = true;
	}
	for (size_t i = 0; i < LENGTH(table); i++)
		for (size_t j = 0; str_iis(local, table[i].local) && j < 2; j++)
			if (table[i].account[j])
				(*out)[(*n)++] = rig_user(table[i].account[j], detail);
	for (size_t i = 0; i < *n; i++)
		(*out)[i].encrypted = rig.encrypted && (*out)[i].account == rig.encrypted;
	return !*n ? E_NOTFOUND : rig.new_error == E_READONLY ? E_READONLY : OK;
}

/* A sender elsewhere becomes back@, which leads to joe@far.test, to whom it is of use. */
enum err keeper_rewrite(struct keeper *k, struct path sender, struct str domain, struct arena *a,
			struct str *out)
{
	(void)k;
	CHECK(str_iis(domain, "example.test"));
	if (str_is(sender.domain, "broken.test"))
		return E_AGAIN;
	*out = str_iis(sender.domain, "example.test") ? path_text(a, sender)
						      : S("back@example.test");
	return OK;
}

enum err keeper_domain(struct keeper *k, struct str domain)
{
	(void)k;
	return str_iis(domain, "example.test") ? OK : E_NOTFOUND;
}

enum err keeper_login(struct keeper *k, const struct login_try *t, struct arena *a,
		      struct login *out)
{
	static const char *const users[] = { "alice", "bob", "carol", "dave" };

	(void)k, (void)a;
	rig.logins++;
	CHECK(t->tls);
	CHECK_STR(t->ip, rig.login_ip);
	*out = (struct login){ .closed = S("closed until 14:35: 5 wrong passwords") };
	if (rig.login_error)
		return rig.login_error;
	for (uint32_t i = 0; i < LENGTH(users); i++) {
		struct route r = rig_user(i + 1, S(""));

		if (!str_ieq(t->user, r.address) || !str_is(t->password, "secret"))
			continue;
		*out = (struct login){ .refused = str_of(rig.refused) };
		if (rig.refused)
			return E_DENIED;
		*out = (struct login){ .account = r.account,
				       .address = r.address,
				       .quota = r.quota,
				       .notice = str_of(rig.notice) };
		return OK;
	}
	return E_DENIED;
}

enum err keeper_may_append(struct keeper *k, uint32_t account, uint64_t *quota)
{
	(void)k;
	*quota = rig_user(account, S("")).quota;
	return rig.new_error;
}

enum err keeper_may_send(struct keeper *k, uint32_t account, struct path from, struct arena *arena,
			 struct str *why, enum guarantee *least)
{
	(void)arena;
	*why = S_NONE;
	*least = rig.least;
	if (rig.new_error == E_DENIED)
		*why = S("Senden gesperrt / sending is blocked: spam");
	if (rig.new_error || (!from.local.n && !from.domain.n))
		return rig.new_error;
	struct arena *a = arena_new(64 * 1024);
	struct route *r;
	size_t n;
	enum err e = keeper_route(k, from, a, &r, &n);
	bool theirs = false;

	for (size_t i = 0; !e && i < n; i++)
		theirs |= r[i].account == account;
	arena_free(&a);
	return theirs && from.domain.n ? OK : E_DENIED;
}

/* Whom somebody writes to is known by his address; dave may write to two strangers. */
enum err keeper_sending_ask(struct keeper *k, uint32_t account, struct path to,
			    struct sending_counts already, struct sending_verdict *out)
{
	(void)k;
	*out = (struct sending_verdict){ .hash = (uint32_t)str_hash(to.local), .stranger = true };
	if (rig.sent >= rig.sending_max || (account == 4 && already.strangers >= 2)) {
		out->what = account == 4 ? SENDING_STRANGERS : SENDING_MESSAGES;
		out->limit = account == 4 ? 2 : rig.sending_max;
		out->tell = !rig.told;
		rig.told = true;
	}
	return OK;
}

enum err keeper_signers(struct keeper *k, uint32_t account, struct path from, struct arena *a,
			struct keeper_signers *out)
{
	(void)k, (void)a;
	*out = (struct keeper_signers){ .domain = from.domain, .n = rig.signers };
	if (rig.signers)
		CHECK(account == 1 && str_is(from.local, "alice"));
	for (unsigned i = 0; i < rig.signers; i++) {
		out->by[i].ed25519 = i > 0;
		out->by[i].selector = i ? S("two") : S("one");
	}
	return OK;
}

enum err keeper_sign(struct keeper *k, uint32_t account, struct path from, struct str selector,
		     struct str digest, struct arena *a, struct str *out)
{
	(void)k, (void)account, (void)from;
	CHECK(str_is(selector, "one") || str_is(selector, "two"));
	CHECK_NUM(digest.n, 32);
	if (rig.rotations) {
		rig.rotations--;
		return E_NOTFOUND;
	}
	*out = str_dup(a, S("signature"));
	return rig.sign_error;
}

enum err keeper_sending_count(struct keeper *k, uint32_t account, const uint32_t *hash, size_t n,
			      struct sending_verdict *out)
{
	(void)k, (void)account;
	CHECK(n > 0 && hash[0]);
	*out = (struct sending_verdict){ 0 };
	if (rig.sent >= rig.sending_max)
		*out = (struct sending_verdict){ SENDING_MESSAGES, rig.sending_max, false, 0,
						 false };
	else
		rig.sent++;
	return OK;
}

void keeper_refused(struct keeper *k, const struct keeper_refusal *r)
{
	(void)k;
	CHECK(r->n == 1 && r->account[0] == rig.encrypted);
	rig.refusals++;
	rig.refused_from = path_text(rig.arena, r->from);
	rig.refused_to = path_text(rig.arena, r->to);
	rig.refused_host = str_dup(rig.arena, r->host);
}

void keeper_cleartext(struct keeper *k, struct str user, struct str ip, const char *proto)
{
	(void)k, (void)ip, (void)proto;
	rig.cleartext_user = str_dup(rig.arena, user);
	rig.cleartexts++;
}

/* --- both ends --- */

struct client {
	struct io *io;
	struct arena *arena;
	struct str reply; /* the last whole reply, lines ended by LF */
	int server_fd, kind;
	bool tls, gone; /* gone: the server's fiber has returned */
};

static inline void rig_session(void *arg)
{
	struct client *c = arg;
	struct io *io = io_new(c->server_fd);

	io_set_peer(io, S("192.0.2.1"), 12345);
	if (c->tls)
		io_pretend_tls(io);
	rig.serve(io, c->kind);
	io_close(&io);
	c->gone = true;
}

static inline struct client *dial(int kind, bool tls)
{
	struct client *c = ARENA_NEW(rig.arena, struct client);
	int fd[2];

	CHECK_NUM(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
	*c = (struct client){ .server_fd = fd[0], .kind = kind, .tls = tls };
	c->io = io_new(fd[1]);
	c->arena = arena_new(8 << 20);
	io_deadline(c->io, clock_in(20000));
	CHECK_NUM(group_spawn(rig.group, "session", rig_session, c), OK);
	return c;
}

/* Hangs up and waits for the server to notice. */
static inline void hang_up(struct client *c)
{
	io_close(&c->io);
	for (unsigned i = 0; !c->gone && i < 5000; i++)
		CHECK_NUM(fiber_sleep(clock_in(1)), OK);
	CHECK(c->gone);
	arena_free(&c->arena);
}

static inline void send_octets(struct client *c, struct str octets)
{
	io_put(c->io, octets);
	CHECK_NUM(io_flush(c->io), OK);
}
#define say(c, text) send_octets((c), S(text "\r\n"))

static inline bool read_line(struct client *c, struct str *out)
{
	enum err e = io_line(c->io, c->arena, 16384, out);

	*out = e ? S("(closed)") : *out;
	return !e;
}

static inline bool rig_starts(struct str got, const char *want, const char *file, int line)
{
	if (check_that(str_starts(got, str_of(want)), file, line, want))
		return true;
	fprintf(stderr, "  got \"%.*s\"\n", FMT(got));
	return false;
}

/* A whole SMTP reply, whose last line begins so. */
#define expect(c, want) expect_at((c), (want), __FILE__, __LINE__)
static inline bool expect_at(struct client *c, const char *want, const char *file, int line)
{
	struct buf all = buf_new(64 * 1024);
	struct str s;

	do {
		read_line(c, &s);
		buf_put(&all, s);
		buf_c(&all, '\n');
	} while (s.n > 3 && s.p[3] == '-');
	c->reply = str_dup(c->arena, buf_str(&all));
	buf_free(&all);
	return rig_starts(s, want, file, line);
}

/* One line that begins so. */
#define expect_line(c, want) expect_line_at((c), (want), __FILE__, __LINE__)
static inline bool expect_line_at(struct client *c, const char *want, const char *file, int line)
{
	read_line(c, &c->reply);
	return rig_starts(c->reply, want, file, line);
}

#define expect_closed(c) expect_closed_at((c), __FILE__, __LINE__)
static inline void expect_closed_at(struct client *c, const char *file, int line)
{
	struct str s;

	check_that(!read_line(c, &s), file, line, "the server closes");
}

static inline bool reply_has(struct client *c, const char *text)
{
	return str_find_str(c->reply, str_of(text)) < c->reply.n;
}

/* --- what is in the mailboxes --- */

static inline uint32_t stored(uint32_t account, const char *mailbox)
{
	struct mailbox_info info = { 0 };
	enum err e = box_status(rig.store, account, str_of(mailbox), rig.arena, &info);

	CHECK_NUM(e, OK);
	return info.messages;
}

/* The octets of the message with this number; "" if there is none. */
static inline struct str message(uint32_t account, uint32_t number)
{
	struct str text = S("");
	struct box *b;
	struct msg m;

	CHECK_NUM(box_open(rig.store, account, S("INBOX"), &b), OK);
	if (box_get(b, box_uid(b, number), &m) == OK)
		CHECK_NUM(box_read(b, &m, 0, 1 << 20, rig.arena, &text), OK);
	box_close(&b);
	return text;
}

static inline bool message_has(uint32_t account, uint32_t number, const char *text)
{
	struct str s = message(account, number);

	return str_find_str(s, str_of(text)) < s.n;
}

static inline void fill(uint32_t account, const char *text, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		struct incoming *in = incoming_new(rig.store);
		struct delivery d = { .account = account };

		CHECK_NUM(incoming_write(in, str_of(text)), OK);
		CHECK_NUM(incoming_finish(in), OK);
		box_deliver(rig.store, in, &d, 1);
		CHECK_NUM(d.result, OK);
		incoming_close(&in);
	}
}

/* --- set-up --- */

static inline struct str rig_pem(BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	struct str s = str_dup(rig.arena, STR(p, (size_t)n));

	BIO_free(bio);
	return s;
}

static inline void rig_tls(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *cert = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_mem());
	struct str why;

	X509_set_version(x, 2);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
				   (const unsigned char *)"mail.example.test", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_EXTENSION *names =
		X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:mail.example.test");

	X509_add_ext(x, names, -1);
	X509_EXTENSION_free(names);
	X509_sign(x, key, EVP_sha256());
	PEM_write_bio_X509(cert, x);
	PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL);
	X509_free(x);
	EVP_PKEY_free(key);
	struct str cert_pem = rig_pem(cert), key_pem = rig_pem(secret);

	CHECK_NUM(tls_server_new(cert_pem, key_pem, rig.arena, &rig.server_tls, &why), OK);
	rig.cert_pem = cert_pem;
	rig.client_tls = tls_client_new();
}

static inline void rig_open(void (*serve)(struct io *io, int kind))
{
	struct str why;

	rig = (struct rig){ .arena = arena_new(64 << 20),
			    .serve = serve,
			    .login_ip = "192.0.2.1",
			    .sending_max = 1000 };
	CHECK_NUM(store_open(S("mem:"), rig.arena, &rig.store, &why), OK);
	for (uint32_t account = 1; account <= 4; account++)
		CHECK_NUM(box_account_create(rig.store, account), OK);
	rig.group = group_new();
	rig_tls();
}

static inline void rig_close(void)
{
	group_close(&rig.group);
	store_close(&rig.store);
	tls_release(&rig.server_tls);
	tls_release(&rig.client_tls);
	arena_free(&rig.arena);
}

static inline void rig_quiet(void *arg, struct str line)
{
	(void)arg, (void)line;
}

#endif
