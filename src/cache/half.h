/* SPDX-License-Identifier: MIT */
/*
 * Half: numbers between 32-bit and 16-bit floats (IEEE 754 binary16).
 *
 * A record keeps its numbers as halves when every one of them comes back bit
 * for bit.  The conversion uses the CPU's own instructions (F16C) where there
 * are any, and integer arithmetic elsewhere; both give the same bits for every
 * input but the payload of NaNs, which no record holds.
 *
 * Threads: any.
 */
#ifndef CACHE_HALF_H
#define CACHE_HALF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct half {
	const char *name;
	/* True when all numbers were stored in `out` without loss; `out` is scratch when false. */
	bool (*from_float)(uint16_t *out, const float *numbers, size_t count);
	/* `halves` may lie anywhere, odd addresses too: they come straight from a page. */
	void (*to_float)(float *out, const void *halves, size_t count);
};

/* The fastest way this CPU has.  Asking costs microseconds: ask once. */
const struct half *half_best(void);

/* The way every CPU has. */
const struct half *half_portable(void);

#endif
