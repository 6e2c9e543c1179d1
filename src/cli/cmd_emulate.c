/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/signals.h"
#include "cli/command.h"
#include "emulator/emulator.h"

#define LIST_MAX (1 << 16)

static int list_faults(void)
{
	struct buffer out;

	buffer_init(&out, LIST_MAX);
	emulator_list_faults(&out);
	return command_print_all(&out);
}

/* Stdout gets the base URL, for scripts to read; people read stderr. */
static bool announce(const struct emulator *emulator)
{
	const char *address = emulator_address(emulator);
	const char *scheme = strncmp(address, "unix:", 5) == 0 ? "" : "http://";
	char line[512];
	int len = snprintf(line, sizeof(line), "%s%s%s\n", scheme, address, *scheme ? "/v1" : "");

	fputs("embed: this is a stand-in for OpenAI; its vectors are made from hashed words, "
	      "good for trials and tests only\n",
	    stderr);
	return command_print(
	    line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1, NULL);
}

static void wait_for_stop(void)
{
	struct pollfd signals = {.fd = signals_fd(), .events = POLLIN};
	uint64_t count;

	while (!signals_stop_asked())
		if (poll(&signals, 1, -1) > 0 && read(signals.fd, &count, sizeof(count)) < 0)
			break;
}

static int run(const struct command_input *input)
{
	const struct emulator_options *options = input->own;
	struct embed_error error;
	struct emulator *emulator;

	if (input->argument_count > 0)
		return command_misuse("embed emulate takes no arguments, only options");
	if (options->list_faults)
		return list_faults();
	if (emulator_open(&emulator, options, &error) != EMBED_OK)
		return command_fail(&error);
	if (announce(emulator))
		wait_for_stop();
	emulator_close(emulator);
	return COMMAND_GOOD;
}

const struct command command_emulate = {
    .name = "emulate",
    .summary = "A local stand-in for OpenAI's embeddings API, for trials and tests",
    .arguments = "",
    .details = "Answers as OpenAI does: same errors, limits, headers, exact token counts, files\n"
	       "and batches, and faults on request. The vectors are not a model's: they are made\n"
	       "from hashed words, so that texts that share words lie near each other.\n"
	       "The base URL is printed to stdout. Counters: GET /emulator/stats.",
    .own = &emulator_option_set,
    .run = run,
};
