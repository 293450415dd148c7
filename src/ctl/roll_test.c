/* SPDX-License-Identifier: ISC */
/* Tests of the keys of TLS: kinds, hashes, certificates by their own hand, which are promised. */
#include "check.h"
#include "ctl/roll.h"

static struct arena *a;

/* A key that is no secret, and its certificate for one.test, two.test and 192.0.2.1. */
static const char fixed[] = "-----BEGIN PRIVATE KEY-----\n"
			    "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n"
			    "-----END PRIVATE KEY-----\n";

static const char certificate[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBYjCCARSgAwIBAgIUS6xwPkMiU9ioEHaaWh10EgdupIEwBQYDK2VwMBMxETAP\n"
	"BgNVBAMMCG9uZS50ZXN0MCAXDTI2MTEyNDE0MDQyNloYDzIxMjYxMDMxMTQwNDI2\n"
	"WjATMREwDwYDVQQDDAhvbmUudGVzdDAqMAUGAytlcAMhAAOhB7/zzhC+HXDdGOdL\n"
	"wJln5NYwm6UNXx3chmQSVTG4o3gwdjAdBgNVHQ4EFgQU/YGm22TW+vf3AsB5cags\n"
	"JcHcPJAwHwYDVR0jBBgwFoAU/YGm22TW+vf3AsB5cagsJcHcPJAwDwYDVR0TAQH/\n"
	"BAUwAwEB/zAjBgNVHREEHDAagghvbmUudGVzdIIIdHdvLnRlc3SHBMAAAgEwBQYD\n"
	"K2VwA0EAk/NnhvP9BgedH1c+ij01E/tgYIzlZpVflz6H32B9L6v2GoZ/fzxBeRqO\n"
	"bJEcmzqxMD3ApOy2S4ezFpiRTeSwBw==\n"
	"-----END CERTIFICATE-----\n";

static void test_kinds(void)
{
	struct str key = cert_key_new(a), ed = str_of(fixed);

	CHECK_STR(roll_kind(a, key), "EC P-256");
	CHECK_STR(roll_kind(a, ed), "ED25519");
	CHECK_STR(roll_kind(a, S("no key")), "");
	CHECK_STR(roll_key_hash(a, ed),
		  "a050837d85070582ccf7394b0988847cc312cb88259b894899f6f239cf1791a5");
	CHECK_STR(roll_key_hash(a, S("no key")), "");
	const struct str keys[] = { key, ed };
	for (size_t i = 0; i < LENGTH(keys); i++) {
		struct str fresh = roll_key_like(a, keys[i]);
		CHECK(str_eq(roll_kind(a, fresh), roll_kind(a, keys[i])));
		CHECK(!str_eq(roll_key_hash(a, fresh), roll_key_hash(a, keys[i])));
	}
	CHECK_STR(roll_key_like(a, S("no key")), "");
	CHECK(str_find_str(roll_key_public(a, key), S("BEGIN PUBLIC KEY")) < 20);
	CHECK_STR(roll_key_public(a, S("no key")), "");
}

/* Subject, names and addresses are those of the certificate before; it belongs to the other key. */
static void test_self_signed(void)
{
	struct str first = cert_key_new(a), second = str_of(fixed), why;
	struct cert cert;

	CHECK_STR(roll_self_signed(a, second, S("no certificate")), "");
	struct str begin = str_of(certificate);
	struct str x = roll_self_signed(a, first, begin), y = roll_self_signed(a, second, x);
	CHECK(cert_fits(x, first, a, &why) && cert_fits(y, second, a, &why));
	CHECK(!cert_fits(y, first, a, &why));
	CHECK_NUM(cert_read(y, a, &cert), OK);
	CHECK(cert.self_signed && cert.names.n == 2 && names_have(&cert.names, S("two.test")));
	CHECK(cert.until - cert.from > 3650LL * 86400);
}

static void test_promised(void)
{
	struct str out[ROLL_HASHES_MAX];
	bool old[ROLL_HASHES_MAX];
	struct roll_keys k = { .now = S("aa"), .key = S("aa"), .next = S(""), .old = S("") };

	CHECK_NUM(roll_promised(&k, out, old), 1);
	k.next = S("bb");
	k.old = S("cc");
	CHECK_NUM(roll_promised(&k, out, old), 3);
	CHECK(!old[0] && !old[1] && old[2]);
	CHECK_STR(out[2], "cc");
	/* A crash between key and certificate: whichever the server shows is promised. */
	k.key = S("bb");
	k.old = S("aa");
	CHECK_NUM(roll_promised(&k, out, old), 2);
	CHECK(!old[0] && !old[1]);
}

int main(void)
{
	a = arena_new(16 << 20);
	test_kinds();
	test_self_signed();
	test_promised();
	arena_free(&a);
	return check_done();
}
