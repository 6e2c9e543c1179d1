/* SPDX-License-Identifier: MIT */
/*
 * Top's screen: lines on a terminal, with ncurses.
 *
 * One screen a process.  Threads: one.
 */
#ifndef CLI_TOP_SCREEN_H
#define CLI_TOP_SCREEN_H

#include "cli/top_view.h"

/* False: this terminal cannot be drawn on. */
bool top_screen_open(void);
void top_screen_close(void);

/* Columns now; the window may have been resized. */
size_t top_screen_width(void);

/* From line `first` on, with `foot` in the last line; returns the first line really shown. */
size_t top_screen_draw(const struct top_lines *lines, size_t first, const char *foot);

enum top_key {
	TOP_KEY_NONE, /* the time is over */
	TOP_KEY_QUIT,
	TOP_KEY_SORT,
	TOP_KEY_TURN,
	TOP_KEY_PAUSE,
	TOP_KEY_UP,
	TOP_KEY_DOWN,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_RESIZED,
};

/* Waits for a key, at most so long. */
enum top_key top_screen_key(int wait_ms);

#endif
