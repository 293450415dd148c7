/* SPDX-License-Identifier: ISC */
/* Mail that the server itself writes to those who live here. */
#include <sys/random.h>

#include "base/clock.h"
#include "base/encode.h"
#include "box/incoming.h"
#include "mail/notice.h"

enum err tell_prepare(struct store *st, const struct notice *n, struct incoming **out)
{
	struct arena *a = arena_new(256 << 10);
	struct incoming *in = incoming_new(st);
	struct notice full = *n;
	uint8_t id[16];

	BUG_IF(getrandom(id, sizeof id, 0) != sizeof id);
	full.id = hex_encode(a, STR((const char *)id, sizeof id));
	full.now = clock_wall();
	enum err e = incoming_write(in, notice_compose(a, &full));

	if (!e)
		e = incoming_finish(in);
	if (e)
		incoming_close(&in);
	*out = in;
	arena_free(&a);
	return e;
}

enum err box_tell(struct store *st, uint32_t account, const struct notice *n)
{
	struct delivery d = { .account = account };
	struct incoming *in;
	enum err e = tell_prepare(st, n, &in);

	if (e)
		return e;
	box_deliver(st, in, &d, 1);
	incoming_close(&in);
	return d.result;
}
