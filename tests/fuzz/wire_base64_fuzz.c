/* SPDX-License-Identifier: MIT */
/* Base64: both ways the same, and what is decoded strictly encodes to the same text. */
#include <stdlib.h>
#include <string.h>

#include "wire/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_encoding(const uint8_t *data, size_t size)
{
	char *fast = malloc(base64_encoded_len(size) + 1);
	char *slow = malloc(base64_encoded_len(size) + 1);
	uint8_t *back = malloc(base64_encoded_len(size) / 4 * 3 + 1);
	size_t len = base64_encode(fast, data, size);
	size_t back_len;

	if (len != base64_encode_scalar(slow, data, size) || memcmp(fast, slow, len) != 0)
		abort();
	if (!base64_decode(back, &back_len, fast, len) || back_len != size ||
	    (size > 0 && memcmp(back, data, size) != 0))
		abort();
	free(fast);
	free(slow);
	free(back);
}

static void check_decoding(const char *text, size_t size)
{
	size_t cap = size / 4 * 3;
	uint8_t *fast = malloc(cap + 1);
	uint8_t *slow = malloc(cap + 1);
	char *again = malloc(base64_encoded_len(cap) + 1);
	size_t used = base64_decode_run(fast, cap, text, size);
	size_t len;

	if (used != base64_decode_run_scalar(slow, cap, text, size) ||
	    memcmp(fast, slow, used / 4 * 3) != 0)
		abort();
	if (base64_decode(fast, &len, text, size) &&
	    (base64_encode(again, fast, len) != size || memcmp(again, text, size) != 0))
		abort();
	free(fast);
	free(slow);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	check_encoding(data, size);
	check_decoding(text, size);
	free(text);
	return 0;
}
