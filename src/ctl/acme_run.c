/* SPDX-License-Identifier: ISC */
/*
 * ctl/acme_run.c - uacme has a request signed (RFC 8555 7.4); it calls this program again for
 * each challenge, as its hook. Neither has the certificate's key.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "ctl/acme.h"
#include "proc/config.h"

#define CHALLENGES "TECSMAIL_ACME_CHALLENGES" /* tells the hook its folder */
#define REFUSED    "TECSMAIL_ACME_REFUSED"    /* and where it notes a name */

enum { SAID_MAX = 64 * 1024, NO_PROGRAM = 127, NAME_MAX_DNS = 253, TOKEN_MAX = 200 };

/* --- the hook --- */

bool acme_is_hook(int argc, char **argv)
{
	return argc == 6 && getenv(CHALLENGES) && getenv(REFUSED) &&
	       (str_is(str_of(argv[1]), "begin") || str_is(str_of(argv[1]), "done") ||
		str_is(str_of(argv[1]), "failed"));
}

/* It becomes a file's name: base64url, RFC 8555 8.3. */
static bool is_token(struct str token)
{
	for (size_t i = 0; i < token.n; i++)
		if (!ascii_digit(token.p[i]) && !ascii_alpha(token.p[i]) && token.p[i] != '-' &&
		    token.p[i] != '_')
			return false;
	return token.n && token.n <= TOKEN_MAX;
}

static int put(const char *path, struct str text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	int bad = fd < 0 || fchmod(fd, 0644) || write(fd, text.p, text.n) != (ssize_t)text.n;

	if (bad)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return bad;
}

/* METHOD TYPE IDENT TOKEN AUTH: uacme(1). Every type but http-01 is declined. */
int acme_hook(char **argv)
{
	struct str method = str_of(argv[1]), token = str_of(argv[4]);
	char path[4096];

	if (!str_is(str_of(argv[2]), "http-01") || !is_token(token))
		return 1;
	int n = snprintf(path, sizeof path, "%s/.well-known/acme-challenge/%s", getenv(CHALLENGES),
			 argv[4]);
	if (n < 0 || (size_t)n >= sizeof path)
		return 1;
	if (str_is(method, "begin"))
		return put(path, str_of(argv[5]));
	(void)unlink(path);
	return str_is(method, "failed") ? put(getenv(REFUSED), str_of(argv[3])) : 0;
}

/* --- the client --- */

static void become(const struct acme_order *o, const char *const *words, int said)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	owner_stay(&o->who);
	setpgid(0, 0); /* its hooks end with it */
	if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(said, 1) < 0 || dup2(said, 2) < 0)
		_exit(NO_PROGRAM);
	execvp(words[0], (char *const *)(uintptr_t)words);
	_exit(NO_PROGRAM);
}

/* All that it says, the first part of it kept; until it ends or the time is over. */
static void listen_to(int fd, struct buf *said, int64_t deadline)
{
	char some[4096];
	ssize_t got = 1;

	while (got > 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - clock_ms();
		if (left <= 0 || poll(&p, 1, (int)left) != 1)
			return;
		got = read(fd, some, sizeof some);
		if (got > 0)
			buf_put(said, STR(some, (size_t)got));
	}
}

/* Its exit status; NO_PROGRAM: there is none. */
static int run(const struct acme_order *o, const char *const *words, struct buf *said)
{
	int64_t deadline = clock_in(ACME_RUN_MS);
	int fds[2], status = 0;

	buf_clear(said);
	BUG_IF(pipe2(fds, O_CLOEXEC));
	pid_t pid = fork();
	if (pid == 0)
		become(o, words, fds[1]);
	close(fds[1]);
	if (pid > 0) {
		listen_to(fds[0], said, deadline);
		if (clock_ms() >= deadline)
			kill(-pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(fds[0]);
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What the authority says of its refusal: the "detail" of a problem document, RFC 7807 3.1. */
static struct str detail(struct str said, struct arena *a)
{
	size_t at = str_find_str(said, S("\"detail\":"));
	struct str text = str_trim(str_from(said, at + 9));
	json_t *j = json_loadb(text.p ? text.p : "", text.n,
			       JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, NULL);
	struct str found = str_dup(a, str_of(json_string_value(j)));

	json_decref(j);
	return found;
}

/* Its lines, and the hook's, as one sentence, where there is no such document. */
static struct str lines(struct str said, struct arena *a)
{
	struct buf b = buf_new(SAID_MAX);

	while (said.n) {
		size_t n = str_find(said, '\n');
		struct str line = str_part(said, 0, n);
		said = str_from(said, n + 1);
		if (str_find_str(line, S(": waiting ")) < line.n)
			continue;
		buf_put(&b, b.n ? S("; ") : S(""));
		buf_put(&b, str_starts(line, S("uacme: ")) ? str_from(line, 7) : line);
	}
	struct str text = str_dup(a, b.n ? buf_str(&b) : S("uacme failed and said nothing"));
	buf_free(&b);
	return text;
}

/* Others wrote it: nothing in it may lead a terminal. */
static struct str printable(struct str text, struct arena *a)
{
	char *p = str_c(a, str_part(text, 0, 500));

	for (char *c = p; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c >= 127)
			*c = '?';
	return str_of(p);
}

static enum err explain(struct acme_order *o, int status, struct str said, struct arena *a)
{
	struct str reason = detail(said, a);

	if (status == NO_PROGRAM && !said.n)
		o->why = S("uacme is not there: apt-get install uacme");
	else if (status < 0)
		o->why = S("uacme did not come to an end");
	else
		o->why = printable(reason.n ? reason : lines(said, a), a);
	return E_IO;
}

struct places {
	struct str request, chain, refused;
	const char *words[16]; /* the command line; n of them stand */
	size_t n;
};

/* uacme puts the chain beside the request. */
static void lay_out(struct acme_order *o, struct places *p, struct arena *a)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self);

	p->request = str_fmt(a, "%.*s/request.pem", FMT(o->folder));
	p->chain = str_fmt(a, "%.*s/request-cert.pem", FMT(o->folder));
	p->refused = str_fmt(a, "%.*s/refused", FMT(o->folder));
	setenv(CHALLENGES, str_c(a, o->challenges), 1);
	setenv(REFUSED, str_c(a, p->refused), 1);
	/* -y: whoever runs this agrees to the authority's terms, as the manual says. */
	const char *const words[] = { "uacme", "-y",
				      "-a",    str_c(a, o->directory),
				      "-c",    str_c(a, o->folder),
				      "-h",    str_c(a, STR(self, n > 0 ? (size_t)n : 0)) };
	memcpy(p->words, words, sizeof words);
	p->n = LENGTH(words);
}

static int step(const struct acme_order *o, struct places *p, const char *const *more,
		struct buf *said)
{
	size_t n = p->n;

	while (*more && n + 1 < LENGTH(p->words))
		p->words[n++] = *more++;
	p->words[n] = NULL;
	return run(o, p->words, said);
}

static int make_account(const struct acme_order *o, struct places *p, struct arena *a,
			struct buf *said)
{
	const char *email = o->email.n ? str_c(a, o->email) : NULL;
	const char *const words[] = { "--", "new", email, NULL };

	return step(o, p, words, said);
}

/* An account that the authority does not know any more is made anew. */
static int sign(const struct acme_order *o, struct places *p, struct arena *a, struct buf *said)
{
	const char *account = str_c(a, str_fmt(a, "%.*s/private/key.pem", FMT(o->folder)));
	/* -f, -o: whether it is time is for us to say. */
	const char *const words[] = { "-f", "-o", "--", "issue", str_c(a, p->request), NULL };
	int status = access(account, F_OK) ? make_account(o, p, a, said) : 0;

	if (!status)
		status = step(o, p, words, said);
	if (status == 2 && str_find_str(buf_str(said), S("failed to retrieve account")) < said->n) {
		status = make_account(o, p, a, said);
		if (!status)
			status = step(o, p, words, said);
	}
	return status;
}

enum err acme_run(struct acme_order *o, struct str request, struct arena *a)
{
	struct buf said = buf_new(SAID_MAX);
	struct places p;
	int status = 0;

	lay_out(o, &p, a);
	o->chain = o->failed = o->why = S_NONE;
	(void)unlink(str_c(a, p.chain));
	(void)unlink(str_c(a, p.refused));
	enum err e = file_prepare(p.request, request, 0644, a, &o->why);
	if (!e)
		e = file_switch(p.request, a, &o->why);
	if (!e && (status = sign(o, &p, a, &said)) != 0) {
		struct str ignored;
		e = explain(o, status, buf_str(&said), a);
		if (file_read(p.refused, NAME_MAX_DNS, a, &o->failed, &ignored))
			o->failed = S_NONE;
	} else if (!e) {
		e = file_read(p.chain, ACME_PEM_MAX, a, &o->chain, &o->why);
	}
	buf_free(&said);
	return e;
}
