/* SPDX-License-Identifier: ISC */
/* keeper/invite.c - tokens of invitations. */
#include <sodium.h>

#include "keeper/invite.h"

/* As that of app passwords: people may have to type it off paper. */
static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";

static void digest_of(const char text[INVITE_TEXT], uint8_t digest[INVITE_DIGEST])
{
	crypto_generichash(digest, INVITE_DIGEST, (const uint8_t *)text, INVITE_TEXT, NULL, 0);
}

void invite_make(char text[INVITE_TEXT + 1], uint8_t digest[INVITE_DIGEST])
{
	uint8_t octets[INVITE_TEXT];

	randombytes_buf(octets, sizeof octets);
	for (size_t i = 0; i < INVITE_TEXT; i++)
		text[i] = alphabet[octets[i] % 32];
	text[INVITE_TEXT] = 0;
	digest_of(text, digest);
	sodium_memzero(octets, sizeof octets);
}

bool invite_read(struct str text, uint8_t digest[INVITE_DIGEST])
{
	char lower[INVITE_TEXT];

	if (text.n != INVITE_TEXT)
		return false;
	for (size_t i = 0; i < INVITE_TEXT; i++) {
		lower[i] = ascii_lower(text.p[i]);
		if (!lower[i] || !strchr(alphabet, lower[i]))
			return false;
	}
	digest_of(lower, digest);
	return true;
}
