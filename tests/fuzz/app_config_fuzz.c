/* SPDX-License-Identifier: MIT */
/*
 * A configuration file, from its bytes to typed options.  What loads, loads
 * again to the same values; what does not, says why.
 */
#include <stdlib.h>
#include <string.h>

#include "app/options.h"
#include "app/settings.h"
#include "memory_file.h"

static const struct option_set *const sets[] = {
    &settings_request, &settings_service, &settings_general};
#define SETS (sizeof(sets) / sizeof(sets[0]))

static enum embed_status load(const char *path, struct options **options, struct embed_error *error)
{
	char *nothing[] = {NULL};
	const char *files[] = {path};
	struct options_input input = {.active = sets,
	    .active_count = SETS,
	    .known = sets,
	    .known_count = SETS,
	    .argv = nothing,
	    .environment = nothing,
	    .files = files,
	    .file_count = 1};

	return options_load(options, &input, error);
}

static void must_not_differ(const char *name, enum option_change change, void *context)
{
	(void)name;
	(void)change;
	(void)context;
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct options *options = NULL, *again = NULL;
	struct embed_error error = {0};
	struct memory_file file;

	memory_file_open(&file, data, size);
	if (load(file.path, &options, &error) == EMBED_OK) {
		if (load(file.path, &again, &error) != EMBED_OK)
			abort();
		options_compare(options, again, must_not_differ, NULL);
	} else if (options != NULL || error.message[0] == '\0') {
		abort();
	}
	options_destroy(options);
	options_destroy(again);
	memory_file_close(&file);
	return 0;
}
