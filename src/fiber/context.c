/* SPDX-License-Identifier: ISC */
#include "fiber/context.h"

#include <stdint.h>
#include <string.h>

#ifdef CONTEXT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#ifdef CONTEXT_PORTABLE

/* makecontext passes ints only; a pointer goes in two halves. */
static void begin(unsigned high, unsigned low)
{
	struct context *c = (struct context *)((uintptr_t)high << 16 << 16 | low);

	c->entry(c->arg);
}

static void prepare(struct context *c, void *low, size_t size, void (*entry)(void *), void *arg)
{
	uintptr_t self = (uintptr_t)c;

	getcontext(&c->uc);
	c->uc.uc_stack.ss_sp = low;
	c->uc.uc_stack.ss_size = size;
	c->uc.uc_link = NULL;
	c->entry = entry;
	c->arg = arg;
	makecontext(&c->uc, (void (*)(void))begin, 2, (unsigned)(self >> 16 >> 16), (unsigned)self);
}

static void jump(struct context *from, struct context *to)
{
	swapcontext(&from->uc, &to->uc);
}

#else

/*
 * context_jump(void **save, void *load): pushes the registers that a call must keep, stores the
 * stack pointer, loads the other and pops the same. The floating point control words are left
 * out: nothing here changes them. context_start is where a new flow's first jump arrives.
 */
void context_jump(void **save, void *load) __attribute__((visibility("hidden")));
void context_start(void) __attribute__((visibility("hidden")));

#ifdef __x86_64__

enum { FRAME_WORDS = 7, FRAME_ENTRY = 3, FRAME_ARG = 2, FRAME_PC = 6 };

/* The jump at the end in place of ret: the processor foretells returns from its own stack of
 * calls, and would be wrong each time. */
__asm__(".text\n"
	".globl context_jump\n"
	".hidden context_jump\n"
	".type context_jump, @function\n"
	"context_jump:\n"
	"	.cfi_startproc\n"
	"	endbr64\n"
	"	pushq %rbp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset %rbp, 0\n"
	"	pushq %rbx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset %rbx, 0\n"
	"	pushq %r12\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset %r12, 0\n"
	"	pushq %r13\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset %r13, 0\n"
	"	pushq %r14\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset %r14, 0\n"
	"	pushq %r15\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset %r15, 0\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	.cfi_restore %r15\n"
	"	popq %r14\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	.cfi_restore %r14\n"
	"	popq %r13\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	.cfi_restore %r13\n"
	"	popq %r12\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	.cfi_restore %r12\n"
	"	popq %rbx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	.cfi_restore %rbx\n"
	"	popq %rbp\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	.cfi_restore %rbp\n"
	"	popq %rcx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	.cfi_register %rip, %rcx\n"
	"	jmp *%rcx\n"
	"	.cfi_endproc\n"
	".size context_jump, . - context_jump\n"
	".globl context_start\n"
	".hidden context_start\n"
	".type context_start, @function\n"
	"context_start:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined %rip\n"
	"	endbr64\n"
	"	movq %r13, %rdi\n"
	"	callq *%r12\n"
	"	ud2\n"
	"	.cfi_endproc\n"
	".size context_start, . - context_start\n");

#else /* aarch64 */

enum { FRAME_WORDS = 20, FRAME_ENTRY = 8, FRAME_ARG = 9, FRAME_PC = 19 };

__asm__(".text\n"
	".globl context_jump\n"
	".hidden context_jump\n"
	".type context_jump, %function\n"
	"context_jump:\n"
	"	.cfi_startproc\n"
	"	hint #34\n" /* bti c */
	"	stp d8, d9, [sp, #-160]!\n"
	"	.cfi_adjust_cfa_offset 160\n"
	"	stp d10, d11, [sp, #16]\n"
	"	stp d12, d13, [sp, #32]\n"
	"	stp d14, d15, [sp, #48]\n"
	"	stp x19, x20, [sp, #64]\n"
	"	stp x21, x22, [sp, #80]\n"
	"	stp x23, x24, [sp, #96]\n"
	"	stp x25, x26, [sp, #112]\n"
	"	stp x27, x28, [sp, #128]\n"
	"	stp x29, x30, [sp, #144]\n"
	"	.cfi_rel_offset x29, 144\n"
	"	.cfi_rel_offset x30, 152\n"
	"	mov x9, sp\n"
	"	str x9, [x0]\n"
	"	mov sp, x1\n"
	"	ldp d10, d11, [sp, #16]\n"
	"	ldp d12, d13, [sp, #32]\n"
	"	ldp d14, d15, [sp, #48]\n"
	"	ldp x19, x20, [sp, #64]\n"
	"	ldp x21, x22, [sp, #80]\n"
	"	ldp x23, x24, [sp, #96]\n"
	"	ldp x25, x26, [sp, #112]\n"
	"	ldp x27, x28, [sp, #128]\n"
	"	ldp x29, x30, [sp, #144]\n"
	"	ldp d8, d9, [sp], #160\n"
	"	.cfi_adjust_cfa_offset -160\n"
	"	.cfi_restore x29\n"
	"	.cfi_restore x30\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size context_jump, . - context_jump\n"
	".globl context_start\n"
	".hidden context_start\n"
	".type context_start, %function\n"
	"context_start:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined x30\n"
	"	mov x0, x20\n"
	"	blr x19\n"
	"	brk #1\n"
	"	.cfi_endproc\n"
	".size context_start, . - context_start\n");

#endif

/* Lays down the frame that context_jump would have left, as if context_start had called it. */
static void prepare(struct context *c, void *low, size_t size, void (*entry)(void *), void *arg)
{
	uintptr_t top = ((uintptr_t)low + size) & ~(uintptr_t)15;
	/* Once all words are popped the stack is at top, on 16 as the ABIs want it. */
	uintptr_t *frame = (uintptr_t *)top - FRAME_WORDS;

	memset(frame, 0, FRAME_WORDS * sizeof *frame);
	frame[FRAME_ENTRY] = (uintptr_t)entry;
	frame[FRAME_ARG] = (uintptr_t)arg;
	frame[FRAME_PC] = (uintptr_t)context_start;
	c->sp = frame;
}

static void jump(struct context *from, struct context *to)
{
	context_jump(&from->sp, to->sp);
}

#endif

void context_make(struct context *c, void *low, size_t size, void (*entry)(void *), void *arg)
{
#ifdef CONTEXT_ASAN
	__asan_unpoison_memory_region(low, size); /* its last user left without returning */
#endif
	c->low = low;
	c->size = size;
	c->fake = NULL;
	prepare(c, low, size, entry, arg);
}

void context_switch(struct context *from, struct context *to)
{
#ifdef CONTEXT_ASAN
	__sanitizer_start_switch_fiber(&from->fake, to->low, to->size);
#endif
	jump(from, to);
#ifdef CONTEXT_ASAN
	__sanitizer_finish_switch_fiber(from->fake, NULL, NULL);
#endif
}

void context_leave(struct context *from, struct context *to)
{
#ifdef CONTEXT_ASAN
	__sanitizer_start_switch_fiber(NULL, to->low, to->size);
#endif
	jump(from, to);
	__builtin_unreachable();
}

void context_entered(struct context *from)
{
#ifdef CONTEXT_ASAN
	__sanitizer_finish_switch_fiber(NULL, &from->low, &from->size);
#else
	(void)from;
#endif
}
