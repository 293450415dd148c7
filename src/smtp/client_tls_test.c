/* SPDX-License-Identifier: ISC */
/* STARTTLS, proof and login, against servers that follow a script. */
#include "client_test.h"

#define TLS_HELLO(more) HELLO("> 250-STARTTLS\n") "< STARTTLS\n" more
#define AFTER(offers)   "> 220 go\nT\n< EHLO me.test\n> 250-mx\n" offers "> 250 HELP\n"
/* "\0alice\0secret" */
#define LOGIN "< AUTH PLAIN AGFsaWNlAHNlY3JldA==\n"

static const struct {
	enum client_tls secure;
	enum tls_proof proof;
	bool login, require;
	struct row row;
} meetings[] = {
	{ TLS_IF_SO, 0, false, false, { SIMPLE ONE, "sent +" } },
	{ TLS_NEVER, 0, false, false, { HELLO("> 250-STARTTLS\n") ONE, "sent +" } },
	{ TLS_IF_SO, 0, false, false, { TLS_HELLO(AFTER("")) ONE, "sent +" } },
	{ TLS_IF_SO, 0, false, false, { TLS_HELLO("> 454 no\n") ONE, "sent +" } },
	{ TLS_IF_SO, 0, false, false, { TLS_HELLO("> 421 no\n"), "temp starttls said 421 -" } },
	{ TLS_IF_SO, 0, false, false, { TLS_HELLO("> 354 no\n"), "temp starttls broken 354 -" } },
	{ TLS_IF_SO, 0, false, false, { TLS_HELLO("!\n"), "temp starttls gone -" } },
	{ TLS_IF_SO, 0, false, false, { TLS_HELLO("> 220 go\n!\n"), "temp starttls gone -" } },
	/* in clear behind the 220, before and after it was sent: RFC 3207 4.2 */
	{ TLS_IF_SO,
	  0,
	  false,
	  false,
	  { TLS_HELLO("> 220 go\n> 250-mx\n> 250 SIZE\n^\n"), "temp starttls broken -" } },
	{ TLS_IF_SO,
	  0,
	  false,
	  false,
	  { TLS_HELLO("> 220 go\n^\n< \x16\n> no TLS\n"), "temp tls tlsfail -" } },
	{ TLS_ALWAYS, 0, false, false, { SIMPLE, "temp starttls notls -" } },
	{ TLS_ALWAYS,
	  0,
	  false,
	  false,
	  { TLS_HELLO("> 454 4.7.0 no\n"), "temp starttls said 454 4.7.0 -" } },
	{ TLS_ALWAYS,
	  0,
	  false,
	  false,
	  { "> 220 mx\n< EHLO\n> 502 what\n", "perm hello said 502 -" } },
	{ TLS_ALWAYS, TLS_BY_NAME, false, false, { TLS_HELLO(AFTER("")) ONE, "sent +" } },
	{ TLS_ALWAYS,
	  0,
	  false,
	  false,
	  { TLS_HELLO("> 220 go\nT\n< EHLO\n> 450 no\n"), "temp hello said 450 -" } },
	{ TLS_ALWAYS, 0, false, false, { TLS_HELLO("> 220 go\nT\n!\n"), "temp hello gone -" } },
	/* what was offered in clear counts no more */
	{ TLS_IF_SO,
	  0,
	  false,
	  false,
	  { HELLO("> 250-STARTTLS\n> 250-PIPELINING\n") "< STARTTLS\n" AFTER("") ONE, "sent +" } },
	/* a password is for whom it is meant */
	{ TLS_ALWAYS,
	  TLS_BY_NAME,
	  true,
	  false,
	  { TLS_HELLO(AFTER("> 250-AUTH PLAIN\n")) LOGIN "> 235 ok\n" ONE, "sent +" } },
	{ TLS_ALWAYS,
	  TLS_BY_NAME,
	  true,
	  false,
	  { TLS_HELLO(AFTER("> 250-AUTH PLAIN\n")) LOGIN "> 535 5.7.8 no\n",
	    "perm login said 535 5.7.8 -" } },
	{ TLS_ALWAYS,
	  TLS_BY_NAME,
	  true,
	  false,
	  { TLS_HELLO(AFTER("> 250-AUTH PLAIN\n")) LOGIN "> 334 \n", "temp login broken 334 -" } },
	{ TLS_ALWAYS,
	  TLS_BY_NAME,
	  true,
	  false,
	  { TLS_HELLO(AFTER("> 250-AUTH LOGIN\n")), "temp login nologin -" } },
	{ TLS_ALWAYS,
	  0,
	  true,
	  false,
	  { TLS_HELLO(AFTER("> 250-AUTH PLAIN\n")), "temp login unproven -" } },
	{ TLS_NEVER, 0, true, false, { HELLO("> 250-AUTH PLAIN\n"), "temp login unproven -" } },
	/* RFC 8689 4.2.1 */
	{ TLS_ALWAYS,
	  TLS_BY_NAME,
	  false,
	  true,
	  { TLS_HELLO(AFTER("> 250-REQUIRETLS\n")) "< MAIL FROM:<me@example.test> REQUIRETLS\n"
						   "> 250 ok\n" A_OK
						   "< DATA\n> 354 go\n.\n> 250 ok\n",
	    "sent +" } },
	{ TLS_ALWAYS, TLS_BY_NAME, false, true, { TLS_HELLO(AFTER("")), "perm mail reqtls +" } },
	{ TLS_ALWAYS,
	  0,
	  false,
	  true,
	  { TLS_HELLO(AFTER("> 250-REQUIRETLS\n")), "perm mail reqtls +" } },
};

static void secured(void)
{
	conf.tls = rig.client_tls;
	for (size_t i = 0; i < LENGTH(meetings); i++) {
		conf.secure = meetings[i].secure;
		conf.wish = (struct tls_wish){ .name = S("mail.example.test"),
					       .proof = meetings[i].proof };
		conf.user = meetings[i].login ? S("alice") : S_NONE;
		conf.password = S("secret");
		set_mail(1);
		mail.require_tls = meetings[i].require;
		check_run(meetings[i].row.script, 1, meetings[i].row.want);
	}
	conf.user = S_NONE;
}

/* Who is not whom the certificate names gets nothing: not even a second EHLO. */
static void impostor(void)
{
	conf.secure = TLS_AT_ONCE;
	conf.wish = (struct tls_wish){ .name = S("mail.example.test"), .proof = TLS_BY_NAME };
	set_mail(1);
	check_run("T\n" SIMPLE ONE, 1, "sent +");
	conf.wish.name = S("other.test");
	check_run("T\n", 1, "temp tls unproven -");
	conf.secure = TLS_NEVER;
}

static void all(void *arg)
{
	(void)arg;
	script_open();
	CHECK_NUM(tls_client_trust(rig.client_tls, rig.cert_pem), OK);
	secured();
	impostor();
	script_close();
}

int main(void)
{
	log_capture(rig_quiet, NULL);
	fiber_main(all, NULL);
	return check_done();
}
