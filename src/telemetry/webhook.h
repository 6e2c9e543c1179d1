/* SPDX-License-Identifier: MIT */
/*
 * Webhook: the signature by which a receiver knows that a letter is ours and
 * fresh.
 *
 *	x-embed-signature: t=1763847607,v1=HEX
 *
 * HEX is HMAC-SHA256 with the shared secret over the time, a dot and the body
 * as it stands.  A receiver computes it again and refuses old times.
 *
 * Pure.  Threads: any.
 */
#ifndef TELEMETRY_WEBHOOK_H
#define TELEMETRY_WEBHOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEBHOOK_FIELD_MAX 160

/* Writes the whole field, name included.  False: out of memory. */
bool webhook_sign(
    char field[WEBHOOK_FIELD_MAX], const char *secret, const char *body, size_t len, int64_t now_s);

#endif
