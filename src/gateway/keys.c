/* SPDX-License-Identifier: MIT */
#include "gateway/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "gateway/key_line.h"

static bool digest_of(struct digest *digest, const char *secret, size_t len)
{
	const struct digest_part parts[] = {{"embed gateway key", 17}, {secret, len}};

	return digest_parts(digest, parts, 2);
}

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

/* ---- Reading the file ----------------------------------------------------- */

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
		status = key_line_read(&table->keys[table->count], line, path, number, error);
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
	buffer_init(&bytes, KEY_FILE_MAX);
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
