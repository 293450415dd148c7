/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fiber/fiber_priv.h"

static size_t page_size(void)
{
	static size_t size;

	if (!size)
		size = (size_t)sysconf(_SC_PAGESIZE);
	return size;
}

size_t stack_guard(void)
{
	return page_size();
}

/*
 * A guard page of its own protection splits the mapping: such a stack costs two of the system's
 * maps, and of these a process has few (vm.max_map_count, 65530 by default). Since Linux 6.13
 * a guard can be put into the page tables instead; then FIBERS_MAX stacks are one map.
 */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
enum { SPLIT_MAX = 28000 }; /* of those that cost two maps; the rest is for files and the heap */

static _Atomic unsigned split; /* stacks of the whole process */

/* An emulator may say yes to advice that it does not know: so the kernel is asked to read the
 * page, as a set of signals to be blocked, and must refuse. Were it read, it would be empty. */
static bool unreadable(const char *p)
{
	return syscall(SYS_rt_sigprocmask, SIG_BLOCK, p, NULL, (size_t)8) != 0 && errno == EFAULT;
}

static bool guard(char *p)
{
	static _Atomic enum { UNKNOWN, WORKS, MISSING } installing;

	if (installing != MISSING && madvise(p, page_size(), MADV_GUARD_INSTALL) == 0) {
		if (installing == UNKNOWN)
			installing = unreadable(p) ? WORKS : MISSING;
		if (installing == WORKS)
			return true;
	}
	if (atomic_fetch_add(&split, 1) < SPLIT_MAX && mprotect(p, page_size(), PROT_NONE) == 0)
		return true;
	atomic_fetch_sub(&split, 1);
	return false;
}

static char *map(void)
{
	char *p = mmap(NULL, FIBER_STACK, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	/* Neighbors make one map, and a huge page of that would be the memory of 16 stacks. */
	(void)madvise(p, FIBER_STACK, MADV_NOHUGEPAGE);
	if (!guard(p)) {
		munmap(p, FIBER_STACK);
		return NULL;
	}
	return p;
}

static void unmap(char *p)
{
	unsigned n = atomic_load(&split);

	/* The system has one kind of guard or the other. */
	while (n && !atomic_compare_exchange_weak(&split, &n, n - 1))
		;
	munmap(p, FIBER_STACK);
}

char *stack_get(struct stacks *s)
{
	if (s->nhot)
		return s->hot[--s->nhot];
	if (s->ncold)
		return s->cold[--s->ncold];
	return map();
}

void stack_put(struct stacks *s, char *stack)
{
	if (s->nhot < STACKS_HOT) {
		s->hot[s->nhot++] = stack;
	} else if (s->ncold < STACKS_COLD) {
		stack_trim(stack, stack + FIBER_STACK);
		s->cold[s->ncold++] = stack;
	} else {
		unmap(stack);
	}
}

void stack_trim(char *stack, const void *from)
{
	char *low = stack + stack_guard();
	size_t n = (size_t)((const char *)from - low) & ~(page_size() - 1);

	BUG_IF((const char *)from < low || (const char *)from > stack + FIBER_STACK);
	if (n)
		(void)madvise(low, n, MADV_DONTNEED); /* a hint: refused, it costs memory only */
}

void stacks_free(struct stacks *s)
{
	while (s->nhot)
		unmap(s->hot[--s->nhot]);
	while (s->ncold)
		unmap(s->cold[--s->ncold]);
}
