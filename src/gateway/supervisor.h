/* SPDX-License-Identifier: MIT */
/*
 * Supervisor: what systemd asks of a daemon (sd_notify(3), sd_listen_fds(3)),
 * without its library: one datagram and three variables.
 *
 * Threads: the main thread, at start and from its loop.
 */
#ifndef GATEWAY_SUPERVISOR_H
#define GATEWAY_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether there are such sockets, without taking them. */
bool supervisor_has_fds(void);

/* Sockets that were opened for us; writes at most `cap` descriptors, gives their count. */
size_t supervisor_listen_fds(int *fds, size_t cap);

/* Sends a state ("READY=1", "STOPPING=1", "WATCHDOG=1", "RELOADING=1\n..."); nobody there: nothing. */
void supervisor_notify(const char *state);

/* How often WATCHDOG=1 is due; 0: not wanted. */
int64_t supervisor_watchdog_us(void);

#endif
