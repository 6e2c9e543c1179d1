/* SPDX-License-Identifier: MIT */
#include "app/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Lock-free: a handler may use them, and any thread may be the one that it interrupts. */
static atomic_int stop_asked, hangup_came, hangup_reloads;
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "a handler must not wait for a lock");
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
	if (atomic_exchange(&stop_asked, 1))
		_exit(128 + number);
	wake();
}

/* Two of them come when a terminal closes, one of the shell and one of the kernel: the second is no hurry. */
static void on_hangup(int number)
{
	(void)number;
	hangup_came = 1;
	wake();
}

static bool handle(int number, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

	sigemptyset(&action.sa_mask);
	return sigaction(number, &action, NULL) == 0;
}

/* Of a program under nohup it has to stay ignored. */
static bool handle_hangup(void)
{
	struct sigaction was;

	return sigaction(SIGHUP, NULL, &was) == 0 &&
	       (was.sa_handler == SIG_IGN || handle(SIGHUP, on_hangup));
}

bool signals_install(void)
{
	if (event_fd < 0)
		event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return event_fd >= 0 && handle(SIGINT, on_stop) && handle(SIGTERM, on_stop) &&
	       handle_hangup() && handle(SIGPIPE, SIG_IGN);
}

bool signals_reload_on_hangup(void)
{
	hangup_reloads = 1;
	return handle(SIGHUP, on_hangup);
}

bool signals_stop_asked(void)
{
	return stop_asked != 0 || (hangup_came != 0 && hangup_reloads == 0);
}

bool signals_take_reload(void)
{
	return hangup_reloads != 0 && atomic_exchange(&hangup_came, 0) != 0;
}

int signals_fd(void)
{
	return event_fd;
}
