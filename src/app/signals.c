/* SPDX-License-Identifier: MIT */
#include "app/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static volatile sig_atomic_t stop_asked, reload_asked;
static int event_fd = -1;

static void wake(void)
{
	uint64_t one = 1;
	int kept = errno;

	if (write(event_fd, &one, sizeof(one)) < 0)
		errno = kept; /* full: it is readable already */
	errno = kept;
}

static void on_stop(int number)
{
	if (stop_asked)
		_exit(128 + number);
	stop_asked = 1;
	wake();
}

static void on_reload(int number)
{
	(void)number;
	reload_asked = 1;
	wake();
}

static bool handle(int number, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

	sigemptyset(&action.sa_mask);
	return sigaction(number, &action, NULL) == 0;
}

bool signals_install(void)
{
	if (event_fd < 0)
		event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return event_fd >= 0 && handle(SIGINT, on_stop) && handle(SIGTERM, on_stop) &&
	       handle(SIGHUP, on_reload) && handle(SIGPIPE, SIG_IGN);
}

bool signals_stop_asked(void)
{
	return stop_asked != 0;
}

bool signals_take_reload(void)
{
	bool was = reload_asked != 0;

	reload_asked = 0;
	return was;
}

int signals_fd(void)
{
	return event_fd;
}
