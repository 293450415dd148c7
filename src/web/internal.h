/* SPDX-License-Identifier: ISC */
#ifndef WEB_INTERNAL_H
#define WEB_INTERNAL_H
/* internal.h - what the calls of the internal interface share; of this room only. docs/webapi.md */
#include <jansson.h>

#include "web/web_priv.h"

json_t *internal_text(struct str s); /* "" where it is no UTF-8 */
json_t *internal_both(struct str de, struct str en);
/* The object becomes the body and is freed. The address's lock is told beside all else. */
struct reply internal_answer(struct request *q, unsigned status, const char *result, json_t *o);
struct reply internal_bad(struct request *q);
/* What kept the keeper from looking at it. */
struct reply internal_failed(struct request *q, enum err e);
/* The proof that each call brings. False: the form is not that of the call. */
bool internal_proof(struct request *q, const char *const *names, struct login_try *out);

#endif
