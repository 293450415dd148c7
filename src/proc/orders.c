/* SPDX-License-Identifier: ISC */
/* proc/orders.c - configuration and TLS files, read by main and checked before anybody is told. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "fiber/io.h"
#include "keeper/leaked.h"
#include "proc/supervise.h"

static enum err check_tls(const struct orders *o, struct arena *a, struct str *why)
{
	struct str reason = S_NONE;
	struct tls *tls;

	enum err e = tls_server_new(o->cert, o->key, a, &tls, &reason);
	if (e) {
		*why = str_fmt(a, "TLS with %.*s and %.*s: %.*s", FMT(o->config.certificate),
			       FMT(o->config.key), FMT(reason));
		return e;
	}
	tls_release(&tls);
	return OK;
}

/* A new key takes its place before its certificate does (ctl/roll.h); after a crash between the two
 * the certificate still waits beside its place. */
static enum err read_tls(struct orders *o, struct arena *a, struct str *why)
{
	struct str ignored, fresh = str_fmt(a, "%.*s.new", FMT(o->config.certificate));
	enum err e = file_read(o->config.certificate, SETTINGS_FILE_MAX, o->arena, &o->cert, why);

	if (!e)
		e = file_read(o->config.key, SETTINGS_FILE_MAX, o->arena, &o->key, why);
	if (!e)
		e = check_tls(o, a, why);
	if (e != E_SYNTAX)
		return e;
	struct str old = o->cert;
	if (!file_read(fresh, SETTINGS_FILE_MAX, o->arena, &o->cert, &ignored) &&
	    !check_tls(o, a, &ignored)) {
		log_event(LOG_WARN, "tls.certificate.waiting", KV("file", fresh));
		return OK;
	}
	o->cert = old;
	return e;
}

/* Children open no files: the keeper gets the list as a descriptor. */
static enum err open_leaked(struct orders *o, struct arena *a, struct str *why)
{
	struct str path = o->config.leaked;
	struct leaked *list;

	if (!path.n)
		return OK;
	o->leaked = open(str_c(a, path), O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (o->leaked < 0) {
		*why = str_fmt(a, "%.*s: %s", FMT(path), strerror(errno));
		return E_IO;
	}
	enum err e = leaked_open(o->leaked, &list);
	if (e)
		*why = str_fmt(a, "%.*s: not a list of SHA-1 (hex, \":\", count), a line each",
			       FMT(path));
	leaked_close(&list);
	return e;
}

void orders_free(struct orders *o)
{
	if (o->leaked >= 0)
		close(o->leaked);
	o->leaked = -1;
	arena_free(&o->arena);
}

enum err orders_read(struct str path, struct arena *a, struct orders *out, struct str *why)
{
	char real[PATH_MAX];

	*out = (struct orders){ .arena = arena_new(4 << 20), .leaked = -1 };
	/* Relative paths count from the file's folder, wherever a child stands. */
	out->path = str_dup(out->arena, realpath(str_c(a, path), real) ? str_of(real) : path);
	enum err e = file_read(out->path, CONFIG_MAX, out->arena, &out->text, why);
	if (!e)
		e = config_parse(out->path, out->text, out->arena, &out->config, why);
	if (!e)
		e = read_tls(out, a, why);
	if (!e)
		e = open_leaked(out, a, why);
	if (!e)
		e = outward_read(&out->config, out->arena, &out->outward, why);
	if (e) {
		*why = str_dup(a, *why);
		orders_free(out);
	}
	return e;
}
