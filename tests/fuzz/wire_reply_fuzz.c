/* SPDX-License-Identifier: MIT */
/*
 * Reply bodies.  However the bytes are cut, the answer is the same.  First
 * byte: length of the segments; second: how many vectors are due; third: how
 * long they should be.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A sum over everything that was handed out, order included. */
static void hear(void *context, size_t index, const float *vector, uint32_t dimensions)
{
	uint64_t *sum = context;

	for (uint32_t i = 0; i < dimensions; i++) {
		uint32_t bits;

		memcpy(&bits, &vector[i], sizeof(bits));
		if ((bits & 0x7f800000) == 0x7f800000)
			abort();
		*sum = (*sum + bits + index) * 0x9e3779b97f4a7c15;
	}
}

static enum embed_status read_body(
    struct wire_reply *reply, const uint8_t *data, size_t size, size_t step, uint64_t *sum)
{
	*sum = 0;
	for (size_t at = 0; at < size; at += step) {
		size_t part = size - at < step ? size - at : step;
		char *copy = malloc(part);
		enum embed_status status;

		memcpy(copy, data + at, part);
		status = wire_reply_feed(reply, copy, part, NULL);
		free(copy);
		if (status != EMBED_OK)
			return status;
	}
	return wire_reply_end(reply, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_reply reply;
	enum embed_status whole, cut;
	uint64_t whole_sum, cut_sum;
	size_t count;

	if (size < 3)
		return 0;
	count = data[1] % 70 + 1;
	wire_reply_init(&reply);
	if (wire_reply_start(&reply, count, data[2] % 8, hear, &whole_sum) != EMBED_OK)
		abort();
	whole = read_body(&reply, data + 3, size - 3, SIZE_MAX / 2, &whole_sum);
	if (wire_reply_start(&reply, count, data[2] % 8, hear, &cut_sum) != EMBED_OK)
		abort();
	cut = read_body(&reply, data + 3, size - 3, data[0] + 1, &cut_sum);
	if (whole != cut || whole_sum != cut_sum)
		abort();
	if (whole == EMBED_OK && reply.received != count)
		abort();
	wire_reply_fini(&reply);
	return 0;
}
