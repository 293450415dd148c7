/* SPDX-License-Identifier: ISC */
#ifndef MAIL_LEX_H
#define MAIL_LEX_H
/*
 * lex.h - what the grammars of mail have in common; this room only. RFC 5322 3.2.
 */
#include "base/base.h"

bool lex_white(char c); /* SP, TAB, CR, LF */
bool lex_token(char c); /* of a token: RFC 2045 5.1 */
int lex_hex(char c);    /* the value of a hex digit, or -1 */

/* One comment, which may nest; gives what is inside. One that never ends takes the rest. */
struct str lex_comment(struct scan *in);
/* Blanks and comments, as many as there are: RFC 5322 3.2.2. */
void lex_cfws(struct scan *in);
/* A quoted string, written to out as what it means, at most as many octets as are eaten; gives
 * how many. The end of the text closes it too. Line ends inside are folds. */
size_t lex_quoted(struct scan *in, char *out);

#endif
