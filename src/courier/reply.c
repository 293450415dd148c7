/* SPDX-License-Identifier: ISC */
#include "courier/courier_priv.h"
#include "queue/why.h"

/* Reasons that no server gave: what they are called, and the status that a report tells. */
static const struct {
	enum queue_why say;
	uint16_t status[3];
} reasons[WHY_COUNT] = {
	[WHY_GONE] = { QUEUE_WHY_GONE, { 4, 4, 2 } },
	[WHY_SLOW] = { QUEUE_WHY_SLOW, { 4, 4, 2 } },
	[WHY_BROKEN] = { QUEUE_WHY_BROKEN, { 4, 5, 0 } },
	[WHY_CANCELED] = { QUEUE_WHY_GONE, { 4, 4, 2 } }, /* by us, with the mail on its way */
	[WHY_NO_TLS] = { QUEUE_WHY_NO_TLS, { 4, 7, 10 } },
	[WHY_TLS_FAILED] = { QUEUE_WHY_TLS_FAILED, { 4, 7, 5 } },
	[WHY_UNPROVEN] = { QUEUE_WHY_UNPROVEN, { 4, 7, 5 } },
	[WHY_NO_LOGIN] = { QUEUE_WHY_LOGIN, { 4, 7, 0 } },
	[WHY_TOO_LARGE] = { QUEUE_WHY_TOO_LARGE, { 5, 3, 4 } },    /* RFC 1870 6.3 */
	[WHY_8BITMIME] = { QUEUE_WHY_8BITMIME, { 5, 6, 3 } },      /* RFC 6152 3 */
	[WHY_BINARYMIME] = { QUEUE_WHY_BINARYMIME, { 5, 6, 3 } },  /* RFC 3030 3 */
	[WHY_SMTPUTF8] = { QUEUE_WHY_SMTPUTF8, { 5, 6, 9 } },      /* RFC 6531 3.5 */
	[WHY_REQUIRETLS] = { QUEUE_WHY_REQUIRETLS, { 5, 7, 30 } }, /* RFC 8689 5 */
	[WHY_DELIVERBY] = { QUEUE_WHY_DELIVERBY, { 5, 3, 3 } },    /* RFC 3463 3.4 */
	[WHY_ADDRESS] = { QUEUE_WHY_ADDRESS, { 5, 1, 3 } },
	[WHY_LINE_ENDS] = { QUEUE_WHY_LINE_ENDS, { 5, 6, 0 } },
	[WHY_OURS] = { QUEUE_WHY_OURS, { 4, 3, 0 } },
};

bool reply_status(struct str esc, uint16_t out[3])
{
	struct scan in = scan(esc);

	memset(out, 0, 3 * sizeof *out);
	for (unsigned i = 0; i < 3; i++) {
		if (i)
			scan_lit(&in, ".");
		out[i] = (uint16_t)scan_num(&in, 999);
	}
	if (scan_end(&in))
		return true;
	memset(out, 0, 3 * sizeof *out);
	return false;
}

enum queue_outcome reply_take(const struct outcome *o, bool utf8_address, int64_t now,
			      const struct queue_reply *facts, struct queue_reply *r)
{
	static const uint16_t address_status[3] = { 5, 6, 7 }; /* RFC 6531 3.5 */

	*r = *facts;
	r->when = now;
	r->code = (uint16_t)o->said.code;
	if (o->why == WHY_SAID) {
		reply_status(str_of(o->said.esc), r->status);
		r->text = str_part(o->said.text, 0, QUEUE_TEXT_MAX);
	} else {
		bool whose = o->why == WHY_SMTPUTF8 && utf8_address;

		r->code = 0;
		memcpy(r->status, whose ? address_status : reasons[o->why].status,
		       sizeof r->status);
		r->text = queue_why_text(reasons[o->why].say);
	}
	switch (o->verdict) {
	case DELIVERED: return QUEUE_TOOK;
	case PERMANENT: return QUEUE_REFUSED;
	default: break;
	}
	return o->maybe || o->why == WHY_GONE || o->why == WHY_SLOW || o->why == WHY_BROKEN ||
			       o->why == WHY_CANCELED
		       ? QUEUE_UNREACHED
		       : QUEUE_LATER;
}
