/* SPDX-License-Identifier: ISC */
/* ctl/roll_files.c - certificate and key take their places. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include "ctl/roll.h"

enum err roll_lock(struct ctl *c, struct str *why)
{
	if (str_eq(c->config.certificate, c->config.key)) {
		*why = S("tls.certificate and tls.key must be two files");
		return E_SYNTAX;
	}
	size_t slash = str_rfind(c->config.key, '/');
	struct str folder =
		str_part(c->config.key, 0, slash ? slash : 1); /* the path is absolute */
	int fd = open(str_c(c->arena, folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return OK;
	*why = fd < 0 ? str_fmt(c->arena, "%.*s: %s", FMT(folder), strerror(errno))
		      : S("another tecsmail tls is at work");
	return E_IO;
}

enum err roll_mend(struct ctl *c, bool *mended, struct str *why)
{
	struct str path = c->config.certificate, chain, key, fresh, ignored;

	*mended = false;
	if (file_read(path, ACME_PEM_MAX, c->arena, &chain, &ignored))
		chain = S("");
	if (file_read(c->config.key, ACME_PEM_MAX, c->arena, &key, &ignored) ||
	    cert_fits(chain, key, c->arena, &ignored))
		return OK;
	if (file_read(str_fmt(c->arena, "%.*s.new", FMT(path)), ACME_PEM_MAX, c->arena, &fresh,
		      &ignored) ||
	    !cert_fits(fresh, key, c->arena, &ignored))
		return OK;
	*mended = true;
	return file_switch(path, c->arena, why);
}

/* What was published until now stays so until `tls retire`. */
static enum err keep_old(struct ctl *c, struct str key_pem, struct str *why)
{
	struct str path = roll_beside(c, ".old"), text = roll_key_public(c->arena, key_pem);
	enum err e = OK;

	if (!text.n)
		return OK;
	e = file_prepare_like(path, c->config.key, text, 0644, c->arena, why);
	return e ? e : file_switch(path, c->arena, why);
}

void roll_drop_next(struct ctl *c, struct str key_pem)
{
	static const char *const suffixes[] = { ".next.since", ".next.csr", ".next" };
	struct str next, ignored;

	if (file_read(roll_beside(c, ".next"), ACME_PEM_MAX, c->arena, &next, &ignored) ||
	    !str_eq(next, key_pem))
		return;
	for (size_t i = 0; i < LENGTH(suffixes); i++)
		(void)unlink(str_c(c->arena, roll_beside(c, suffixes[i])));
}

enum err roll_put(struct ctl *c, struct str key_pem, struct str key, struct str chain,
		  struct str *why)
{
	bool other = !str_eq(key, key_pem);
	enum err e = other ? keep_old(c, key_pem, why) : OK;

	if (!e)
		e = file_prepare(c->config.certificate, chain, 0644, c->arena, why);
	if (!e && other)
		e = file_prepare(c->config.key, key, 0600, c->arena, why);
	/* Key before certificate: of a crash between the two the server knows, and roll_mend. */
	if (!e && other)
		e = file_switch(c->config.key, c->arena, why);
	if (!e)
		e = file_switch(c->config.certificate, c->arena, why);
	if (!e && other)
		roll_drop_next(c, key);
	return e;
}

/* main made the control socket. nginx is told by whoever watches the files: webmail/serve, or
 * tecsmail-webmail-reload.path. */
bool roll_reload(struct ctl *c, struct str *why)
{
	int pid = peer_maker(c->peer);

	if (pid > 1 && kill(pid, SIGHUP) == 0)
		return true;
	*why = str_fmt(c->arena,
		       "the new certificate is in its place, but the server could not be told to "
		       "read it (%s): reload it by hand",
		       pid > 1 ? strerror(errno) : "its process is not known");
	return false;
}
