/* SPDX-License-Identifier: MIT */
/*
 * Streams: a program may be started with its standard streams closed (`>&-`,
 * some service managers).  The next file that it opens would then get such a
 * number, and what is meant for stdout would be written into, say, the store.
 *
 * Threads: call it while there are no others, before any file is opened.
 */
#ifndef APP_STREAMS_H
#define APP_STREAMS_H

#include <stdbool.h>

/*
 * Takes the place of each closed standard stream with one that refuses: reads
 * of that stdin and writes to that stdout or stderr fail with EBADF, as they
 * did.  False: could not be opened.
 */
bool streams_hold(void);

#endif
