/* SPDX-License-Identifier: MIT */
/* Lines of limited width, and the parts that they are made of. */
#include "cli/top_lines.h"

#include <string.h>

#include "cli/progress.h"

#define TEXT_MAX_BYTES (1u << 20)

void top_lines_init(struct top_lines *lines)
{
	buffer_init(&lines->text, TEXT_MAX_BYTES);
	lines->count = 0;
}

void top_lines_fini(struct top_lines *lines)
{
	buffer_fini(&lines->text);
}

/* Bytes of the first `columns` characters of UTF-8; each takes one column here. */
static size_t bytes_of(const char *text, size_t len, size_t columns)
{
	size_t at = 0;

	while (at < len && columns-- > 0)
		for (at++; at < len && ((unsigned char)text[at] & 0xc0) == 0x80;)
			at++;
	return at;
}

size_t top_columns(const char *text, size_t len)
{
	size_t columns = 0;

	for (size_t i = 0; i < len; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

void top_line_add(struct top_lines *lines, enum top_style style, const char *text, size_t len)
{
	struct top_line *line;
	size_t start = lines->text.len;

	if (lines->count == TOP_LINES_MAX)
		return;
	len = bytes_of(text, len, lines->width);
	while (len > 0 && text[len - 1] == ' ')
		len--;
	buffer_append(&lines->text, text, len);
	if (lines->text.status != EMBED_OK)
		return;
	line = &lines->lines[lines->count++];
	*line = (struct top_line){start, len, style};
}

void top_line_take(struct top_lines *lines, enum top_style style, struct buffer *text)
{
	top_line_add(lines, style, text->bytes ? text->bytes : "", text->len);
	buffer_reset(text);
}

/* Where a line that holds `room` bytes is best broken: behind a blank, if there is one. */
static size_t break_at(const char *text, size_t room)
{
	for (size_t at = room; at > 0; at--)
		if (text[at] == ' ')
			return at;
	return room;
}

void top_line_wrap(struct top_lines *lines, enum top_style style, struct buffer *text)
{
	static const char indent[] = "        ";
	struct buffer rest;

	buffer_init(&rest, text->max_bytes);
	while (text->len > bytes_of(text->bytes, text->len, lines->width)) {
		size_t room = bytes_of(text->bytes, text->len, lines->width);
		size_t end = break_at(text->bytes, room);

		if (end < sizeof(indent)) /* there is only the indent before that blank */
			end = room;
		top_line_add(lines, style, text->bytes, end);
		while (end < text->len && text->bytes[end] == ' ')
			end++;
		buffer_reset(&rest);
		buffer_append_text(&rest, indent);
		buffer_append(&rest, text->bytes + end, text->len - end);
		buffer_reset(text);
		buffer_append(text, rest.bytes, rest.len);
	}
	buffer_fini(&rest);
	top_line_take(lines, style, text);
}

/* ---- Parts ------------------------------------------------------------------- */

void top_append_cell(struct buffer *out, const char *text, size_t width, bool is_right)
{
	size_t len = strlen(text);
	size_t columns = top_columns(text, len);

	if (columns > width) {
		buffer_append(out, text, bytes_of(text, len, width - 1));
		buffer_append_text(out, "…");
		return;
	}
	for (size_t i = columns; is_right && i < width; i++)
		buffer_append_char(out, ' ');
	buffer_append(out, text, len);
	for (size_t i = columns; !is_right && i < width; i++)
		buffer_append_char(out, ' ');
}

void top_append_time(struct buffer *out, uint64_t us)
{
	if (us == 0)
		buffer_append_text(out, "-");
	else if (us < 1000)
		buffer_printf(out, "%lluus", (unsigned long long)us);
	else if (us < 10000)
		buffer_printf(out, "%.1fms", (double)us / 1e3);
	else if (us < 1000000)
		buffer_printf(out, "%llums", (unsigned long long)((us + 500) / 1000));
	else
		buffer_printf(out, us < 100000000 ? "%.1fs" : "%.0fs", (double)us / 1e6);
}

void top_append_bytes(struct buffer *out, uint64_t bytes)
{
	static const char units[] = "KMGT";
	double value = (double)bytes;
	int unit = -1;

	while (value >= 1023.5 && unit < 3) {
		value /= 1024;
		unit++;
	}
	if (unit < 0)
		buffer_printf(out, "%lluB", (unsigned long long)bytes);
	else
		buffer_printf(out, value < 10 ? "%.1f%ciB" : "%.0f%ciB", value, units[unit]);
}

void top_append_percent(struct buffer *out, uint64_t part, uint64_t whole)
{
	if (whole == 0)
		buffer_append_char(out, '-');
	else
		buffer_printf(out, "%.0f%%", 100.0 * (double)part / (double)whole);
}

void top_append_bar(struct buffer *out, double share, size_t width)
{
	size_t full = share <= 0 ? 0 : share >= 1 ? width : (size_t)(share * (double)width + 0.5);

	buffer_append_char(out, '[');
	for (size_t i = 0; i < width; i++)
		buffer_append_char(out, i < full ? '#' : ' ');
	buffer_append_char(out, ']');
}

void top_append_trend(struct buffer *out, const uint64_t *values, size_t count, size_t width)
{
	static const char *const levels[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	size_t first = count > width ? count - width : 0;
	uint64_t top = 1;

	for (size_t i = first; i < count; i++)
		top = values[i] > top ? values[i] : top;
	for (size_t i = count - first; i < width; i++)
		buffer_append_char(out, ' ');
	for (size_t i = first; i < count; i++)
		buffer_append_text(out, levels[values[i] * 7 / top]);
}
