/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <unistd.h>

#include "app/signals.h"
#include "cli/command.h"

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	if (!signals_install())
		return command_misuse("cannot set up signals");
	return command_main(argc - 1, argv + 1, environ);
}
