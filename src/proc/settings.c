/* SPDX-License-Identifier: ISC */
/* proc/settings.c - one generation of the configuration, and the table of services. */
#include "proc/settings.h"

static void serve_mx(const struct settings *s, struct io *io)
{
	smtp_serve(&s->smtp, SMTP_MX, io);
}

static void serve_submission(const struct settings *s, struct io *io)
{
	smtp_serve(&s->smtp, SMTP_SUBMISSION, io);
}

static void serve_submission_internal(const struct settings *s, struct io *io)
{
	smtp_serve(&s->smtp_internal, SMTP_INTERNAL, io);
}

static void serve_lmtp(const struct settings *s, struct io *io)
{
	smtp_serve(&s->smtp, SMTP_LMTP, io);
}

static void serve_imap(const struct settings *s, struct io *io)
{
	imap_serve(&s->imap, io);
}

static void serve_imap_internal(const struct settings *s, struct io *io)
{
	imap_serve(&s->imap_internal, io);
}

static void serve_pop3(const struct settings *s, struct io *io)
{
	pop3_serve(&s->pop3, io);
}

static void serve_web(const struct settings *s, struct io *io)
{
	web_serve(s->web, WEB_PUBLIC, io);
}

static void serve_web_internal(const struct settings *s, struct io *io)
{
	web_serve(s->web, WEB_INTERNAL, io);
}

#define IMAP_CLOSED "* BYE [ALERT] "
#define POP3_CLOSED "-ERR [SYS/TEMP] "
#define SMTP_CLOSED "421 4.7.0 "

static const struct service services[] = {
	{ "smtp", PROCESS_MX, .closed = SMTP_CLOSED, serve_mx },
	{ "lmtp", PROCESS_MX, .closed = SMTP_CLOSED, serve_lmtp },
	{ "submission", PROCESS_SESSION, .closed = SMTP_CLOSED, serve_submission },
	{ "submissions", PROCESS_SESSION, .tls = true, .closed = SMTP_CLOSED, serve_submission },
	{ "submission_internal", PROCESS_SESSION, .internal = true, .closed = SMTP_CLOSED,
	  serve_submission_internal },
	{ "imap", PROCESS_SESSION, .closed = IMAP_CLOSED, serve_imap },
	{ "imaps", PROCESS_SESSION, .tls = true, .closed = IMAP_CLOSED, serve_imap },
	{ "imap_internal", PROCESS_SESSION, .internal = true, .closed = IMAP_CLOSED,
	  serve_imap_internal },
	{ "pop3", PROCESS_SESSION, .closed = POP3_CLOSED, serve_pop3 },
	{ "pop3s", PROCESS_SESSION, .tls = true, .closed = POP3_CLOSED, serve_pop3 },
	{ "web", PROCESS_SESSION, .closed = "", serve_web },
	{ "web_internal", PROCESS_SESSION, .internal = true, .closed = "", serve_web_internal },
};

const struct service *service_find(struct str name)
{
	for (size_t i = 0; i < LENGTH(services); i++)
		if (str_is(name, services[i].name))
			return &services[i];
	return NULL;
}

/* The networks have passed value_is_network. */
static void apply_lockout(struct settings *s)
{
	const struct lockout_conf *l = &s->config.lockout;
	struct net *exempt = ARENA_ARRAY(s->arena, struct net, l->exempt.n);

	for (size_t i = 0; i < l->exempt.n; i++)
		BUG_IF(!net_parse(l->exempt.item[i], &exempt[i]));
	s->exempt = (struct nets){ exempt, l->exempt.n };
	s->lockout = (struct lockout_rules){
		.errors = l->errors,
		.blocks = l->blocks,
		.window_s = l->window_ms / 1000,
		.block_s = l->block_ms / 1000,
		.day_s = l->day_ms / 1000,
		.ban_s = l->ban_ms / 1000,
		.prefix6 = l->prefix6,
		.count_repeats = l->count_repeats,
	};
}

static void apply(struct settings *s)
{
	const struct config *c = &s->config;

	apply_lockout(s);
	s->smtp_conf = smtp_conf_default();
	s->smtp_conf.hostname = c->hostname;
	s->smtp_conf.spool = c->state;
	s->smtp_conf.message_max = c->message_size;
	s->smtp_conf.recipients_max = c->recipients;
	s->smtp_conf.hops_max = c->hops;
	s->smtp_conf.hold_max = c->sending.hold_ms / 1000;
	s->smtp_conf.quota_warning = c->quota_warning;
	s->imap_conf = IMAP_CONF_DEFAULT;
	s->imap_conf.quota_warning = c->quota_warning;
	s->imap_conf.hostname = c->hostname;
	s->imap_conf.message_max = c->message_size;
	s->imap_conf.idle_ms = c->idle_ms;
	s->pop3_conf = pop3_conf_default();
	s->pop3_conf.hostname = c->hostname;
}

static enum err make_web(struct settings *s, struct str cert, struct str key, struct keeper *keeper,
			 struct store *store, struct arena *a, struct str *why)
{
	const struct config *c = &s->config;
	struct web_conf w = {
		.hostname = c->hostname,
		.server = c->web_server.n ? c->web_server : c->hostname,
		.provider = c->web_name.n ? c->web_name : c->hostname,
		.url = c->web_url,
		.webmail = c->web_webmail,
		.location_de = c->web_location_de,
		.location_en = c->web_location_en,
		.port = { [WEB_IMAPS] = config_port_told(c, "imaps", &c->imaps),
			  [WEB_IMAP] = config_port_told(c, "imap", &c->imap),
			  [WEB_POP3S] = config_port_told(c, "pop3s", &c->pop3s),
			  [WEB_POP3] = config_port_told(c, "pop3", &c->pop3),
			  [WEB_SUBMISSIONS] = config_port_told(c, "submissions", &c->submissions),
			  [WEB_SUBMISSION] = config_port_told(c, "submission", &c->submission) },
		.password_min = c->password_min,
		.password_classes = c->password_classes,
		.sts_mode = str_is(c->sts_mode, "off") ? S("") : c->sts_mode,
		.sts_max_age_s = c->sts_max_age_ms / 1000,
		.certificate = cert,
		.key = key,
	};

	if (!w.url.n)
		w.url = str_fmt(s->arena, "https://%.*s", FMT(c->hostname));
	return web_new(&w, keeper, store, a, &s->web, why);
}

enum err settings_new(struct str path, struct str text, struct str cert, struct str key,
		      struct store *store, struct keeper *keeper, struct arena *a,
		      struct settings **out, struct str *why)
{
	struct settings *s = NEW(struct settings);

	s->refs = 1;
	s->arena = arena_new(4 << 20);
	enum err e = config_parse(str_dup(s->arena, path), text, s->arena, &s->config, why);
	if (!e)
		e = tls_server_new(cert, key, a, &s->tls, why);
	if (!e && keeper)
		e = make_web(s, cert, key, keeper, store, a, why);
	if (e) {
		*why = str_dup(a, *why);
		settings_release(&s);
		return e;
	}
	apply(s);
	s->smtp = (struct smtp_server){ &s->smtp_conf, store, keeper, s->tls };
	s->imap = (struct imap_server){ &s->imap_conf, store, keeper, s->tls };
	s->pop3 = (struct pop3_server){ &s->pop3_conf, store, keeper, s->tls };
	/* What is said on a socket of this machine needs no TLS. */
	s->smtp_internal = (struct smtp_server){ &s->smtp_conf, store, keeper, NULL };
	s->imap_internal = (struct imap_server){ &s->imap_conf, store, keeper, NULL, true };
	*out = s;
	return OK;
}

void settings_serve_from(struct settings *s, struct store *store)
{
	s->smtp.store = s->smtp_internal.store = store;
	s->imap.store = s->imap_internal.store = store;
	s->pop3.store = store;
	if (s->web)
		web_serve_from(s->web, store);
}

struct settings *settings_hold(struct settings *s)
{
	s->refs++;
	return s;
}

void settings_release(struct settings **sp)
{
	struct settings *s = *sp;

	*sp = NULL;
	if (!s || --s->refs)
		return;
	if (s->web)
		web_free(&s->web);
	if (s->tls)
		tls_release(&s->tls);
	arena_free(&s->arena);
	free(s);
}
