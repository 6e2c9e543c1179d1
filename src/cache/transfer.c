/* SPDX-License-Identifier: MIT */
#include "cache/transfer.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define FILE_VERSION 1u
#define MARK_RECORD  0x20434552u /* "REC " */
#define MARK_END     0x20444e45u /* "END " */

static const char file_mark[16] = "embed-store file";

struct frame {
	uint32_t mark;
	uint32_t len;
	uint8_t key[DIGEST_BYTES]; /* of the end: count, then zeros */
	uint64_t checksum;
};
_Static_assert(sizeof(struct frame) == TRANSFER_FRAME_BYTES, "no padding");

static uint64_t frame_checksum(const struct frame *frame, uint64_t number)
{
	return XXH3_64bits(frame, offsetof(struct frame, checksum)) ^ number;
}

void transfer_put_head(uint8_t out[TRANSFER_HEAD_BYTES])
{
	const uint32_t version[2] = {FILE_VERSION, 0};

	memcpy(out, file_mark, sizeof(file_mark));
	memcpy(out + sizeof(file_mark), version, sizeof(version));
}

static void seal_frame(uint8_t *out, struct frame *frame, uint64_t number)
{
	frame->checksum = frame_checksum(frame, number);
	memcpy(out, frame, sizeof(*frame));
}

void transfer_put_frame(
    uint8_t out[TRANSFER_FRAME_BYTES], const struct digest *key, size_t record_len, uint64_t number)
{
	struct frame frame = {.mark = MARK_RECORD, .len = (uint32_t)record_len};

	memcpy(frame.key, key->bytes, DIGEST_BYTES);
	seal_frame(out, &frame, number);
}

void transfer_put_end(uint8_t out[TRANSFER_FRAME_BYTES], uint64_t number)
{
	struct frame frame = {.mark = MARK_END};
	uint64_t count = number - 1;

	memcpy(frame.key, &count, sizeof(count));
	seal_frame(out, &frame, number);
}

/* ---- Reading ----------------------------------------------------------- */

bool transfer_reader_init(struct transfer_reader *reader, transfer_read_fn *read, void *context)
{
	*reader = (struct transfer_reader){.read = read, .context = context};
	reader->record = malloc(RECORD_BYTES_MAX);
	reader->buffer = malloc(TRANSFER_BUFFER_BYTES);
	if (reader->record != NULL && reader->buffer != NULL)
		return true;
	transfer_reader_fini(reader);
	return false;
}

void transfer_reader_fini(struct transfer_reader *reader)
{
	free(reader->record);
	free(reader->buffer);
	reader->record = NULL;
	reader->buffer = NULL;
}

/* TRANSFER_RECORD when all `len` bytes came. */
static enum transfer_found take(struct transfer_reader *reader, void *bytes, size_t len)
{
	uint8_t *out = bytes;

	while (len > 0) {
		size_t part = reader->len - reader->at;

		if (part == 0) {
			ptrdiff_t got =
			    reader->read(reader->context, reader->buffer, TRANSFER_BUFFER_BYTES);

			if (got <= 0)
				return got == 0 ? TRANSFER_BROKEN : TRANSFER_IO;
			reader->at = 0;
			reader->len = (size_t)got;
			continue;
		}
		if (part > len)
			part = len;
		memcpy(out, reader->buffer + reader->at, part);
		reader->at += part;
		out += part;
		len -= part;
	}
	return TRANSFER_RECORD;
}

static enum transfer_found take_head(struct transfer_reader *reader)
{
	uint8_t head[TRANSFER_HEAD_BYTES];
	enum transfer_found found = take(reader, head, sizeof(head));
	uint32_t version[2];

	if (found != TRANSFER_RECORD)
		return found == TRANSFER_BROKEN ? TRANSFER_NO_FILE : found;
	if (memcmp(head, file_mark, sizeof(file_mark)) != 0)
		return TRANSFER_NO_FILE;
	memcpy(version, head + sizeof(file_mark), sizeof(version));
	if (version[0] > FILE_VERSION)
		return TRANSFER_NEWER;
	return version[0] == FILE_VERSION && version[1] == 0 ? TRANSFER_RECORD : TRANSFER_NO_FILE;
}

static bool is_end(const struct frame *frame, uint64_t number)
{
	uint64_t count;

	memcpy(&count, frame->key, sizeof(count));
	return frame->mark == MARK_END && frame->len == 0 && count == number - 1;
}

/* Nothing may follow the end. */
static enum transfer_found take_end(struct transfer_reader *reader)
{
	uint8_t more;
	enum transfer_found found = take(reader, &more, 1);

	if (found == TRANSFER_BROKEN)
		return TRANSFER_END;
	return found == TRANSFER_RECORD ? TRANSFER_BROKEN : found;
}

/* The numbers are looked at too: what comes from outside was not validated when it was put. */
static bool is_sound(const struct record_head *head, const uint8_t *record)
{
	const uint8_t *numbers = record + RECORD_HEAD_BYTES;
	float some[64];
	bool seen = false;

	for (uint32_t done = 0; done < head->dimensions;) {
		uint32_t count = head->dimensions - done;

		if (count > 64)
			count = 64;
		if (head->numbers == RECORD_HALVES)
			half_portable()->to_float(some, numbers + 2 * (size_t)done, count);
		else
			memcpy(some, numbers + 4 * (size_t)done, count * sizeof(float));
		for (uint32_t i = 0; i < count; i++) {
			if (!(some[i] - some[i] == 0)) /* not finite */
				return false;
			seen = seen || some[i] != 0;
		}
		done += count;
	}
	return seen;
}

enum transfer_found transfer_next(struct transfer_reader *reader, struct transfer_item *item)
{
	enum transfer_found found;
	struct frame frame;

	if (!reader->is_begun) {
		reader->is_begun = true;
		found = take_head(reader);
		if (found != TRANSFER_RECORD)
			return found;
	}
	reader->number++;
	found = take(reader, &frame, sizeof(frame));
	if (found != TRANSFER_RECORD)
		return found;
	if (frame.checksum != frame_checksum(&frame, reader->number))
		return TRANSFER_BROKEN;
	if (is_end(&frame, reader->number))
		return take_end(reader);
	if (frame.mark != MARK_RECORD || frame.len > RECORD_BYTES_MAX)
		return TRANSFER_BROKEN;
	found = take(reader, reader->record, frame.len);
	if (found != TRANSFER_RECORD)
		return found;
	memcpy(item->key.bytes, frame.key, DIGEST_BYTES);
	item->record = reader->record;
	if (!record_decode(&item->head, &item->key, reader->record, frame.len) ||
	    !is_sound(&item->head, reader->record))
		return TRANSFER_DAMAGED;
	return TRANSFER_RECORD;
}
