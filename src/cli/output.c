/* SPDX-License-Identifier: MIT */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define FLUSH_BYTES (512u << 10)

/* A file's bytes are sent on to the disk in pieces of this size, so that the last sync finds little to do. */
#define SETTLE_BYTES (8u << 20)

/* A record is appended whole before it is written: JSONL of the largest vector and text. */
#define PENDING_MAX_BYTES (512u << 20)

static enum embed_status open_partial(
    struct output *output, const char *path, struct embed_error *error)
{
	output->path = strdup(path);
	if (output->path == NULL || asprintf(&output->partial, "%s.partial", path) < 0) {
		output->partial = NULL;
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	}
	output->fd = open(output->partial, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (output->fd < 0)
		return error_set(
		    error, EMBED_IO, "cannot write %.400s: %s", output->partial, strerror(errno));
	if (flock(output->fd, LOCK_EX | LOCK_NB) != 0)
		return error_set(
		    error, EMBED_IO, "another embed is writing %.400s right now", path);
	if (ftruncate(output->fd, 0) != 0)
		return error_set(
		    error, EMBED_IO, "cannot write %.400s: %s", output->partial, strerror(errno));
	return EMBED_OK;
}

static enum embed_status open_special(
    struct output *output, const char *path, struct embed_error *error)
{
	output->fd = open(path, O_WRONLY | O_CLOEXEC);
	if (output->fd < 0)
		return error_set(error, EMBED_IO, "cannot write %.400s: %s", path, strerror(errno));
	return EMBED_OK;
}

static void close_output(struct output *output)
{
	if (output->fd >= 0 && output->is_owned)
		close(output->fd);
	output->fd = -1;
	free(output->path);
	free(output->partial);
	output->path = output->partial = NULL;
	buffer_fini(&output->pending);
}

enum embed_status output_open(struct output *output, const char *path, struct embed_error *error)
{
	enum embed_status status;
	struct stat stat_;

	*output = (struct output){.fd = STDOUT_FILENO};
	buffer_init(&output->pending, PENDING_MAX_BYTES);
	if (path == NULL || strcmp(path, "-") == 0)
		return EMBED_OK;
	output->fd = -1;
	output->is_owned = true;
	if (stat(path, &stat_) == 0 && S_ISDIR(stat_.st_mode))
		status =
		    error_set(error, EMBED_BAD_OPTION, "%.400s is a folder; name a file", path);
	else if (stat(path, &stat_) == 0 && !S_ISREG(stat_.st_mode))
		status = open_special(output, path, error);
	else
		status = open_partial(output, path, error);
	if (status != EMBED_OK)
		close_output(output);
	return status;
}

static enum embed_status write_all(
    struct output *output, const char *bytes, size_t len, struct embed_error *error)
{
	while (len > 0) {
		ssize_t written = write(output->fd, bytes, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0 && errno == EPIPE) {
			output->is_broken = true;
			return error_set(error, EMBED_CLOSED, "nobody reads the output any more");
		}
		if (written < 0)
			return error_set(error, EMBED_IO, "cannot write %.400s: %s",
			    output->partial != NULL ? output->partial : "to stdout",
			    strerror(errno));
		bytes += written;
		len -= (size_t)written;
		output->written_bytes += (uint64_t)written;
	}
	return EMBED_OK;
}

/* Starts writing what was handed to the system; whether it helps or fails, the sync at the end decides. */
static void settle(struct output *output)
{
	off_t end;

	if (output->partial == NULL || output->written_bytes - output->settled_bytes < SETTLE_BYTES)
		return;
	end = (off_t)output->written_bytes;
	sync_file_range(output->fd, (off_t)output->settled_bytes,
	    end - (off_t)output->settled_bytes, SYNC_FILE_RANGE_WRITE);
	output->settled_bytes = output->written_bytes;
}

enum embed_status output_flush(struct output *output, struct embed_error *error)
{
	enum embed_status status;

	if (output->pending.status != EMBED_OK)
		return error_set(
		    error, output->pending.status, "a record is too large to be written");
	status = write_all(output, output->pending.bytes, output->pending.len, error);
	buffer_reset(&output->pending);
	settle(output);
	return status;
}

enum embed_status output_check(struct output *output, struct embed_error *error)
{
	if (output->pending.len < FLUSH_BYTES && output->pending.status == EMBED_OK)
		return EMBED_OK;
	return output_flush(output, error);
}

bool output_can_patch(const struct output *output)
{
	struct stat stat;

	return output->path != NULL || (fstat(output->fd, &stat) == 0 && S_ISREG(stat.st_mode) &&
					   (fcntl(output->fd, F_GETFL) & O_APPEND) == 0);
}

enum embed_status output_patch(struct output *output, uint64_t offset, const void *bytes,
    size_t len, struct embed_error *error)
{
	enum embed_status status = output_flush(output, error);
	off_t end;

	if (status != EMBED_OK)
		return status;
	/* stdout may have stood anywhere in its file when we began */
	end = lseek(output->fd, 0, SEEK_CUR);
	if (end < 0 || pwrite(output->fd, bytes, len,
			   end - (off_t)output->written_bytes + (off_t)offset) != (ssize_t)len)
		return error_set(
		    error, EMBED_IO, "cannot write the header of the output: %s", strerror(errno));
	return EMBED_OK;
}

/* The rename itself has to reach the disk too. */
static void sync_folder(const char *path)
{
	char *copy = strdup(path);
	int fd = copy == NULL ? -1 : open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(copy);
}

static enum embed_status rename_partial(struct output *output, struct embed_error *error)
{
	if (fsync(output->fd) != 0 && errno != EINVAL)
		return error_set(error, EMBED_IO, "cannot write %.400s to the disk: %s",
		    output->partial, strerror(errno));
	if (rename(output->partial, output->path) != 0)
		return error_set(error, EMBED_IO, "cannot rename %.200s to %.200s: %s",
		    output->partial, output->path, strerror(errno));
	sync_folder(output->path);
	return EMBED_OK;
}

enum embed_status output_commit(struct output *output, struct embed_error *error)
{
	enum embed_status status = output_flush(output, error);

	if (status == EMBED_OK && output->path != NULL)
		status = rename_partial(output, error);
	close_output(output);
	return status;
}

void output_abandon(struct output *output)
{
	if (!output->is_broken && output->fd >= 0)
		output_flush(output, NULL);
	close_output(output);
}
