/* SPDX-License-Identifier: MIT */
/*
 * A file to import, arriving in pieces of changing size.  The same file in one
 * piece must give the same answers, and what is accepted must be sound.
 */
#include <stdlib.h>
#include <string.h>

#include "cache/transfer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct file {
	const uint8_t *bytes;
	size_t len, at;
	size_t piece; /* 0: all at once */
};

static ptrdiff_t read_file(void *context, void *bytes, size_t len)
{
	struct file *file = context;
	size_t part = file->len - file->at;

	if (part > len)
		part = len;
	if (file->piece != 0 && part > file->piece)
		part = file->piece;
	memcpy(bytes, file->bytes + file->at, part);
	file->at += part;
	return (ptrdiff_t)part;
}

struct tally {
	uint64_t good, damaged;
	enum transfer_found last;
};

static void check_sound(const struct transfer_item *item)
{
	float *numbers = malloc(item->head.dimensions * sizeof(float));

	record_copy(numbers, half_best(), &item->head, item->record, item->head.dimensions);
	if (!record_numbers_are_sound(numbers, item->head.dimensions))
		abort();
	free(numbers);
}

static struct tally read_all(const uint8_t *data, size_t size, size_t piece)
{
	struct file file = {data, size, 0, piece};
	struct transfer_reader reader;
	struct transfer_item item;
	struct tally tally = {0};

	if (!transfer_reader_init(&reader, read_file, &file))
		abort();
	do {
		tally.last = transfer_next(&reader, &item);
		tally.good += tally.last == TRANSFER_RECORD;
		tally.damaged += tally.last == TRANSFER_DAMAGED;
		if (tally.last == TRANSFER_RECORD)
			check_sound(&item);
	} while (tally.last == TRANSFER_RECORD || tally.last == TRANSFER_DAMAGED);
	transfer_reader_fini(&reader);
	return tally;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tally whole = read_all(data, size, 0);
	struct tally pieces = read_all(data, size, 1 + size % 61);

	if (whole.good != pieces.good || whole.damaged != pieces.damaged ||
	    whole.last != pieces.last)
		abort();
	return 0;
}
