/* SPDX-License-Identifier: ISC */
#include "mail/mime_priv.h"

/* The fields that the tree keeps of a part's header: RFC 2045 to 2049, RFC 5322 3.6. */
struct kept {
	struct str type, encoding, id, description, md5, disposition, language, location;
	struct envelope_fields env;
};

static const struct wanted {
	const char *name;
	size_t at; /* in struct kept */
} wanted[] = {
	{ "Content-Type", offsetof(struct kept, type) },
	{ "Content-Transfer-Encoding", offsetof(struct kept, encoding) },
	{ "Content-ID", offsetof(struct kept, id) },
	{ "Content-Description", offsetof(struct kept, description) },
	{ "Content-MD5", offsetof(struct kept, md5) },
	{ "Content-Disposition", offsetof(struct kept, disposition) },
	{ "Content-Language", offsetof(struct kept, language) },
	{ "Content-Location", offsetof(struct kept, location) },
	{ "Date", offsetof(struct kept, env.date) },
	{ "Subject", offsetof(struct kept, env.subject) },
	{ "From", offsetof(struct kept, env.from) },
	{ "Sender", offsetof(struct kept, env.sender) },
	{ "Reply-To", offsetof(struct kept, env.reply_to) },
	{ "To", offsetof(struct kept, env.to) },
	{ "Cc", offsetof(struct kept, env.cc) },
	{ "Bcc", offsetof(struct kept, env.bcc) },
	{ "In-Reply-To", offsetof(struct kept, env.in_reply_to) },
	{ "Message-ID", offsetof(struct kept, env.message_id) },
	{ "References", offsetof(struct kept, env.references) },
};

static struct str *slot(struct kept *k, struct str name, bool as_message)
{
	for (size_t i = 0; i < LENGTH(wanted); i++)
		if (str_iis(name, wanted[i].name)) {
			bool envelope = wanted[i].at >= offsetof(struct kept, env);

			return envelope && !as_message ? NULL
						       : (struct str *)((char *)k + wanted[i].at);
		}
	return NULL;
}

/* The first of each wins. The texts still point into the header. */
static struct kept fields(struct str header, bool as_message, size_t *budget)
{
	struct kept k = { 0 };
	struct field f;

	while (field_next(&header, &f)) {
		struct str *to = slot(&k, f.name, as_message);

		if (!to || to->p)
			continue;
		*to = str_part(str_trim(f.body), 0, *budget);
		*budget -= to->n;
		if (!to->p)
			*to = S("");
	}
	return k;
}

static struct str keep(struct arena *a, struct str s)
{
	struct str flat = header_unfold(a, s);

	return !s.p ? S_NONE : flat.p == s.p ? str_dup(a, flat) : flat;
}

static struct str upper(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n);

	for (size_t i = 0; i < s.n; i++)
		p[i] = ascii_upper(s.p[i]);
	return STR(p, s.n);
}

static void content_type(struct arena *a, struct mime_part *part, struct str field, bool digest)
{
	static struct param ascii = { .name = { "charset", 7 },
				      .value = { "us-ascii", 8 },
				      .raw = { "us-ascii", 8 } };
	struct content c;

	if (content_type_parse(a, field, &c)) {
		part->type = upper(a, c.type);
		part->subtype = upper(a, c.subtype);
		part->params = c.params;
	} else if (digest && !field.p) { /* RFC 2046 5.1.5 */
		part->type = S("MESSAGE");
		part->subtype = S("RFC822");
	} else { /* RFC 2045 5.2 */
		part->type = S("TEXT");
		part->subtype = S("PLAIN");
		part->params = &ascii;
	}
}

/* One word; what people write behind it does not count. */
static struct str encoding(struct arena *a, struct str field)
{
	size_t n = 0;

	while (n < field.n && (unsigned char)field.p[n] > ' ' && !strchr(";(\"\\", field.p[n]))
		n++;
	return n ? upper(a, STR(field.p, n)) : S("7BIT");
}

void part_header(struct arena *a, struct mime_part *part, struct str header, bool as_message,
		 bool digest, size_t *budget)
{
	struct kept k = fields(header, as_message, budget);
	struct content c;

	content_type(a, part, keep(a, k.type), digest);
	part->encoding = encoding(a, k.encoding);
	part->id = keep(a, k.id);
	part->description = keep(a, k.description);
	part->md5 = keep(a, k.md5);
	part->language = keep(a, k.language);
	part->location = keep(a, k.location);
	if (k.disposition.p && content_disposition_parse(a, keep(a, k.disposition), &c)) {
		part->disposition = c.type;
		part->disposition_params = c.params;
	}
	if (!as_message)
		return;
	part->env = ARENA_NEW(a, struct envelope_fields);
	*part->env = (struct envelope_fields){
		.date = keep(a, k.env.date),
		.subject = keep(a, k.env.subject),
		.from = keep(a, k.env.from),
		.sender = keep(a, k.env.sender),
		.reply_to = keep(a, k.env.reply_to),
		.to = keep(a, k.env.to),
		.cc = keep(a, k.env.cc),
		.bcc = keep(a, k.env.bcc),
		.in_reply_to = keep(a, k.env.in_reply_to),
		.message_id = keep(a, k.env.message_id),
		.references = keep(a, k.env.references),
	};
}
