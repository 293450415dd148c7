/* SPDX-License-Identifier: ISC */
#ifndef FIBER_CONTEXT_H
#define FIBER_CONTEXT_H
/*
 * context.h - one flow of control: its stack, and where it stands while another runs.
 * Private to the room.
 */
#include <stddef.h>

#if !defined(__x86_64__) && !defined(__aarch64__)
#define CONTEXT_PORTABLE 1
#endif

#if defined(__SANITIZE_ADDRESS__)
#define CONTEXT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CONTEXT_ASAN 1
#endif
#endif

#ifdef CONTEXT_PORTABLE
#include <ucontext.h>
#endif

struct context {
#ifdef CONTEXT_PORTABLE
	ucontext_t uc;
	void (*entry)(void *arg);
	void *arg;
#else
	void *sp; /* the saved registers lie here: tools/gdb-fibers.py knows their order */
#endif
	const void *low; /* the stack, as told to AddressSanitizer */
	size_t size;
	void *fake; /* AddressSanitizer's own stack for this flow */
};

/* A flow that begins with entry(arg) on the stack [low, low + size); entry never returns. */
void context_make(struct context *c, void *low, size_t size, void (*entry)(void *), void *arg);

/* Goes on with to; returns when somebody goes on with from. */
void context_switch(struct context *from, struct context *to);
/* Goes on with to for ever: the stack of from may then be reused. */
_Noreturn void context_leave(struct context *from, struct context *to);
/* What entry calls first; from is the flow that went on with this one. */
void context_entered(struct context *from);

#endif
