/* SPDX-License-Identifier: MIT */
/* Error bodies: always one verdict that a caller can act on.  First two bytes: HTTP status; third: inputs sent. */
#include <stdlib.h>
#include <string.h>

#include "wire/fault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_answer answer = {0};
	struct wire_fault fault;
	char *body;

	if (size < 3)
		return 0;
	body = malloc(size);
	memcpy(body, data + 3, size - 3);
	answer.http_status = (data[0] << 8 | data[1]) % 600;
	answer.input_count = data[2] % 4 + 1;
	answer.body = body;
	answer.body_len = size - 3;
	wire_fault_read(&fault, &answer);
	if (fault.verdict == WIRE_SPLIT && answer.input_count == 1)
		abort();
	if (fault.verdict == WIRE_STOP_INPUT && fault.error.index >= answer.input_count)
		abort();
	if (memchr(fault.error.message, '\0', sizeof(fault.error.message)) == NULL ||
	    memchr(fault.text, '\0', sizeof(fault.text)) == NULL || fault.wait_ms < -1)
		abort();
	free(body);
	return 0;
}
