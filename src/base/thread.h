/* SPDX-License-Identifier: MIT */
/*
 * Thread: one of ours, with every signal blocked.  Signals are the program's:
 * a library's thread must not be the one that runs its handlers.
 *
 * Threads: any.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

/* 0, or an error number as pthread_create gives it.  The caller joins the thread. */
int thread_start(pthread_t *thread, void *(*run)(void *), void *argument);

#endif
