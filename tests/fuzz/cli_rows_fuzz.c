/* SPDX-License-Identifier: MIT */
/*
 * Records of `embed rows`: one line as CSV, as TSV and as JSON.  Fields that
 * were split are quoted and split again to the same; places lie in the
 * buffer, what is wrong lies in the line.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/csv.h"
#include "cli/json_row.h"

static struct span fields[CSV_MAX_FIELDS], again[CSV_MAX_FIELDS];

static void check_csv(const char *line, size_t len, char separator)
{
	struct buffer unquoted, quoted, back; /* never without memory: an offset of 0 is one, too */
	size_t count = 0, count_again = 0;

	buffer_init(&unquoted, 1u << 20);
	buffer_init(&quoted, 4u << 20);
	buffer_init(&back, 1u << 20);
	buffer_reserve(&unquoted, 1);
	buffer_reserve(&quoted, 1);
	buffer_reserve(&back, 1);
	if (csv_split(line, len, separator, &unquoted, fields, &count) == NULL) {
		for (size_t i = 0; i < count; i++) {
			if (i > 0)
				buffer_append_char(&quoted, ',');
			csv_append(&quoted, unquoted.bytes + fields[i].start, fields[i].len);
		}
		if (csv_split(quoted.bytes, quoted.len, ',', &back, again, &count_again) != NULL ||
		    count != count_again)
			abort();
		for (size_t i = 0; i < count; i++)
			if (fields[i].len != again[i].len ||
			    memcmp(unquoted.bytes + fields[i].start, back.bytes + again[i].start,
				fields[i].len) != 0)
				abort();
	}
	buffer_fini(&unquoted);
	buffer_fini(&quoted);
	buffer_fini(&back);
}

static void check_json(const char *line, size_t len)
{
	static const struct json_row_fields names = {"text", "id"};
	struct json_row row;
	struct buffer buffer;

	buffer_init(&buffer, 1u << 20);
	if (json_row_read(line, len, &names, &buffer, &row) == EMBED_OK) {
		if (row.has_text && row.text.start + row.text.len > buffer.len)
			abort();
		if (row.has_id && row.id.start + row.id.len > buffer.len)
			abort();
	} else if (row.why == NULL || row.offset > len) {
		abort();
	}
	buffer_fini(&buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line;

	if (size > 65536)
		return 0;
	line = malloc(size ? size : 1);
	memcpy(line, data, size);
	check_csv(line, size, ',');
	check_csv(line, size, '\t');
	check_json(line, size);
	free(line);
	return 0;
}
