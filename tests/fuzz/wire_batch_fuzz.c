/* SPDX-License-Identifier: MIT */
/* Lines and objects of the Batch API.  A line that is taken is JSON to jansson too; its body lies inside it. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "wire/batch_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_with_jansson(const uint8_t *data, size_t size)
{
	json_error_t error;
	json_t *root = json_loadb((const char *)data, size, JSON_ALLOW_NUL, &error);
	enum json_error_code code = root == NULL ? json_error_code(&error) : json_error_unknown;

	/* Numbers beyond 64 bits or a double, and NUL in a key, are JSON all the same. */
	if (root == NULL && code != json_error_numeric_overflow &&
	    code != json_error_null_byte_in_key)
		abort();
	json_decref(root);
}

static void check_body(const char *line, size_t size, const char *body, size_t len)
{
	if (body != NULL && (body < line || len > size || body + len > line + size))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = malloc(size + 1);
	struct batch_input_line input;
	struct batch_output_line output;
	struct batch_object batch;
	struct batch_file_object file;
	struct embed_error error;

	memcpy(line, data, size);
	if (batch_input_line_read(&input, line, size, &error) == EMBED_OK) {
		check_with_jansson(data, size);
		check_body(line, size, input.body, input.body_len);
	}
	memcpy(line, data, size);
	if (batch_output_line_read(&output, line, size, &error) == EMBED_OK) {
		check_with_jansson(data, size);
		check_body(line, size, output.body, output.body_len);
	}
	(void)batch_object_read(&batch, (const char *)data, size, &error);
	(void)batch_file_object_read(&file, (const char *)data, size, &error);
	free(line);
	return 0;
}
