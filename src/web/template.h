/* SPDX-License-Identifier: ISC */
#ifndef WEB_TEMPLATE_H
#define WEB_TEMPLATE_H
/*
 * template.h - pages and documents from files of src/web/pages/, which are part of the program.
 *
 *   {name}              the value, with & < > " ' escaped: for HTML text, quoted attributes, XML
 *   {=name}             the value as it is: what another template has made
 *   {?name} .. {/name}  if the value is not empty (or has rows)
 *   {!name} .. {/name}  if it is
 *   {#name} .. {/name}  once for each row, whose names come before those outside
 *   [[de||en]]          the German or the English text; names may stand in it
 *
 * All are ours, so a name that nobody has set is our mistake and ends the process.
 * Never suspends.
 */
#include "base/buf.h"
#include "web/parse.h"

struct values;
struct value {
	const char *name;
	struct str text;
	const struct values *rows; /* of a list */
	size_t nrows;
};
struct values {
	const struct value *item;
	size_t n;
	const struct values *outside; /* where names are looked for next, or NULL */
};
#define VALUES(array) ((struct values){ (array), LENGTH(array), NULL })

void template_render(struct buf *out, struct str text, const struct values *v, enum lang lang);
/* For values that are put together elsewhere. */
void html_escape(struct buf *out, struct str text);

/* A file of src/web/pages/ by its name; a BUG if there is none. */
struct str page_file(const char *name);

#endif
