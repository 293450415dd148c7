/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "smtp/head.h"

static const struct {
	const char *in;
	unsigned received;
	bool ended;
	size_t n; /* octets of the header */
} table[] = {
	{ "", 0, false, 0 },
	{ "\r\n", 0, true, 2 },
	{ "\n", 0, true, 1 },
	{ "Received: x\r\n\r\nReceived: y\r\n", 1, true, 15 },
	{ "received:x\r\nRECEIVED: y\r\n", 2, false, 25 },
	{ "Received : x\r\n", 0, false, 14 },
	{ " Received: x\r\n", 0, false, 14 },
	{ "X-Received: x\r\nReceive: y\r\n", 0, false, 27 },
	{ "A: b\n\nc", 0, true, 6 },
	{ "A: b\r\n \r\n\r\nc", 0, true, 11 },
	{ "\r\r\nReceived: x\r\n", 1, false, 16 },
	{ "Received\r\nReceived:\r\n\r\n", 1, true, 23 },
};

int main(void)
{
	for (size_t i = 0; i < LENGTH(table); i++) {
		struct str in = str_of(table[i].in);

		for (size_t cut = 0; cut <= in.n; cut++) {
			struct head h = { 0 };
			size_t n = head_feed(&h, str_part(in, 0, cut));

			n += head_feed(&h, str_from(in, cut));
			CHECK_NUM(h.received, table[i].received);
			CHECK(h.ended == table[i].ended);
			CHECK_NUM(n, table[i].n);
		}
	}
	return check_done();
}
