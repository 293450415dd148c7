/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "smtp/trace.h"

#define BY  "\r\n\tby mail.example.test with "
#define END ";\r\n\tThu, 01 Jan 1970 00:00:00 +0000\r\n"

static struct trace some(void)
{
	return (struct trace){
		.from = { S("eve"), S("far.test") },
		.helo = S("mx.far.test"),
		.ip = S("192.0.2.1"),
		.hostname = S("mail.example.test"),
		.id = S("0123456789abcdef"),
		.esmtp = true,
	};
}

static struct str made(struct arena *a, struct trace t)
{
	struct buf b = buf_new(4096);

	trace_put(&b, &t, a);
	struct str s = str_dup(a, buf_str(&b));
	buf_free(&b);
	return s;
}

static void fields(struct arena *a)
{
	struct trace t = some();

	CHECK_STR(made(a, t),
		  "Return-Path: <eve@far.test>\r\n"
		  "Received: from mx.far.test ([192.0.2.1])" BY "ESMTP id 0123456789abcdef" END);
	t.from = (struct path){ 0 };
	t.ip = S("2001:db8::1");
	t.to = S("alice@example.test");
	t.tls_version = "TLSv1.3";
	t.tls_cipher = "TLS_AES_256_GCM_SHA384";
	t.tls_group = "x25519";
	CHECK_STR(made(a, t), "Return-Path: <>\r\n"
			      "Received: from mx.far.test ([IPv6:2001:db8::1])" BY
			      "ESMTPS id 0123456789abcdef\r\n\tfor <alice@example.test>\r\n"
			      "\ttls TLS_AES_256_GCM_SHA384 group x25519 (TLSv1.3)" END);
	t = some();
	t.helo = S("evil (\r\nX: y");
	t.tls_version = "TLSv1.2";
	t.tls_cipher = "ECDHE-RSA-AES128-GCM-SHA256";
	CHECK_STR(made(a, t), "Return-Path: <eve@far.test>\r\n"
			      "Received: from [192.0.2.1]" BY "ESMTPS id 0123456789abcdef\r\n"
			      "\t(TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256)" END);
	t = some();
	t.authenticated = true;
	t.tls_version = "TLSv1.3";
	t.tls_cipher = "TLS_AES_256_GCM_SHA384";
	CHECK_STR(made(a, t), "Return-Path: <eve@far.test>\r\n"
			      "Received: from mail.example.test (a user, logged in)" BY
			      "ESMTPSA id 0123456789abcdef\r\n"
			      "\ttls TLS_AES_256_GCM_SHA384 (TLSv1.3)" END);
	t = some();
	t.lmtp = true;
	t.ip = S("");
	CHECK_STR(made(a, t), "Return-Path: <eve@far.test>\r\nReceived: from mx.far.test" BY
			      "LMTP id 0123456789abcdef" END);
}

/* RFC 3848, RFC 6531 4.3 */
static void protocols(struct arena *a)
{
	for (unsigned bits = 0; bits < 32; bits++) {
		static const char *const want[32] = {
			[0] = "SMTP",        [1] = "ESMTP",  [3] = "UTF8SMTP",   [5] = "ESMTPS",
			[7] = "UTF8SMTPS",   [9] = "ESMTPA", [11] = "UTF8SMTPA", [13] = "ESMTPSA",
			[15] = "UTF8SMTPSA", [17] = "LMTP",  [19] = "UTF8LMTP",  [21] = "LMTPS",
			[23] = "UTF8LMTPS",  [25] = "LMTPA", [27] = "UTF8LMTPA", [29] = "LMTPSA",
			[31] = "UTF8LMTPSA",
		};
		struct trace t = {
			.esmtp = bits & 1,
			.utf8 = bits & 2,
			.tls_version = bits & 4 ? "TLSv1.3" : NULL,
			.authenticated = bits & 8,
			.lmtp = bits & 16,
		};

		if (want[bits])
			CHECK_STR(trace_protocol(a, &t), want[bits]);
	}
}

/* What we wrote is found again, however it was folded since; what others say of us is not. */
static void counted(struct arena *a)
{
	struct trace t = some();
	struct str one = made(a, t);
	static const char other[] =
		"Received: from mail.example.test (x) by mx.far.test with ESMTP id 1; now\r\n"
		"X-Received: from x by mail.example.test with ESMTP id 1; now\r\n"
		"Received: from x by mail.example.test.far.test with ESMTP id 1; now\r\n";
	static const char folded[] =
		"RECEIVED:\r\n from x by\r\n\tmail.example.test\r\n with ESMTP\r\n";

	CHECK_NUM(trace_count(S(""), t.hostname), 0);
	CHECK_NUM(trace_count(one, t.hostname), 1);
	CHECK_NUM(trace_count(str_of(other), t.hostname), 0);
	CHECK_NUM(trace_count(str_fmt(a, "%s%.*s%s%.*s", other, FMT(one), folded, FMT(one)),
			      t.hostname),
		  3);
}

int main(void)
{
	struct arena *a = arena_new(1 << 20);

	counted(a);

	fields(a);
	protocols(a);
	arena_free(&a);
	return check_done();
}
