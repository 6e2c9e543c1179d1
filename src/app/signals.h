/* SPDX-License-Identifier: MIT */
/*
 * Signals: asks to stop and to reload, as numbers and as a readable descriptor.
 *
 * The first SIGINT or SIGTERM is counted, so that a command can finish what
 * it holds; the second ends the process at once with exit status 130 (143
 * for SIGTERM).  SIGHUP, which a closing terminal sends, asks to stop too,
 * unless it was ignored from the start (nohup); a daemon takes it as a wish to
 * reload.  SIGPIPE is ignored: a write fails with EPIPE instead.
 *
 * The flags are the one piece of process-wide state; main installs them once.
 */
#ifndef APP_SIGNALS_H
#define APP_SIGNALS_H

#include <stdbool.h>

/* False when no descriptor was to be had. */
bool signals_install(void);

/* For a daemon, before it polls: SIGHUP reloads, under nohup too, also one that came before. */
bool signals_reload_on_hangup(void);

/* Whether the process was asked to stop. */
bool signals_stop_asked(void);

/* Whether a daemon's SIGHUP came since the last call. */
bool signals_take_reload(void);

/* An eventfd that becomes readable when any of them arrives; never -1 after install. */
int signals_fd(void);

#endif
