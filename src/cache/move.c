/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "cache/store.h"
#include "cache/transfer.h"
#include "cache/walk.h"

/* ---- Export -------------------------------------------------------------- */

/* A step stops at 1 MiB of values, plus the last one, plus frames. */
#define EXPORT_STEP_RECORDS 512
#define EXPORT_BUFFER_BYTES (2u << 20)

struct export
{
	struct buffer buffer;
	uint64_t records;
};

static int export_record(
    struct cache *cache, const MDB_val *key, const MDB_val *value, void *context)
{
	struct export *export = context;
	uint8_t frame[TRANSFER_FRAME_BYTES];
	struct record_head head;
	struct digest digest;

	if (!store_key_digest(&digest, key) ||
	    !record_decode(&head, &digest, value->mv_data, value->mv_size)) {
		atomic_fetch_add_explicit(&cache->bad, 1, memory_order_relaxed);
		return 0;
	}
	export->records++;
	transfer_put_frame(frame, &digest, value->mv_size, export->records);
	buffer_append(&export->buffer, frame, sizeof(frame));
	buffer_append(&export->buffer, value->mv_data, value->mv_size);
	return export->buffer.status == EMBED_OK ? 0 : ENOMEM;
}

static int write_out(int fd, struct buffer *buffer)
{
	size_t done = 0;

	while (done < buffer->len) {
		ssize_t put = write(fd, buffer->bytes + done, buffer->len - done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put == 0 ? EIO : errno;
		done += (size_t)put;
	}
	buffer_reset(buffer);
	return 0;
}

static enum embed_status write_failed(struct embed_error *error, int code)
{
	return error_set(error, EMBED_IO, "the export could not be written: %s", strerror(code));
}

static enum embed_status export_all(
    struct cache *cache, int fd, struct export *export, struct embed_error *error)
{
	struct walk walk = {.is_started = false};
	uint8_t head[TRANSFER_HEAD_BYTES], end[TRANSFER_FRAME_BYTES];
	int rc;

	transfer_put_head(head);
	buffer_append(&export->buffer, head, sizeof(head));
	while (!walk.is_done) {
		rc = walk_step(cache, &walk, EXPORT_STEP_RECORDS, export_record, export);
		if (rc != 0)
			return store_error(cache, error, rc, "be read");
		rc = write_out(fd, &export->buffer);
		if (rc != 0)
			return write_failed(error, rc);
	}
	transfer_put_end(end, export->records + 1);
	buffer_append(&export->buffer, end, sizeof(end));
	rc = export->buffer.status == EMBED_OK ? write_out(fd, &export->buffer) : ENOMEM;
	return rc == 0 ? EMBED_OK : write_failed(error, rc);
}

enum embed_status cache_export(
    struct cache *cache, int fd, uint64_t *records, struct embed_error *error)
{
	struct export export = {.records = 0};
	enum embed_status status;

	buffer_init(&export.buffer, EXPORT_BUFFER_BYTES);
	status = export_all(cache, fd, &export, error);
	buffer_fini(&export.buffer);
	if (status == EMBED_OK)
		*records = export.records;
	return status;
}

/* ---- Import -------------------------------------------------------------- */

#define IMPORT_GROUP_RECORDS 1024
#define IMPORT_GROUP_NUMBERS (1u << 20)
_Static_assert(IMPORT_GROUP_NUMBERS >= CACHE_DIMENSIONS_MAX, "any vector fits a group");

struct import {
	struct cache *cache;
	int64_t now_s;
	struct cache_imported *sum;
	uint64_t first_bad; /* number of the record; 0: none */
	size_t count, number_count;
	struct cache_put puts[IMPORT_GROUP_RECORDS];
	float numbers[IMPORT_GROUP_NUMBERS];
};

static ptrdiff_t read_fd(void *context, void *bytes, size_t len)
{
	const int *fd = context;
	ssize_t got;

	do
		got = read(*fd, bytes, len);
	while (got < 0 && errno == EINTR);
	return got;
}

static enum embed_status flush(struct import *import, struct embed_error *error)
{
	struct cache_written written;
	enum embed_status status;

	if (import->count == 0)
		return EMBED_OK;
	status = cache_put_many(import->cache, import->puts, import->count, &written, error);
	import->sum->added += written.stored;
	import->count = 0;
	import->number_count = 0;
	return status;
}

/* The store has it as large, or it is too old already. */
static bool is_worthless(struct import *import, const struct transfer_item *item)
{
	const struct cache_want any = {.now_s = import->now_s};
	struct cache_hit hit;

	if (record_is_expired(item->head.created_s, import->now_s, import->cache->ttl_s))
		return true;
	return cache_get(import->cache, &item->key, &any, NULL, 0, &hit) == EMBED_TOO_LARGE &&
	       hit.dimensions >= item->head.dimensions;
}

static enum embed_status add(
    struct import *import, const struct transfer_item *item, struct embed_error *error)
{
	const struct record_head *head = &item->head;
	float *numbers;

	import->sum->records++;
	if (is_worthless(import, item))
		return EMBED_OK;
	if (import->count == IMPORT_GROUP_RECORDS ||
	    import->number_count + head->dimensions > IMPORT_GROUP_NUMBERS) {
		enum embed_status status = flush(import, error);

		if (status != EMBED_OK)
			return status;
	}
	numbers = import->numbers + import->number_count;
	record_copy(numbers, import->cache->half, head, item->record, head->dimensions);
	import->puts[import->count++] = (struct cache_put){
	    .key = item->key,
	    .numbers = numbers,
	    .dimensions = head->dimensions,
	    .tokens = head->tokens,
	    .created_s = head->created_s < import->now_s ? head->created_s
	    : import->now_s,
	};
	import->number_count += head->dimensions;
	return EMBED_OK;
}

static void count_bad(struct import *import, uint64_t number)
{
	import->sum->bad++;
	if (import->first_bad == 0)
		import->first_bad = number;
}

/* What to say when the records ended with `last`. */
static enum embed_status import_result(const struct import *import, enum transfer_found last,
    uint64_t number, struct embed_error *error)
{
	unsigned long long at = (unsigned long long)number;

	switch (last) {
	case TRANSFER_NO_FILE:
		return error_set(
		    error, EMBED_BAD_FORMAT, "this is not a file that cache export wrote");
	case TRANSFER_NEWER:
		return error_set(error, EMBED_BAD_FORMAT,
		    "the file was written by a newer version: import it with that one");
	case TRANSFER_BROKEN:
		return error_set(error, EMBED_BAD_FORMAT,
		    "the file is damaged or cut at record %llu; the good ones before it were added",
		    at);
	case TRANSFER_IO:
		return error_set(error, EMBED_IO,
		    "the file could not be read at record %llu: %s; those before it were added", at,
		    strerror(errno));
	default:
		break;
	}
	if (import->first_bad == 0)
		return EMBED_OK;
	return error_set(error, EMBED_BAD_FORMAT,
	    "%llu damaged records were left out, the first is record %llu; all others were added",
	    (unsigned long long)import->sum->bad, (unsigned long long)import->first_bad);
}

static enum embed_status import_all(
    struct import *import, struct transfer_reader *reader, struct embed_error *error)
{
	enum embed_status status = EMBED_OK;
	struct transfer_item item;
	enum transfer_found found = TRANSFER_END;
	int read_errno;

	while (status == EMBED_OK) {
		found = transfer_next(reader, &item);
		if (found == TRANSFER_RECORD)
			status = add(import, &item, error);
		else if (found == TRANSFER_DAMAGED)
			count_bad(import, reader->number);
		else
			break;
	}
	read_errno = errno;
	if (status == EMBED_OK)
		status = flush(import, error);
	if (status != EMBED_OK)
		return status;
	errno = read_errno;
	if (found == TRANSFER_BROKEN)
		import->sum->bad++;
	return import_result(import, found, reader->number, error);
}

enum embed_status cache_import(struct cache *cache, int fd, int64_t now_s,
    struct cache_imported *imported, struct embed_error *error)
{
	struct import *import = malloc(sizeof(*import));
	struct transfer_reader reader;
	enum embed_status status;

	*imported = (struct cache_imported){0};
	if (import == NULL || !transfer_reader_init(&reader, read_fd, &fd)) {
		free(import);
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	}
	import->cache = cache;
	import->now_s = now_s;
	import->sum = imported;
	import->first_bad = 0;
	import->count = 0;
	import->number_count = 0;
	status = import_all(import, &reader, error);
	transfer_reader_fini(&reader);
	free(import);
	return status;
}
