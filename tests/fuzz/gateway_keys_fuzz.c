/* SPDX-License-Identifier: MIT */
/* The file of callers' keys.  Each key that is read is written as a line that reads as the same key. */
#include <stdlib.h>
#include <string.h>

#include "gateway/key_line.h"
#include "gateway/keys.h"
#include "memory_file.h"

static void check_round(const struct key *key)
{
	struct buffer first, second;
	struct embed_error error;
	struct key again = {.weight = 1};
	char *line;
	size_t len;

	buffer_init(&first, 65536);
	buffer_init(&second, 65536);
	key_line_write(key, &first);
	line = buffer_take(&first, &len);
	if (line == NULL || len == 0 || line[len - 1] != '\n')
		abort();
	line[len - 1] = '\0';
	if (key_line_read(&again, line, "fuzz", 1, &error) != EMBED_OK ||
	    strcmp(again.name, key->name) != 0 || !digest_equals(&again.digest, &key->digest) ||
	    again.created_s != key->created_s || again.expires_s != key->expires_s ||
	    again.rpm != key->rpm || again.tpm != key->tpm ||
	    again.budget_nano != key->budget_nano || again.lane != key->lane ||
	    again.weight != key->weight || again.is_admin != key->is_admin ||
	    again.is_partitioned != key->is_partitioned || strcmp(again.models, key->models) != 0)
		abort();
	free(line);
	buffer_fini(&first);
	buffer_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct key_table *table;
	struct embed_error error = {0};
	struct memory_file file;

	memory_file_open(&file, data, size);
	if (key_table_load(&table, file.path, &error) == EMBED_OK) {
		for (size_t i = 0; i < table->count; i++)
			check_round(&table->keys[i]);
		key_table_unref(table);
	} else if (error.message[0] == '\0') {
		abort();
	}
	memory_file_close(&file);
	return 0;
}
