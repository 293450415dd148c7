/* SPDX-License-Identifier: ISC */
/* A message on its way in: its octets go to a blob and through the MIME parser at once. */
#include "box/incoming.h"

struct incoming *incoming_new(struct store *st)
{
	struct incoming *in = NEW(struct incoming);

	in->arena = arena_new(MIME_ARENA_MAX);
	in->blob = blob_new(st);
	in->parser = mime_parser_new(in->arena);
	return in;
}

enum err incoming_write(struct incoming *in, struct str octets)
{
	BUG_IF(in->finished);
	if (octets.n > MESSAGE_SIZE_MAX - in->size)
		return E_LIMIT;
	mime_feed(in->parser, octets);
	in->size += octets.n;
	return blob_write(in->blob, octets);
}

enum err incoming_finish(struct incoming *in)
{
	BUG_IF(in->finished);
	struct str summary = summary_make(in->arena, mime_end(in->parser));
	enum err e = summary.n > BLOB_SUMMARY_MAX ? E_LIMIT : summary_open(summary, &in->summary);

	if (!e)
		e = blob_finish(in->blob, summary, &in->id);
	in->finished = !e;
	return e;
}

uint64_t incoming_size(const struct incoming *in)
{
	return in->size;
}

struct blob_id incoming_blob(const struct incoming *in)
{
	BUG_IF(!in->finished);
	return in->id;
}

const struct summary *incoming_summary(const struct incoming *in)
{
	BUG_IF(!in->finished);
	return &in->summary;
}

void incoming_close(struct incoming **in)
{
	if (!*in)
		return;
	blob_close(&(*in)->blob);
	arena_free(&(*in)->arena);
	free(*in);
	*in = NULL;
}
