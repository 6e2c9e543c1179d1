/* SPDX-License-Identifier: MIT */
#include "chunk/packer.h"

#include <stdlib.h>

#include <unicode/uchar.h>

#include "base/error.h"
#include "chunk/list.h"
#include "text/utf8.h"

/* Marks tried for one chunk before a word's end is taken; the first nearly always fits. */
#define TRIES 16

static enum embed_status status_of(const struct chunker *chunker)
{
	if (chunker->status != EMBED_OK)
		return chunker->status;
	if (chunker->measure.status != EMBED_OK)
		return chunker->measure.status;
	if (chunker->marks.status != EMBED_OK)
		return chunker->marks.status;
	for (size_t i = 0; i < sizeof(chunker->finders) / sizeof(*chunker->finders); i++)
		if (chunker->finders[i] != NULL && boundary_status(chunker->finders[i]) != EMBED_OK)
			return boundary_status(chunker->finders[i]);
	return chunker->chunks.status != EMBED_OK ? chunker->chunks.status
						  : chunker->headings.status;
}

struct boundary *packer_finder(struct chunker *chunker, enum boundary_kind kind)
{
	struct boundary **finder = &chunker->finders[kind];

	if (*finder == NULL && chunker->status == EMBED_OK) {
		chunker->status =
		    boundary_create(finder, kind, chunker->options->locale, chunker->error);
		if (chunker->status == EMBED_OK)
			boundary_set_text(*finder, chunker->bytes, chunker->len);
	}
	return chunker->status == EMBED_OK ? *finder : NULL;
}

/* ---- Where a chunk may end ------------------------------------------------- */

/* The last grapheme boundary in (floor, offset], or `floor`, which should be one itself. */
static size_t grapheme_floor(struct chunker *chunker, size_t floor, size_t offset)
{
	struct boundary *finder;
	char left, right;

	if (offset >= chunker->len)
		return chunker->len;
	if (offset <= floor)
		return floor;
	left = chunker->bytes[offset - 1];
	right = chunker->bytes[offset];
	if ((unsigned char)left < 0x80 && (unsigned char)right < 0x80 &&
	    !(left == '\r' && right == '\n'))
		return offset;
	finder = packer_finder(chunker, BOUNDARY_GRAPHEME);
	return finder == NULL ? offset : boundary_before(finder, floor, offset);
}

enum verdict { FITS, TOO_LONG, TOO_SHORT };

static enum verdict judge(struct chunker *chunker, size_t start, size_t end)
{
	size_t size;

	if (grapheme_floor(chunker, start, end) != end)
		return TOO_LONG;
	size = measure_size(&chunker->measure, start, end);
	if (size > chunker->options->max)
		return TOO_LONG;
	return size < chunker->options->min ? TOO_SHORT : FITS;
}

typedef size_t cut_fn(struct chunker *chunker, size_t floor, size_t reach);

/* The best place that `cut` names in (floor, reach] and that fits; 0: none. */
static size_t fitting(
    struct chunker *chunker, cut_fn *cut, size_t start, size_t floor, size_t reach)
{
	size_t low = floor;
	size_t high = reach;

	for (int i = 0; i < TRIES && low < high; i++) {
		size_t end = cut(chunker, low, high);
		enum verdict verdict;

		if (end <= low)
			return 0;
		verdict = judge(chunker, start, end);
		if (verdict == FITS)
			return end;
		if (verdict == TOO_SHORT)
			low = end;
		else
			high = utf8_floor(chunker->bytes, chunker->len, end - 1);
	}
	return 0;
}

#define WORD_LOOK_BACK 256

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* After the last blanks, or where ICU sees a word end when the script has no blanks. */
static size_t cut_word(struct chunker *chunker, size_t floor, size_t reach)
{
	const char *bytes = chunker->bytes;
	size_t low = reach - floor > WORD_LOOK_BACK ? reach - WORD_LOOK_BACK : floor;
	struct boundary *finder;
	size_t end;

	if (reach < chunker->len && (unsigned char)bytes[reach] >= 0x80 &&
	    (unsigned char)bytes[reach - 1] >= 0x80) {
		finder = packer_finder(chunker, BOUNDARY_WORD);
		end = finder == NULL ? floor : boundary_before(finder, floor, reach);
		return end > floor ? end : 0;
	}
	for (end = reach; end > low; end--)
		if (is_blank(bytes[end - 1]) && (end == chunker->len || !is_blank(bytes[end])))
			return end;
	return 0;
}

size_t packer_cut_grapheme(struct chunker *chunker, size_t floor, size_t reach)
{
	size_t end = grapheme_floor(chunker, chunker->start, reach);

	return end > floor ? end : 0;
}

/* Blanks right after what fits belong to it if they fit, too. */
static size_t past_blanks(struct chunker *chunker, size_t start, size_t reach)
{
	size_t end = reach;

	while (end < chunker->len && end < reach + 8 && chunker->bytes[end] == ' ')
		end++;
	if (end == reach || end == chunker->len || is_blank(chunker->bytes[end]))
		return 0;
	return judge(chunker, start, end) == FITS ? end : 0;
}

/* A place to cut when the strategy knows none. */
static size_t any_end(struct chunker *chunker, size_t start, size_t floor, size_t reach)
{
	size_t end = past_blanks(chunker, start, reach);

	if (end == 0)
		end = fitting(chunker, cut_word, start, floor, reach);
	if (end == 0)
		end = fitting(chunker, packer_cut_grapheme, start, floor, reach);
	return end;
}

/*
 * No grapheme ends in (start, reach]: the first one is longer.  It stays whole
 * when it fits all the same (reach is only what can be told quickly).
 */
static size_t split_grapheme(struct chunker *chunker, size_t start, size_t reach)
{
	struct boundary *finder = packer_finder(chunker, BOUNDARY_GRAPHEME);
	size_t end = finder == NULL ? reach : boundary_after(finder, start);

	if (measure_size(&chunker->measure, start, end) <= chunker->options->max)
		return end;
	return reach;
}

/* Lifts `floor` so that what is cut above it has at least `min`. */
static size_t least_end(struct chunker *chunker, size_t start, size_t floor, size_t reach)
{
	size_t end;

	if (chunker->options->min < CHUNK_MIN_TOKENS)
		return floor;
	end = measure_reach(&chunker->measure, start, chunker->options->min);
	return end > floor && end < reach ? end : floor;
}

/* Lowers `reach` so that what comes after the chunk has at least `min`. */
static size_t spare_tail(struct chunker *chunker, size_t start, size_t floor, size_t reach)
{
	size_t tail;

	if (chunker->options->min == 0)
		return reach;
	tail = measure_tail(&chunker->measure, start, reach, chunker->options->min);
	return reach > tail && tail > floor ? tail : reach;
}

#define STOPS 2 /* a full stop and a quotation mark */

/*
 * Stops and closing brackets right after what fits belong to it if they fit,
 * too.  Encodings take one that has no blank after it together with the word
 * that follows, so that what can be told quickly ends before it.
 */
static size_t past_stops(struct chunker *chunker, size_t start, size_t reach)
{
	size_t max = chunker->options->max;
	size_t size;

	for (int i = 0; i < STOPS && reach < chunker->len; i++) {
		const char *at = chunker->bytes + reach;
		uint32_t code = utf8_decode(at, chunker->len - reach, &size);

		if (code < 0x2000 ||
		    !(U_GET_GC_MASK((UChar32)code) & (U_GC_PE_MASK | U_GC_PF_MASK | U_GC_PO_MASK)))
			break;
		if (measure_size(&chunker->measure, start, reach + size) > max)
			break;
		reach += size;
	}
	return reach;
}

/* The end of the chunk at `start`, above `floor`; 0: with this start none is. */
static size_t choose_end(struct chunker *chunker, size_t start, size_t floor)
{
	size_t reach = measure_reach(&chunker->measure, start, chunker->options->max);
	size_t least, end;

	if (chunker->options->unit == EMBED_UNIT_TOKENS)
		reach = past_stops(chunker, start, reach);
	chunker->start = start;
	chunker->is_rest = reach == chunker->len;
	if (chunker->is_rest && !chunker->strategy->is_eager)
		return reach;
	if (reach <= floor)
		return 0;
	reach = spare_tail(chunker, start, floor, reach);
	least = least_end(chunker, start, floor, reach);
	end = fitting(chunker, chunker->strategy->cut, start, least, reach);
	if (end == 0 && chunker->is_rest)
		return chunker->len;
	if (end == 0)
		end = any_end(chunker, start, least, reach);
	if (end == 0 && least > floor)
		end = any_end(chunker, start, floor, reach);
	if (end == 0 && floor == start)
		end = split_grapheme(chunker, start, reach);
	return end;
}

/* ---- Where the next chunk starts -------------------------------------------- */

static size_t overlap_start(struct chunker *chunker, size_t start, size_t end, size_t overlap)
{
	size_t floor = utf8_ceil(chunker->bytes, chunker->len, start + 1);
	size_t from = measure_back(&chunker->measure, floor, end, overlap);

	for (int i = 0; i < TRIES && from < end; i++) {
		size_t chosen = chunker->strategy->overlap(chunker, from, end);

		if (chosen >= end)
			chosen = from; /* no better place */
		if (grapheme_floor(chunker, start, chosen) == chosen &&
		    measure_size(&chunker->measure, chosen, end) <= overlap)
			return chosen;
		from = utf8_ceil(chunker->bytes, chunker->len, chosen + 1);
	}
	return end;
}

/* Less overlap than `overlap`: what leaves room for the least that can follow, then an eighth less. */
static size_t less_overlap(struct chunker *chunker, size_t end, size_t overlap)
{
	struct boundary *finder = packer_finder(chunker, BOUNDARY_GRAPHEME);
	size_t max = chunker->options->max;
	size_t next, needed, least;

	if (finder == NULL || overlap < chunker->options->overlap)
		return overlap - (overlap + 7) / 8;
	next = boundary_after(finder, end);
	least = measure_step(&chunker->measure, end);
	least = least > next ? least : next;
	if (measure_is_surely_above(&chunker->measure, end, least, max))
		return 0;
	needed = measure_size(&chunker->measure, end, least);
	if (needed >= max)
		return 0;
	return max - needed < overlap ? max - needed : overlap - (overlap + 7) / 8;
}

/*
 * The end of a chunk from `start` on that goes on after `floor`, where one
 * piece begins that is too long beside any overlap: it is cut inside.
 */
static size_t end_inside_piece(struct chunker *chunker, size_t start, size_t floor)
{
	size_t size = measure_size(&chunker->measure, start, floor);
	size_t max = chunker->options->max;
	size_t reach;

	if (size + CHUNK_MIN_TOKENS > max)
		return 0;
	reach = measure_reach(&chunker->measure, floor, max - size);
	chunker->start = start;
	return fitting(chunker, packer_cut_grapheme, start, floor, reach);
}

/*
 * The chunk after the one that is [start, end).  Less overlap is taken when
 * what follows does not fit beside it.
 */
static size_t next_chunk(struct chunker *chunker, size_t start, size_t *end)
{
	size_t overlap = chunker->options->overlap;

	for (; overlap > 0; overlap = less_overlap(chunker, *end, overlap)) {
		size_t from = overlap_start(chunker, start, *end, overlap);
		size_t next_end = from < *end ? choose_end(chunker, from, *end) : 0;

		if (next_end != 0) {
			*end = next_end;
			return from;
		}
	}
	if (chunker->options->overlap > 0) {
		size_t from = overlap_start(chunker, start, *end, chunker->options->overlap);
		size_t next_end = from < *end ? end_inside_piece(chunker, from, *end) : 0;

		if (next_end != 0) {
			*end = next_end;
			return from;
		}
	}
	start = *end;
	*end = choose_end(chunker, start, start);
	return start;
}

/* ---- The list ------------------------------------------------------------------- */

static const char *heading_at(const struct chunker *chunker, size_t offset, size_t *near)
{
	const struct heading *headings = (const void *)chunker->headings.bytes;
	size_t count = chunker->headings.len / sizeof(*headings);

	while (*near + 1 < count && headings[*near + 1].offset <= offset)
		(*near)++;
	if (*near >= count || headings[*near].offset > offset)
		return NULL;
	return headings[*near].path;
}

static void add_chunk(struct chunker *chunker, size_t start, size_t end, size_t *near_heading)
{
	struct embed_chunk chunk = {
	    .start = start,
	    .end = end,
	    .tokens = measure_tokens(&chunker->measure, start, end),
	    .heading = heading_at(chunker, start, near_heading),
	};

	buffer_append(&chunker->chunks, &chunk, sizeof(chunk));
}

static void pack(struct chunker *chunker)
{
	size_t near_heading = 0;
	size_t start = 0;
	size_t end;

	if (chunker->len == 0)
		return;
	end = choose_end(chunker, 0, 0);
	add_chunk(chunker, start, end, &near_heading);
	while (end < chunker->len && status_of(chunker) == EMBED_OK) {
		measure_forget(&chunker->measure, start);
		start = next_chunk(chunker, start, &end);
		add_chunk(chunker, start, end, &near_heading);
	}
}

static void fini(struct chunker *chunker)
{
	struct heading *headings = (void *)chunker->headings.bytes;

	for (size_t i = 0; i < chunker->headings.len / sizeof(*headings); i++)
		free(headings[i].path);
	for (size_t i = 0; i < 3; i++)
		boundary_destroy(chunker->finders[i]);
	buffer_fini(&chunker->headings);
	buffer_fini(&chunker->marks);
	buffer_fini(&chunker->chunks);
	measure_fini(&chunker->measure);
}

enum embed_status packer_run(const char *bytes, size_t len,
    const struct embed_chunk_options *options, const struct strategy *strategy, const void *state,
    embed_chunks **out, struct embed_error *error)
{
	struct chunker chunker = {
	    .bytes = bytes,
	    .len = len,
	    .options = options,
	    .strategy = strategy,
	    .state = state,
	    .error = error,
	};
	enum embed_status status;

	buffer_init(&chunker.marks, SIZE_MAX);
	buffer_init(&chunker.headings, SIZE_MAX);
	buffer_init(&chunker.chunks, SIZE_MAX);
	status = measure_init(&chunker.measure, bytes, len, options, error);
	if (status == EMBED_OK && strategy->prepare != NULL)
		status = strategy->prepare(&chunker);
	if (status == EMBED_OK)
		pack(&chunker);
	if (status == EMBED_OK)
		status = status_of(&chunker);
	if (status == EMBED_OK)
		status = chunk_list_create(out, &chunker.chunks, &chunker.headings);
	if (status == EMBED_NO_MEMORY)
		error_set(error, status, "no memory to cut a text of %zu bytes", len);
	fini(&chunker);
	return status;
}
