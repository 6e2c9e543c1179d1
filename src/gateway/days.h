/* SPDX-License-Identifier: MIT */
/*
 * Days: what the ledger knows of the last 90 days, one number a day for each
 * row of SPENDING_TABLE, in the form of history_write.
 *
 * Days are UTC; those on which nothing happened are there too, with zeroes,
 * from the first day that has something on.
 */
#ifndef GATEWAY_DAYS_H
#define GATEWAY_DAYS_H

#include <embed.h>

#include "base/buffer.h"

#define DAYS_KEPT 90

/* Asks the ledger; without one, or when it fails, there are no days. */
void days_write(struct buffer *out, embed_service *service, int64_t now_s);

#endif
