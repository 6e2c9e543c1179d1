/* SPDX-License-Identifier: MIT */
#include "app/option_file.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define SECRET_MAX_BYTES 4096

struct reading {
	FILE *stream;
	struct option_file *file;
	struct arena *arena;
	size_t cap;
	int line;
	int long_line; /* the first line that is too long, or 0 */
	bool is_out_of_memory;
};

/* inih's reader: one line per call, without the blanks that would make it a continuation. */
static char *read_line(char *bytes, int size, void *context)
{
	struct reading *reading = context;
	size_t len, blanks;

	if (reading->long_line != 0 || reading->line >= OPTION_FILE_MAX_LINES ||
	    fgets(bytes, size, reading->stream) == NULL)
		return NULL;
	reading->line++;
	len = strlen(bytes);
	if (len + 1 == (size_t)size && bytes[len - 1] != '\n') {
		reading->long_line = reading->line;
		return NULL;
	}
	blanks = strspn(bytes, " \t");
	memmove(bytes, bytes + blanks, len - blanks + 1);
	return bytes;
}

static bool grow(struct reading *reading)
{
	struct option_file *file = reading->file;
	struct option_entry *entries;

	if (file->count < reading->cap)
		return true;
	reading->cap = reading->cap == 0 ? 32 : reading->cap * 2;
	entries = arena_allocate(reading->arena, reading->cap * sizeof(*entries));
	if (entries == NULL)
		return false;
	if (file->count > 0)
		memcpy(entries, file->entries, file->count * sizeof(*entries));
	file->entries = entries;
	return true;
}

static int take_entry(void *context, const char *section, const char *key, const char *value)
{
	struct reading *reading = context;
	struct option_file *file = reading->file;
	struct option_entry entry = {
	    .section = arena_copy(reading->arena, section, strlen(section)),
	    .key = arena_copy(reading->arena, key, strlen(key)),
	    .value = arena_copy(reading->arena, value, strlen(value)),
	    .line = reading->line,
	};

	if (entry.section == NULL || entry.key == NULL || entry.value == NULL || !grow(reading)) {
		reading->is_out_of_memory = true;
		return 0;
	}
	file->entries[file->count++] = entry;
	return 1;
}

static enum embed_status check(
    const struct reading *reading, const char *path, int bad_line, struct embed_error *error)
{
	if (reading->is_out_of_memory)
		return error_set(error, EMBED_NO_MEMORY, "out of memory while reading %s", path);
	if (reading->long_line != 0)
		return error_set(error, EMBED_BAD_OPTION,
		    "%s:%d: the line is too long; keep lines below 190 characters", path,
		    reading->long_line);
	if (bad_line > 0)
		return error_set(error, EMBED_BAD_OPTION,
		    "%s:%d: neither a [section] nor \"key = value\"", path, bad_line);
	if (ferror(reading->stream) || bad_line < 0)
		return error_set(error, EMBED_BAD_OPTION, "cannot read %s", path);
	if (reading->line >= OPTION_FILE_MAX_LINES)
		return error_set(error, EMBED_TOO_LARGE,
		    "%s: more than %d lines; is this the file you meant?", path,
		    OPTION_FILE_MAX_LINES);
	return EMBED_OK;
}

static bool is_private(const struct stat *stat)
{
	return S_ISREG(stat->st_mode) && (stat->st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

enum embed_status option_file_read(
    struct option_file *file, const char *path, struct arena *arena, struct embed_error *error)
{
	struct reading reading = {.file = file, .arena = arena};
	enum embed_status status;
	char buffered[4096]; /* a key may pass through it */
	struct stat stat;
	int bad_line;

	*file = (struct option_file){.path = arena_copy(arena, path, strlen(path))};
	reading.stream = fopen(path, "re");
	if (reading.stream == NULL && (errno == ENOENT || errno == ENOTDIR))
		return EMBED_NOT_FOUND;
	if (reading.stream == NULL)
		return error_set(error, EMBED_BAD_OPTION,
		    "cannot open the configuration file %s: %s", path, strerror(errno));
	if (fstat(fileno(reading.stream), &stat) != 0 || S_ISDIR(stat.st_mode)) {
		fclose(reading.stream);
		return error_set(
		    error, EMBED_BAD_OPTION, "%s is a folder; name a configuration file", path);
	}
	file->is_private = is_private(&stat);
	setvbuf(reading.stream, buffered, _IOFBF, sizeof(buffered));
	bad_line = ini_parse_stream(read_line, &reading, take_entry, &reading);
	status = check(&reading, path, bad_line, error);
	fclose(reading.stream);
	explicit_bzero(buffered, sizeof(buffered));
	return status;
}

/*
 * systemd passes credentials in a folder that only the service can enter, and
 * grants the reading by an access list, which shows as the group's bits.
 */
static bool is_private_credential(const char *path, const struct stat *stat)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	size_t len = folder ? strlen(folder) : 0;

	return len > 0 && strncmp(path, folder, len) == 0 && path[len] == '/' &&
	       !strstr(path, "/../") && S_ISREG(stat->st_mode) &&
	       (stat->st_mode & (S_IWGRP | S_IXGRP | S_IRWXO)) == 0;
}

static enum embed_status read_secret(const char **secret, int fd, const char *path,
    const char *source, struct arena *arena, struct embed_error *error)
{
	char bytes[SECRET_MAX_BYTES];
	struct stat stat;
	ssize_t len;
	size_t start, width;

	if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode))
		return error_set(
		    error, EMBED_BAD_OPTION, "%s: %s is no file that can hold a key", source, path);
	if (!(is_private(&stat) || is_private_credential(path, &stat)))
		return error_set(error, EMBED_BAD_OPTION,
		    "%s: %s can be read by others; run: chmod 600 %s", source, path, path);
	len = read(fd, bytes, sizeof(bytes) - 1);
	if (len < 0)
		return error_set(
		    error, EMBED_IO, "%s: cannot read %s: %s", source, path, strerror(errno));
	bytes[len] = '\0';
	start = strspn(bytes, " \t\r\n");
	width = strcspn(bytes + start, " \t\r\n");
	if (width == 0)
		return error_set(error, EMBED_BAD_OPTION, "%s: %s holds no key", source, path);
	*secret = arena_copy(arena, bytes + start, width);
	explicit_bzero(bytes, sizeof(bytes));
	return *secret == NULL ? error_set(error, EMBED_NO_MEMORY, "out of memory") : EMBED_OK;
}

enum embed_status option_file_check_readable(
    const char *path, const char *source, struct embed_error *error)
{
	if (path == NULL || access(path, R_OK) == 0)
		return EMBED_OK;
	return error_set(
	    error, EMBED_BAD_OPTION, "%s: cannot open %.400s: %s", source, path, strerror(errno));
}

enum embed_status option_file_read_secret(const char **secret, const char *path, const char *source,
    struct arena *arena, struct embed_error *error)
{
	enum embed_status status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_set(error, EMBED_BAD_OPTION, "%s: cannot open %s: %s", source, path,
		    strerror(errno));
	status = read_secret(secret, fd, path, source, arena, error);
	close(fd);
	return status;
}
