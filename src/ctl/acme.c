/* SPDX-License-Identifier: ISC */
/*
 * ctl/acme.c - one certificate for all names that the server needs, from an authority that speaks
 * ACME (RFC 8555): whether it is time, which names, the files, the reload.
 *
 * The key is kept, so that what the DNS says of it (TLSA) stays true; --new-key makes another.
 * Whatever goes wrong, the old certificate stays where it is: the new one is checked as the server
 * checks it, and then takes the old one's place.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/acme.h"
#include "ctl/ctl_priv.h"
#include "ctl/roll.h"
#include "keeper/admin.h"
#include "mail/address.h"
#include "proc/value.h"

enum { DAY_S = 86400, HURRY_S = 7 * DAY_S };

struct left { /* a name that the certificate is not for */
	struct str name, why;
};

struct acme {
	struct ctl *c;
	struct arena *a; /* the command's */
	int lock;
	struct names names; /* that it shall be for */
	struct left left[2 * ACME_NAMES_MAX];
	size_t nleft, too_many;
	struct str cert_pem, key_pem; /* "": there is none */
	struct str next;              /* the key that shall take the place of the present one */
	struct cert cert;
	bool usable; /* cert belongs to key */
	bool mended; /* the server has not read it yet */
	struct acme_order order;
};

/* --- names --- */

static void leave_out(struct acme *m, struct str name, struct str why)
{
	names_drop(&m->names, name);
	for (size_t i = 0; i < m->nleft; i++)
		if (str_ieq(m->left[i].name, name))
			return;
	if (m->nleft < LENGTH(m->left))
		m->left[m->nleft++] = (struct left){ name, why };
}

/* Addresses and names of one word are none that an authority could know. */
static bool is_public(struct str name)
{
	struct str top = str_from(name, str_rfind(name, '.') + 1);

	return str_has(name, '.') && top.n && !ascii_digit(*top.p) && value_is_host(name);
}

static void want(struct acme *m, struct str name)
{
	struct str ascii;

	if (!name.n || names_have(&m->names, name))
		return;
	if (domain_ascii(m->a, name, &ascii) || !is_public(ascii))
		leave_out(m, name, S("it is no name of the public DNS"));
	else if (!names_add(&m->names, ascii))
		m->too_many++;
}

static struct str host_of(struct str url)
{
	struct str rest = str_from(url, str_find_str(url, S("://")) + 3);
	size_t n = str_find(rest, '/');

	return str_part(rest, 0, n < str_find(rest, ':') ? n : str_find(rest, ':'));
}

static void want_domain(void *arg, const struct admin_row *r)
{
	struct acme *m = arg;

	if (!str_is(m->c->config.sts_mode, "off"))
		want(m, str_fmt(m->a, "mta-sts.%.*s", FMT(r->name)));
	want(m, str_fmt(m->a, "autoconfig.%.*s", FMT(r->name)));
	want(m, str_fmt(m->a, "autodiscover.%.*s", FMT(r->name)));
}

static enum err gather(struct acme *m, struct str *why)
{
	const struct config *c = &m->c->config;

	want(m, c->hostname);
	want(m, c->web_server);
	want(m, host_of(c->web_url));
	want(m, host_of(c->web_webmail));
	for (size_t i = 0; i < c->acme.names.n; i++)
		want(m, c->acme.names.item[i]);
	enum err e = admin_list(m->c->peer, ADMIN_DOMAINS, S(""), want_domain, m, m->a, why);
	if (!e && m->too_many)
		leave_out(m, str_fmt(m->a, "%zu more", m->too_many),
			  str_fmt(m->a, "a certificate is for %d names at most", ACME_NAMES_MAX));
	return e;
}

static void check_names(void *arg)
{
	struct acme *m = arg;
	struct names all = m->names;

	for (size_t i = 0; i < all.n; i++) {
		struct str why = acme_here(all.name[i], m->c->config.acme.port,
					   m->c->config.acme.challenges, m->a);
		if (why.n)
			leave_out(m, all.name[i], why);
	}
}

/* --- what is there --- */

static enum err read_pem(struct str path, struct arena *a, struct str *out, struct str *why)
{
	enum err e = file_read(path, ACME_PEM_MAX, a, out, why);

	if (e == E_NOTFOUND)
		*out = S("");
	return e == E_NOTFOUND ? OK : e;
}

static enum err read_present(struct acme *m, struct str *why)
{
	const struct config *c = &m->c->config;
	struct str ignored;

	if (str_eq(c->certificate, c->key)) {
		*why = S("tls.certificate and tls.key must be two files");
		return E_SYNTAX;
	}
	enum err e = roll_mend(m->c, &m->mended, why);
	if (!e)
		e = read_pem(c->certificate, m->a, &m->cert_pem, why);
	if (!e)
		e = read_pem(c->key, m->a, &m->key_pem, why);
	if (e)
		return e;
	m->usable = cert_fits(m->cert_pem, m->key_pem, m->a, &ignored);
	if (cert_read(m->cert_pem, m->a, &m->cert))
		m->usable = false;
	return OK;
}

static enum err take_lock(struct acme *m, struct str *why)
{
	const char *path = str_c(m->a, str_fmt(m->a, "%.*s/lock", FMT(m->order.folder)));

	m->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (m->lock >= 0 && flock(m->lock, LOCK_EX | LOCK_NB) == 0)
		return OK;
	*why = m->lock >= 0 ? S("another tecsmail acme is at work")
			    : str_fmt(m->a, "%s: %s", path, strerror(errno));
	return E_IO;
}

/* An account for each authority: a folder of the state with its host's name. */
static enum err make_folders(struct acme *m, struct str *why)
{
	const struct config *c = &m->c->config;
	struct str challenges = c->acme.challenges;
	struct str inner = str_fmt(m->a, "%.*s/.well-known/acme-challenge", FMT(challenges));
	struct stat st;

	m->order.folder =
		str_fmt(m->a, "%.*s/acme/%.*s", FMT(c->state), FMT(host_of(c->acme.directory)));
	enum err e = owner_of(c->state, m->a, &m->order.who, why);
	if (!e && m->order.who.other && stat(str_c(m->a, challenges), &st)) {
		e = folder_make(challenges, 0755, m->a, why);
		if (!e && lchown(str_c(m->a, challenges), m->order.who.uid, m->order.who.gid))
			*why = str_fmt(m->a, "%.*s: %s", FMT(challenges), strerror(errno));
	}
	if (e)
		return e;
	owner_become(&m->order.who);
	e = folder_make(inner, 0755, m->a, why);
	if (!e)
		e = folder_make(m->order.folder, 0700, m->a, why);
	if (!e)
		e = take_lock(m, why);
	owner_return(&m->order.who);
	return e;
}

/* --- is it time? --- */

static long long days_left(const struct acme *m)
{
	return (m->cert.until - clock_wall()) / DAY_S;
}

/* Why a new one is needed; "": it is not. */
static struct str need(const struct acme *m)
{
	int64_t left = m->cert.until - clock_wall();

	if (m->next.n)
		return S("the next key takes its place");
	if (m->c->options & OPT_NEW_KEY)
		return S("another key is asked for");
	if (!m->cert_pem.n)
		return S("there is none");
	if (!m->usable)
		return S("the one that is there cannot be used with its key");
	if (m->cert.self_signed)
		return S("the one that is there is self-signed");
	if (left <= m->c->config.acme.renew_ms / 1000)
		return left > 0 ? str_fmt(m->a, "the one that is there lives only %lld more day%s",
					  days_left(m), days_left(m) == 1 ? "" : "s")
				: S("the one that is there is over");
	for (size_t i = 0; i < m->names.n; i++)
		if (!names_have(&m->cert.names, m->names.name[i]))
			return str_fmt(m->a, "the one that is there is not for %.*s",
				       FMT(m->names.name[i]));
	return S("");
}

/* A name that has its place in the present certificate does not lose it for a bad hour of the DNS:
 * only in the last week. */
static bool would_lose(const struct acme *m, struct str *why)
{
	if (!m->usable || m->cert.self_signed || m->cert.until - clock_wall() <= HURRY_S)
		return false;
	for (size_t i = 0; i < m->nleft; i++) {
		if (!names_have(&m->cert.names, m->left[i].name))
			continue;
		*why = str_fmt(m->a,
			       "a new certificate would not be for %.*s any more (%.*s), so it "
			       "has to wait until the present one lives only 7 days",
			       FMT(m->left[i].name), FMT(m->left[i].why));
		return true;
	}
	return false;
}

/* --- telling --- */

static json_t *json_cert(struct acme *m)
{
	json_t *names = json_array();

	if (!m->cert_pem.n || !m->cert.until) {
		json_decref(names);
		return json_null();
	}
	for (size_t i = 0; i < m->cert.names.n; i++)
		json_array_append_new(names, ctl_json_str(m->cert.names.name[i]));
	return json_pack("{s:o, s:o, s:b, s:b, s:I, s:I, s:o}", "file",
			 ctl_json_str(m->c->config.certificate), "issuer",
			 ctl_json_str(m->cert.issuer), "self_signed", m->cert.self_signed, "usable",
			 m->usable, "until", (json_int_t)m->cert.until, "days",
			 (json_int_t)days_left(m), "names", names);
}

static int tell_json(struct acme *m, const char *result, struct str why)
{
	json_t *left = json_array(), *names = json_array();

	for (size_t i = 0; i < m->nleft; i++)
		json_array_append_new(left,
				      json_pack("{s:o, s:o}", "name", ctl_json_str(m->left[i].name),
						"reason", ctl_json_str(m->left[i].why)));
	for (size_t i = 0; i < m->names.n; i++)
		json_array_append_new(names, ctl_json_str(m->names.name[i]));
	return ctl_print_json(json_pack("{s:b, s:s, s:o, s:o, s:o, s:o}", "ok", 1, "result", result,
					"reason", ctl_json_str(why), "names", names, "left_out",
					left, "certificate", json_cert(m)));
}

static void tell_left(const struct acme *m)
{
	for (size_t i = 0; i < m->nleft; i++)
		fprintf(stderr, "tecsmail: left out: %.*s: %.*s\n", FMT(m->left[i].name),
			FMT(m->left[i].why));
}

static void print_cert(struct acme *m)
{
	if (!m->cert_pem.n || !m->cert.until)
		return;
	printf("%.*s: until %.*s (%lld days), by %.*s, for\n", FMT(m->c->config.certificate),
	       FMT(text_day(m->a, m->cert.until)), days_left(m), FMT(m->cert.issuer));
	for (size_t i = 0; i < m->cert.names.n; i++)
		printf("  %.*s\n", FMT(m->cert.names.name[i]));
}

static int tell_kept(struct acme *m)
{
	if (m->c->options & OPT_JSON)
		return tell_json(m, "kept", S(""));
	tell_left(m);
	printf("Nothing to do: the certificate lives %lld more days (until %.*s).\n", days_left(m),
	       FMT(text_day(m->a, m->cert.until)));
	return EXIT_OK;
}

static int tell_plan(struct acme *m, struct str why)
{
	struct str obstacle = S_NONE;

	if (why.n && !m->names.n)
		obstacle = S("no name leads to this machine");
	else if (why.n)
		(void)would_lose(m, &obstacle);
	if (m->c->options & OPT_JSON)
		return tell_json(m,
				 obstacle.n ? "would-fail"
				 : why.n    ? "would-obtain"
					    : "would-keep",
				 obstacle.n ? obstacle : why);
	tell_left(m);
	print_cert(m);
	if (!why.n)
		printf("Nothing would be done.\n");
	else if (obstacle.n)
		printf("One would be obtained (%.*s), but %.*s.\n", FMT(why), FMT(obstacle));
	else
		printf("One would be obtained (%.*s) from %.*s, for\n", FMT(why),
		       FMT(m->c->config.acme.directory));
	for (size_t i = 0; why.n && !obstacle.n && i < m->names.n; i++)
		printf("  %.*s\n", FMT(m->names.name[i]));
	return EXIT_OK;
}

static int tell_obtained(struct acme *m, struct str why)
{
	if (m->c->options & OPT_JSON)
		return tell_json(m, "obtained", why);
	tell_left(m);
	printf("Obtained a certificate (%.*s).\n", FMT(why));
	print_cert(m);
	return EXIT_OK;
}

static int failed(struct acme *m, struct str why)
{
	if (!(m->c->options & OPT_JSON))
		tell_left(m);
	return ctl_failed(m->c, E_IO,
			  m->cert_pem.n
				  ? str_fmt(m->a, "%.*s; the certificate stays as it is", FMT(why))
				  : why);
}

/* --- obtaining --- */

/* Whatever can be refused here is refused before the authority is asked, who counts. */
static enum err prepare_files(struct acme *m, struct str key, struct str *why)
{
	const struct config *c = &m->c->config;
	enum err e = file_prepare(c->certificate, S(""), 0644, m->a, why);

	if (!e)
		(void)unlink(str_c(m->a, str_fmt(m->a, "%.*s.new", FMT(c->certificate))));
	if (!e && !str_eq(key, m->key_pem))
		e = file_prepare(c->key, key, 0600, m->a, why);
	return e;
}

/* A name that the authority does not accept is left out, and the others are tried again. */
static enum err order(struct acme *m, struct str key, struct str *why)
{
	struct str request;
	enum err e = E_IO;

	while (e && need(m).n) {
		*why = S("no name is left that leads to this machine");
		if (!m->names.n || would_lose(m, why) ||
		    (e = cert_request(key, &m->names, m->a, &request, why)))
			return E_IO;
		owner_become(&m->order.who);
		e = acme_run(&m->order, request, m->a);
		owner_return(&m->order.who);
		*why = str_fmt(m->a, "%.*s: %.*s", FMT(m->order.directory), FMT(m->order.why));
		if (e && !names_have(&m->names, m->order.failed))
			return e;
		if (e)
			leave_out(m, m->order.failed,
				  str_fmt(m->a, "refused: %.*s", FMT(m->order.why)));
	}
	return OK;
}

static enum err check_chain(struct acme *m, struct str key, struct str *why)
{
	struct str reason = S("it is none"), chain = m->order.chain;
	struct cert cert;
	bool good = !cert_read(chain, m->a, &cert) && cert_fits(chain, key, m->a, &reason);

	if (good && !names_cover(&cert.names, &m->names)) {
		reason = S("it is not for all names");
		good = false;
	}
	if (good && cert.until <= clock_wall()) {
		reason = S("it is over already");
		good = false;
	}
	if (!good) {
		*why = str_fmt(m->a, "what %.*s sent cannot be used: %.*s", FMT(m->order.directory),
			       FMT(reason));
		return E_CORRUPT;
	}
	m->cert = cert;
	return OK;
}

static enum err put_files(struct acme *m, struct str key, struct str *why)
{
	enum err e = roll_put(m->c, m->key_pem, key, m->order.chain, why);

	if (!e) {
		m->cert_pem = m->order.chain;
		m->key_pem = key;
		m->usable = true;
	}
	return e;
}

static int reload(struct acme *m)
{
	struct str why;

	return roll_reload(m->c, &why) ? EXIT_OK : ctl_failed(m->c, E_IO, why);
}

static int obtain(struct acme *m, struct str reason)
{
	bool fresh = !m->key_pem.n || (m->c->options & OPT_NEW_KEY);
	struct str key = m->next.n ? m->next : fresh ? cert_key_new(m->a) : m->key_pem, why;

	if (!m->order.directory.n)
		return failed(m, S("acme.directory names no authority"));
	enum err e = prepare_files(m, key, &why);
	if (!e)
		e = order(m, key, &why);
	if (!e && !m->order.chain.n)
		return tell_kept(m);
	if (!e)
		e = check_chain(m, key, &why);
	if (!e)
		e = put_files(m, key, &why);
	if (e) {
		(void)unlink(str_c(m->a, str_fmt(m->a, "%.*s.new", FMT(m->c->config.key))));
		return failed(m, why);
	}
	int status = reload(m);
	return status || m->next.n ? status : tell_obtained(m, reason);
}

static int go(struct acme *m)
{
	struct str why;
	enum err e = gather(m, &why);

	if (!e)
		e = make_folders(m, &why);
	if (!e)
		e = read_present(m, &why);
	if (e)
		return failed(m, why);
	if (m->c->config.acme.check) {
		owner_become(&m->order.who);
		work_run(check_names, m); /* where there is a stack for whatever resolves names */
		owner_return(&m->order.who);
	}
	int status = m->mended ? reload(m) : EXIT_OK;
	if (status)
		return status;
	struct str reason = need(m);
	if (m->c->options & OPT_DRY_RUN)
		return tell_plan(m, reason);
	if (!reason.n)
		return tell_kept(m);
	if (m->key_pem.n && (m->c->options & OPT_NEW_KEY) && !(m->c->options & OPT_YES) &&
	    (why = roll_objection(m->c)).n)
		return failed(m, str_fmt(m->a, "%.*s; --yes makes another all the same", FMT(why)));
	return obtain(m, reason);
}

static int run(struct ctl *c, struct str next)
{
	struct acme *m = ARENA_NEW(c->arena, struct acme);
	const struct config *f = &c->config;

	m->c = c;
	m->a = c->arena;
	m->next = next;
	m->lock = -1;
	m->order = (struct acme_order){ .directory = f->acme.directory,
					.email = f->acme.email,
					.challenges = f->acme.challenges };
	int status = go(m);
	if (m->lock >= 0)
		close(m->lock);
	return status;
}

int cmd_acme(struct ctl *c)
{
	return run(c, S_NONE);
}

int acme_roll(struct ctl *c, struct str key_pem)
{
	return run(c, key_pem);
}

bool acme_used(struct ctl *c)
{
	struct str path = str_fmt(c->arena, "%.*s/acme/%.*s/private/key.pem", FMT(c->config.state),
				  FMT(host_of(c->config.acme.directory)));
	struct stat st;

	return stat(str_c(c->arena, path), &st) == 0;
}
