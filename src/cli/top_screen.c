/* SPDX-License-Identifier: MIT */
#include "cli/top_screen.h"

#include <curses.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { PAIR_HEAD = 1, PAIR_BAD };

static void init_colors(void)
{
	const char *no_color = getenv("NO_COLOR");

	if (!has_colors() || (no_color != NULL && *no_color != '\0'))
		return;
	start_color();
	use_default_colors();
	init_pair(PAIR_HEAD, COLOR_CYAN, -1);
	init_pair(PAIR_BAD, COLOR_RED, -1);
}

bool top_screen_open(void)
{
	SCREEN *screen;

	/* UTF-8 wherever the environment allows it: names and blocks are drawn with it. */
	if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX < 2)
		setlocale(LC_CTYPE, "C.UTF-8");
	screen = newterm(NULL, stdout, stdin);
	if (screen == NULL)
		return false;
	set_term(screen);
	init_colors();
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	return true;
}

void top_screen_close(void)
{
	endwin();
}

size_t top_screen_width(void)
{
	return COLS > 0 ? (size_t)COLS : 80;
}

static attr_t attributes(enum top_style style)
{
	static const attr_t plain[] = {
	    [TOP_PLAIN] = A_NORMAL,
	    [TOP_STRONG] = A_BOLD,
	    [TOP_DIM] = A_DIM,
	    [TOP_HEAD] = A_BOLD,
	    [TOP_BAD] = A_BOLD,
	};

	if (style == TOP_HEAD)
		return plain[style] | (attr_t)COLOR_PAIR(PAIR_HEAD);
	if (style == TOP_BAD)
		return plain[style] | (attr_t)COLOR_PAIR(PAIR_BAD);
	return plain[style];
}

size_t top_screen_draw(const struct top_lines *lines, size_t first, const char *foot)
{
	size_t room = LINES > 1 ? (size_t)LINES - 1 : 1;

	if (lines->count <= room)
		first = 0;
	else if (first > lines->count - room)
		first = lines->count - room;
	erase();
	for (size_t i = 0; i < room && first + i < lines->count; i++) {
		const struct top_line *line = &lines->lines[first + i];

		attrset(attributes(line->style));
		mvaddnstr((int)i, 0, lines->text.bytes + line->start, (int)line->len);
	}
	attrset(A_REVERSE);
	mvhline(LINES - 1, 0, ' ', COLS);
	mvaddnstr(LINES - 1, 0, foot, COLS);
	attrset(A_NORMAL);
	refresh();
	return first;
}

/* Then getch gives ERR at once, again and again. */
static bool is_terminal_gone(void)
{
	struct pollfd terminal = {STDIN_FILENO, POLLIN, 0};

	return poll(&terminal, 1, 0) > 0 &&
	       (terminal.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

enum top_key top_screen_key(int wait_ms)
{
	static const struct {
		int code;
		enum top_key key;
	} keys[] = {
	    {'q', TOP_KEY_QUIT},
	    {'Q', TOP_KEY_QUIT},
	    {3, TOP_KEY_QUIT},
	    {'s', TOP_KEY_SORT},
	    {'r', TOP_KEY_TURN},
	    {'p', TOP_KEY_PAUSE},
	    {' ', TOP_KEY_PAUSE},
	    {KEY_UP, TOP_KEY_UP},
	    {'k', TOP_KEY_UP},
	    {KEY_DOWN, TOP_KEY_DOWN},
	    {'j', TOP_KEY_DOWN},
	    {KEY_PPAGE, TOP_KEY_PAGE_UP},
	    {KEY_NPAGE, TOP_KEY_PAGE_DOWN},
	    {KEY_RESIZE, TOP_KEY_RESIZED},
	};
	int code;

	timeout(wait_ms);
	code = getch();
	if (code == ERR && is_terminal_gone())
		return TOP_KEY_QUIT;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].code == code)
			return keys[i].key;
	return TOP_KEY_NONE;
}
