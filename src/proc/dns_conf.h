/* SPDX-License-Identifier: ISC */
#ifndef PROC_DNS_CONF_H
#define PROC_DNS_CONF_H
/* dns_conf.h - the section dns { } of the configuration as the resolver wants it. */
#include "dns/dns.h"
#include "proc/config.h"

/* Points into c and the arena. */
struct dns_conf config_dns(const struct config *c, struct arena *a);

bool value_is_stub(struct str text); /* ZONE=ADDRESS:PORT, for the table of keys */

#endif
