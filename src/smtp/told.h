/* SPDX-License-Identifier: ISC */
#ifndef SMTP_TOLD_H
#define SMTP_TOLD_H
/* told.h - a sender who wants to hear of success hears of it: RFC 3461 5.2.3. Suspends. */
#include "smtp/intake.h"

/* The recipients' deliveries have their results. Those whom other servers report on are left to
 * them. What goes wrong is logged: the message is delivered in any case. */
void told_success(struct smtp *s, struct intake *it);

#endif
