/* SPDX-License-Identifier: ISC */
/*
 * The MIME parser, whole against pieces, then the summary of what came out; and the same octets
 * read as a summary.
 */
#include "mail/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const struct mime_part *p)
{
	uint64_t end = p->body_off + p->body_size, at = p->body_off;

	BUG_IF(p->body_off != p->header_off + p->header_size);
	BUG_IF(p->body_lines > p->body_size || p->header_lines > p->header_size);
	BUG_IF((p->kind == MIME_LEAF) != (p->first == NULL));
	for (const struct mime_part *c = p->first; c; c = c->next) {
		BUG_IF(c->parent != p || c->header_off < at);
		at = c->body_off + c->body_size;
		BUG_IF(at > end && c->header_size + c->body_size);
		inside(c);
	}
}

static struct str summary_in_pieces(struct arena *a, struct str text, size_t piece)
{
	struct mime_parser *p = mime_parser_new(a);

	for (size_t i = 0; i < text.n; i += piece)
		mime_feed(p, str_part(text, i, piece));
	struct mime_part *root = mime_end(p);

	BUG_IF(root->body_off + root->body_size != text.n);
	inside(root);
	return summary_make(a, root);
}

static void parts(const struct summary *s, size_t depth, uint32_t *path)
{
	struct part_info info;

	if (summary_part(s, path, depth, &info) || depth == 4)
		return;
	for (path[depth] = 0; path[depth] < 4; path[depth]++)
		parts(s, depth + 1, path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = STR((const char *)data, size);
	struct arena *a = arena_new(8 * (size_t)MIME_ARENA_MAX);
	struct str whole = summary_in_pieces(a, text, size + 1);
	struct summary s;
	uint32_t path[5];

	for (size_t piece = 1; piece < 8; piece += piece < 3 ? 1 : 4)
		BUG_IF(!str_eq(whole, summary_in_pieces(a, text, piece)));
	BUG_IF(summary_open(whole, &s));
	BUG_IF(!s.envelope.n || !s.body.n || !s.bodystructure.n);
	BUG_IF(str_has(s.envelope, '\0') || str_has(s.body, '\0') ||
	       str_has(s.bodystructure, '\0'));
	parts(&s, 0, path);
	if (summary_open(text, &s) == OK)
		parts(&s, 0, path);
	arena_free(&a);
	return 0;
}
