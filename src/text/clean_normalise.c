/* SPDX-License-Identifier: MIT */
/*
 * NFC and NFKC by ICU, segment by segment: a segment begins at a character
 * that cannot combine with what is before it, so each can be normalised by
 * itself, and only those that may change are looked at.
 */
#include <stdlib.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>

#include "text/clean_stage.h"
#include "text/utf8.h"

struct normaliser {
	const UNormalizer2 *form;       /* NFC or NFKC */
	const UNormalizer2 *decomposed; /* NFD or NFKD */
	UProperty quick_check;
	uint32_t plain_below; /* characters below this never change nor combine */
	struct buffer utf16, result, utf8;
};

static enum embed_status open_forms(struct normaliser *normaliser, bool is_compatible)
{
	UErrorCode code = U_ZERO_ERROR;

	if (is_compatible) {
		normaliser->form = unorm2_getNFKCInstance(&code);
		normaliser->decomposed = unorm2_getNFKDInstance(&code);
	} else {
		normaliser->form = unorm2_getNFCInstance(&code);
		normaliser->decomposed = unorm2_getNFDInstance(&code);
	}
	normaliser->quick_check = is_compatible ? UCHAR_NFKC_QUICK_CHECK : UCHAR_NFC_QUICK_CHECK;
	normaliser->plain_below = is_compatible ? 0xa0 : 0x300;
	return U_FAILURE(code) ? EMBED_NO_MEMORY : EMBED_OK;
}

/* Begins a segment and is normal as it stands.  The ranges save the look-up for the most common scripts. */
static bool is_plain(const struct normaliser *normaliser, uint32_t code)
{
	if (code < normaliser->plain_below || (code >= 0x400 && code <= 0x482) ||
	    (code >= 0x3041 && code <= 0x3096) || (code >= 0x4e00 && code <= 0x9fff) ||
	    (code >= 0xac00 && code <= 0xd7a3))
		return true;
	return u_getIntPropertyValue((UChar32)code, normaliser->quick_check) == UNORM_YES &&
	       u_getCombiningClass((UChar32)code) == 0;
}

/* Appends UTF-16. */
static void append_code(struct buffer *utf16, UChar32 code)
{
	UChar units[2];
	int32_t len = 0;

	U16_APPEND_UNSAFE(units, len, code);
	buffer_append(utf16, units, (size_t)len * sizeof(UChar));
}

struct mark {
	UChar32 code;
	uint8_t class;
};

/*
 * Long runs of combining marks are put in canonical order here, since ICU
 * inserts them one by one, which takes quadratic time on hostile text.
 */
#define LONG_SEGMENT 64

static int compare_marks(const void *a, const void *b)
{
	const struct mark *const *left = a;
	const struct mark *const *right = b;

	if ((*left)->class != (*right)->class)
		return (*left)->class < (*right)->class ? -1 : 1;
	return *left < *right ? -1 : 1; /* stable */
}

static enum embed_status sort_run(struct mark *marks, size_t count)
{
	struct mark **order;
	struct mark *sorted;

	if (count < 2)
		return EMBED_OK;
	order = malloc(count * sizeof(struct mark *));
	sorted = malloc(count * sizeof(*sorted));
	if (order == NULL || sorted == NULL) {
		free(order);
		free(sorted);
		return EMBED_NO_MEMORY;
	}
	for (size_t i = 0; i < count; i++)
		order[i] = &marks[i];
	qsort(order, count, sizeof(struct mark *), compare_marks);
	for (size_t i = 0; i < count; i++)
		sorted[i] = *order[i];
	memcpy(marks, sorted, count * sizeof(*marks));
	free(order);
	free(sorted);
	return EMBED_OK;
}

static enum embed_status sort_marks(struct mark *marks, size_t count)
{
	enum embed_status status = EMBED_OK;

	for (size_t i = 0; i < count && status == EMBED_OK;) {
		size_t end = i + 1;

		if (marks[i].class != 0) {
			while (end < count && marks[end].class != 0)
				end++;
			status = sort_run(marks + i, end - i);
		}
		i = end;
	}
	return status;
}

static void append_decomposed(
    const struct normaliser *normaliser, struct buffer *marks, UChar32 code)
{
	UChar units[24]; /* the longest, U+FDFA, has 18 */
	UErrorCode error = U_ZERO_ERROR;
	int32_t len = unorm2_getDecomposition(normaliser->decomposed, code, units, 24, &error);
	int32_t at = 0;

	if (len < 0 || U_FAILURE(error)) {
		len = 0;
		U16_APPEND_UNSAFE(units, len, code);
	}
	while (at < len) {
		struct mark mark;

		U16_NEXT(units, at, len, mark.code);
		mark.class = u_getCombiningClass(mark.code);
		buffer_append(marks, &mark, sizeof(mark));
	}
}

static enum embed_status put_in_order(struct normaliser *normaliser)
{
	const UChar *units = (const UChar *)(const void *)normaliser->utf16.bytes;
	int32_t len = (int32_t)(normaliser->utf16.len / sizeof(UChar));
	int32_t at = 0;
	struct buffer marks;
	enum embed_status status;

	buffer_init(&marks, SIZE_MAX);
	while (at < len) {
		UChar32 code;

		U16_NEXT(units, at, len, code);
		append_decomposed(normaliser, &marks, code);
	}
	status = marks.status;
	if (status == EMBED_OK)
		status = sort_marks((void *)marks.bytes, marks.len / sizeof(struct mark));
	buffer_reset(&normaliser->utf16);
	for (size_t i = 0; status == EMBED_OK && i < marks.len / sizeof(struct mark); i++)
		append_code(&normaliser->utf16, ((struct mark *)(void *)marks.bytes)[i].code);
	buffer_fini(&marks);
	return status;
}

static void read_utf16(struct normaliser *normaliser, const char *bytes, size_t len)
{
	buffer_reset(&normaliser->utf16);
	for (size_t at = 0; at < len;) {
		size_t size;

		append_code(&normaliser->utf16, (UChar32)utf8_decode(bytes + at, len - at, &size));
		at += size;
	}
}

/* result (UTF-16) = the normal form of utf16. */
static enum embed_status apply_form(struct normaliser *normaliser)
{
	const UChar *units = (const UChar *)(const void *)normaliser->utf16.bytes;
	int32_t len = (int32_t)(normaliser->utf16.len / sizeof(UChar));
	int32_t cap = len * 18 + 1;
	UErrorCode code = U_ZERO_ERROR;
	UChar *room;

	buffer_reset(&normaliser->result);
	room = (UChar *)(void *)buffer_reserve(&normaliser->result, (size_t)cap * sizeof(UChar));
	if (room == NULL || normaliser->utf16.status != EMBED_OK)
		return EMBED_NO_MEMORY;
	len = unorm2_normalize(normaliser->form, units, len, room, cap, &code);
	if (U_FAILURE(code))
		return EMBED_NO_MEMORY;
	normaliser->result.len = (size_t)len * sizeof(UChar);
	return EMBED_OK;
}

static void write_utf8(struct normaliser *normaliser)
{
	const UChar *units = (const UChar *)(const void *)normaliser->result.bytes;
	int32_t len = (int32_t)(normaliser->result.len / sizeof(UChar));
	int32_t at = 0;

	buffer_reset(&normaliser->utf8);
	while (at < len) {
		UChar32 code;
		char bytes[4];

		U16_NEXT(units, at, len, code);
		buffer_append(&normaliser->utf8, bytes, utf8_encode((uint32_t)code, bytes));
	}
}

#define MAX_SEGMENT_BYTES ((size_t)64 << 20) /* 18 times as many UTF-16 units fit an int32_t */

static enum embed_status normalise_segment(
    struct normaliser *normaliser, struct edits *edits, size_t len)
{
	enum embed_status status = EMBED_OK;

	if (len > MAX_SEGMENT_BYTES)
		return EMBED_TOO_LARGE;
	read_utf16(normaliser, edits->in + edits->taken, len);
	if (normaliser->utf16.len > LONG_SEGMENT * sizeof(UChar))
		status = put_in_order(normaliser);
	if (status == EMBED_OK)
		status = apply_form(normaliser);
	if (status != EMBED_OK)
		return status;
	write_utf8(normaliser);
	edits_replace(edits, len, normaliser->utf8.bytes, normaliser->utf8.len);
	return normaliser->utf8.status;
}

/* End of the segment that `at`, the character after a segment's first, belongs to. */
static size_t segment_end(const struct normaliser *normaliser, const struct edits *edits, size_t at)
{
	while (at < edits->in_len) {
		size_t size;
		uint32_t code = utf8_decode(edits->in + at, edits->in_len - at, &size);

		if (code < 0x300 || unorm2_hasBoundaryBefore(normaliser->form, (UChar32)code))
			break;
		at += size;
	}
	return at;
}

/* The last character in [start, end) that begins a segment, or `segment`. */
static size_t last_segment(const struct normaliser *normaliser, const struct edits *edits,
    size_t start, size_t end, size_t segment)
{
	while (end > start) {
		size_t size;
		size_t at = utf8_floor(edits->in, end, end - 1);

		if (is_plain(normaliser, utf8_decode(edits->in + at, end - at, &size)))
			return at;
		end = at;
	}
	return segment;
}

#define BLOCK_BYTES 2048

/* The end of the block at `start`, when ICU says that nothing in it changes; else `start`. */
static size_t normal_block(
    const struct normaliser *normaliser, const struct edits *edits, size_t start)
{
	UChar units[BLOCK_BYTES];
	UErrorCode code = U_ZERO_ERROR;
	size_t end = start + BLOCK_BYTES;
	int32_t len;

	if (end >= edits->in_len)
		end = edits->in_len;
	else
		end = utf8_floor(edits->in, edits->in_len, end);
	u_strFromUTF8(units, BLOCK_BYTES, &len, edits->in + start, (int32_t)(end - start), &code);
	if (U_FAILURE(code) ||
	    unorm2_spanQuickCheckYes(normaliser->form, units, len, &code) != len || U_FAILURE(code))
		return start;
	return end;
}

/*
 * Normalises what [at, end) and the segments that begin in it need; returns
 * where it stopped, with *segment the last segment's start before that.
 */
static enum embed_status normalise_block(
    struct normaliser *normaliser, struct edits *edits, size_t *at, size_t end, size_t *segment)
{
	enum embed_status status = EMBED_OK;

	while (*at < end && status == EMBED_OK) {
		size_t size;
		uint32_t code = utf8_decode(edits->in + *at, edits->in_len - *at, &size);

		if (is_plain(normaliser, code)) {
			*segment = *at;
			*at += size;
			continue;
		}
		if (unorm2_hasBoundaryBefore(normaliser->form, (UChar32)code))
			*segment = *at;
		*at = segment_end(normaliser, edits, *at + size);
		edits_keep(edits, *segment - edits->taken);
		status = normalise_segment(normaliser, edits, *at - *segment);
		*segment = *at;
	}
	return status;
}

static enum embed_status normalise_all(struct normaliser *normaliser, struct edits *edits)
{
	enum embed_status status = EMBED_OK;
	size_t segment = 0; /* where the character before `at` has its segment's start */
	size_t at = 0;

	while (at < edits->in_len && status == EMBED_OK) {
		size_t ascii = utf8_ascii_len(edits->in + at, edits->in_len - at);
		size_t end;

		if (ascii > 0) {
			at += ascii;
			segment = at - 1;
			continue;
		}
		end = normal_block(normaliser, edits, at);
		if (end > at) {
			segment = last_segment(normaliser, edits, at, end, segment);
			at = end;
			continue;
		}
		end = at + BLOCK_BYTES / 8 < edits->in_len ? at + BLOCK_BYTES / 8 : edits->in_len;
		status = normalise_block(normaliser, edits, &at, end, &segment);
	}
	return status;
}

enum embed_status clean_normalise(struct edits *edits, uint32_t flags)
{
	struct normaliser normaliser;
	enum embed_status status = open_forms(&normaliser, (flags & EMBED_CLEAN_NFKC) != 0);

	buffer_init(&normaliser.utf16, SIZE_MAX);
	buffer_init(&normaliser.result, SIZE_MAX);
	buffer_init(&normaliser.utf8, SIZE_MAX);
	if (status == EMBED_OK)
		status = normalise_all(&normaliser, edits);
	buffer_fini(&normaliser.utf16);
	buffer_fini(&normaliser.result);
	buffer_fini(&normaliser.utf8);
	return status == EMBED_OK ? edits_finish(edits) : status;
}
