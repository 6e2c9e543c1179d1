/* SPDX-License-Identifier: MIT */
/*
 * Environment: keys come in it, and /proc/PID/environ and core dumps show it.
 * So the variables move to memory that can be overwritten when the program
 * ends, and the place that the kernel made for them is overwritten at once.
 *
 * Threads: call both while there are no others.
 */
#ifndef APP_ENVIRONMENT_H
#define APP_ENVIRONMENT_H

#include <stdbool.h>

struct environment {
	char **entries; /* what `environ` points to in between; ends with NULL */
};

/* getenv and setenv work as before.  False: no memory; nothing has changed. */
bool environment_take(struct environment *environment);

/* Leaves an empty environment. */
void environment_forget(struct environment *environment);

#endif
