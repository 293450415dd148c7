/* SPDX-License-Identifier: ISC */
#include "courier/tlsrpt_priv.h"
void tlsrpt_send_daily(void *arg)
{
	(void)arg;
}
