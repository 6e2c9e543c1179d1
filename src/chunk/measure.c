/* SPDX-License-Identifier: MIT */
#include "chunk/measure.h"

#include <string.h>

#include "base/error.h"
#include "text/utf8.h"

/* Encoded at once: enough that a call costs nothing, few enough that the cuts stay in the cache. */
#define AHEAD_BYTES ((size_t)32 << 10)

enum embed_status measure_init(struct measure *measure, const char *bytes, size_t len,
    const struct embed_chunk_options *options, struct embed_error *error)
{
	*measure = (struct measure){
	    .bytes = bytes, .len = len, .unit = options->unit, .ahead = AHEAD_BYTES};
	buffer_init(&measure->cuts, SIZE_MAX);
	if (options->unit != EMBED_UNIT_TOKENS && options->uncounted)
		return EMBED_OK;
	measure->encoder = tokens_encoder_of_thread(tokens_encoding_find(options->encoding));
	if (measure->encoder == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	measure->status = tokens_more_cuts(measure->encoder, bytes, len, 0, &measure->cuts);
	return measure->status;
}

void measure_fini(struct measure *measure)
{
	buffer_fini(&measure->cuts);
}

static void note(struct measure *measure, enum embed_status status)
{
	if (measure->status == EMBED_OK)
		measure->status = status;
}

/* ---- Cuts ------------------------------------------------------------------ */

static const struct tokens_cut *cuts_of(const struct measure *measure)
{
	return (const struct tokens_cut *)(const void *)measure->cuts.bytes;
}

static size_t cut_count(const struct measure *measure)
{
	return measure->cuts.len / sizeof(struct tokens_cut);
}

/* Encodes the next part of the text; a piece longer than that part is met by parts that double. */
static void encode_ahead(struct measure *measure)
{
	size_t count = cut_count(measure);
	size_t from = cuts_of(measure)[count - 1].offset;
	size_t end = measure->len;

	if (measure->ahead < end - from)
		end = utf8_floor(measure->bytes, measure->len, from + measure->ahead);
	note(measure,
	    tokens_more_cuts(measure->encoder, measure->bytes, measure->len, end, &measure->cuts));
	measure->ahead = cut_count(measure) > count ? AHEAD_BYTES : 2 * measure->ahead;
}

static const struct tokens_cut *last_cut(const struct measure *measure)
{
	return cuts_of(measure) + cut_count(measure) - 1;
}

/* Goes on until there is a cut above `offset`, and one with more than `tokens` before it, or the end. */
static void encode_until(struct measure *measure, size_t offset, size_t tokens)
{
	while (measure->status == EMBED_OK && last_cut(measure)->offset < measure->len &&
	       (last_cut(measure)->offset <= offset || last_cut(measure)->tokens <= tokens))
		encode_ahead(measure);
}

/*
 * Index of the last cut at or before `offset`.  Questions come in the order of
 * the text, so it is looked for from the last answer on, in growing steps.
 */
static size_t cut_at(struct measure *measure, size_t offset)
{
	const struct tokens_cut *cuts = cuts_of(measure);
	size_t low = measure->near;
	size_t count = cut_count(measure);
	size_t step = 1;

	if (cuts[low].offset > offset) {
		while (low > 0 && cuts[low].offset > offset) {
			low = low > step ? low - step : 0;
			step *= 2;
		}
	} else {
		while (low + step < count && cuts[low + step].offset <= offset) {
			low += step;
			step *= 2;
		}
	}
	step = low + step + 1 < count ? step + 1 : count - low;
	measure->near = low + tokens_cut_at(cuts + low, step, offset);
	return measure->near;
}

void measure_forget(struct measure *measure, size_t offset)
{
	size_t gone;

	if (measure->encoder == NULL || offset < cuts_of(measure)->offset + 2 * AHEAD_BYTES)
		return;
	gone = cut_at(measure, offset);
	/* A long piece comes with as many cuts after it: moving them for each chunk would take quadratic time. */
	if (gone < cut_count(measure) - gone)
		return;
	measure->cuts.len -= gone * sizeof(struct tokens_cut);
	memmove(measure->cuts.bytes, cuts_of(measure) + gone, measure->cuts.len);
	measure->near -= gone;
}

/* Index of the last cut, not below `from`, with at most `tokens` tokens before it. */
static size_t last_with(const struct measure *measure, size_t from, size_t tokens)
{
	const struct tokens_cut *cuts = cuts_of(measure);
	size_t low = from;
	size_t high = cut_count(measure);
	size_t step = 64;

	while (low + step < high && cuts[low + step].tokens <= tokens) {
		low += step;
		step *= 2;
	}
	if (low + step < high)
		high = low + step;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (cuts[middle].tokens <= tokens)
			low = middle;
		else
			high = middle;
	}
	return low;
}

size_t measure_tokens(struct measure *measure, size_t start, size_t end)
{
	const struct tokens_cut *cuts;
	size_t first, last, after, tokens = 0;

	if (measure->encoder == NULL || start >= end)
		return 0;
	encode_until(measure, end, 0);
	if (measure->status != EMBED_OK)
		return 0;
	cuts = cuts_of(measure);
	first = cut_at(measure, start);
	last = cut_at(measure, end);
	if (cuts[first].offset == start && cuts[last].offset == end)
		return cuts[last].tokens - cuts[first].tokens;
	if (start == measure->last_start && end == measure->last_end)
		return measure->last_tokens;
	after = last + 2 <= cut_count(measure) ? last + 2 : last + 1;
	note(measure, tokens_count_slice(measure->encoder, measure->bytes, cuts + first,
			  after - first, start, end, &tokens));
	measure->last_start = start;
	measure->last_end = end;
	measure->last_tokens = tokens;
	return tokens;
}

/* ---- Tokens ------------------------------------------------------------------ */

/* How far `budget` reaches inside one long piece; looks at parts of growing size. */
static size_t reach_in_piece(struct measure *measure, size_t start, size_t end, size_t budget)
{
	const char *bytes = measure->bytes;
	size_t part = budget * 8 + 64;
	size_t len = 0, tokens;

	for (;;) {
		size_t part_end =
		    part < end - start ? utf8_floor(bytes, measure->len, start + part) : end;

		note(measure, tokens_prefix(measure->encoder, bytes + start, part_end - start,
				  budget, &len, &tokens));
		if (measure->status != EMBED_OK || start + len < part_end || part_end == end)
			break;
		part *= 2;
	}
	if (len == 0)
		return utf8_ceil(bytes, measure->len, start + 1);
	return start + len;
}

/* Steps back over cuts until the slice fits: rarely needed, when `start` lies inside a piece. */
static size_t fitting_cut(
    struct measure *measure, size_t start, size_t from, size_t to, size_t budget)
{
	const struct tokens_cut *cuts = cuts_of(measure);

	for (; to > from; to--)
		if (measure_tokens(measure, start, cuts[to].offset) <= budget)
			return cuts[to].offset;
	if (cuts[from].offset > start &&
	    measure_tokens(measure, start, cuts[from].offset) <= budget)
		return cuts[from].offset;
	return start;
}

bool measure_is_surely_above(const struct measure *measure, size_t start, size_t end, size_t budget)
{
	return measure->unit == EMBED_UNIT_TOKENS &&
	       (end - start) / TOKENS_TOKEN_MAX_BYTES > budget;
}

static size_t reach_tokens(struct measure *measure, size_t start, size_t budget)
{
	const struct tokens_cut *cuts;
	size_t head = 0;
	size_t from, to, end;

	encode_until(measure, start, 0);
	if (measure->status != EMBED_OK)
		return measure->len;
	from = cut_at(measure, start);
	cuts = cuts_of(measure);
	if (cuts[from].offset < start) {
		from++;
		if (measure_is_surely_above(measure, start, cuts[from].offset, budget))
			return reach_in_piece(measure, start, cuts[from].offset, budget);
		note(measure, tokens_count_up_to(measure->encoder, measure->bytes + start,
				  cuts[from].offset - start, budget, &head));
		if (head > budget)
			return reach_in_piece(measure, start, cuts[from].offset, budget);
	}
	encode_until(measure, start, cuts[from].tokens + budget - head);
	cuts = cuts_of(measure);
	to = last_with(measure, from, cuts[from].tokens + budget - head);
	if (cuts[from].offset == start)
		end = cuts[to].offset;
	else
		end = fitting_cut(measure, start, from, to, budget);
	if (end > start)
		return end;
	return reach_in_piece(measure, start,
	    cuts[from].offset > start ? cuts[from].offset : cuts[from + 1].offset, budget);
}

/*
 * Without a cut in reach: a token has at least a byte, so `budget` bytes
 * always fit; mostly some more do.
 */
static size_t back_in_piece(struct measure *measure, size_t floor, size_t end, size_t budget)
{
	for (size_t per_token = 4; per_token > 0; per_token--) {
		size_t len = budget * per_token < end - floor ? budget * per_token : end - floor;
		size_t start = utf8_ceil(measure->bytes, measure->len, end - len);

		if (per_token == 1 || measure_tokens(measure, start, end) <= budget)
			return start;
	}
	return end;
}

#define LETTER_STEPS 6

/*
 * `start` is a cut, and the piece before it, from `floor` on, is too much as a
 * whole.  In scripts without blanks a piece can be half a sentence, and any
 * letter may begin an overlap: looks for one by halving.
 */
static size_t back_in_letters(
    struct measure *measure, size_t floor, size_t start, size_t end, size_t budget)
{
	const char *bytes = measure->bytes;

	if (start - floor < 12 || (unsigned char)bytes[start - 1] < 0x80)
		return start;
	for (int i = 0; i < LETTER_STEPS && floor + 1 < start; i++) {
		size_t middle = utf8_floor(bytes, measure->len, floor + (start - floor) / 2);

		if (middle > floor && (unsigned char)bytes[middle] >= 0xe0 &&
		    measure_tokens(measure, middle, end) <= budget)
			start = middle;
		else
			floor = floor + (start - floor) / 2;
	}
	return start;
}

static size_t back_tokens(struct measure *measure, size_t floor, size_t end, size_t budget)
{
	const struct tokens_cut *cuts;
	size_t last, first, tail;

	encode_until(measure, end, 0);
	if (measure->status != EMBED_OK)
		return end;
	cuts = cuts_of(measure);
	first = last = cut_at(measure, end);

	if (cuts[last].offset < floor)
		return back_in_piece(measure, floor, end, budget);
	tail = measure_tokens(measure, cuts[last].offset, end);
	if (tail > budget)
		return back_in_piece(measure, cuts[last].offset, end, budget);
	while (first > 0 && cuts[first - 1].offset >= floor &&
	       cuts[last].tokens - cuts[first - 1].tokens <= budget - tail)
		first--;
	while (first < last && measure_tokens(measure, cuts[first].offset, end) > budget)
		first++;
	if (cuts[first].offset == end)
		return back_in_piece(measure, floor, end, budget);
	if (first > 0 && cuts[first - 1].offset > floor)
		floor = cuts[first - 1].offset;
	return back_in_letters(measure, floor, cuts[first].offset, end, budget);
}

/* ---- Characters --------------------------------------------------------------- */

static size_t reach_chars(const struct measure *measure, size_t start, size_t budget)
{
	while (budget > 0 && start < measure->len) {
		size_t left = measure->len - start;
		size_t ascii =
		    utf8_ascii_len(measure->bytes + start, left < budget ? left : budget);
		size_t size = 0;

		if (ascii > 0) {
			start += ascii;
			budget -= ascii;
			continue;
		}
		utf8_decode(measure->bytes + start, left, &size);
		start += size;
		budget--;
	}
	return start;
}

static size_t back_chars(const struct measure *measure, size_t floor, size_t end, size_t budget)
{
	while (budget > 0 && end > floor) {
		end = utf8_floor(measure->bytes, measure->len, end - 1);
		budget--;
	}
	return end;
}

/* ---- By unit -------------------------------------------------------------------- */

size_t measure_size(struct measure *measure, size_t start, size_t end)
{
	switch (measure->unit) {
	case EMBED_UNIT_TOKENS:
		return measure_tokens(measure, start, end);
	case EMBED_UNIT_CHARS:
		return utf8_count(measure->bytes + start, end - start);
	default:
		return end - start;
	}
}

size_t measure_reach(struct measure *measure, size_t start, size_t budget)
{
	switch (measure->unit) {
	case EMBED_UNIT_TOKENS:
		return reach_tokens(measure, start, budget);
	case EMBED_UNIT_CHARS:
		return reach_chars(measure, start, budget);
	default:
		if (budget >= measure->len - start)
			return measure->len;
		return utf8_floor(measure->bytes, measure->len, start + budget);
	}
}

size_t measure_back(struct measure *measure, size_t floor, size_t end, size_t budget)
{
	switch (measure->unit) {
	case EMBED_UNIT_TOKENS:
		return back_tokens(measure, floor, end, budget);
	case EMBED_UNIT_CHARS:
		return back_chars(measure, floor, end, budget);
	default:
		if (budget >= end - floor)
			return floor;
		return utf8_ceil(measure->bytes, measure->len, end - budget);
	}
}

size_t measure_step(struct measure *measure, size_t offset)
{
	if (measure->unit != EMBED_UNIT_TOKENS)
		return utf8_ceil(measure->bytes, measure->len, offset + 1);
	encode_until(measure, offset, 0);
	if (measure->status != EMBED_OK || offset >= measure->len)
		return measure->len;
	return cuts_of(measure)[cut_at(measure, offset) + 1].offset;
}

size_t measure_tail(struct measure *measure, size_t floor, size_t reach, size_t budget)
{
	size_t reach_cut;

	/* No character has more than four bytes. */
	if (measure->unit != EMBED_UNIT_TOKENS)
		return (measure->len - reach) / 4 > budget
			   ? measure->len
			   : measure_back(measure, floor, measure->len, budget);
	encode_until(measure, reach, 0);
	reach_cut = cut_at(measure, reach) + 1;
	if (reach_cut < cut_count(measure))
		encode_until(measure, reach, cuts_of(measure)[reach_cut].tokens + budget);
	if (last_cut(measure)->offset < measure->len)
		return measure->len;
	return measure_back(measure, floor, measure->len, budget);
}
