/* SPDX-License-Identifier: ISC */
#include "courier/https.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"

enum {
	ADDRESSES_MAX = 16,
	HEADER_OCTETS_MAX = 64 << 10,
	STACK_OCTETS = 1 << 20,
	POST_ANSWER_MAX = 16 << 10, /* octets of an answer that nobody reads */
	TYPE_MAX = 256,
	CONNECT_S = 20,
	PORT = 443
};

struct https {
	struct https_conf conf;
	struct arena *arena;
	unsigned running;
	struct signal free; /* raised when one has ended */
	_Atomic bool stop;
};

/* One request; its thread has it until the wake comes. */
struct request {
	struct https *h;
	const char *url, *resolve, *ca_file, *type;
	struct str body;
	bool post;
	struct buf answer;
	size_t header;
	char type_is[TYPE_MAX];
	long status;
	CURLcode result;
	bool too_long;
	struct wake wake;
	struct loop *loop;
};

struct https *https_new(const struct https_conf *conf)
{
	struct https *h = NEW(struct https);

	BUG_IF(curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK); /* counted; we are no thread */
	h->arena = arena_new(8192);
	h->conf = *conf;
	h->conf.ca_file = str_dup(h->arena, conf->ca_file);
	if (!h->conf.port)
		h->conf.port = PORT;
	return h;
}

void https_stop(struct https *h)
{
	h->stop = true;
	signal_raise(&h->free);
}

void https_close(struct https **h)
{
	if (!*h)
		return;
	BUG_IF((*h)->running);
	arena_free(&(*h)->arena);
	free(*h);
	*h = NULL;
	curl_global_cleanup();
}

/* --- the thread --- */

static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
	struct request *r = arg;

	buf_put(&r->answer, STR(p, size * n));
	r->too_long |= r->answer.full;
	return r->answer.full ? 0 : size * n;
}

static size_t take_header(char *p, size_t size, size_t n, void *arg)
{
	struct request *r = arg;

	(void)p;
	r->header += size * n;
	r->too_long |= r->header > HEADER_OCTETS_MAX;
	return r->too_long ? 0 : size * n;
}

static int go_on(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	return ((struct request *)arg)->h->stop;
}

static void set_limits(CURL *c, struct request *r)
{
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_PROXY, ""); /* whatever the environment says */
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L); /* RFC 8461 3.3 */
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)HTTPS_WAIT_MS);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, go_on);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, r);
	if (*r->ca_file) {
		/* The system's stay: libcurl looks into its folder too. */
		curl_easy_setopt(c, CURLOPT_CAINFO, r->ca_file);
		curl_easy_setopt(c, CURLOPT_CAPATH, "/etc/ssl/certs");
	}
}

static void perform(struct request *r)
{
	CURL *c = curl_easy_init();
	struct curl_slist *resolve = curl_slist_append(NULL, r->resolve), *head = NULL;
	const char *type = NULL;

	BUG_IF(!c || !resolve);
	set_limits(c, r);
	curl_easy_setopt(c, CURLOPT_URL, r->url);
	curl_easy_setopt(c, CURLOPT_RESOLVE, resolve);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "tecsmail/" TECSMAIL_VERSION);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, r);
	if (r->post) {
		head = curl_slist_append(curl_slist_append(NULL, r->type), "Expect:");
		BUG_IF(!head);
		curl_easy_setopt(c, CURLOPT_HTTPHEADER, head);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)r->body.n);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body.p);
	}
	r->result = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &r->status);
	if (curl_easy_getinfo(c, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type)
		snprintf(r->type_is, sizeof r->type_is, "%s", type);
	curl_easy_cleanup(c);
	curl_slist_free_all(resolve);
	curl_slist_free_all(head);
}

static void *thread(void *arg)
{
	struct request *r = arg;

	perform(r);
	wake_post(&r->wake, r->loop);
	return NULL;
}

/* --- the fiber --- */

static bool run_thread(struct request *r)
{
	pthread_attr_t attr;
	pthread_t id;

	BUG_IF(pthread_attr_init(&attr));
	BUG_IF(pthread_attr_setstacksize(&attr, STACK_OCTETS));
	r->loop = loop_this();
	bool good = !pthread_create(&id, &attr, thread, r);
	pthread_attr_destroy(&attr);
	if (!good)
		return false;
	wake_wait(&r->wake);
	pthread_join(id, NULL); /* its last act was the post */
	return true;
}

static enum err judge(const struct request *r, struct str *why)
{
	if (r->too_long) {
		*why = S("the answer is too long");
		return E_LIMIT;
	}
	*why = str_of(curl_easy_strerror(r->result)); /* a literal */
	switch (r->result) {
	case CURLE_OK: return OK;
	case CURLE_PEER_FAILED_VERIFICATION: return E_DENIED;
	case CURLE_OPERATION_TIMEDOUT: return E_TIMEOUT;
	case CURLE_ABORTED_BY_CALLBACK: return E_CANCELED;
	default: return E_CLOSED;
	}
}

static enum err run(struct request *r, struct arena *a, struct https_answer *out, struct str *why)
{
	struct https *h = r->h;
	enum err e = OK;

	while (!e && !h->stop && h->running == HTTPS_MAX)
		e = signal_wait(&h->free, h->free.count, NEVER);
	if (h->stop)
		e = E_CANCELED;
	if (e)
		return e;
	h->running++;
	bool ran = run_thread(r);
	h->running--;
	signal_raise(&h->free);
	*why = S("no thread could be started");
	e = ran ? judge(r, why) : E_IO;
	if (!e)
		*out = (struct https_answer){ .status = (unsigned)r->status,
					      .type = str_dup(a, str_of(r->type_is)),
					      .body = str_dup(a, buf_str(&r->answer)) };
	buf_free(&r->answer);
	return e;
}

static bool may_reach(const struct request *r, const struct dns_address *x)
{
	switch (dns_address_scope(x)) {
	case DNS_LOOPBACK: return r->h->conf.loopback;
	case DNS_INNER: return !r->post;
	case DNS_OUTER: return true;
	default: return false;
	}
}

static void add_addresses(const struct request *r, struct arena *a, struct buf *b,
			  const struct dns_answer *x, size_t *n)
{
	for (size_t i = 0; i < x->n && *n < ADDRESSES_MAX; i++) {
		if (!may_reach(r, &x->address[i]))
			continue;
		bool v4 = dns_address_v4(&x->address[i]);
		struct str text = dns_address_text(a, &x->address[i]);

		buf_fmt(b, "%s%s%.*s%s", *n ? "," : "", v4 ? "" : "[", FMT(text), v4 ? "" : "]");
		(*n)++;
	}
}

/* "HOST:PORT:ADDRESS,ADDRESS" for libcurl, which then asks no DNS. */
static enum err resolve(const struct request *r, struct str host, uint16_t port, struct arena *a,
			const char **out)
{
	static const enum dns_type types[] = { DNS_AAAA, DNS_A };
	struct buf b = buf_new(4096);
	int64_t deadline = clock_in(HTTPS_WAIT_MS);
	struct dns_answer x;
	enum err e = OK;
	size_t n = 0;

	buf_fmt(&b, "%.*s:%u:", FMT(host), port);
	for (size_t i = 0; i < LENGTH(types) && e != E_CANCELED; i++) {
		e = dns_ask(r->h->conf.dns, host, types[i], deadline, a, &x);
		if (!e && x.status == DNS_FOUND)
			add_addresses(r, a, &b, &x, &n);
	}
	*out = str_c(a, buf_str(&b));
	buf_free(&b);
	return e == E_CANCELED ? e : n ? OK : E_NOTFOUND;
}

static enum err go(struct https *h, struct request *r, const struct https_url *u, struct arena *a,
		   struct https_answer *out, struct str *why)
{
	uint16_t port = u->port ? u->port : h->conf.port;

	*why = S("no port of a web server");
	if (port != PORT && port != h->conf.port)
		return E_SYNTAX;
	*why = S("");
	r->h = h;
	r->ca_file = str_c(a, h->conf.ca_file);
	r->url = str_c(a, str_fmt(a, "https://%.*s:%u%.*s", FMT(u->host), port, FMT(u->path)));
	enum err e = resolve(r, u->host, port, a, &r->resolve);
	if (e == E_NOTFOUND)
		*why = S("the host has no address for us");
	return e ? e : run(r, a, out, why);
}

enum err https_get(struct https *h, struct str host, struct str path, size_t max, struct arena *a,
		   struct https_answer *out, struct str *why)
{
	struct request r = { .answer = buf_new(max) };
	struct https_url u = { .host = host, .path = path };

	return go(h, &r, &u, a, out, why);
}

enum err https_post(struct https *h, struct str url, const char *type, struct str body,
		    struct arena *a, struct https_answer *out, struct str *why)
{
	struct request r = { .answer = buf_new(POST_ANSWER_MAX), .post = true, .body = body };
	struct https_url u;

	r.type = str_c(a, str_fmt(a, "Content-Type: %s", type));
	*why = S("no URL that is used here");
	return https_url(url, &u) ? E_SYNTAX : go(h, &r, &u, a, out, why);
}

/* --- URLs --- */

static bool is_host(char c)
{
	return ascii_alpha(c) || ascii_digit(c) || c == '-' || c == '.' || c == '_';
}

static bool is_visible(char c)
{
	return c > ' ' && c < 127 && c != '"' && c != '<' && c != '>' && c != '\\' && c != '#';
}

enum err https_url(struct str text, struct https_url *out)
{
	struct scan in = scan(text);
	bool named = false;

	*out = (struct https_url){ 0 };
	scan_lit(&in, "https://");
	out->host = scan_span(&in, is_host);
	if (scan_opt(&in, ":"))
		out->port = (uint16_t)scan_num(&in, 65535);
	bool bare = !in.rest.n;
	if (!bare && !scan_at(&in, '/') && !scan_at(&in, '?'))
		scan_fail(&in);
	out->path = scan_span(&in, is_visible);
	for (size_t i = 0; i < out->host.n; i++)
		named |= ascii_alpha(out->host.p[i]);
	if (!scan_end(&in) || !named || out->host.n > 253 || text.n > 2048)
		return E_SYNTAX;
	if (bare)
		out->path = S("/");
	return *out->path.p == '/' ? OK : E_SYNTAX;
}
