/* SPDX-License-Identifier: ISC */
#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H
/*
 * charset.h - the charsets that mail is written in: those of the WHATWG Encoding Standard and a
 * few of old systems. libc knows many hundred more, which nobody uses but those who look for
 * faults in its modules, and each costs a library to be loaded.
 * Never suspends. This room only.
 */
#include <iconv.h>

#include "base/base.h"

/* A converter to UTF-8 in its first state; lives as long as the thread. False: not known. */
bool charset_converter(struct str name, iconv_t *out);

#endif
