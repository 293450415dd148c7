/* SPDX-License-Identifier: ISC */
#include "courier/tlsrpt_write.h"

#include <jansson.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/encode.h"
#include "courier/https.h"
#include "mail/address.h"
#include "mail/date.h"

enum { DAY_S = 86400, LINE_OCTETS = 76, MAIL_OCTETS_MAX = 2 << 20, GZIP = 16 + MAX_WBITS };

/* --- the record --- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool percent_decode(struct arena *a, struct str in, struct str *out)
{
	char *p = arena_alloc(a, in.n + 1);
	struct scan s = scan(in);
	size_t n = 0;

	while (scan_more(&s)) {
		char c = scan_char(&s);

		p[n++] = c == '%' ? (char)scan_hex(&s, 2) : c;
	}
	*out = STR(p, n);
	return !s.bad;
}

/* An address in brackets would lead past the DNS, into a network that only we can reach. */
static bool rua_mail(struct arena *a, struct str uri, struct str *to)
{
	struct path p;
	struct str text;

	uri = str_part(uri, 0, str_find(uri, '?')); /* no header fields of others' choice */
	if (!percent_decode(a, uri, &text) || path_parse(a, text, &p) || !p.domain.n || p.utf8 ||
	    *p.domain.p == '[')
		return false;
	*to = path_text(a, p);
	return true;
}

static bool rua_read(struct arena *a, struct str uri, struct tlsrpt_rua *out)
{
	struct https_url url;

	*out = (struct tlsrpt_rua){ .by_mail = str_istarts(uri, S("mailto:")) };
	if (out->by_mail)
		return rua_mail(a, str_from(uri, 7), &out->to);
	out->to = str_dup(a, uri);
	return https_url(uri, &url) == OK;
}

static void rua_list(struct arena *a, struct str list, struct tlsrpt_rua out[TLSRPT_RUA_MAX],
		     size_t *n)
{
	while (list.n && *n < TLSRPT_RUA_MAX) {
		size_t comma = str_find(list, ',');

		if (rua_read(a, str_trim(str_part(list, 0, comma)), &out[*n]))
			(*n)++;
		list = str_from(list, comma + 1);
	}
}

/* tlsrpt-record of RFC 8460 3, behind its version. */
static bool fields(struct arena *a, struct scan *in, struct tlsrpt_rua out[TLSRPT_RUA_MAX],
		   size_t *n)
{
	bool seen = false;

	scan_span(in, is_blank);
	scan_lit(in, ";");
	while (scan_more(in)) {
		struct str field = str_trim(scan_take(in, str_find(in->rest, ';')));
		size_t eq = str_find(field, '=');

		scan_opt(in, ";");
		if (!field.n)
			continue;
		if (eq == field.n || (seen && str_starts(field, S("rua="))))
			return false;
		if (str_starts(field, S("rua="))) {
			seen = true;
			rua_list(a, str_from(field, eq + 1), out, n);
		}
	}
	return !in->bad && seen;
}

enum err tlsrpt_record(struct arena *a, const struct str *txt, size_t n,
		       struct tlsrpt_rua out[TLSRPT_RUA_MAX], size_t *nrua)
{
	const struct str version = S("v=TLSRPTv1");
	const struct str *found = NULL;

	*nrua = 0;
	for (size_t i = 0; i < n; i++) {
		struct str behind = str_from(txt[i], version.n);

		if (!str_starts(txt[i], version) ||
		    (behind.n && !is_blank(*behind.p) && *behind.p != ';'))
			continue;
		if (found)
			return E_NOTFOUND;
		found = &txt[i];
	}
	if (!found || found->n > TLSRPT_RECORD_MAX)
		return E_NOTFOUND;
	struct scan in = scan(str_from(*found, version.n));
	if (!fields(a, &in, out, nrua))
		*nrua = 0;
	return *nrua ? OK : E_NOTFOUND;
}

/* --- JSON --- */

static const char *const results[TLSRPT_RESULTS] = {
	[TLSRPT_OK] = "",
	[TLSRPT_STARTTLS_NOT_SUPPORTED] = "starttls-not-supported",
	[TLSRPT_CERTIFICATE_HOST_MISMATCH] = "certificate-host-mismatch",
	[TLSRPT_CERTIFICATE_EXPIRED] = "certificate-expired",
	[TLSRPT_CERTIFICATE_NOT_TRUSTED] = "certificate-not-trusted",
	[TLSRPT_VALIDATION_FAILURE] = "validation-failure",
	[TLSRPT_TLSA_INVALID] = "tlsa-invalid",
	[TLSRPT_DNSSEC_INVALID] = "dnssec-invalid",
	[TLSRPT_DANE_REQUIRED] = "dane-required",
	[TLSRPT_STS_POLICY_FETCH_ERROR] = "sts-policy-fetch-error",
	[TLSRPT_STS_POLICY_INVALID] = "sts-policy-invalid",
	[TLSRPT_STS_WEBPKI_INVALID] = "sts-webpki-invalid",
};
static const char *const policies[TLSRPT_POLICIES] = { "no-policy-found", "sts", "tlsa" };

const char *tlsrpt_result_word(enum tlsrpt_result r)
{
	return results[r];
}

const char *tlsrpt_policy_word(enum tlsrpt_policy p)
{
	return policies[p];
}

static json_t *text(struct arena *a, struct str s)
{
	if (!utf8_ok(s))
		s = ascii_spell(a, s);
	return json_stringn(s.p ? s.p : "", s.n);
}

static struct str day_text(struct arena *a, uint32_t day, const char *time)
{
	struct str iso = date_iso(a, (int64_t)day * DAY_S);

	return str_fmt(a, "%.*s%s", FMT(str_part(iso, 0, 10)), time);
}

static struct str report_id(struct arena *a, const struct tlsrpt_report_of *r)
{
	struct str day = day_text(a, r->day, "");

	return str_fmt(a, "%.*s.%.*s@%.*s", FMT(day), FMT(r->domain), FMT(r->submitter));
}

static void add_policy_text(struct arena *a, json_t *policy, const struct mta_sts *sts)
{
	static const char *const modes[] = { "none", "testing", "enforce" };
	json_t *lines = json_array(), *hosts = json_array();

	json_array_append_new(lines, json_string("version: STSv1"));
	json_array_append_new(lines, json_sprintf("mode: %s", modes[sts->mode]));
	for (size_t i = 0; i < sts->nmx; i++) {
		json_array_append_new(lines, text(a, str_fmt(a, "mx: %.*s", FMT(sts->mx[i]))));
		json_array_append_new(hosts, text(a, sts->mx[i]));
	}
	json_array_append_new(lines, json_sprintf("max_age: %u", sts->max_age));
	json_object_set_new(policy, "policy-string", lines);
	json_object_set_new(policy, "mx-host", hosts);
}

static void add_tlsa_text(struct arena *a, json_t *policy, const struct tlsrpt_report_of *r)
{
	json_t *lines = json_array();

	for (size_t i = 0; i < r->ntlsa; i++)
		json_array_append_new(lines, text(a, r->tlsa[i]));
	json_object_set_new(policy, "policy-string", lines);
}

static json_t *failure(struct arena *a, const struct tlsrpt_row *row)
{
	json_t *j = json_object();

	json_object_set_new(j, "result-type", json_string(results[row->result]));
	if (row->mx.n)
		json_object_set_new(j, "receiving-mx-hostname", text(a, row->mx));
	if (row->ip.n)
		json_object_set_new(j, "receiving-ip", text(a, row->ip));
	json_object_set_new(j, "failed-session-count", json_integer((json_int_t)row->sessions));
	if (row->detail.n)
		json_object_set_new(j, "failure-reason-code", text(a, row->detail));
	return j;
}

/* What is to be said of one kind of policy; NULL: no session went by it. */
static json_t *policy_part(struct arena *a, const struct tlsrpt_report_of *r, enum tlsrpt_policy p)
{
	json_t *policy, *details = json_array();
	uint64_t good = 0, bad = 0;

	for (size_t i = 0; i < r->counts->n; i++) {
		const struct tlsrpt_row *row = &r->counts->row[i];

		if (row->policy != p)
			continue;
		*(row->result == TLSRPT_OK ? &good : &bad) += row->sessions;
		if (row->result != TLSRPT_OK)
			json_array_append_new(details, failure(a, row));
	}
	if (!good && !bad) {
		json_decref(details);
		return NULL;
	}
	policy = json_object();
	json_object_set_new(policy, "policy-type", json_string(policies[p]));
	if (p == TLSRPT_STS && r->sts)
		add_policy_text(a, policy, r->sts);
	if (p == TLSRPT_TLSA && r->ntlsa)
		add_tlsa_text(a, policy, r);
	json_object_set_new(policy, "policy-domain", text(a, r->domain));
	return json_pack("{s:o, s:{s:I, s:I}, s:o}", "policy", policy, "summary",
			 "total-successful-session-count", (json_int_t)good,
			 "total-failure-session-count", (json_int_t)bad, "failure-details",
			 details);
}

struct str tlsrpt_json(struct arena *a, const struct tlsrpt_report_of *r)
{
	json_t *j = json_object(), *list = json_array(), *range = json_object();

	for (unsigned p = 0; p < TLSRPT_POLICIES; p++) {
		json_t *part = policy_part(a, r, (enum tlsrpt_policy)p);

		if (part)
			json_array_append_new(list, part);
	}
	json_object_set_new(range, "start-datetime", text(a, day_text(a, r->day, "T00:00:00Z")));
	json_object_set_new(range, "end-datetime", text(a, day_text(a, r->day, "T23:59:59Z")));
	json_object_set_new(j, "organization-name", text(a, r->organization));
	json_object_set_new(j, "date-range", range);
	json_object_set_new(j, "contact-info", text(a, r->contact));
	json_object_set_new(j, "report-id", text(a, report_id(a, r)));
	json_object_set_new(j, "policies", list);
	char *octets = json_dumps(j, JSON_COMPACT);
	BUG_IF(!octets);
	struct str out = str_dup(a, str_of(octets));
	free(octets);
	json_decref(j);
	return out;
}

struct str tlsrpt_gzip(struct arena *a, struct str in)
{
	z_stream z = { 0 };

	BUG_IF(deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP, MAX_MEM_LEVEL,
			    Z_DEFAULT_STRATEGY) != Z_OK);
	uLong max = deflateBound(&z, in.n);
	char *out = arena_alloc(a, max);
	z.next_in = (Bytef *)(uintptr_t)in.p;
	z.avail_in = (uInt)in.n;
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)max;
	BUG_IF(deflate(&z, Z_FINISH) != Z_STREAM_END);
	size_t n = z.total_out;
	deflateEnd(&z);
	return STR(out, n);
}

/* --- mail --- */

static void put_head(struct buf *b, struct arena *a, const struct tlsrpt_report_of *r,
		     struct str to, unsigned number, int64_t now)
{
	struct str id = report_id(a, r);

	buf_fmt(b, "From: <%.*s>\r\nTo: <%.*s>\r\n", FMT(r->contact), FMT(to));
	buf_fmt(b, "Subject: Report Domain: %.*s\r\n Submitter: %.*s\r\n Report-ID: <%.*s>\r\n",
		FMT(r->domain), FMT(r->submitter), FMT(id));
	struct str date = date_rfc5322(a, (struct date){ now, 0 });
	buf_fmt(b, "Date: %.*s\r\nMessage-ID: <tlsrpt.%u.%.*s>\r\n", FMT(date), number, FMT(id));
	buf_fmt(b, "TLS-Report-Domain: %.*s\r\nTLS-Report-Submitter: %.*s\r\n", FMT(r->domain),
		FMT(r->submitter));
	/* RFC 8460 3: it goes whatever is wrong with TLS. RFC 8689 5; RFC 3834 5 */
	buf_fmt(b, "TLS-Required: No\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
	buf_fmt(b, "Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n"
		   " boundary=\"=_tlsrpt\"\r\n\r\n");
}

static void put_base64(struct buf *b, struct arena *a, struct str octets)
{
	struct str line = base64_encode(a, octets);

	for (; line.n; line = str_from(line, LINE_OCTETS)) {
		buf_put(b, str_part(line, 0, LINE_OCTETS));
		buf_put(b, S("\r\n"));
	}
}

struct str tlsrpt_mail(struct arena *a, const struct tlsrpt_report_of *r, struct str to,
		       unsigned number, struct str gzip, int64_t now)
{
	struct str day = day_text(a, r->day, ""), who = ascii_spell(a, r->organization);
	struct buf b = buf_new(MAIL_OCTETS_MAX);
	long long begin = (long long)r->day * DAY_S;

	put_head(&b, a, r, to, number, now);
	buf_fmt(&b, "--=_tlsrpt\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n");
	buf_fmt(&b,
		"This is an aggregate TLS report (RFC 8460) of sessions with the mail servers "
		"of\r\n"
		"%.*s on %.*s (UTC), from %.*s.\r\n\r\n",
		FMT(r->domain), FMT(day), FMT(who));
	buf_fmt(&b, "--=_tlsrpt\r\nContent-Type: application/tlsrpt+gzip\r\n"
		    "Content-Transfer-Encoding: base64\r\n");
	buf_fmt(&b,
		"Content-Disposition: attachment;\r\n filename=\"%.*s!%.*s!%lld!%lld!001.json.gz\""
		"\r\n\r\n",
		FMT(r->submitter), FMT(r->domain), begin, begin + DAY_S - 1);
	put_base64(&b, a, gzip);
	buf_fmt(&b, "--=_tlsrpt--\r\n");
	BUG_IF(b.full); /* its rows are bounded */
	struct str out = str_dup(a, buf_str(&b));
	buf_free(&b);
	return out;
}
