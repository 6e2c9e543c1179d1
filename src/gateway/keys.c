/* SPDX-License-Identifier: MIT */
#include "gateway/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"

#define FILE_MAX (64u << 20)

static bool digest_of(struct digest *digest, const char *secret, size_t len)
{
	const struct digest_part parts[] = {{"embed gateway key", 17}, {secret, len}};

	return digest_parts(digest, parts, 2);
}

/* ---- Attributes of a line ----------------------------------------------- */

static const char *const period_names[] = {"ever", "day", "month"};

const char *key_period_name(enum key_period period)
{
	return period_names[period];
}

static bool read_number(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t number = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || number > (max - (uint64_t)(*text - '0')) / 10)
			return false;
		number = number * 10 + (uint64_t)(*text - '0');
	}
	*out = number;
	return true;
}

static bool read_seconds(const char *text, int64_t *out)
{
	uint64_t number;

	if (!read_number(text, INT64_MAX, &number))
		return false;
	*out = (int64_t)number;
	return true;
}

bool key_name_is_good(const char *name)
{
	size_t len =
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return len > 0 && len <= KEY_NAME_MAX && name[len] == '\0';
}

static bool read_name(struct key *key, const char *text)
{
	if (!key_name_is_good(text))
		return false;
	strcpy(key->name, text);
	return true;
}

static bool read_digest(struct key *key, const char *text)
{
	if (strlen(text) != 2 * DIGEST_BYTES)
		return false;
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		unsigned byte;

		if (strspn(text + 2 * i, "0123456789abcdef") < 2 ||
		    sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		key->digest.bytes[i] = (uint8_t)byte;
	}
	return true;
}

static bool read_period(const char *text, enum key_period *period)
{
	for (size_t i = 0; i < sizeof(period_names) / sizeof(period_names[0]); i++)
		if (strcmp(text, period_names[i]) == 0) {
			*period = (enum key_period)i;
			return true;
		}
	return false;
}

/* "NANO/period" */
static bool read_budget(struct key *key, const char *text)
{
	char number[32];
	const char *slash = strchr(text, '/');

	if (!slash || (size_t)(slash - text) >= sizeof(number))
		return false;
	snprintf(number, sizeof(number), "%.*s", (int)(slash - text), text);
	return read_number(number, INT64_MAX, &key->budget_nano) &&
	       read_period(slash + 1, &key->period);
}

static bool read_lane(struct key *key, const char *text)
{
	key->lane = strcmp(text, "bulk") == 0 ? EMBED_LANE_BULK : EMBED_LANE_INTERACTIVE;
	return key->lane == EMBED_LANE_BULK || strcmp(text, "interactive") == 0;
}

static bool read_weight(struct key *key, const char *text)
{
	uint64_t weight;

	if (!read_number(text, 1000000, &weight) || weight == 0)
		return false;
	key->weight = (uint32_t)weight;
	return true;
}

static bool read_flag(bool *flag, const char *text)
{
	*flag = strcmp(text, "yes") == 0;
	return *flag || strcmp(text, "no") == 0;
}

static bool read_models(struct key *key, const char *text)
{
	if (strlen(text) > KEY_MODELS_MAX)
		return false;
	strcpy(key->models, text);
	return true;
}

static bool read_rpm(struct key *key, const char *text)
{
	return read_number(text, UINT32_MAX, &key->rpm);
}

static bool read_tpm(struct key *key, const char *text)
{
	return read_number(text, UINT32_MAX * 1000ull, &key->tpm);
}

static bool read_created(struct key *key, const char *text)
{
	return read_seconds(text, &key->created_s);
}

static bool read_expires(struct key *key, const char *text)
{
	return read_seconds(text, &key->expires_s);
}

static bool read_admin(struct key *key, const char *text)
{
	return read_flag(&key->is_admin, text);
}

static bool read_partition(struct key *key, const char *text)
{
	return read_flag(&key->is_partitioned, text);
}

static void write_digest(const struct key *key, struct buffer *out)
{
	for (size_t i = 0; i < DIGEST_BYTES; i++)
		buffer_printf(out, "%02x", key->digest.bytes[i]);
}

/* Everything that a line may say.  Write is called with the value wanted only. */
static const struct {
	const char *name;
	bool (*read)(struct key *key, const char *text);
} attributes[] = {
    {"name", read_name},
    {"digest", read_digest},
    {"created", read_created},
    {"expires", read_expires},
    {"rpm", read_rpm},
    {"tpm", read_tpm},
    {"budget", read_budget},
    {"lane", read_lane},
    {"weight", read_weight},
    {"admin", read_admin},
    {"partition", read_partition},
    {"models", read_models},
};

static void write_line(const struct key *key, struct buffer *out)
{
	buffer_printf(out, "name=%s digest=", key->name);
	write_digest(key, out);
	buffer_printf(out, " created=%lld", (long long)key->created_s);
	if (key->expires_s)
		buffer_printf(out, " expires=%lld", (long long)key->expires_s);
	if (key->rpm)
		buffer_printf(out, " rpm=%llu", (unsigned long long)key->rpm);
	if (key->tpm)
		buffer_printf(out, " tpm=%llu", (unsigned long long)key->tpm);
	if (key->budget_nano)
		buffer_printf(out, " budget=%llu/%s", (unsigned long long)key->budget_nano,
		    period_names[key->period]);
	if (key->lane == EMBED_LANE_BULK)
		buffer_append_text(out, " lane=bulk");
	if (key->weight != 1)
		buffer_printf(out, " weight=%u", key->weight);
	if (key->is_admin)
		buffer_append_text(out, " admin=yes");
	if (key->is_partitioned)
		buffer_append_text(out, " partition=yes");
	if (key->models[0])
		buffer_printf(out, " models=%s", key->models);
	buffer_append_char(out, '\n');
}

/* ---- Reading the file ----------------------------------------------------- */

static bool read_pair(struct key *key, char *pair)
{
	char *equals = strchr(pair, '=');

	if (!equals)
		return false;
	*equals = '\0';
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (strcmp(pair, attributes[i].name) == 0)
			return attributes[i].read(key, equals + 1);
	return false;
}

static enum embed_status read_line(
    struct key *key, char *line, const char *path, size_t number, struct embed_error *error)
{
	char *rest = line;
	char *pair;
	bool has_digest = false;

	*key = (struct key){.weight = 1};
	while ((pair = strsep(&rest, " \t"))) {
		if (!*pair)
			continue;
		has_digest |= strncmp(pair, "digest=", 7) == 0;
		if (!read_pair(key, pair))
			return error_set(error, EMBED_BAD_FORMAT,
			    "%.300s, line %zu: cannot read \"%.60s\"", path, number, pair);
	}
	if (!key->name[0] || !has_digest)
		return error_set(error, EMBED_BAD_FORMAT,
		    "%.300s, line %zu: a key needs name= and digest=", path, number);
	return EMBED_OK;
}

static enum embed_status read_lines(
    struct key_table *table, char *bytes, const char *path, struct embed_error *error)
{
	char *rest = bytes;
	char *line;
	size_t number = 0;
	size_t cap = 0;

	while ((line = strsep(&rest, "\n"))) {
		enum embed_status status;

		number++;
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (table->count == KEYS_MAX)
			return error_set(
			    error, EMBED_TOO_LARGE, "%.300s: more than %d keys", path, KEYS_MAX);
		if (table->count == cap) {
			struct key *keys = realloc(table->keys, (cap + 64) * sizeof(*keys));

			if (!keys)
				return error_set(error, EMBED_NO_MEMORY, "out of memory");
			table->keys = keys;
			cap += 64;
		}
		status = read_line(&table->keys[table->count], line, path, number, error);
		if (status != EMBED_OK)
			return status;
		table->count++;
	}
	return EMBED_OK;
}

static enum embed_status read_file(
    const char *path, struct buffer *bytes, struct embed_error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = 1;

	if (fd < 0 && errno == ENOENT)
		return EMBED_OK;
	if (fd < 0)
		return error_set(error, EMBED_IO, "cannot open %.300s: %s", path, strerror(errno));
	while (got > 0) {
		char *room = buffer_reserve(bytes, 65536);

		got = room ? read(fd, room, 65536) : -1;
		if (got > 0)
			bytes->len += (size_t)got;
	}
	close(fd);
	if (got < 0)
		return error_set(error, EMBED_IO, "cannot read %.300s: %s", path,
		    bytes->status == EMBED_OK ? strerror(errno) : "it is too large");
	return EMBED_OK;
}

static size_t slot_of(const struct key_table *table, const struct digest *digest)
{
	size_t hash;

	memcpy(&hash, digest->bytes, sizeof(hash));
	return hash & table->slot_mask;
}

static bool index_digests(struct key_table *table)
{
	size_t size = 16;

	while (size < table->count * 2)
		size *= 2;
	table->slots = calloc(size, sizeof(*table->slots));
	if (!table->slots)
		return false;
	table->slot_mask = size - 1;
	for (size_t i = 0; i < table->count; i++) {
		size_t slot = slot_of(table, &table->keys[i].digest);

		while (table->slots[slot])
			slot = (slot + 1) & table->slot_mask;
		table->slots[slot] = (uint32_t)i + 1;
	}
	return true;
}

enum embed_status key_table_load(
    struct key_table **out, const char *path, struct embed_error *error)
{
	struct key_table *table = calloc(1, sizeof(*table));
	struct buffer bytes;
	enum embed_status status;

	if (!table)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	atomic_init(&table->refs, 1);
	buffer_init(&bytes, FILE_MAX);
	status = read_file(path, &bytes, error);
	buffer_append_char(&bytes, '\0');
	if (status == EMBED_OK && bytes.status != EMBED_OK)
		status = error_set(error, bytes.status, "%.300s is too large", path);
	if (status == EMBED_OK)
		status = read_lines(table, bytes.bytes, path, error);
	if (status == EMBED_OK && !index_digests(table))
		status = error_set(error, EMBED_NO_MEMORY, "out of memory");
	buffer_fini(&bytes);
	if (status == EMBED_OK)
		*out = table;
	else
		key_table_unref(table);
	return status;
}

struct key_table *key_table_ref(struct key_table *table)
{
	atomic_fetch_add_explicit(&table->refs, 1, memory_order_relaxed);
	return table;
}

void key_table_unref(struct key_table *table)
{
	if (!table || atomic_fetch_sub_explicit(&table->refs, 1, memory_order_acq_rel) != 1)
		return;
	free(table->keys);
	free(table->slots);
	free(table);
}

const struct key *key_table_find(
    const struct key_table *table, const char *secret, size_t len, int64_t now_s)
{
	struct digest digest;

	if (!digest_of(&digest, secret, len))
		return NULL;
	for (size_t slot = slot_of(table, &digest); table->slots[slot];
	     slot = (slot + 1) & table->slot_mask) {
		const struct key *key = &table->keys[table->slots[slot] - 1];

		if (digest_equals(&key->digest, &digest))
			return key->expires_s && key->expires_s <= now_s ? NULL : key;
	}
	return NULL;
}

bool key_may_use(const struct key *key, const char *model, size_t len)
{
	const char *at = key->models;

	if (!*at)
		return true;
	for (;;) {
		size_t name_len = strcspn(at, ",");

		if (name_len == len && memcmp(at, model, len) == 0)
			return true;
		if (!at[name_len])
			return false;
		at += name_len + 1;
	}
}

/* ---- Changing the file ---------------------------------------------------- */

bool key_make_secret(char secret[KEY_SECRET_LEN + 1], struct digest *digest)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t random[32];
	uint32_t bits = 0;
	int count = 0;
	char *out = secret + 4;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return false;
	memcpy(secret, "emb-", 4);
	for (size_t i = 0; i < sizeof(random); i++) {
		bits = bits << 8 | random[i];
		for (count += 8; count >= 6; count -= 6)
			*out++ = letters[bits >> (count - 6) & 63];
	}
	*out++ = letters[bits << (6 - count) & 63];
	*out = '\0';
	explicit_bzero(random, sizeof(random));
	return digest_of(digest, secret, KEY_SECRET_LEN);
}

bool key_budget_read(const char *text, uint64_t *nano, enum key_period *period)
{
	const char *slash = strchr(text, '/');
	char *end;
	double dollars = strtod(text, &end);

	*period = KEY_PERIOD_EVER;
	if (end == text || (slash ? end != slash : *end) || !(dollars > 0) || dollars > 1e9)
		return false;
	if (slash && !read_period(slash + 1, period))
		return false;
	*nano = (uint64_t)(dollars * 1e9 + 0.5);
	return true;
}

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

/* Beside the file, then over it: a reader sees the old or the new one, whole. */
static enum embed_status replace_file(
    const char *path, const struct buffer *bytes, struct embed_error *error)
{
	char beside[PATH_MAX];
	enum embed_status status;
	int fd;

	snprintf(beside, sizeof(beside), "%s.new", path);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(
		    error, EMBED_IO, "cannot write %.300s: %s", beside, strerror(errno));
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
	buffer_init(&bytes, FILE_MAX);
	buffer_append_text(
	    &bytes, "# Keys of the gateway, written by `embed keys`; digests, no secrets.\n");
	for (size_t i = 0; i < table->count; i++)
		write_line(&keys[i], &bytes);
	if (status == EMBED_OK)
		status = bytes.status == EMBED_OK ? replace_file(path, &bytes, error)
						  : error_set(error, bytes.status, "too many keys");
	buffer_fini(&bytes);
	key_table_unref(table);
	return status;
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
	lock = open(lock_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
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
