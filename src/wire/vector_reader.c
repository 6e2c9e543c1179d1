/* SPDX-License-Identifier: MIT */
#include "wire/vector_reader.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "wire/base64.h"

/* base64_decode_run writes faster when it may write this much past the last number. */
#define SLACK_BYTES    32
#define FIRST_CAP      4096
#define NO_MEMORY_TEXT "does not fit in memory"

void vector_reader_init(struct vector_reader *reader)
{
	memset(reader, 0, sizeof(*reader));
}

void vector_reader_fini(struct vector_reader *reader)
{
	free(reader->floats);
	vector_reader_init(reader);
}

static bool grow(struct vector_reader *reader, size_t cap_bytes)
{
	float *floats;

	if (cap_bytes <= reader->cap_bytes)
		return true;
	floats = realloc(reader->floats, cap_bytes);
	if (floats == NULL)
		return false;
	reader->floats = floats;
	reader->cap_bytes = cap_bytes;
	return true;
}

static void limit_to(struct vector_reader *reader, uint32_t dimensions)
{
	reader->dimensions = dimensions;
	reader->max_bytes =
	    sizeof(float) * (dimensions == 0 ? WIRE_MAX_DIMENSIONS : (size_t)dimensions);
}

enum embed_status vector_reader_start(struct vector_reader *reader, uint32_t dimensions)
{
	if (dimensions > WIRE_MAX_DIMENSIONS)
		return EMBED_TOO_LARGE;
	limit_to(reader, dimensions);
	vector_reader_clear(reader);
	if (!grow(reader, dimensions == 0 ? FIRST_CAP : reader->max_bytes + SLACK_BYTES))
		return EMBED_NO_MEMORY;
	return EMBED_OK;
}

void vector_reader_clear(struct vector_reader *reader)
{
	reader->len_bytes = 0;
	reader->quad_len = 0;
	reader->is_padded = false;
}

/* Makes sure of `len` more bytes and the slack, while the vector is not too long already. */
static const char *make_room(struct vector_reader *reader, size_t len)
{
	size_t needed = reader->len_bytes + len + SLACK_BYTES;

	if (reader->len_bytes + len > reader->max_bytes)
		needed = reader->max_bytes + SLACK_BYTES;
	if (needed <= reader->cap_bytes)
		return NULL;
	return grow(reader, 2 * needed) ? NULL : NO_MEMORY_TEXT;
}

static char *end_of(const struct vector_reader *reader)
{
	return (char *)reader->floats + reader->len_bytes;
}

static const char *added(struct vector_reader *reader, size_t len)
{
	reader->len_bytes += len;
	return reader->len_bytes > reader->max_bytes ? "has too many numbers" : NULL;
}

static const char *decode_quad(struct vector_reader *reader)
{
	size_t len;

	reader->quad_len = 0;
	if (make_room(reader, 3) != NULL)
		return NO_MEMORY_TEXT;
	if (!base64_decode(end_of(reader), &len, reader->quad, sizeof(reader->quad)))
		return "is not base64";
	reader->is_padded = len < 3;
	return added(reader, len);
}

const char *vector_reader_put_char(struct vector_reader *reader, char c)
{
	if (reader->is_padded)
		return "goes on after the base64 padding";
	reader->quad[reader->quad_len++] = c;
	return reader->quad_len < sizeof(reader->quad) ? NULL : decode_quad(reader);
}

const char *vector_reader_put_run(struct vector_reader *reader, const char **text, const char *end)
{
	size_t room;
	size_t used;

	if (reader->quad_len > 0 || reader->is_padded)
		return NULL;
	if (make_room(reader, (size_t)(end - *text) / 4 * 3) != NULL)
		return NO_MEMORY_TEXT;
	room = reader->cap_bytes - reader->len_bytes;
	used = base64_decode_run(end_of(reader), room, *text, (size_t)(end - *text));
	*text += used;
	return added(reader, used / 4 * 3);
}

const char *vector_reader_put_float(struct vector_reader *reader, float value)
{
	const char *problem = NULL;

	if (reader->len_bytes + sizeof(value) > reader->cap_bytes)
		problem = make_room(reader, sizeof(value));
	if (problem != NULL)
		return problem;
	memcpy(end_of(reader), &value, sizeof(value));
	/* Kept as on the wire until the end, so that both forms meet there. */
	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) {
		uint32_t bits;

		memcpy(&bits, &value, sizeof(bits));
		bits = htole32(bits);
		memcpy(end_of(reader), &bits, sizeof(bits));
	}
	return added(reader, sizeof(value));
}

static void to_host_order(float *floats, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t bits;

		memcpy(&bits, &floats[i], sizeof(bits));
		bits = le32toh(bits);
		memcpy(&floats[i], &bits, sizeof(bits));
	}
}

/* Four floats as whole numbers: the compiler has vector code for these. */
typedef int32_t four __attribute__((vector_size(16)));

/*
 * Every number finite, at least one not 0.  A float that is not 0 has a square
 * that is not 0 as a double, so the norm is above 0 too.
 */
static const char *check_numbers(const float *floats, size_t count)
{
	four any = {0};
	four bad = {0};

	for (size_t at = 0; at < count; at += 4) {
		four bits = {0};

		if (count - at >= 4)
			memcpy(&bits, floats + at, sizeof(bits));
		else
			memcpy(&bits, floats + at, (count - at) * sizeof(float));
		bits &= 0x7fffffff;
		any |= bits;
		bad |= bits >= 0x7f800000;
	}
	if ((bad[0] | bad[1] | bad[2] | bad[3]) != 0)
		return "holds a number that is not finite";
	return (any[0] | any[1] | any[2] | any[3]) == 0 ? "is all zeros" : NULL;
}

const char *vector_reader_finish(struct vector_reader *reader, uint32_t *dimensions)
{
	size_t count = reader->len_bytes / sizeof(float);

	if (reader->quad_len != 0)
		return "ends within four characters of base64";
	if (reader->len_bytes % sizeof(float) != 0)
		return "is not a whole number of floats";
	if (count == 0)
		return "is empty";
	if (reader->dimensions != 0 && count != reader->dimensions)
		return count < reader->dimensions ? "has too few numbers" : "has too many numbers";
	limit_to(reader, (uint32_t)count);
	*dimensions = (uint32_t)count;
	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		to_host_order(reader->floats, count);
	return check_numbers(reader->floats, count);
}
