/* SPDX-License-Identifier: MIT */
/*
 * Shown keys: whom a snapshot tells of, when there are more than it has room
 * for: those that cost most this month, then those that asked most, then the
 * file's order.  Beside the file's keys that is everybody the ledger knows:
 * removed keys, and "" for who showed none.
 *
 * Pure but for the meters, which are read.  Threads: none; the snapshot's owner.
 */
#ifndef GATEWAY_SHOWN_KEYS_H
#define GATEWAY_SHOWN_KEYS_H

#include "gateway/snapshot.h"

/* Fills keys, key_count, key_rows and key_total from the table and snapshot->spending. */
void shown_keys_choose(
    struct snapshot *snapshot, const struct key_table *table, int64_t now_us, int64_t now_s);

#endif
