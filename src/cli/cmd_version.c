/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cli/command.h"

static int run(const struct command_input *input)
{
	static const char text[] = "embed " EMBED_VERSION_TEXT "\n";

	(void)input;
	return command_print(text, strlen(text), NULL) ? COMMAND_GOOD : COMMAND_SOME_FAILED;
}

const struct command command_version = {
    .name = "version",
    .arguments = "",
    .summary = "Print the version",
    .run = run,
};
