/* SPDX-License-Identifier: MIT */
/* Moment: points in time as people write them on a command line.  Pure. */
#ifndef CLI_MOMENT_H
#define CLI_MOMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * "2026-11-22", "2026-11-22T14:00" with seconds and Z if wanted (all UTC), or a
 * time before `now_s`: "36h", "7d".  False when it is neither.
 */
bool moment_parse(const char *text, int64_t now_s, int64_t *unix_s);

/* "2026-11-22 14:00" cut to what `is_hour` and `is_month` leave: hour, day or month. */
void moment_format(char text[24], int64_t unix_s, bool is_hour, bool is_month);

#endif
