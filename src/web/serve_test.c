/* SPDX-License-Identifier: ISC */
/*
 * Tests of whole requests, with a keeper of few words in this file: what is told while it does
 * not answer, how long a form is good for, that no page lets a value through as markup.
 */
#include <sys/socket.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "box/box.h"
#include "check.h"
#include "fiber/io.h"
#include "queue/expect.h"
#include "queue/receipt.h"
#include "web/web_priv.h"

#define EVIL "<i>\"'&{x}[[y||z]]"

static struct arena *a;
static struct web *web;
static struct store *st;
static enum err keeper_says; /* to each call */
static struct str word;      /* of a new password, an invitation, the service */
static bool is_closed;

/* --- the keeper --- */

enum err keeper_domain(struct keeper *k, struct str domain)
{
	(void)k;
	return keeper_says ? keeper_says : str_iis(domain, "example.test") ? OK : E_NOTFOUND;
}

enum err keeper_standing(struct keeper *k, struct str ip, struct standing *out)
{
	(void)k, (void)ip;
	*out = (struct standing){ .rules = lockout_rules_default() };
	if (is_closed) {
		out->state = LOCKOUT_BLOCKED;
		out->until = clock_wall() + 1200;
	}
	return keeper_says == E_AGAIN ? E_AGAIN : OK;
}

static enum err judge(struct change *out)
{
	*out = (struct change){ word, S(EVIL "de"), S(EVIL "en"), 3, S(EVIL), S(EVIL) };
	return keeper_says;
}

enum err keeper_change_password(struct keeper *k, const struct login_try *t, struct str fresh,
				struct arena *arena, struct change *out)
{
	(void)k, (void)fresh, (void)arena;
	CHECK_STR(t->ip, "192.0.2.1");
	return judge(out);
}

enum err keeper_judge(struct keeper *k, struct str user, struct str password, struct arena *arena,
		      struct change *out)
{
	(void)k, (void)user, (void)password, (void)arena;
	return judge(out);
}

enum err keeper_join(struct keeper *k, struct str token, struct str password, struct str ip,
		     struct arena *arena, struct change *out)
{
	(void)k, (void)token, (void)password, (void)ip, (void)arena;
	return judge(out);
}

enum err keeper_invitation(struct keeper *k, struct str token, struct arena *arena,
			   struct invited *out)
{
	(void)k, (void)arena;
	*out = (struct invited){ .said = { S("unknown"), S(EVIL), S(EVIL) } };
	if (str_is(token, "good"))
		*out = (struct invited){
			{ S("ok"), S(""), S("") }, S(EVIL "@example.test"), 1, 1 << 30
		};
	return keeper_says;
}

enum err keeper_service(struct keeper *k, struct arena *arena, struct service_says *out)
{
	(void)k, (void)arena;
	*out = (struct service_says){ word,
				      { S("ok"), S(EVIL), S(EVIL) },
				      { word, S(EVIL), S(EVIL) } };
	return keeper_says;
}

/* What an owner is told who has proved himself. */
static struct said owner = { STR("ok", 2), STR("", 0), STR("", 0) };

enum err keeper_apps(struct keeper *k, const struct login_try *t, struct arena *arena,
		     struct said *said, struct own_app **out, size_t *n)
{
	(void)k, (void)t, (void)arena, (void)out;
	*n = 0;
	*said = owner;
	return keeper_says;
}

enum err keeper_logins(struct keeper *k, const struct login_try *t, struct arena *arena,
		       struct said *said, struct recent_login **out, size_t *n)
{
	(void)k, (void)t, (void)arena, (void)out;
	*n = 0;
	*said = owner;
	return keeper_says;
}

enum err keeper_sessions(struct keeper *k, const struct login_try *t, struct arena *arena,
			 struct said *said, struct session_row **out, size_t *n)
{
	(void)k, (void)t, (void)arena, (void)out;
	*n = 0;
	*said = owner;
	return keeper_says;
}

static enum err say(struct said *out)
{
	*out = (struct said){ S("ok"), S(""), S("") };
	return keeper_says;
}

enum err keeper_app_add(struct keeper *k, const struct login_try *t, struct str name,
			struct str protocols, struct arena *arena, struct said *out,
			struct str *password)
{
	(void)k, (void)t, (void)name, (void)protocols, (void)arena;
	*password = S("x");
	return say(out);
}

enum err keeper_app_delete(struct keeper *k, const struct login_try *t, struct str name,
			   struct arena *arena, struct said *out)
{
	(void)k, (void)t, (void)name, (void)arena;
	return say(out);
}

enum err keeper_guarantees(struct keeper *k, const struct login_try *t, struct arena *arena,
			   struct said *said, struct own_guarantees *out)
{
	(void)k, (void)t, (void)arena;
	*out = (struct own_guarantees){ { GUARANTEE_AUTHENTICATED, false },
					{ GUARANTEE_NONE, true } };
	*said = owner;
	return keeper_says;
}

enum err keeper_guarantees_set(struct keeper *k, const struct login_try *t, struct str sending,
			       struct str receiving, struct arena *arena, struct said *said,
			       struct own_guarantees *out)
{
	CHECK_STR(sending, "encrypted");
	CHECK_STR(receiving, "any");
	return keeper_guarantees(k, t, arena, said, out);
}

enum err keeper_logout(struct keeper *k, const struct login_try *t, struct arena *arena,
		       struct said *out)
{
	(void)k, (void)t, (void)arena;
	return say(out);
}

enum err keeper_login(struct keeper *k, const struct login_try *t, struct arena *arena,
		      struct login *out)
{
	(void)k, (void)arena;
	CHECK_STR(str_of(t->proto), "imap");
	*out = (struct login){ .account = 1 };
	return keeper_says;
}

enum err keeper_may_send(struct keeper *k, uint32_t account, struct path from, struct arena *arena,
			 struct str *reason, enum guarantee *least)
{
	(void)k, (void)arena;
	CHECK(account == 1 && !from.local.n && !from.domain.n);
	*reason = S_NONE;
	*least = GUARANTEE_ENCRYPTED;
	return keeper_says;
}

enum err keeper_numbers(struct keeper *k, struct keeper_numbers *out)
{
	(void)k;
	*out = (struct keeper_numbers){ .started = 1 };
	return keeper_says;
}

/* --- one request --- */

struct asking {
	int fd;
	enum web_side side;
};

static void serve(void *arg)
{
	struct asking *s = arg;
	struct io *io = io_new(s->fd);

	web_serve(web, s->side, io);
	io_close(&io);
}

static void put(struct buf *b, const char *name, struct str value)
{
	if (!value.p)
		return;
	buf_put(b, str_of(name));
	buf_c(b, '\0');
	buf_put(b, value);
	buf_c(b, '\0');
}

/* The whole answer; body NULL: GET. */
static struct str ask(enum web_side side, const char *uri, const char *body, struct str cookie,
		      const char *languages)
{
	struct buf head = buf_new(8192), all = buf_new(1 << 20);
	struct str text = str_of(body), part;
	struct group *g = group_new();
	int fd[2];

	put(&head, "CONTENT_LENGTH", str_fmt(a, "%zu", text.n));
	put(&head, "SCGI", S("1"));
	put(&head, "REQUEST_METHOD", body ? S("POST") : S("GET"));
	put(&head, "REQUEST_URI", str_of(uri));
	put(&head, "CONTENT_TYPE", S("application/x-www-form-urlencoded"));
	put(&head, "REMOTE_ADDR", S("192.0.2.1"));
	put(&head, "HTTP_COOKIE", cookie);
	put(&head, "HTTP_ACCEPT_LANGUAGE", str_of(languages));
	CHECK_NUM(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
	struct asking s = { fd[0], side };
	struct io *io = io_new(fd[1]);
	CHECK_NUM(group_spawn(g, "serve", serve, &s), OK);
	io_fmt(io, "%zu:", head.n);
	io_put(io, buf_str(&head));
	io_put(io, S(","));
	io_put(io, text);
	CHECK_NUM(io_flush(io), OK);
	while (io_some(io, 65536, &part) == OK)
		buf_put(&all, part);
	io_close(&io);
	group_close(&g);
	memset(&web->rates, 0, sizeof web->rates);
	struct str got = str_dup(a, buf_str(&all));
	buf_free(&all);
	buf_free(&head);
	return got;
}

static bool has(struct str s, const char *what)
{
	return str_find_str(s, str_of(what)) < s.n;
}

static unsigned status(struct str answer)
{
	struct scan in = scan(answer);

	scan_lit(&in, "Status: ");
	return (unsigned)scan_num(&in, 999);
}

/* What stands behind `mark`, up to `stop`. */
static struct str behind(struct str s, const char *mark, char stop)
{
	s = str_from(s, str_find_str(s, str_of(mark)) + strlen(mark));
	return str_part(s, 0, str_find(s, stop));
}

/* --- tests --- */

static const char *const public[] = { "/",
				      "/access",
				      "/password",
				      "/lockout",
				      "/service",
				      "/transport",
				      "/setup",
				      "/join",
				      "/join?invitation=good",
				      "/join?invitation=bad",
				      "/nowhere" };

static void test_pages(void)
{
	static const char *const words[] = { "open", "closed", "read-only", "ended" };

	for (size_t i = 0; i < LENGTH(public); i++) {
		for (size_t w = 0; w < LENGTH(words); w++) {
			word = str_of(words[w]);
			is_closed = w & 1;
			struct str s =
				ask(WEB_PUBLIC, public[i], NULL, S_NONE, w & 2 ? "de" : "en");
			CHECK(status(s) == 200 ||
			      status(s) ==
				      (has(s, "no such") || has(s, "gibt es nicht") ? 404 : 403));
			CHECK(has(s, "</html>") && !has(s, "<i>"));
			CHECK(has(s, w & 2 ? "<html lang=\"de\">" : "<html lang=\"en\">"));
		}
	}
	is_closed = false;
}

/* The keeper is just being started: each page says so, or does without it. */
static void test_no_keeper(void)
{
	static const struct {
		const char *uri;
		unsigned status;
	} table[] = {
		{ "/", 200 },
		{ "/access", 200 },
		{ "/lockout", 503 },
		{ "/service", 503 },
		{ "/join", 503 },
		{ "/join?invitation=good", 503 },
		{ "/mail/config-v1.1.xml?emailaddress=x@example.test", 503 },
		{ "/setup/apple.mobileconfig?email=x@example.test", 503 },
	};
	static const char *const mine = "user=u&password=p&addr=192.0.2.1";

	keeper_says = E_AGAIN;
	for (size_t i = 0; i < LENGTH(table); i++)
		CHECK_NUM(status(ask(WEB_PUBLIC, table[i].uri, NULL, S_NONE, "de")),
			  table[i].status);
	CHECK_NUM(status(ask(WEB_INTERNAL, "/health", NULL, S_NONE, NULL)), 503);
	CHECK(has(ask(WEB_INTERNAL, "/metrics", NULL, S_NONE, NULL), "tecsmail_keeper_up 0\n"));
	CHECK(has(ask(WEB_INTERNAL, "/internal/judge", "user=u&new=n", S_NONE, NULL), "\"again\""));
	CHECK(has(ask(WEB_INTERNAL, "/internal/apps/list", mine, S_NONE, NULL), "\"again\""));
	keeper_says = E_LIMIT; /* closed when it was asked, open again by now */
	CHECK(has(ask(WEB_INTERNAL, "/internal/apps/list", mine, S_NONE, NULL), "\"again\""));
	is_closed = true;
	CHECK(has(ask(WEB_INTERNAL, "/internal/logins", mine, S_NONE, NULL), "\"closed\""));
	is_closed = false;
	keeper_says = E_DENIED;
	CHECK(has(ask(WEB_INTERNAL, "/internal/logout", mine, S_NONE, NULL), "\"denied\""));
	keeper_says = OK;
	CHECK(has(ask(WEB_INTERNAL, "/internal/logout", mine, S_NONE, NULL), "\"ok\""));
	CHECK(has(ask(WEB_INTERNAL, "/internal/service", "", S_NONE, NULL), "\"notice\":{\"de\":"));
	CHECK(has(ask(WEB_INTERNAL, "/internal/service", "user=u", S_NONE, NULL), "\"bad\""));
	owner = (struct said){ S("locked"), S("gesperrt"), S("locked, sorry") };
	static const char *const pages[] = { "/internal/apps/list", "/internal/logins",
					     "/internal/sessions", "/internal/guarantees" };
	for (size_t i = 0; i < LENGTH(pages); i++) {
		struct str said = ask(WEB_INTERNAL, pages[i], mine, S_NONE, NULL);
		CHECK(has(said, "\"refused\"") && has(said, "\"locked, sorry\""));
	}
	owner = (struct said){ S("ok"), S(""), S("") };
	CHECK(has(ask(WEB_INTERNAL, "/internal/guarantees/set",
		      "user=u&password=p&addr=192.0.2.1&sending=encrypted&receiving=any", S_NONE,
		      NULL),
		  "{\"own\":{\"sending\":\"authenticated\",\"receiving\":\"any\"},"
		  "\"least\":{\"sending\":\"none\",\"receiving\":\"encrypted\"},"
		  "\"result\":\"ok\"}"));
	CHECK(has(ask(WEB_INTERNAL, "/internal/guarantees/set", mine, S_NONE, NULL), "\"bad\""));
}

/* A form of this browser is taken for two hours, by this page, and by no other. */
static void test_tokens(void)
{
	word = S("ok");
	struct str form = ask(WEB_PUBLIC, "/password", NULL, S_NONE, "en");
	struct str cookie = str_fmt(a, "__Host-form=%.*s", FMT(behind(form, "__Host-form=", ';')));
	struct str token = behind(form, "name=\"token\" value=\"", '"');
	const char *body = str_c(
		a, str_fmt(a, "user=%%3Ci%%3E&password=p&new=n&again=n&token=%.*s", FMT(token)));
	const char *join =
		str_c(a, str_fmt(a, "invitation=good&new=n&again=n&token=%.*s", FMT(token)));

	CHECK_NUM(status(ask(WEB_PUBLIC, "/password", body, cookie, "en")), 200);
	CHECK_NUM(status(ask(WEB_PUBLIC, "/password", body, S_NONE, "en")), 403);
	CHECK_NUM(status(ask(WEB_PUBLIC, "/join", join, cookie, "en")), 403);
	/* The cookie stays the browser's. */
	CHECK(!has(ask(WEB_PUBLIC, "/password", NULL, cookie, "en"), "Set-Cookie"));
	clock_fake_step(7190 * 1000);
	CHECK_NUM(status(ask(WEB_PUBLIC, "/password", body, cookie, "en")), 200);
	clock_fake_step(20 * 1000);
	struct str late = ask(WEB_PUBLIC, "/password", body, cookie, "en");
	CHECK_NUM(status(late), 403);
	CHECK(has(late, "open for too long") && !has(late, "<i>"));
	clock_fake_step(-8000 * 1000); /* made in the future */
	CHECK_NUM(status(ask(WEB_PUBLIC, "/password", body, cookie, "en")), 403);
	clock_fake_step(800 * 1000);
	word = S("leaked");
	struct str refused = ask(WEB_PUBLIC, "/password", body, cookie, "de");
	CHECK_NUM(status(refused), 422);
	CHECK(has(refused, "&lt;i&gt;") && !has(refused, "<i>"));
}

static void test_join(void)
{
	struct str form = ask(WEB_PUBLIC, "/join?invitation=good", NULL, S_NONE, "en");
	struct str cookie = str_fmt(a, "__Host-form=%.*s", FMT(behind(form, "__Host-form=", ';')));
	struct str token = behind(form, "name=\"token\" value=\"", '"');
	const char *body =
		str_c(a, str_fmt(a, "invitation=good&new=n&again=n&token=%.*s", FMT(token)));
	const char *gone =
		str_c(a, str_fmt(a, "invitation=gone&new=n&again=n&token=%.*s", FMT(token)));

	CHECK(has(form, "1024 MiB"));
	word = S("ok");
	CHECK_NUM(status(ask(WEB_PUBLIC, "/join", body, cookie, "en")), 200);
	CHECK_NUM(status(ask(WEB_PUBLIC, "/join", gone, cookie, "en")), 403);
	word = S("too_short");
	CHECK_NUM(status(ask(WEB_PUBLIC, "/join", body, cookie, "en")), 422);
	word = S("exists");
	CHECK_NUM(status(ask(WEB_PUBLIC, "/join", body, cookie, "en")), 403);
	keeper_says = E_AGAIN;
	CHECK_NUM(status(ask(WEB_PUBLIC, "/join", body, cookie, "en")), 503);
	keeper_says = OK;
}

#define MINE "user=u&password=p&addr=192.0.2.1"

static void test_receipts(void)
{
	struct receipt_row row[] = {
		{ .address = S("eve@far.test"),
		  .state = RECEIPT_DELIVERED,
		  .way = RECEIPT_DANE,
		  .when = 1790000000,
		  .tries = 1,
		  .code = 250,
		  .status = { 2, 0, 0 },
		  .text = S("ok"),
		  .host = S("mx.far.test"),
		  .tls = S("TLSv1.3") },
		{ .address = S("tim@far.test"),
		  .state = RECEIPT_FAILED,
		  .way = RECEIPT_PLAIN,
		  .when = 1790000000,
		  .code = 550,
		  .status = { 5, 1, 1 },
		  .text = S("no " EVIL) },
	};
	struct receipt r = { .id = S("1@x"), .row = row, .n = LENGTH(row) };

	CHECK_NUM(receipt_write(st, 1, &r, 1790000000), OK);
	struct str got =
		ask(WEB_INTERNAL, "/internal/receipt", MINE "&id=%3C1%40x%3E", S_NONE, NULL);
	CHECK(has(got, "\"way\":\"dane\"") && has(got, "\"status\":\"5.1.1\""));
	CHECK(has(got, "There is no such address there.") && has(got, "\"more\":false"));
	/* What is no good news comes first. */
	CHECK(str_find_str(got, S("tim@")) < str_find_str(got, S("eve@")));
	got = ask(WEB_INTERNAL, "/internal/receipt", MINE "&id=2@x", S_NONE, NULL);
	CHECK(has(got, "\"ok\"") && has(got, "\"recipients\":[]"));
	CHECK(has(ask(WEB_INTERNAL, "/internal/receipt", MINE, S_NONE, NULL), "\"bad\""));
	keeper_says = E_DENIED;
	got = ask(WEB_INTERNAL, "/internal/receipt", MINE "&id=1@x", S_NONE, NULL);
	CHECK(has(got, "\"denied\"") && !has(got, "eve@"));
	keeper_says = OK;
}

/* The longest texts of the most recipients: an answer, and no more than a page of them. */
static void test_many_receipts(void)
{
	struct receipt_row *row = ARENA_ARRAY(a, struct receipt_row, RECEIPT_ROWS_MAX);
	struct receipt r = { .id = S("many@x"), .row = row, .n = RECEIPT_ROWS_MAX };
	char *octets = arena_alloc(a, RECEIPT_TEXT_MAX);
	struct str t = STR(octets, RECEIPT_TEXT_MAX);

	memset(octets, '"', t.n);
	for (unsigned i = 0; i < RECEIPT_ROWS_MAX; i++)
		row[i] = (struct receipt_row){ .address = str_fmt(a, "%04u%.*s", i, FMT(t)),
					       .when = 1,
					       .code = 450,
					       .text = t,
					       .host = t,
					       .ip = t,
					       .tls = t,
					       .cipher = t,
					       .group = t };
	CHECK_NUM(receipt_write(st, 1, &r, 1790000000), OK);
	struct str got = ask(WEB_INTERNAL, "/internal/receipt", MINE "&id=many@x", S_NONE, NULL);
	CHECK(status(got) == 200 && has(got, "\"more\":true") && has(got, "\"0099") &&
	      !has(got, "\"0100"));
}

static void test_expectations(void)
{
	const struct expect dane = { .domain = S("far.test"),
				     .looked = clock_wall(),
				     .until = clock_wall() + 100,
				     .proof = EXPECT_DANE };
	struct str out[1];
	size_t n;

	CHECK_NUM(expect_write(st, &dane, 1, clock_wall()), OK);
	struct str got =
		ask(WEB_INTERNAL, "/internal/expect",
		    MINE "&domains=FAR.test,example.test,new.test,no_domain..x,b%C3%BCcher.test",
		    S_NONE, NULL);
	CHECK(has(got, "{\"domain\":\"FAR.test\",\"level\":\"authenticated\",\"proof\":\"dane\""));
	CHECK(has(got, "{\"domain\":\"example.test\",\"level\":\"here\""));
	CHECK(has(got, "\"new.test\",\"level\":\"unknown\"") && has(got, "\"pending\":true"));
	CHECK(has(got, "\"no_domain..x\",\"level\":\"nowhere\""));
	CHECK(has(got, "\"b\xc3\xbc"
		       "cher.test\",\"level\":\"unknown\""));
	CHECK_NUM(expect_wanted(st, a, clock_wall(), out, 1, &n), OK);
	CHECK(n == 1 && str_is(out[0], "new.test"));
	CHECK(has(ask(WEB_INTERNAL, "/internal/expect", MINE "&domains=", S_NONE, NULL),
		  "\"domains\":[],\"sending\":\"encrypted\""));
	/* Nobody looks the whole world up: asking again for the same costs nothing. */
	for (unsigned i = 0; i < 60; i++) {
		const char *body = str_c(a, str_fmt(a, MINE "&domains=new.test,d%u.test", i));

		got = ask(WEB_INTERNAL, "/internal/expect", body, S_NONE, NULL);
		CHECK(has(got, "\"pending\":true"));
		CHECK(has(str_from(got, str_find_str(got, S("\"d"))), "\"pending\":false") ==
		      (i >= 38));
	}
}

/* --- set-up --- */

static struct str pem(BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	struct str s = str_dup(a, STR(p, (size_t)n));

	BIO_free(bio);
	return s;
}

static void open_web(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *cert = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_mem());
	struct web_conf c = { .hostname = S("mail.example.test"),
			      .server = S("mail.example.test"),
			      .provider = S(EVIL),
			      .url = S("https://mail.example.test"),
			      .webmail = S("/webmail/"),
			      .location_de = S(EVIL),
			      .location_en = S(EVIL),
			      .port = { [WEB_IMAPS] = 993, [WEB_SUBMISSION] = 587 },
			      .password_min = 8,
			      .password_classes = 2 };
	struct str why;

	X509_set_version(x, 2);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_sign(x, key, EVP_sha256());
	PEM_write_bio_X509(cert, x);
	PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL);
	X509_free(x);
	EVP_PKEY_free(key);
	c.certificate = pem(cert);
	c.key = pem(secret);
	CHECK_NUM(web_new(&c, NULL, st, a, &web, &why), OK);
	c.key = S("");
	struct web *none;
	CHECK_NUM(web_new(&c, NULL, st, a, &none, &why), E_SYNTAX);
	CHECK(!none && why.n);
}

static void run(void *arg)
{
	(void)arg;
	a = arena_new(64 << 20);
	clock_fake_step(0);
	struct str why;
	CHECK_NUM(store_open(S("mem:"), a, &st, &why), OK);
	CHECK_NUM(box_account_create(st, 1), OK);
	open_web();
	test_pages();
	test_no_keeper();
	test_tokens();
	test_join();
	test_receipts();
	test_many_receipts();
	test_expectations();
	web_free(&web);
	store_close(&st);
	arena_free(&a);
}

static void quiet(void *arg, struct str line)
{
	(void)arg, (void)line;
}

int main(void)
{
	log_capture(quiet, NULL);
	fiber_main(run, NULL);
	return check_done();
}
