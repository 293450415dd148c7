/* SPDX-License-Identifier: ISC */
#ifndef STORE_LMDB_CRC32C_H
#define STORE_LMDB_CRC32C_H
/*
 * crc32c.h - the Castagnoli checksum (RFC 3720 12.1), by the processor where it can.
 */
#include "base/base.h"

/* Of before's octets followed by s; before: 0 at the start. */
uint32_t crc32c(uint32_t before, struct str s);
uint32_t crc32c_table(uint32_t before, struct str s); /* the same without the processor's help */

#endif
