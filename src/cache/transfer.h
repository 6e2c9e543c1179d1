/* SPDX-License-Identifier: MIT */
/*
 * Transfer: the file that export writes and import reads.
 *
 *	"embed-store file" (16 bytes), u32 version 1, u32 0
 *	for each record:  u32 "REC ", u32 length, key (32 bytes), u64 checksum,
 *	                  then the record as in the store (record.h)
 *	at the end:       u32 "END ", u32 0, u64 count, 24 zero bytes, u64 checksum
 *
 * Little-endian.  A frame's checksum is XXH3 of its 40 bytes before it, xor
 * its number (from 1), so that a lost, doubled or moved frame is noticed; the
 * record's own checksum covers the record and its key.  A file without its end
 * was cut.
 *
 * Threads: none; one owner each.
 */
#ifndef CACHE_TRANSFER_H
#define CACHE_TRANSFER_H

#include "base/digest.h"
#include "cache/record.h"

#define TRANSFER_HEAD_BYTES   24u
#define TRANSFER_FRAME_BYTES  48u
#define TRANSFER_BUFFER_BYTES (64u << 10)

/* These write to `out`, which has room. */
void transfer_put_head(uint8_t out[TRANSFER_HEAD_BYTES]);
void transfer_put_frame(uint8_t out[TRANSFER_FRAME_BYTES], const struct digest *key,
    size_t record_len, uint64_t number);
/* `number` is the count of records plus one. */
void transfer_put_end(uint8_t out[TRANSFER_FRAME_BYTES], uint64_t number);

/* Like read(2): bytes read, 0 at the end, -1 for an error. */
typedef ptrdiff_t transfer_read_fn(void *context, void *bytes, size_t len);

struct transfer_reader {
	transfer_read_fn *read;
	void *context;
	uint64_t number; /* of the frame last begun */
	bool is_begun;
	size_t at, len; /* of `buffer` */
	uint8_t *record;
	uint8_t *buffer;
};

enum transfer_found {
	TRANSFER_RECORD,  /* a good one: `item` is filled */
	TRANSFER_DAMAGED, /* its frame is good and its record is not: go on */
	TRANSFER_END,     /* the file's proper end */
	TRANSFER_NO_FILE, /* this is no exported file */
	TRANSFER_NEWER,   /* of a newer version than we know */
	TRANSFER_BROKEN,  /* a frame is damaged, or the file was cut: no going on */
	TRANSFER_IO,      /* `read` failed; errno says why */
};

struct transfer_item {
	struct digest key;
	struct record_head head;
	const uint8_t *record; /* valid until the next call */
};

/* False: no memory. */
bool transfer_reader_init(struct transfer_reader *reader, transfer_read_fn *read, void *context);
void transfer_reader_fini(struct transfer_reader *reader);

/* The next record.  After any but the first two there is no next. */
enum transfer_found transfer_next(struct transfer_reader *reader, struct transfer_item *item);

#endif
