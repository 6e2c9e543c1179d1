/* SPDX-License-Identifier: MIT */
/*
 * Work: one embeddings request, judged and answered, without HTTP around it.
 * The endpoint and the lines of batch files both go through here.
 *
 * Pure but for the tokenizer's tables; threads: one owner each.
 */
#ifndef EMULATOR_WORK_H
#define EMULATOR_WORK_H

#include <embed.h>

#include "base/buffer.h"
#include "emulator/fault.h"
#include "wire/reply.h"
#include "wire/request.h"

struct work_limits {
	size_t texts;              /* in a request */
	size_t text_tokens;        /* in a text */
	size_t request_tokens;     /* in a request */
	const char *const *models; /* those that exist; NULL: all known ones */
	size_t model_count;
};

/* What a body asked for, once judged good. */
struct work {
	struct wire_request *request; /* borrowed; its texts are the work */
	const struct embed_model *model;
	enum wire_format format;
	uint32_t dimensions;
	uint64_t tokens; /* exact: what is billed */
	uint64_t charge; /* what the limiter counts: bytes / 4, or token ids */
	char *decoded;   /* bytes of token-id texts, one after the other */
};

/* The model of that name among those that exist here, or NULL. */
const struct embed_model *work_find_model(const struct work_limits *limits, const char *name);

/*
 * Reads a body (changing it) and judges it in the order of PROTOCOL 14.1, from
 * JSON to dimensions.  `model` is the one of an Azure path, else NULL.
 * WIRE_REFUSAL_NONE: `work` is filled and the caller ends with work_fini;
 * otherwise the refusal's body was appended to `refusal`, with nothing to free.
 * Texts of token ids are turned into the bytes that they stand for.
 */
enum wire_refusal_id work_read(struct work *work, struct wire_request *request,
    const struct work_limits *limits, const struct embed_model *model, char *body, size_t len,
    struct buffer *refusal);
void work_fini(struct work *work);

enum work_layout { WORK_LAYOUT_AUTO, WORK_LAYOUT_A, WORK_LAYOUT_B };

struct work_style {
	enum work_layout layout;
	uint64_t noise_seed; /* 0: no noise */
	enum fault fault;    /* one of the CONTENT stage is put in; others change nothing */
};

/* Which of the two layouts this model's answers have. */
enum wire_layout work_layout_of(const struct work *work, enum work_layout wanted);

/* Appends the answer's body. */
enum embed_status work_write(
    const struct work *work, const struct work_style *style, struct buffer *body);

#endif
