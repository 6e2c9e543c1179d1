/* SPDX-License-Identifier: MIT */
/*
 * Refusals by name: every error answer that can be asked for as a fault.
 * Those of wire/refusals.def, their {} filled in with the examples of PROTOCOL
 * 3, and the variants of variants.def.
 *
 * Pure; threads: any.
 */
#ifndef EMULATOR_REFUSAL_H
#define EMULATOR_REFUSAL_H

#include "base/buffer.h"
#include "wire/refusal.h"

/* First the rows of wire/refusals.def, by their own numbers, then the variants. */
enum refusal {
	REFUSAL_NONE = WIRE_REFUSAL_NONE,
	REFUSAL_LAST_OF_WIRE = WIRE_REFUSAL_COUNT - 1,
#define VARIANT(name, http, form, type, param, code, message) REFUSAL_##name,
#include "emulator/variants.def"
	REFUSAL_COUNT
};

/* In any case of letters ("rate_tokens"); REFUSAL_NONE: no such name. */
enum refusal refusal_find(const char *name, size_t len);

const char *refusal_name(enum refusal refusal);
int refusal_http_status(enum refusal refusal);

/* The content type of its body, NULL for an empty one. */
const char *refusal_content_type(enum refusal refusal);

/* Appends the body; `model` is the one asked for, or NULL. */
void refusal_write(struct buffer *body, enum refusal refusal, const char *model);

#endif
