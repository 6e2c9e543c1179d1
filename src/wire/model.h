/* SPDX-License-Identifier: MIT */
/*
 * Models: the built-in table of models.def.
 *
 * Rows are constant and live for ever.  Price overrides are the service's
 * business; this is what OpenAI publishes.  Threads: any.
 */
#ifndef WIRE_MODEL_H
#define WIRE_MODEL_H

#include <embed.h>

/* The `index`th row, or NULL past the end. */
const struct embed_model *model_at(size_t index);

/* By exact name; NULL when unknown. */
const struct embed_model *model_find(const char *name);

/* Nano-dollars a token through the Batch API; `model` is a row of this table. */
uint64_t model_batch_nano_per_token(const struct embed_model *model);

#endif
