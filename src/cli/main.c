/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <unistd.h>

#include "app/environment.h"
#include "app/signals.h"
#include "app/streams.h"
#include "cli/command.h"

int main(int argc, char **argv)
{
	struct environment environment;
	int exit_status;

	setlocale(LC_CTYPE, "C.UTF-8");
	if (!streams_hold() || !signals_install() || !environment_take(&environment))
		return command_misuse("cannot set up streams, signals and memory");
	exit_status = command_main(argc - 1, argv + 1, environ);
	environment_forget(&environment);
	return exit_status;
}
