/* SPDX-License-Identifier: MIT */
/* Tests of the reply reader stand on this: a body is fed in segments, and what comes out is kept. */
#ifndef WIRE_REPLY_RIG_H
#define WIRE_REPLY_RIG_H

#include "base/test.h"

#include "wire/reply.h"

#define MOST_VECTORS 64
#define MOST_FLOATS  64

/* What a reader handed out. */
struct heard {
	size_t count;
	size_t indexes[MOST_VECTORS];
	uint32_t dimensions[MOST_VECTORS];
	float vectors[MOST_VECTORS][MOST_FLOATS];
	bool is_there[MOST_VECTORS];
};

static inline void hear(void *context, size_t index, const float *vector, uint32_t dimensions)
{
	struct heard *heard = context;

	assert_true(index < MOST_VECTORS && dimensions <= MOST_FLOATS);
	assert_false(heard->is_there[index]);
	heard->is_there[index] = true;
	heard->indexes[heard->count++] = index;
	heard->dimensions[index] = dimensions;
	memcpy(heard->vectors[index], vector, dimensions * sizeof(*vector));
}

/* Feeds a body in segments of `step` bytes, each in memory of its own so that ASan sees its end. */
static inline enum embed_status read_in_steps(struct wire_reply *reply, struct heard *heard,
    const char *body, size_t len, size_t step, size_t count, uint32_t dimensions,
    struct embed_error *error)
{
	enum embed_status status;

	memset(heard, 0, sizeof(*heard));
	assert_int_equal(wire_reply_start(reply, count, dimensions, hear, heard), EMBED_OK);
	for (size_t at = 0; at < len; at += step) {
		size_t part = len - at < step ? len - at : step;
		char *copy = malloc(part);

		memcpy(copy, body + at, part);
		status = wire_reply_feed(reply, copy, part, error);
		free(copy);
		if (status != EMBED_OK)
			return status;
	}
	return wire_reply_end(reply, error);
}

#endif
