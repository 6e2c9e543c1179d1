/* SPDX-License-Identifier: MIT */
/*
 * Signals: asks to stop and to reload, as numbers and as a readable descriptor.
 *
 * The first SIGINT or SIGTERM is counted, so that a command can finish what
 * it holds; the second ends the process at once with exit status 130 (143
 * for SIGTERM).  SIGHUP is counted apart.  SIGPIPE is ignored: a write fails
 * with EPIPE instead.
 *
 * The flags are the one piece of process-wide state; main installs them once.
 */
#ifndef APP_SIGNALS_H
#define APP_SIGNALS_H

#include <stdbool.h>

/* False when no descriptor was to be had. */
bool signals_install(void);

/* Whether the process was asked to stop. */
bool signals_stop_asked(void);

/* Whether SIGHUP came since the last call. */
bool signals_take_reload(void);

/* An eventfd that becomes readable when any of them arrives; never -1 after install. */
int signals_fd(void);

#endif
