/* SPDX-License-Identifier: MIT */
/* Changing the keys' file: under a lock, and all at once. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "gateway/key_line.h"

static enum embed_status write_whole(int fd, const struct buffer *bytes)
{
	for (size_t at = 0; at < bytes->len;) {
		ssize_t written = write(fd, bytes->bytes + at, bytes->len - at);

		if (written < 0)
			return EMBED_IO;
		at += (size_t)written;
	}
	return fsync(fd) < 0 ? EMBED_IO : EMBED_OK;
}

/*
 * What root makes for a service that runs as another user belongs to whom the
 * old file, or its folder, belongs; else the service could not read its keys.
 */
static void give_to_owner(int fd, const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	struct stat owner;

	if (geteuid() != 0)
		return;
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1,
	    slash ? path : ".");
	if ((stat(path, &owner) < 0 && stat(folder, &owner) < 0) ||
	    fchown(fd, owner.st_uid, owner.st_gid) < 0)
		return; /* it is root's then, as it was made */
}

/*
 * Beside the file, then over it: a reader sees the old or the new one, whole.
 * What lies there already is not ours, and never written to: in another
 * user's folder it may be a link to a file that only root can write.
 */
static enum embed_status replace_file(
    const char *path, const struct buffer *bytes, struct embed_error *error)
{
	char beside[PATH_MAX];
	enum embed_status status;
	int fd;

	snprintf(beside, sizeof(beside), "%s.new", path);
	unlink(beside);
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(
		    error, EMBED_IO, "cannot write %.300s: %s", beside, strerror(errno));
	give_to_owner(fd, path);
	status = write_whole(fd, bytes);
	if (close(fd) < 0)
		status = EMBED_IO;
	if (status != EMBED_OK || rename(beside, path) < 0) {
		error_set(error, EMBED_IO, "cannot write %.300s: %s", path, strerror(errno));
		unlink(beside);
		return EMBED_IO;
	}
	return EMBED_OK;
}

static enum embed_status edit_locked(
    const char *path, key_edit_fn *edit, void *context, struct embed_error *error)
{
	struct key_table *table;
	enum embed_status status = key_table_load(&table, path, error);
	struct key *keys;
	struct buffer bytes;

	if (status != EMBED_OK)
		return status;
	keys = realloc(table->keys, (table->count + 1) * sizeof(*keys));
	if (!keys) {
		key_table_unref(table);
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	}
	table->keys = keys;
	status = edit(keys, &table->count, context, error);
	buffer_init(&bytes, KEY_FILE_MAX);
	buffer_append_text(
	    &bytes, "# Keys of the gateway, written by `embed keys`; digests, no secrets.\n");
	for (size_t i = 0; i < table->count; i++)
		key_line_write(&keys[i], &bytes);
	if (status == EMBED_OK)
		status = bytes.status == EMBED_OK ? replace_file(path, &bytes, error)
						  : error_set(error, bytes.status, "too many keys");
	buffer_fini(&bytes);
	key_table_unref(table);
	return status;
}

/* The one who made it gives it away: the service's user must be able to lock it, too. */
static int open_lock(const char *lock_path, const char *path)
{
	int lock = open(lock_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (lock >= 0)
		give_to_owner(lock, path);
	else if (errno == EEXIST)
		lock = open(lock_path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	return lock;
}

enum embed_status key_file_edit(
    const char *path, key_edit_fn *edit, void *context, struct embed_error *error)
{
	char lock_path[PATH_MAX];
	enum embed_status status;
	int lock;

	if (strlen(path) + 6 > sizeof(lock_path))
		return error_set(error, EMBED_BAD_OPTION, "the path of the keys' file is too long");
	snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
	lock = open_lock(lock_path, path);
	if (lock < 0 || flock(lock, LOCK_EX) < 0) {
		status = error_set(
		    error, EMBED_IO, "cannot lock %.300s: %s", lock_path, strerror(errno));
		if (lock >= 0)
			close(lock);
		return status;
	}
	status = edit_locked(path, edit, context, error);
	close(lock);
	return status;
}
