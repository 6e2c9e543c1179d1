/* SPDX-License-Identifier: MIT */
/* OpenAI's export of usage or costs (CSV), as usage --reconcile reads it; all forms of the report are written. */
#include <stdlib.h>
#include <string.h>

#include "cli/reconcile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum usage_format formats[] = {USAGE_TABLE, USAGE_JSON, USAGE_CSV};
	struct reconcile reconcile;
	struct embed_error error = {0};
	char *bytes = malloc(size ? size : 1); /* exactly sized: reading past it is seen */

	memcpy(bytes, data, size);
	reconcile_init(&reconcile);
	if (reconcile_read(&reconcile, bytes, size, &error) == EMBED_OK) {
		for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
			struct buffer out;

			buffer_init(&out, 16u << 20);
			reconcile_append(&reconcile, formats[i], &out);
			buffer_fini(&out);
		}
		if (reconcile.count > 0 && reconcile.first_s >= reconcile.end_s)
			abort();
		(void)reconcile_differs(&reconcile);
	} else if (error.message[0] == '\0') {
		abort();
	}
	reconcile_fini(&reconcile);
	free(bytes);
	return 0;
}
