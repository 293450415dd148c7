/* SPDX-License-Identifier: ISC */
#include "base/base.h"
#include "base/log.h"

const char *err_text(enum err e)
{
	static const char *const texts[ERR_COUNT] = {
		[OK] = "ok",
		[E_NOTFOUND] = "not found",
		[E_EXISTS] = "exists already",
		[E_DENIED] = "not allowed",
		[E_QUOTA] = "over quota",
		[E_LIMIT] = "limit reached",
		[E_SYNTAX] = "syntax error",
		[E_AGAIN] = "out of reach for now",
		[E_NOSPACE] = "disk full",
		[E_IO] = "input/output error",
		[E_CORRUPT] = "corrupt data",
		[E_VERSION] = "unknown format version",
		[E_CLOSED] = "connection closed",
		[E_TIMEOUT] = "timed out",
		[E_CANCELED] = "canceled",
		[E_READONLY] = "read-only",
	};
	/* An error number read from another process may be anything. */
	return (unsigned)e < ERR_COUNT ? texts[e] : "unknown error";
}

bool err_temporary(enum err e)
{
	switch (e) {
	case E_AGAIN:
	case E_NOSPACE:
	case E_IO:
	case E_QUOTA:
	case E_TIMEOUT:
	case E_CANCELED:
	case E_READONLY: return true;
	default: return false;
	}
}

void bug(const char *file, int line, const char *what)
{
	log_event(LOG_ERROR, "bug", KVC("file", file), KVN("line", line), KVC("what", what));
	abort();
}

static _Noreturn void out_of_memory(size_t n)
{
	log_event(LOG_ERROR, "out.of.memory", KVN("octets", n));
	abort();
}

void *mem_new(size_t n)
{
	void *p = calloc(1, n ? n : 1);
	if (!p)
		out_of_memory(n);
	return p;
}

void *mem_grow(void *p, size_t old, size_t n)
{
	/* realloc to 0 may free: one octet keeps the result a pointer. */
	char *grown = realloc(p, n ? n : 1);
	if (!grown)
		out_of_memory(n);
	if (n > old)
		memset(grown + old, 0, n - old);
	return grown;
}
