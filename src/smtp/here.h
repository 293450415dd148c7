/* SPDX-License-Identifier: ISC */
#ifndef SMTP_HERE_H
#define SMTP_HERE_H
/*
 * here.h - receipts of a user's mail for those of its recipients who are here: written with the
 * mail itself, in the same commit (box/receipt.h). The courier writes those of the others.
 */
#include "smtp/session.h"

struct intake;

/* (quick) Makes *out, the update; it lives in s->tx. False: there is nothing to write: no user's
 * mail, or nobody here. */
bool here_prepare(struct smtp *s, struct intake *it, struct update *out);
/* Who did not get it after all, as the deliveries' results say now, has no receipt that says
 * otherwise. */
void here_done(struct smtp *s, struct intake *it);

#endif
