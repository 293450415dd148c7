/* SPDX-License-Identifier: ISC */
/* proc/nft.c - libnftables, loaded for as long as it is used. */
#include "proc/nft.h"

#include <dlfcn.h>
#include <linux/capability.h>
#include <malloc.h>
#include <nftables/libnftables.h>
#include <sys/syscall.h>
#include <unistd.h>

struct nft {
	void *library;
	struct nft_ctx *context;
	__typeof__(nft_ctx_new) *start;
	__typeof__(nft_ctx_free) *end;
	__typeof__(nft_ctx_buffer_output) *hold_output;
	__typeof__(nft_ctx_buffer_error) *hold_error;
	__typeof__(nft_ctx_get_error_buffer) *error;
	__typeof__(nft_run_cmd_from_buffer) *run;
};

static bool may(unsigned capability)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &head, sets) == 0 &&
	       (sets[capability / 32].effective & 1u << capability % 32);
}

/* A function's address fits a void * on every system that has dlsym(3). */
static bool find(const struct nft *n, const char *name, void *function)
{
	void *at = dlsym(n->library, name);

	memcpy(function, &at, sizeof at);
	return at != NULL;
}

enum err nft_open(struct nft **out, const char **why)
{
	struct nft *n = *out = NEW(struct nft);

	*why = "not allowed to; give the service CAP_NET_ADMIN";
	if (may(CAP_NET_ADMIN)) {
		*why = "libnftables.so.1 cannot be loaded; install the package libnftables1";
		n->library = dlopen("libnftables.so.1", RTLD_NOW | RTLD_LOCAL);
	}
	if (n->library && find(n, "nft_ctx_new", &n->start) && find(n, "nft_ctx_free", &n->end) &&
	    find(n, "nft_ctx_buffer_output", &n->hold_output) &&
	    find(n, "nft_ctx_buffer_error", &n->hold_error) &&
	    find(n, "nft_ctx_get_error_buffer", &n->error) &&
	    find(n, "nft_run_cmd_from_buffer", &n->run))
		n->context = n->start(NFT_CTX_DEFAULT);
	/* Nothing of the library's on standard error, which is the log. */
	if (n->context && !n->hold_output(n->context) && !n->hold_error(n->context))
		return OK;
	nft_close(out);
	return E_DENIED;
}

bool nft_run(struct nft *n, const char *commands, struct str *why)
{
	if (n->run(n->context, commands) == 0)
		return true;
	*why = str_of(n->error(n->context));
	*why = str_part(*why, 0, str_find(*why, '\n'));
	return false;
}

void nft_close(struct nft **n)
{
	if (!*n)
		return;
	if ((*n)->context)
		(*n)->end((*n)->context);
	if ((*n)->library)
		dlclose((*n)->library);
	free(*n);
	*n = NULL;
	malloc_trim(0); /* the parser's memory goes back to the system: 2 MB */
}
