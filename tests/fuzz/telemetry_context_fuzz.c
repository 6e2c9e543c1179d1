/* SPDX-License-Identifier: MIT */
/* A traceparent from outside: what is accepted is hex of the right length, and is passed on unchanged. */
#include <stdlib.h>
#include <string.h>

#include "telemetry/tracer.h"

static void check_hex(const char *text, size_t len)
{
	if (strlen(text) != len || strspn(text, "0123456789abcdef") != len ||
	    strspn(text, "0") == len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace_context context, again;
	char *text = malloc(size ? size : 1);
	char parent[TRACE_PARENT_LEN + 1];

	memcpy(text, data, size);
	if (trace_context_read(&context, text, size)) {
		check_hex(context.trace_id, 32);
		check_hex(context.parent_id, 16);
		trace_parent_write(parent, &context, 0x1234);
		if (!trace_context_read(&again, parent, strlen(parent)) ||
		    strcmp(again.trace_id, context.trace_id) != 0 ||
		    strcmp(again.parent_id, "0000000000001234") != 0)
			abort();
	}
	free(text);
	return 0;
}
