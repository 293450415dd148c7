/* SPDX-License-Identifier: ISC */
#include "courier/tlsrpt_priv.h"
void tlsrpt_take_arriving(void *arg)
{
	(void)arg;
}
