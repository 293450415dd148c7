/* SPDX-License-Identifier: ISC */
#include "mail/sasl.h"
#include "base/encode.h"

static bool fits(struct str s, size_t max)
{
	return s.n >= 1 && s.n <= max && !str_has(s, '\0') && utf8_ok(s);
}

bool sasl_plain_parse(struct str message, struct str *user, struct str *password)
{
	struct scan in = scan(message);
	struct str authzid = scan_until(&in, '\0');
	struct str authcid = scan_until(&in, '\0');

	if (in.bad || !fits(authcid, SASL_USER_MAX) || !fits(in.rest, SASL_PASSWORD_MAX))
		return false;
	if (authzid.n && !str_ieq(authzid, authcid))
		return false;
	*user = authcid;
	*password = in.rest;
	return true;
}

bool sasl_start(struct sasl *x, struct str mechanism)
{
	*x = (struct sasl){ .mech = SASL_PLAIN };
	if (str_iis(mechanism, "PLAIN"))
		return true;
	x->mech = SASL_LOGIN;
	return str_iis(mechanism, "LOGIN");
}

const char *sasl_prompt(const struct sasl *x)
{
	if (x->mech == SASL_PLAIN)
		return "";
	return x->has_user ? "UGFzc3dvcmQ6" : "VXNlcm5hbWU6"; /* "Password:", "Username:" */
}

static enum sasl_result login_step(struct sasl *x, struct str response)
{
	if (!x->has_user) {
		if (!fits(response, SASL_USER_MAX))
			return SASL_BAD;
		x->user = response;
		x->has_user = true;
		return SASL_MORE;
	}
	if (!fits(response, SASL_PASSWORD_MAX))
		return SASL_BAD;
	x->password = response;
	return SASL_DONE;
}

enum sasl_result sasl_step(struct sasl *x, struct arena *a, struct str base64)
{
	struct str response = S("");

	if (base64.n > SASL_LINE_MAX)
		return SASL_BAD;
	if (!str_is(base64, "=") && !base64_decode(a, base64, &response))
		return SASL_BAD;
	if (x->mech == SASL_LOGIN)
		return login_step(x, response);
	return sasl_plain_parse(response, &x->user, &x->password) ? SASL_DONE : SASL_BAD;
}
