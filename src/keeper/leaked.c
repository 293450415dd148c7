/* SPDX-License-Identifier: ISC */
/* keeper/leaked.c - binary search among the lines of a mapped file. */
#include "keeper/leaked.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHA1 = 20, DIGITS = 2 * SHA1 };

struct leaked {
	int fd; /* owned: tells the length as it is now */
	unsigned owners;
	const char *p;
	size_t n;
};

/* The hex digits at the front of the line at `at`, upper case; 0: it is no such line. */
static size_t line_digits(const struct leaked *l, size_t n, size_t at, char out[DIGITS])
{
	size_t i = 0;

	for (; i < DIGITS && at + i < n; i++) {
		char c = ascii_upper(l->p[at + i]);
		if (!ascii_digit(c) && (c < 'A' || c > 'F'))
			break;
		out[i] = c;
	}
	if (i < LEAKED_DIGITS_MIN)
		return 0;
	char next = at + i < n ? l->p[at + i] : '\n';
	return next == ':' || next == '\r' || next == '\n' ? i : 0;
}

enum err leaked_open(int fd, struct leaked **out)
{
	struct stat st;
	char digits[DIGITS];

	*out = NULL;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return E_SYNTAX;
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (own < 0)
		return E_IO;
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, own, 0);
	if (p == MAP_FAILED) {
		close(own);
		return E_IO;
	}
	(void)madvise(p, (size_t)st.st_size, MADV_RANDOM);
	struct leaked *l = NEW(struct leaked);
	*l = (struct leaked){ own, 1, p, (size_t)st.st_size };
	*out = l;
	if (line_digits(l, l->n, 0, digits))
		return OK;
	leaked_close(out);
	return E_SYNTAX;
}

struct leaked *leaked_hold(struct leaked *l)
{
	if (l)
		l->owners++;
	return l;
}

void leaked_close(struct leaked **lp)
{
	struct leaked *l = *lp;

	*lp = NULL;
	if (!l || --l->owners)
		return;
	munmap((void *)(uintptr_t)l->p, l->n);
	close(l->fd);
	free(l);
}

static bool password_digits(struct str password, char out[DIGITS + 1])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!EVP_Digest(password.p ? password.p : "", password.n, digest, &n, EVP_sha1(), NULL) ||
	    n != SHA1)
		return false;
	sodium_bin2hex(out, DIGITS + 1, digest, n);
	for (size_t i = 0; i < DIGITS; i++)
		out[i] = ascii_upper(out[i]);
	return true;
}

/* From anywhere in a line to its begin, not before from, and its end. */
static bool line_around(const struct leaked *l, size_t n, size_t from, size_t *at, size_t *end)
{
	size_t middle = *at;

	while (*at > from && l->p[*at - 1] != '\n')
		if (middle - --*at > LEAKED_LINE_MAX)
			return false;
	for (*end = middle; *end < n && l->p[*end] != '\n'; ++*end)
		if (*end - middle > LEAKED_LINE_MAX)
			return false;
	return true;
}

enum err leaked_find(const struct leaked *l, struct str password, bool *out)
{
	char want[DIGITS + 1], line[DIGITS];
	struct stat st;
	size_t from = 0, to = l->n, n = l->n;

	*out = false;
	if (!password_digits(password, want))
		return E_IO;
	/* What was cut off the file since it was mapped must not be touched. */
	if (fstat(l->fd, &st) || st.st_size < 0)
		return E_IO;
	if ((size_t)st.st_size < n)
		n = to = (size_t)st.st_size;
	while (from < to) { /* lines that begin in [from, to) are left; from begins one */
		size_t at = from + (to - from) / 2, end;
		if (!line_around(l, n, from, &at, &end))
			return E_CORRUPT;
		size_t digits = line_digits(l, n, at, line);
		if (!digits)
			return E_CORRUPT;
		int order = memcmp(want, line, digits);
		if (order == 0) {
			*out = true;
			return OK;
		}
		if (order < 0)
			to = at;
		else
			from = end + 1;
	}
	return OK;
}
