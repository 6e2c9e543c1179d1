/* SPDX-License-Identifier: MIT */
/* The header that asks for a format.  Who does not name OpenMetrics gets text; who adds it at full weight gets it. */
#include <stdlib.h>
#include <string.h>

#include "gateway/exposition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char open[] = "application/openmetrics-text";
	size_t most = sizeof(open) - 1;
	char *accept = malloc(size + 1 + most);

	if (size > 0)
		memcpy(accept, data, size);
	if (exposition_wants_open(accept, size) && !memmem(accept, size, open, most))
		abort();
	accept[size] = ',';
	memcpy(accept + size + 1, open, most);
	if (!exposition_wants_open(accept, size + 1 + most))
		abort();
	free(accept);
	return 0;
}
