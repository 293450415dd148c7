/* SPDX-License-Identifier: ISC */
/* note.c - what became of TLS with a host, for the reports to its domain: RFC 8460 4.3. */
#include "courier/line_priv.h"

/* The one that the decision rests on. */
static enum tlsrpt_policy policy_of(const struct opening *o, const struct host *h)
{
	if (h->dane.status != DANE_NONE)
		return TLSRPT_TLSA;
	return o->has_policy && o->policy.mode != MTA_STS_NONE ? TLSRPT_STS : TLSRPT_NONE;
}

/* A host that somebody here has named is nobody's policy. Mail that goes whatever TLS is like is
 * not counted, among it the reports: one would be the occasion of the next. */
static void note(struct opening *o, const struct tlsrpt_seen *seen)
{
	if (o->net->tlsrpt && !o->given && !o->want->tls_optional)
		tlsrpt_note(o->net->tlsrpt, seen);
}

void line_note(struct opening *o, const struct host *h, struct str ip, enum tlsrpt_result result,
	       const char *detail)
{
	const struct tlsrpt_seen seen = { .domain = o->want->destination,
					  .policy = policy_of(o, h),
					  .mx = h->name,
					  .ip = ip,
					  .result = result,
					  .detail = str_of(detail) };

	note(o, &seen);
}

void line_note_policy(struct opening *o)
{
	struct tlsrpt_seen seen = { .domain = o->want->destination, .policy = TLSRPT_STS };

	if (o->policy_unknown && sts_failure(o->net->sts, seen.domain, &seen.result, &seen.detail))
		note(o, &seen);
}

static enum tlsrpt_result of_fault(enum tls_fault fault)
{
	switch (fault) {
	case TLS_FAULTLESS: return TLSRPT_OK;
	case TLS_WRONG_NAME: return TLSRPT_CERTIFICATE_HOST_MISMATCH;
	case TLS_EXPIRED: return TLSRPT_CERTIFICATE_EXPIRED;
	case TLS_UNTRUSTED: return TLSRPT_CERTIFICATE_NOT_TRUSTED;
	case TLS_NO_MATCH:
	case TLS_FAULTY: return TLSRPT_VALIDATION_FAILURE;
	}
	BUG_IF(true);
	return TLSRPT_OK;
}

/* A session over TLS: for a policy under test also what would have failed (RFC 8461 5). */
static void note_tls(struct opening *o, const struct host *h, struct str ip,
		     const struct tls_info *tls)
{
	enum tlsrpt_result fault = of_fault(tls->fault);

	if (h->dane.status == DANE_ENCRYPT)
		line_note(o, h, ip, TLSRPT_TLSA_INVALID, "none of the TLSA records can be used");
	else if (!h->decision.test_mta_sts)
		line_note(o, h, ip, TLSRPT_OK, NULL);
	else if (!mta_sts_knows(&o->policy, h->name))
		line_note(o, h, ip, TLSRPT_VALIDATION_FAILURE, "not a host of the policy");
	else
		line_note(o, h, ip, fault, tls->invalid);
}

void line_note_session(struct opening *o, const struct host *h, struct str ip,
		       const struct tls_info *tls, const struct outcome *said)
{
	bool offered = said->stage != AT_STARTTLS || said->why == WHY_GONE;

	if (tls->on)
		note_tls(o, h, ip, tls);
	else if (said->why == WHY_UNPROVEN)
		line_note(o, h, ip, of_fault(tls->fault), tls->invalid);
	else if (said->verdict != DELIVERED && said->stage < AT_STARTTLS)
		return; /* it never came to TLS */
	else if (said->verdict == DELIVERED || !offered)
		line_note(o, h, ip, TLSRPT_STARTTLS_NOT_SUPPORTED, NULL);
	else
		line_note(o, h, ip, TLSRPT_VALIDATION_FAILURE, client_why_text(said->why));
}
