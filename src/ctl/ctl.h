/* SPDX-License-Identifier: ISC */
#ifndef CTL_CTL_H
#define CTL_CTL_H
/*
 * ctl.h - the operator's command line: all but `serve`.
 */
#include "base/base.h"

/* What the program's exit status says; the same for every command. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,   /* a sentence on standard error says why */
	EXIT_USAGE = 2,    /* the command line makes no sense */
	EXIT_NOTFOUND = 3, /* the domain, user or alias named does not exist */
	EXIT_THERE = 4,    /* the domain, user or alias to be made exists already */
	EXIT_NOSERVER = 5, /* the server cannot be reached */
};

/* Runs one command line and says what the exit status shall be. */
int ctl_main(int argc, char **argv);

#endif
