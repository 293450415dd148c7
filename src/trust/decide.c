/* SPDX-License-Identifier: ISC */
#include "trust/decide.h"

const char *decide_why_text(enum decide_why why)
{
	static const char *const words[] = {
		[DECIDE_OPPORTUNISTIC] = "opportunistic",
		[DECIDE_GUARANTEE] = "guarantee",
		[DECIDE_DANE] = "dane",
		[DECIDE_DANE_UNUSABLE] = "dane-unusable",
		[DECIDE_DANE_UNKNOWN] = "dane-unknown",
		[DECIDE_MTA_STS] = "mta-sts",
		[DECIDE_MTA_STS_TESTING] = "mta-sts-testing",
		[DECIDE_MTA_STS_MX] = "mta-sts-mx",
		[DECIDE_TLS_OPTIONAL] = "tls-optional",
		[DECIDE_UNPROVEN] = "unproven",
	};

	return words[why];
}

static struct decision only(enum decide_what what, enum decide_why why)
{
	return (struct decision){ .what = what, .why = why };
}

/* TLS with a proof or without one; plaintext never. */
static struct decision encrypted(const struct decide_in *in, enum decide_why why,
				 enum tls_proof proof)
{
	return (struct decision){ .why = why, .wish = { .name = in->host, .proof = proof } };
}

static struct decision by_dane(const struct decide_in *in)
{
	const struct dane *d = in->dane;
	struct decision out = encrypted(in, DECIDE_DANE, TLS_BY_DANE);

	out.wish.name = d->base;
	out.wish.tlsa = d->tlsa;
	out.wish.ntlsa = d->n;
	out.wish.also = d->also;
	out.wish.nalso = d->nalso;
	return out;
}

/* Nobody says that plaintext is forbidden, but perhaps the sender. */
static struct decision opportunistic(const struct decide_in *in, enum decide_why why)
{
	struct decision out = encrypted(in, why, TLS_UNPROVEN);

	if (in->guarantee == GUARANTEE_AUTHENTICATED)
		return only(DECIDE_REFUSE, DECIDE_UNPROVEN);
	out.plaintext = in->guarantee == GUARANTEE_NONE;
	if (!out.plaintext && why == DECIDE_OPPORTUNISTIC)
		out.why = DECIDE_GUARANTEE;
	return out;
}

/*
 * Does the policy bind? A policy under test does not: RFC 8461 5. But it is a list of hosts that
 * came over a proven connection all the same, so for a sender who wants a proof it is one.
 */
static bool binds(const struct decide_in *in)
{
	const struct mta_sts *policy = in->mta_sts;

	return policy &&
	       (policy->mode == MTA_STS_ENFORCE ||
		(policy->mode == MTA_STS_TESTING && in->guarantee == GUARANTEE_AUTHENTICATED));
}

static bool under_test(const struct decide_in *in)
{
	return in->mta_sts && in->mta_sts->mode == MTA_STS_TESTING;
}

static struct decision by_policy(const struct decide_in *in)
{
	if (mta_sts_knows(in->mta_sts, in->host))
		return encrypted(in, DECIDE_MTA_STS, TLS_BY_NAME);
	return only(DECIDE_SKIP, DECIDE_MTA_STS_MX);
}

struct decision decide(const struct decide_in *in)
{
	struct decision out;

	if (in->tls_optional && in->guarantee == GUARANTEE_NONE)
		return opportunistic(in, DECIDE_TLS_OPTIONAL);
	switch (in->dane->status) {
	case DANE_LATER: return only(DECIDE_LATER, DECIDE_DANE_UNKNOWN);
	case DANE_PROVE: return by_dane(in);
	case DANE_NONE:
		if (binds(in))
			return by_policy(in);
		out = opportunistic(in,
				    under_test(in) ? DECIDE_MTA_STS_TESTING : DECIDE_OPPORTUNISTIC);
		break;
	case DANE_ENCRYPT:
		/* Both have to be kept: TLS for the records, the proof for the policy. */
		if (binds(in))
			return by_policy(in);
		out = encrypted(in, DECIDE_DANE_UNUSABLE, TLS_UNPROVEN);
		/* SNI is the TLSA base domain: RFC 7672 3.2.1. */
		out.wish.name = in->dane->base;
		if (in->guarantee == GUARANTEE_AUTHENTICATED)
			out = only(DECIDE_REFUSE, DECIDE_UNPROVEN);
		break;
	}
	out.test_mta_sts = out.what == DECIDE_SEND && under_test(in);
	return out;
}
