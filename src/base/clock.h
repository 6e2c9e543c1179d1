/* SPDX-License-Identifier: MIT */
/*
 * Clock: the only place that asks the system for the time.  Shells call it
 * and pass the answer down; pure layers take `now_us` as an argument.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Microseconds that never go backwards; no relation to the calendar. */
int64_t clock_now_us(void);

/* Seconds since 1970 (UTC). */
int64_t clock_unix_s(void);

/* The same in milliseconds. */
int64_t clock_unix_ms(void);

#endif
