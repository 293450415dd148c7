/* SPDX-License-Identifier: ISC */
#ifndef PROC_NFT_H
#define PROC_NFT_H
/*
 * nft.h - commands of nft(8), by libnftables, which is in memory only between open and close:
 * it would cost each process of the program memory and time at its start if it were linked.
 */
#include "base/base.h"

struct nft;

/* E_DENIED: no right (CAP_NET_ADMIN), or no library; why says which and what to do, for ever. */
MUST enum err nft_open(struct nft **out, const char **why);
/* Runs all commands in one transaction, or none. False: why is libnftables' sentence, which
 * lives until the next call. (blocks: some 0.1 ms a command) */
bool nft_run(struct nft *n, const char *commands, struct str *why);
void nft_close(struct nft **n); /* (blocks: until the kernel has put away what was removed) */

#endif
