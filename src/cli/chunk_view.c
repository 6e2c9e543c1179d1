/* SPDX-License-Identifier: MIT */
#include "cli/chunk_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BARS 10

/* ---- Chunks ---------------------------------------------------------------- */

#define RESET "\x1b[0m"
#define DIM   "\x1b[2m"

/* Neighbours differ; readable on dark and light ground. */
static const char *const colors[] = {"\x1b[36m", "\x1b[33m", "\x1b[35m", "\x1b[32m"};

#define COLORS (sizeof(colors) / sizeof(colors[0]))

/* Bytes of the control character at the start (of C0, U+007F or C1); 0: there is none. */
static size_t control_len(const char *bytes, size_t len)
{
	unsigned char byte = (unsigned char)bytes[0];

	if (byte < 0x20 || byte == 0x7f)
		return 1;
	return byte == 0xc2 && len > 1 && (unsigned char)bytes[1] < 0xa0 ? 2 : 0;
}

/* What a terminal could take for a command is not sent to it; newline and tab are, when they are `kept`. */
static void append_text(struct buffer *out, const char *bytes, size_t len, bool kept)
{
	for (size_t i = 0; i < len;) {
		size_t control = control_len(bytes + i, len - i);

		if (control == 0 || (kept && (bytes[i] == '\n' || bytes[i] == '\t'))) {
			buffer_append_char(out, bytes[i++]);
			continue;
		}
		buffer_append_text(out, "\u00b7");
		i += control;
	}
}

/*
 * How much of `text` fits into *columns, in bytes; *columns becomes what that
 * takes at most: characters of three bytes and more may be wide.
 */
static size_t fitting(const char *text, size_t *columns)
{
	size_t used = 0, at = 0;

	while (text[at] != '\0') {
		size_t width = (unsigned char)text[at] < 0xe0 ? 1 : 2;
		size_t next = at + 1;

		if (used + width > *columns)
			break;
		while (((unsigned char)text[next] & 0xc0) == 0x80)
			next++;
		used += width;
		at = next;
	}
	*columns = used;
	return at;
}

/* On one line, cut to `room` columns; the columns that it takes at most. */
static size_t append_heading(struct buffer *out, const char *heading, size_t room)
{
	size_t used = room;
	size_t len = fitting(heading, &used);
	bool is_cut = heading[len] != '\0';

	if (is_cut) {
		used = room - 1;
		len = fitting(heading, &used);
	}
	append_text(out, heading, len, false);
	buffer_append_text(out, is_cut ? "\u2026" : "");
	return used + is_cut;
}

static void append_rule(
    struct buffer *out, const struct embed_chunk *chunk, size_t index, size_t columns)
{
	char label[96];
	size_t used;

	snprintf(label, sizeof(label), "%zu  %zu tokens  %zu-%zu", index, chunk->tokens,
	    chunk->start, chunk->end);
	used = strlen(label) + 4;
	buffer_printf(out, "\u2500\u2500 %s ", label);
	if (chunk->heading != NULL && used + 2 < columns) {
		buffer_append_char(out, ' ');
		used += append_heading(out, chunk->heading, columns - used - 2) + 2;
		buffer_append_char(out, ' ');
	}
	for (; used < columns; used++)
		buffer_append_text(out, "\u2500");
	buffer_append_char(out, '\n');
}

static void append_chunk(struct buffer *out, const char *bytes, const struct embed_chunk *chunk,
    size_t shared_end, const char *color)
{
	bool has_color = color[0] != '\0';
	size_t shared = shared_end > chunk->start ? shared_end - chunk->start : 0;

	buffer_append_text(out, color);
	if (shared > 0) {
		buffer_append_text(out, has_color ? DIM : "\u21b6");
		append_text(out, bytes + chunk->start, shared, true);
		buffer_append_text(out, has_color ? RESET : "\u21b7");
		buffer_append_text(out, color);
	}
	append_text(out, bytes + chunk->start + shared, chunk->end - chunk->start - shared, true);
	if (has_color)
		buffer_append_text(out, RESET);
	if (bytes[chunk->end - 1] != '\n')
		buffer_append_char(out, '\n');
}

void chunk_view_show(struct buffer *out, const char *bytes, const embed_chunks *chunks,
    size_t columns, bool has_color)
{
	size_t count = embed_chunks_count(chunks);
	size_t last_end = 0;

	for (size_t i = 0; i < count; i++) {
		const struct embed_chunk *chunk = embed_chunks_at(chunks, i);

		append_rule(out, chunk, i, columns);
		append_chunk(out, bytes, chunk, last_end, has_color ? colors[i % COLORS] : "");
		last_end = chunk->end;
	}
}

/* ---- Statistics ---------------------------------------------------------------- */

bool chunk_stats_add(struct chunk_stats *stats, const embed_chunks *chunks)
{
	size_t count = embed_chunks_count(chunks);
	size_t last_end = 0;

	if (stats->count + count > stats->cap) {
		size_t cap = (stats->count + count) * 2;
		size_t *tokens = realloc(stats->tokens, cap * sizeof(*tokens));

		if (tokens == NULL)
			return false;
		stats->tokens = tokens;
		stats->cap = cap;
	}
	for (size_t i = 0; i < count; i++) {
		const struct embed_chunk *chunk = embed_chunks_at(chunks, i);

		stats->tokens[stats->count++] = chunk->tokens;
		stats->bytes += chunk->end - chunk->start;
		stats->shared_bytes += last_end - (i > 0 ? chunk->start : last_end);
		last_end = chunk->end;
	}
	stats->texts++;
	return true;
}

void chunk_stats_fini(struct chunk_stats *stats)
{
	free(stats->tokens);
	*stats = (struct chunk_stats){0};
}

static int compare(const void *a, const void *b)
{
	size_t left = *(const size_t *)a;
	size_t right = *(const size_t *)b;

	return left < right ? -1 : left > right;
}

static void append_bar(
    struct buffer *out, size_t from, size_t to, size_t count, size_t most, size_t columns)
{
	size_t width = columns > 40 ? columns - 30 : 10;
	size_t len = most == 0 ? 0 : (count * width + most - 1) / most;

	buffer_printf(out, "%7zu-%-7zu %7zu ", from, to, count);
	while (len-- > 0)
		buffer_append_text(out, "\u2588");
	buffer_append_char(out, '\n');
}

void chunk_view_stats(struct buffer *out, struct chunk_stats *stats, size_t columns)
{
	size_t counts[BARS] = {0};
	size_t sum = 0, most = 0, largest, step;

	if (stats->count == 0) {
		buffer_printf(
		    out, "%zu text%s, no chunks\n", stats->texts, stats->texts == 1 ? "" : "s");
		return;
	}
	qsort(stats->tokens, stats->count, sizeof(*stats->tokens), compare);
	largest = stats->tokens[stats->count - 1];
	step = largest / BARS + 1;
	for (size_t i = 0; i < stats->count; i++) {
		size_t bar = stats->tokens[i] / step;

		sum += stats->tokens[i];
		most = ++counts[bar] > most ? counts[bar] : most;
	}
	buffer_printf(out,
	    "%zu text%s, %zu chunk%s, %zu tokens; %.1f %% shared\n"
	    "tokens a chunk: smallest %zu, median %zu, mean %zu, largest %zu\n",
	    stats->texts, stats->texts == 1 ? "" : "s", stats->count, stats->count == 1 ? "" : "s",
	    sum, stats->bytes == 0 ? 0 : 100.0 * (double)stats->shared_bytes / (double)stats->bytes,
	    stats->tokens[0], stats->tokens[stats->count / 2], sum / stats->count, largest);
	for (size_t i = 0; i < BARS && i * step <= largest; i++)
		append_bar(out, i * step, (i + 1) * step - 1, counts[i], most, columns);
}
