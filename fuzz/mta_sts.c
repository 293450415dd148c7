/* SPDX-License-Identifier: ISC */
/*
 * A host, LF, and then a policy file, which is also read as a TXT record: what is accepted is
 * within its bounds, and each pattern that is no wildcard knows the host that it names.
 */
#include "trust/mta_sts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = STR((const char *)data, size), id;
	size_t lf = str_find(text, '\n');
	struct str host = str_part(text, 0, lf), file = str_from(text, lf + 1);
	struct mta_sts policy;

	if (size > MTA_STS_FILE_MAX + 1024)
		return 0;
	struct arena *a = arena_new(1 << 20);

	if (mta_sts_record(&file, 1, &id) == OK)
		BUG_IF(!id.n || id.n > MTA_STS_ID_MAX);
	if (mta_sts_policy(a, file, &policy) == OK) {
		BUG_IF(policy.nmx > MTA_STS_MX_MAX || policy.max_age > MTA_STS_AGE_MAX);
		BUG_IF(!policy.nmx && policy.mode != MTA_STS_NONE);
		mta_sts_knows(&policy, host);
		for (size_t i = 0; i < policy.nmx; i++)
			BUG_IF(policy.mx[i].p[0] != '*' && !mta_sts_knows(&policy, policy.mx[i]));
	}
	arena_free(&a);
	return 0;
}
