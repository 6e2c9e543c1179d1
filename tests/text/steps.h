/* SPDX-License-Identifier: MIT */
/*
 * Steps: what code costs, counted instead of timed, so that a test of growth
 * gives the same answer on a busy host.
 *
 * A step is an edge taken in code compiled with -fsanitize-coverage=trace-pc,
 * or 16 bytes that a memory function went through, or a byte that ICU or the
 * tokenizer was asked about.  Link with the --wrap options of tests.cmake.
 *
 * Threads: counts those of the calling thread.
 */
#ifndef TESTS_TEXT_STEPS_H
#define TESTS_TEXT_STEPS_H

#include <stdint.h>

/* All that this thread took so far. */
uint64_t steps_taken(void);

#endif
