/* SPDX-License-Identifier: ISC */
/* What an operator may write, and what he is told where it is wrong. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "guard/lockout.h"
#include "guard/slow.h"
#include "proc/dns_conf.h"
#include "proc/outward.h"
#include "proc/value.h"

static struct arena *a;

static void wrong(const char *text, const char *want)
{
	struct config c;
	struct str why = S_NONE;

	CHECK_NUM(config_parse(S("/etc/t.conf"), str_of(text), a, &c, &why), E_SYNTAX);
	CHECK_STR(why, want);
}

static void test_wrong(void)
{
	wrong("hostnam = x\n", "/etc/t.conf:1: no such option 'hostnam'");
	wrong("\n\nlimits {\n\tmessage_size = big\n}\n",
	      "/etc/t.conf:4: message_size: \"big\" is not a size like 50M (K, M, G, T)");
	wrong("limits {\n\tidle = 5\n}\n",
	      "/etc/t.conf:2: idle: \"5\" is not a time like 30s (ms, s, min, h, d)");
	wrong("log = loud\n", "/etc/t.conf:1: log: \"loud\" is not debug, info, warn or error");
	wrong("listen {\n\n imap = {\"1.2.3.4:143\", \"imap\"}\n}\n",
	      "/etc/t.conf:3: imap: \"imap\" is not ADDRESS:PORT");
	wrong("listen { imap_internal = {\"127.0.0.1:143\"} }",
	      "/etc/t.conf:1: imap_internal: \"127.0.0.1:143\" is not the path of a socket");
	wrong("listen { submission_internal = {\"run/smtp\"} }",
	      "/etc/t.conf:1: submission_internal: \"run/smtp\" is not the path of a socket");
	wrong("listen { imap = {\"mail.test:143\"} }",
	      "/etc/t.conf:1: imap: \"mail.test:143\" is not a numeric address, or *, with :PORT");
	wrong("hostname = x\nlimits {\n\thops = 3\n", "/etc/t.conf:4: a section is not closed");
	wrong("hostname = x\n}\n", "/etc/t.conf:2: unexpected closing brace");
	wrong("password_min = 9\n", "/etc/t.conf:1: no such option 'password_min'");
	wrong("hostname = \"\"\n",
	      "/etc/t.conf:1: hostname: \"\" is not a host name like mail.example.org");
	wrong("hostname = \"a b\"\n",
	      "/etc/t.conf:1: hostname: \"a b\" is not a host name like mail.example.org");
	wrong("store = rados\n", "/etc/t.conf:1: store: \"rados\" is not lmdb:FOLDER");
	wrong("postmaster = anna\n",
	      "/etc/t.conf:1: postmaster: \"anna\" is not an address (user@domain)");
	wrong("detail = \"+@\"\n", "/etc/t.conf:1: detail: \"+@\" is not made of signs like + - _");
	wrong("\nlimits { recipients = 0 }\n",
	      "/etc/t.conf:2: recipients: \"0\" is not at least 1");
	wrong("limits { message_size = 20 }\n",
	      "/etc/t.conf:1: message_size: \"20\" is not at least 64K");
	wrong("password { require_classes = 5 }\n",
	      "/etc/t.conf:1: require_classes: \"5\" is not at most 4");
	wrong("password { rehash = maybe }", "/etc/t.conf:1: rehash: \"maybe\" is not yes or no");
	wrong("sending { guarantee = any }", "/etc/t.conf:1: guarantee: \"any\" is not none, "
					     "encrypted or authenticated");
	wrong("receiving { guarantee = none }",
	      "/etc/t.conf:1: guarantee: \"none\" is not any or encrypted");
	wrong("lockout { errors = 0 }", "/etc/t.conf:1: errors: \"0\" is not at least 1");
	wrong("password { min_length = 129 }",
	      "/etc/t.conf:1: min_length: \"129\" is not at most 128");
	wrong("lockout { errors = 21 }", "/etc/t.conf:1: errors: \"21\" is not at most 20");
	wrong("lockout { window = 500ms }", "/etc/t.conf:1: window: \"500ms\" is not at least 1s");
	wrong("lockout { ban = 10000d }", "/etc/t.conf:1: ban: \"10000d\" is not at most 366d");
	wrong("lockout { slow_after = 25 }", "/etc/t.conf:1: slow_after: \"25\" is not at most 24");
	wrong("lockout { slow_max = 1min }",
	      "/etc/t.conf:1: slow_max: \"1min\" is not at most 15s");
	wrong("lockout { prefix6 = 129 }", "/etc/t.conf:1: prefix6: \"129\" is not at most 128");
	wrong("lockout {\n exempt = {\"192.0.2.0/24\",\n \"192.0.2.0/33\"}\n}",
	      "/etc/t.conf:3: exempt: \"192.0.2.0/33\" is not ADDRESS or ADDRESS/BITS, like "
	      "192.0.2.0/24");
	wrong("lockout { exempt = {\"mail.test\"} }",
	      "/etc/t.conf:1: exempt: \"mail.test\" is not ADDRESS or ADDRESS/BITS, like "
	      "192.0.2.0/24");
	wrong("listen { web = {\"127.0.0.1:80\"} }",
	      "/etc/t.conf:1: web: \"127.0.0.1:80\" is not the path of a socket");
	wrong("web { url = \"http://mail.test\" }",
	      "/etc/t.conf:1: url: \"http://mail.test\" is not like https://mail.example.org");
	wrong("web { url = \"https://mail.test/\" }",
	      "/etc/t.conf:1: url: \"https://mail.test/\" is not like https://mail.example.org");
	wrong("web { webmail = \"//elsewhere.test/\" }",
	      "/etc/t.conf:1: webmail: \"//elsewhere.test/\" is not a path or a URL");
	wrong("web { webmail = \"javascript:x\" }",
	      "/etc/t.conf:1: webmail: \"javascript:x\" is not a path or a URL");
	wrong("web {\n published = {\"imaps:993\",\n \"smtp:25\"}\n}",
	      "/etc/t.conf:3: published: \"smtp:25\" is not like imaps:993");
	wrong("web { server = \"a b\" }",
	      "/etc/t.conf:1: server: \"a b\" is not a host name like imap.example.org");
	wrong("web { name = \"\xfc\" }", "/etc/t.conf:1: name: \"\xfc\" is not one line of UTF-8");
	wrong("mta_sts { mode = on }",
	      "/etc/t.conf:1: mode: \"on\" is not enforce, testing, none or off");
	wrong("mta_sts { max_age = 1h }", "/etc/t.conf:1: max_age: \"1h\" is not at least 1d");
	wrong("workers { mx = -1 }", "/etc/t.conf:1: mx: \"-1\" is not a number up to 1000000");
}

static void test_wrong_ways(void)
{
	wrong("dns { forward = {\"192.0.2.1\"} }",
	      "/etc/t.conf:1: forward: \"192.0.2.1\" is not a numeric address with :PORT");
	wrong("dns { forward = {\"*:53\"} }",
	      "/etc/t.conf:1: forward: \"*:53\" is not a numeric address with :PORT");
	wrong("dns { stub = {\"a.test\"} }",
	      "/etc/t.conf:1: stub: \"a.test\" is not like intern.example.org=192.0.2.53:53");
	wrong("dns { stub = {\"a..test=192.0.2.1:53\"} }",
	      "/etc/t.conf:1: stub: \"a..test=192.0.2.1:53\" is not like "
	      "intern.example.org=192.0.2.53:53");
	wrong("outbound { own = {\"a b\"} }",
	      "/etc/t.conf:1: own: \"a b\" is not a host name or an address");
	wrong("outbound { require = {\"a.test\"} }",
	      "/etc/t.conf:1: require: \"a.test\" is not like *.example.org:encrypted");
	wrong("outbound { require = {\"a.test:much\"} }",
	      "/etc/t.conf:1: require: \"a.test:much\" is not like *.example.org:encrypted");
	wrong("outbound { require = {\"a*.test:none\"} }",
	      "/etc/t.conf:1: require: \"a*.test:none\" is not like *.example.org:encrypted");
	wrong("outbound { smarthosts = {\"*:relay.test\"} }",
	      "/etc/t.conf:1: smarthosts: \"*:relay.test\" is not like *:[relay.example.net]:587");
	wrong("outbound { smarthosts = {\"relay.test:587\"} }",
	      "/etc/t.conf:1: smarthosts: \"relay.test:587\" is not like "
	      "*:[relay.example.net]:587");
}

static void test_good(void)
{
	struct config c;
	struct str why = S_NONE;

	CHECK_NUM(
		config_parse(
			S("/srv/m/t.conf"),
			S("# a comment\nhostname = mail.example.test\nstate = data\n"
			  "listen {\n imaps = {\"127.0.0.1:10993\", \"[::1]:10993\"}\n pop3 "
			  "= {}\n submission_internal = {\"/run/t/smtp\"}\n}\n"
			  "web {\n internal_group = web\n published = {\"imaps:993\"}\n"
			  " webmail = \"https://web.test/\"\n}\n"
			  "password {\n require_classes = 3\n rehash = no\n leaked = pwned.txt\n}\n"
			  "lockout {\n errors = 3\n window = 5s\n count_repeats = no\n"
			  " exempt = {\"192.0.2.0/24\", \"2001:db8::/32\", \"203.0.113.5\"}\n"
			  " kernel = no\n deny_file = deny.conf\n}\n"
			  "sending {\n guarantee = encrypted\n}\n"
			  "limits {\n message_size = 20M\n idle = 45min\n}\n"),
			a, &c, &why),
		OK);
	CHECK_STR(c.hostname, "mail.example.test");
	CHECK_STR(c.state, "/srv/m/data");
	CHECK_STR(c.store, "lmdb:/srv/m/data/store");
	CHECK_STR(c.control, "/srv/m/data/run/control");
	CHECK_STR(c.certificate, "/srv/m/tls/cert.pem");
	CHECK_NUM(c.imaps.n, 2);
	CHECK_STR(c.imaps.item[1], "[::1]:10993");
	CHECK_NUM(c.pop3.n, 0);
	CHECK_NUM(c.imap_internal.n, 0);
	CHECK_NUM(c.submission_internal.n, 1);
	CHECK_STR(c.submission_internal.item[0], "/run/t/smtp");
	CHECK_STR(c.internal_group, "web");
	CHECK_NUM(c.web_published.n, 1);
	CHECK_STR(c.web_published.item[0], "imaps:993");
	CHECK_STR(c.web_webmail, "https://web.test/");
	CHECK_STR(c.web_url, "");
	CHECK_STR(c.sts_mode, "testing");
	CHECK_STR(c.sending.guarantee, "encrypted");
	CHECK_NUM(c.sending.messages, 1000);
	CHECK_STR(c.receiving.guarantee, "any");
	CHECK_NUM(c.sts_max_age_ms, 7 * 86400000);
	CHECK_NUM(c.imap.n, 1);
	CHECK_STR(c.imap.item[0], "*:143");
	CHECK_NUM(c.message_size, 20 << 20);
	CHECK_NUM(c.idle_ms, 45 * 60000);
	CHECK_NUM(c.recipients, 1000);
	CHECK_NUM(c.password_min, 8);
	CHECK_NUM(c.password_classes, 3);
	CHECK(!c.password_rehash);
	CHECK_STR(c.leaked, "/srv/m/pwned.txt");
	CHECK(c.workers_mx >= 1);
	CHECK_NUM(c.lockout.errors, 3);
	CHECK_NUM(c.lockout.window_ms, 5000);
	CHECK_NUM(c.lockout.exempt.n, 3);
	CHECK(!c.lockout.count_repeats && !c.lockout.kernel);
	CHECK_STR(c.lockout.deny_file, "/srv/m/deny.conf");
}

/* What was promised to the users is what an empty file means. */
static void test_promise(void)
{
	struct lockout_rules r = lockout_rules_default();
	struct str why = S_NONE;
	struct config c;

	CHECK_NUM(config_parse(S("/x"), S(""), a, &c, &why), OK);
	struct slow_rules slow = slow_rules_default();
	CHECK_NUM(c.lockout.slow_after, slow.after);
	CHECK_NUM(c.lockout.slow_max_ms, slow.max_ms);
	CHECK_NUM(c.lockout.errors, r.errors);
	CHECK_NUM(c.lockout.blocks, r.blocks);
	CHECK_NUM(c.lockout.window_ms, 1000 * r.window_s);
	CHECK_NUM(c.lockout.block_ms, 1000 * r.block_s);
	CHECK_NUM(c.lockout.day_ms, 1000 * r.day_s);
	CHECK_NUM(c.lockout.ban_ms, 1000 * r.ban_s);
	CHECK_NUM(c.lockout.prefix6, r.prefix6);
	CHECK(c.lockout.count_repeats == r.count_repeats && c.lockout.kernel);
	CHECK_NUM(c.lockout.exempt.n, 0);
	CHECK_STR(c.lockout.deny_file, "");
	CHECK_NUM(c.per_address, 100);
}

/* The file that `tecsmail config` prints is one that the program takes, and means the same. */
static void test_print(void)
{
	struct buf b = buf_new(64 << 10);
	struct config c, defaults;
	struct str why = S_NONE;

	config_print(&b);
	CHECK(!b.full);
	CHECK_NUM(config_parse(S("/x"), buf_str(&b), a, &c, &why), OK);
	CHECK_STR(why, "");
	CHECK_NUM(config_parse(S("/x"), S(""), a, &defaults, &why), OK);
	CHECK(str_eq(c.state, defaults.state));
	CHECK_NUM(c.smtp.n, defaults.smtp.n);
	CHECK(c.password_rehash);
	CHECK_NUM(c.message_size, defaults.message_size);
	buf_free(&b);
}

static void test_texts(void)
{
	CHECK(value_is_host(S("a-1.example")) && value_is_host(S("localhost")));
	CHECK(!value_is_host(S(".a")) && !value_is_host(S("a..b")) && !value_is_host(S("a.")));
	CHECK(!value_is_host(S("m\303\274.example")) && !value_is_host(S("[192.0.2.1]")));
	CHECK(value_is_store(S("")) && value_is_store(S("lmdb:/srv")) &&
	      !value_is_store(S("lmdb:")));
	CHECK(value_is_address(S("")) && value_is_address(S("a@b.example")));
	CHECK(!value_is_address(S("@b.example")) && !value_is_address(S("a@")));
	CHECK(value_is_detail(S("")) && value_is_detail(S("+-_")) && !value_is_detail(S("x")));
}

/* A folder is no file, and says so. */
static void test_folder(void)
{
	struct config c;
	struct str why = S_NONE;

	CHECK_NUM(config_load(S("/"), a, &c, &why), E_IO);
	CHECK_STR(why, "/: Is a directory");
}

static void test_address(void)
{
	struct str host;
	uint16_t port;

	CHECK(address_split(S("*:25"), &host, &port) && str_is(host, "*") && port == 25);
	CHECK(address_split(S("[::1]:993"), &host, &port) && str_is(host, "::1") && port == 993);
	CHECK(!address_split(S("25"), &host, &port));
	CHECK(!address_split(S("*:0"), &host, &port));
	CHECK(!address_split(S("*:65536"), &host, &port));
}

static void test_dns(void)
{
	struct config c;
	struct str why;

	CHECK_NUM(config_parse(S("/etc/t.conf"),
			       S("dns {\n anchor = keys\n forward = {\"192.0.2.1:53\", "
				 "\"[2001:db8::1]:5353\"}\n stub = {\"in.test=127.0.0.1:5300\", "
				 "\".=[::1]:53\"}\n"
				 " cache = 4M\n}\n"),
			       a, &c, &why),
		  OK);
	struct dns_conf d = config_dns(&c, a);
	CHECK_STR(d.anchor_file, "/etc/keys");
	CHECK(d.nforward == 2 && d.forward[0].port == 53 && d.forward[1].port == 5353);
	CHECK_STR(d.forward[0].ip, "192.0.2.1");
	CHECK_STR(d.forward[1].ip, "2001:db8::1");
	CHECK(d.nstubs == 2 && d.stubs[0].server.port == 5300);
	CHECK_STR(d.stubs[0].zone, "in.test");
	CHECK_STR(d.stubs[0].server.ip, "127.0.0.1");
	CHECK_STR(d.stubs[1].zone, ".");
	CHECK_STR(d.stubs[1].server.ip, "::1");
	CHECK_NUM(d.cache_max, 4 << 20);
}

static enum err outward(const char *passwords, struct line_conf *out, struct str *why)
{
	const struct outward_files files = { .passwords = str_of(passwords) };
	struct config c;

	CHECK_NUM(config_parse(S("/etc/t.conf"),
			       S("outbound {\n own = {\"mx2.test\", \"2001:db8::1\"}\n"
				 " require = {\"a.test:none\", \"*.a.test:authenticated\"}\n"
				 " smarthosts = {\"*.b.test:[relay.test]:587\",\n"
				 "  \"c.test:[192.0.2.1]:465\", \"d.test:[2001:db8::2]:25\",\n"
				 "  \"*:relay.test:465\"}\n passwords = logins\n}\n"),
			       a, &c, why),
		  OK);
	return outward_conf(&c, &files, a, out, why);
}

static void test_outward(void)
{
	struct line_conf l;
	struct str why = S_NONE;

	CHECK_NUM(outward("# a comment\n\n relay.test:587 me a  pass word \r\n192.0.2.1 you x", &l,
			  &why),
		  OK);
	CHECK_NUM(l.nown, 3);
	CHECK_STR(l.own[1], "2001:db8::1");
	CHECK_STR(l.own[2], "localhost");
	CHECK(l.nleast == 2 && l.least[0].guard == QUEUE_ANY &&
	      l.least[1].guard == QUEUE_AUTHENTICATED);
	CHECK_STR(l.least[1].pattern, "*.a.test");
	if (!CHECK_NUM(l.nrelay, 4))
		return;
	CHECK_STR(l.relay[0].pattern, "*.b.test");
	CHECK_STR(l.relay[0].host, "relay.test");
	CHECK(l.relay[0].port == 587 && !l.relay[0].at_once);
	CHECK_STR(l.relay[0].user, "me");
	CHECK_STR(l.relay[0].password, "a  pass word");
	CHECK(l.relay[1].port == 465 && l.relay[1].at_once);
	CHECK_STR(l.relay[1].user, "you");
	CHECK_STR(l.relay[2].host, "2001:db8::2");
	CHECK(!l.relay[2].user.n && !l.relay[3].user.n);
	CHECK_NUM(outward("relay.test me x\nrelay.test me\n", &l, &why), E_SYNTAX);
	CHECK_STR(why, "/etc/logins:2: not \"HOST USER PASSWORD\"");
	CHECK_NUM(outward("a_b me x\n", &l, &why), E_SYNTAX);
}

/* A file with passwords that everybody may read is refused before it is read. */
static void test_private(void)
{
	char path[] = "/tmp/tecsmail-config-XXXXXX";
	int fd = mkstemp(path);
	struct config c = { .outbound.passwords = str_of(path) };
	struct outward_files files;
	struct str why = S_NONE;

	CHECK(fd >= 0 && write(fd, "relay.test me x\n", 16) == 16);
	CHECK(fchmod(fd, 0644) == 0);
	CHECK_NUM(outward_read(&c, a, &files, &why), E_DENIED);
	CHECK(str_find_str(why, S("everybody may read")) < why.n);
	CHECK(fchmod(fd, 0640) == 0);
	CHECK_NUM(outward_read(&c, a, &files, &why), OK);
	CHECK_STR(files.passwords, "relay.test me x\n");
	c.outbound.authorities = c.outbound.passwords;
	CHECK_NUM(outward_read(&c, a, &files, &why), E_SYNTAX);
	CHECK(str_find_str(why, S("not certificates")) < why.n);
	close(fd);
	unlink(path);
	CHECK_NUM(outward_read(&c, a, &files, &why), E_NOTFOUND);
}

int main(void)
{
	a = arena_new(64 << 20);
	test_wrong();
	test_wrong_ways();
	test_good();
	test_promise();
	test_print();
	test_address();
	test_texts();
	test_folder();
	test_dns();
	test_outward();
	test_private();
	arena_free(&a);
	return check_done();
}
