/* SPDX-License-Identifier: MIT */
/*
 * Tries: how often an address showed a key that is none.
 *
 * Each address may fail so many times at once, and again as the minute goes
 * by (the rate of meter.h).  Past that it is told to wait instead of being
 * told that the key is wrong.  Nobody's good key is held up by another's bad
 * ones: whoever stands behind one proxy or one router has one address.
 *
 * The table is bounded: an address lives in one of a few places, chosen by a
 * seeded hash, and takes the place of whoever failed least.  IPv6 addresses
 * count by their first 64 bits, since one host has all of the rest.
 *
 * Threads: any; `lock` guards all of it.  Only failures come here.
 */
#ifndef GATEWAY_TRIES_H
#define GATEWAY_TRIES_H

#include <stdbool.h>
#include <stdint.h>

struct tries;

/* NULL: out of memory. */
struct tries *tries_create(void);
/* NULL is fine. */
void tries_destroy(struct tries *tries);

struct tries_verdict {
	int64_t wait_us; /* 0: the try counts as any other; else it came too soon */
	bool is_news;    /* the first that came too soon in a minute: worth a log line */
};

/*
 * One more failed try of `peer` ("192.0.2.1:4711", "[2001:db8::1]:4711",
 * "unix"), of `limit` a minute (0: no limit).
 */
struct tries_verdict tries_fail(
    struct tries *tries, const char *peer, uint64_t limit, int64_t now_us);

/* Whether `peer` has failed too often by now; counts nothing.  Microseconds to wait, or 0. */
int64_t tries_wait_us(struct tries *tries, const char *peer, uint64_t limit, int64_t now_us);

#endif
