/* SPDX-License-Identifier: ISC */
/* keeper/guarantee.c - the words of guarantees, and which of two is stricter. */
#include "keeper/guarantee.h"

static const char *const sending_words[] = { "none", "encrypted", "authenticated" };
static const char *const receiving_words[] = { "any", "encrypted" };

struct guarantees guarantees_both(struct guarantees a, struct guarantees b)
{
	return (struct guarantees){
		.sending = a.sending > b.sending ? a.sending : b.sending,
		.receiving = a.receiving || b.receiving,
	};
}

const char *guarantee_word(enum guarantee sending)
{
	BUG_IF(sending >= GUARANTEES);
	return sending_words[sending];
}

const char *guarantee_receiving_word(bool receiving)
{
	return receiving_words[receiving];
}

bool guarantee_of(struct str word, enum guarantee *out)
{
	for (size_t i = 0; i < LENGTH(sending_words); i++)
		if (str_is(word, sending_words[i])) {
			*out = (enum guarantee)i;
			return true;
		}
	return false;
}

bool guarantee_receiving_of(struct str word, bool *out)
{
	*out = str_is(word, receiving_words[true]);
	return *out || str_is(word, receiving_words[false]);
}
