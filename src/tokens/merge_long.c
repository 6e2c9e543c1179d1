/* SPDX-License-Identifier: MIT */
/* Pieces above a window: encoded window by window, each seam checked. */
#include "tokens/merge.h"

#include <stdlib.h>

#include "tokens/split.h"
#include "tokens/vocabulary.h"

/* The piece as it is encoded: ill-formed parts read as U+FFFD. */
struct source {
	const uint8_t *bytes;
	size_t len;
	size_t at;
	unsigned int skip; /* bytes of the U+FFFD at `at` that are already used */
	bool is_ill_formed;
};

static const uint8_t replacement[3] = {0xEF, 0xBF, 0xBD};

/* The next bytes of the character at source->at, and steps over it. */
static const uint8_t *next_bytes(struct source *source, size_t *count)
{
	unsigned int width;
	const uint8_t *bytes = source->bytes + source->at;

	*count = 1;
	if (*bytes < 0x80) {
		source->at++;
		return bytes;
	}
	if (split_class(source->bytes, source->len, source->at, &width) != CLASS_ILL) {
		*count = width - source->skip;
		bytes += source->skip;
	} else {
		*count = sizeof(replacement) - source->skip;
		bytes = replacement + source->skip;
	}
	source->at += width;
	source->skip = 0;
	return bytes;
}

/* Copies up to `cap` bytes from where the source stands, and moves on by them. */
static size_t take(struct source *source, uint8_t *out, size_t cap)
{
	size_t done = 0;

	if (!source->is_ill_formed) {
		done = source->len - source->at < cap ? source->len - source->at : cap;
		if (out != NULL)
			memcpy(out, source->bytes + source->at, done);
		source->at += done;
		return done;
	}
	while (done < cap && source->at < source->len) {
		size_t at = source->at, count;
		unsigned int skip = source->skip;
		const uint8_t *bytes = next_bytes(source, &count);

		if (count > cap - done) { /* stop inside the character */
			count = cap - done;
			source->at = at;
			source->skip = skip + (unsigned int)count;
		}
		if (out != NULL)
			memcpy(out + done, bytes, count);
		done += count;
	}
	return done;
}

/* How many leading tokens end at or before `end`, and where the last of them does. */
static size_t tokens_before(
    const struct tokens_encoding *encoding, const uint32_t *ids, size_t end, size_t *bytes_len)
{
	size_t count = 0, len, at = 0;

	for (;; count++) {
		vocabulary_bytes(encoding, ids[count], &len);
		if (at + len > end)
			break;
		at += len;
	}
	*bytes_len = at;
	return count;
}

/* One window's bytes and tokens, with room for `size` of each. */
struct window {
	size_t size;
	uint8_t *bytes, *fresh;
	uint32_t *ids, *ranks;
	size_t len, count;
	size_t kept, kept_len; /* tokens before the guard, and their bytes */
};

/* Fills and encodes the window at `source`, unless it holds the same bytes as before. */
static bool encode_window(
    const struct tokens_encoding *encoding, struct source source, struct window *window)
{
	size_t len = take(&source, window->fresh, window->size);
	uint8_t *old = window->bytes;

	if (len == window->len && memcmp(window->fresh, old, len) == 0)
		return source.at == source.len;
	window->bytes = window->fresh;
	window->fresh = old;
	window->len = len;
	window->count = merge_bytes(encoding, window->bytes, len, window->ids, window->ranks);
	if (source.at < source.len)
		window->kept = tokens_before(
		    encoding, window->ids, window->size - window->size / 8 * 3, &window->kept_len);
	return source.at == source.len;
}

/*
 * False when a seam is wrong, or a token fills the window: then nothing counts
 * and larger windows are needed.
 */
static bool encode_windows(const struct tokens_encoding *encoding, struct source source,
    struct window *window, struct merge_sink *sink, enum embed_status *status)
{
	uint32_t last = TABLES_NONE, expected = TABLES_NONE;

	*status = EMBED_OK;
	while (*status == EMBED_OK && sink->count <= sink->limit) {
		bool is_end = encode_window(encoding, source, window);

		if (window->ids[0] != expected && last != TABLES_NONE &&
		    !merge_is_seam(encoding, last, window->ids[0]))
			return false;
		if (is_end) {
			*status = merge_emit(sink, window->ids, window->count);
			break;
		}
		if (window->kept == 0)
			return false;
		*status = merge_emit(sink, window->ids, window->kept);
		last = window->ids[window->kept - 1];
		expected = window->ids[window->kept];
		take(&source, NULL, window->kept_len);
	}
	return true;
}

/* One try with windows of this size; false as above. */
static bool try_windows(const struct tokens_encoding *encoding, const struct source *source,
    size_t size, struct merge_sink *sink, enum embed_status *status)
{
	uint32_t *memory = size > SIZE_MAX / 16 ? NULL : malloc(size * 10);
	struct window window = {.size = size};
	bool is_done;

	*status = EMBED_NO_MEMORY;
	if (memory == NULL)
		return true;
	window.ids = memory;
	window.ranks = memory + size;
	window.bytes = (uint8_t *)(memory + 2 * size);
	window.fresh = window.bytes + size;
	is_done = encode_windows(encoding, *source, &window, sink, status);
	free(memory);
	return is_done;
}

/* A piece that begins as a run of one character: strips of it have no token in common. */
static bool is_run(const uint8_t *bytes, size_t len)
{
	for (size_t width = 1; width <= 4; width++)
		if (len >= MERGE_JOB_BYTES &&
		    memcmp(bytes, bytes + width, MERGE_JOB_BYTES - width) == 0)
			return true;
	return false;
}

enum embed_status merge_piece(const struct tokens_encoding *encoding, const uint8_t *bytes,
    size_t len, bool is_ill_formed, size_t window_bytes, struct merge_sink *sink)
{
	struct source source = {bytes, len, 0, 0, is_ill_formed};
	struct merge_sink before = *sink;
	size_t ids_len = sink->ids == NULL ? 0 : sink->ids->len;
	enum embed_status status;

	if (!is_ill_formed && window_bytes == MERGE_WINDOW && !is_run(bytes, len) &&
	    merge_by_strips(encoding, bytes, len, sink, &status))
		return status;
	*sink = before;
	if (sink->ids != NULL)
		sink->ids->len = ids_len;
	for (; !try_windows(encoding, &source, window_bytes, sink, &status); window_bytes *= 2) {
		*sink = before;
		if (sink->ids != NULL)
			sink->ids->len = ids_len;
	}
	return status;
}
