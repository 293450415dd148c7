/* SPDX-License-Identifier: ISC */
/* ctl/secret.c - asking at the terminal: for a password, unseen; whether something is meant. */
#include <errno.h>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "ctl/ctl_priv.h"

enum { SECRET_MAX = 1024 };

/* The first line; what stands behind it stays unread. */
static enum err read_line(struct ctl *c, int fd, struct str *out, struct str *why)
{
	char line[SECRET_MAX];
	size_t n = 0;
	ssize_t got;

	while ((got = read(fd, line + n, 1)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			*why = S("the password could not be read");
			return E_IO;
		}
		if (line[n] == '\n')
			break;
		if (++n == sizeof(line)) {
			*why = S("this is too long for a password");
			return E_LIMIT;
		}
	}
	if (n && line[n - 1] == '\r')
		n--;
	*out = str_dup(c->arena, STR(line, n));
	explicit_bzero(line, sizeof(line));
	if (n)
		return OK;
	*why = S("no password was given");
	return E_SYNTAX;
}

static enum err prompt(struct ctl *c, int tty, const char *text, struct str *out, struct str *why)
{
	struct termios before, unseen;

	if (tcgetattr(tty, &before)) {
		*why = S("the terminal cannot be made silent");
		return E_IO;
	}
	unseen = before;
	unseen.c_lflag &= (tcflag_t)~ECHO;
	unseen.c_lflag |= ECHONL;
	dprintf(tty, "%s: ", text);
	if (tcsetattr(tty, TCSAFLUSH, &unseen)) {
		*why = S("the terminal cannot be made silent");
		return E_IO;
	}
	enum err e = read_line(c, tty, out, why);
	tcsetattr(tty, TCSAFLUSH, &before);
	return e;
}

enum err secret_ask(struct ctl *c, struct str *out, struct str *why)
{
	const char *what = c->options & OPT_HASH ? "Hash" : "Password";
	char again[32];
	struct str second;

	if (c->options & OPT_PASSWORD_STDIN)
		return read_line(c, STDIN_FILENO, out, why);
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty < 0) {
		*why = S("there is no terminal to ask for the password: use --password-stdin");
		return E_IO;
	}
	snprintf(again, sizeof(again), "%s again", what);
	enum err e = prompt(c, tty, what, out, why);
	if (!e)
		e = prompt(c, tty, again, &second, why);
	close(tty);
	if (!e && !str_eq(*out, second)) {
		*why = S("the two are not the same: nothing was changed");
		return E_SYNTAX;
	}
	return e;
}

bool ctl_sure(struct ctl *c, struct str question, struct str want, struct str *why)
{
	char line[SECRET_MAX];
	size_t n = 0;

	if (c->options & OPT_YES)
		return true;
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty < 0) {
		*why = S("there is no terminal to ask whether this is meant: use --yes");
		return false;
	}
	dprintf(tty, "%.*s", FMT(question));
	while (n < sizeof line && read(tty, line + n, 1) == 1 && line[n] != '\n')
		n++;
	close(tty);
	if (str_ieq(str_trim(STR(line, n)), want))
		return true;
	*why = str_fmt(c->arena, "this is not \"%.*s\": nothing was changed", FMT(want));
	return false;
}
