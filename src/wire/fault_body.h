/* SPDX-License-Identifier: MIT */
/*
 * Fault body: finds message, type, param and code in an error body of any of
 * the shapes of PROTOCOL.md 3, 9 and 10.  The first half of wire/fault.h.
 *
 * Threads: any.
 */
#ifndef WIRE_FAULT_BODY_H
#define WIRE_FAULT_BODY_H

#include <stddef.h>

/* Each is "" when it was not there; cut to fit, control characters as blanks. */
struct fault_body {
	char message[1024];
	char type[64];
	char param[64];
	char code[64]; /* a number as its digits */
};

void fault_body_read(struct fault_body *body, const char *bytes, size_t len);

#endif
