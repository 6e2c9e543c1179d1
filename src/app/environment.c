/* SPDX-License-Identifier: MIT */
#include "app/environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"

static void drop(char **entries)
{
	for (char **entry = entries; *entry; entry++)
		secret_free(*entry);
	free(entries);
}

bool environment_take(struct environment *environment)
{
	size_t count = 0;
	char **entries;

	while (environ[count])
		count++;
	entries = calloc(count + 1, sizeof(*entries));
	if (!entries)
		return false;
	for (size_t i = 0; i < count; i++) {
		entries[i] = strdup(environ[i]);
		if (!entries[i]) {
			drop(entries);
			return false;
		}
	}
	for (size_t i = 0; i < count; i++)
		secret_forget(environ[i]);
	environ = environment->entries = entries;
	return true;
}

void environment_forget(struct environment *environment)
{
	static char *none[] = {NULL};

	environ = none;
	drop(environment->entries);
	environment->entries = NULL;
}
