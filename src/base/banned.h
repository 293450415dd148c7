/* SPDX-License-Identifier: ISC */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H
/*
 * banned.h - functions that are easy to get wrong do not compile here.
 * Text is struct str; numbers are read by the scanner; time is broken up by mail/date.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Where the library makes macros of them (fortified, by clang), they cannot be poisoned. */
#undef sprintf
#undef vsprintf
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#pragma GCC poison strcpy strcat strncpy strncat strtok strtok_r sprintf vsprintf gets
#undef alloca
#pragma GCC poison atoi atol atoll alloca gmtime localtime ctime asctime longjmp setjmp

#endif
