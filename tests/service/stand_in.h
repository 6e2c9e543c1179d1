/* SPDX-License-Identifier: MIT */
/*
 * Stand-in: an emulator in this process, and a temporary home, for tests of
 * the whole library.  Failures to set up fail the test at hand.
 */
#ifndef TESTS_STAND_IN_H
#define TESTS_STAND_IN_H

#include <embed.h>

struct stand_in;

/* `flags`: as of `embed emulate`, ended by NULL; it listens on a free port of its own. */
struct stand_in *stand_in_start(const char *const *flags);
void stand_in_stop(struct stand_in *stand_in);

/* "http://127.0.0.1:PORT/v1" */
const char *stand_in_base_url(const struct stand_in *stand_in);

/* A counter of GET /emulator/stats. */
uint64_t stand_in_count(const struct stand_in *stand_in, const char *name);

/* Embeddings requests that it answered with this HTTP status. */
uint64_t stand_in_status(const struct stand_in *stand_in, int status);

/* Adds a rule, as --fault takes it. */
void stand_in_fault(const struct stand_in *stand_in, const char *rule);

/* Faults gone. */
void stand_in_calm(const struct stand_in *stand_in);

/* Counters to nothing, faults gone. */
void stand_in_reset(const struct stand_in *stand_in);

/* A new empty folder; the second removes it with all in it, and frees the path. */
char *home_create(void);
void home_destroy(char *home);

#endif
