/* SPDX-License-Identifier: ISC */
/*
 * The octets of one record, read as each type: what is accepted is a name that may be asked for.
 */
#include "dns/rdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = STR((const char *)data, size), text;
	struct dns_address address, again;
	struct dns_mx mx;

	if (size > 65535)
		return 0;
	struct arena *a = arena_new(1 << 20);

	if (rdata_name(a, in, &text) == OK)
		BUG_IF(!dns_name_ok(text) || text.n >= in.n);
	if (rdata_mx(a, in, &mx) == OK)
		BUG_IF(!dns_name_ok(mx.host));
	if (rdata_txt(a, in, &text) == OK)
		BUG_IF(text.n >= in.n);
	if (rdata_address(in, &address) == OK)
		BUG_IF(!dns_address_parse(dns_address_text(a, &address), &again) ||
		       memcmp(&address, &again, sizeof address) != 0);
	BUG_IF(rdata_tlsa(a, in).data.n > in.n);
	dns_name_ok(in);
	dns_address_parse(in, &address);
	arena_free(&a);
	return 0;
}
