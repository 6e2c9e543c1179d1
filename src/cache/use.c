/* SPDX-License-Identifier: MIT */
#include "cache/use.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define SLOTS_MIN (16u << 10)
#define SLOTS_MAX (16u << 20)

/* Found by bench/eviction; see docs/decisions/store.md. */
#define PUT_CREDIT            8
#define HIT_CREDIT            16
#define AGE_AFTER_PERCENT_PUT 75
#define AGE_AFTER_PUTS_MIN    1024

struct use {
	size_t slots;         /* a power of two */
	atomic_bool is_noted; /* anything, since the last save */
	atomic_uint_fast64_t puts_since_age;
	struct stat file; /* as we last read or wrote it */
	_Atomic uint8_t bytes[];
};

struct use_file_head {
	char magic[8];
	uint64_t slots;
	uint64_t checksum;
};

static const char magic[8] = "embuse\n1";

struct use *use_create(uint64_t records)
{
	size_t slots = SLOTS_MIN;
	struct use *use;

	while (slots < SLOTS_MAX && slots < 2 * records)
		slots *= 2;
	/* calloc: pages that no key falls on cost nothing. */
	use = calloc(1, sizeof(*use) + slots);
	if (use != NULL)
		use->slots = slots;
	return use;
}

void use_destroy(struct use *use)
{
	free(use);
}

/* Keys are digests: any eight bytes of them are as good as a hash. */
static size_t slot_of(const struct use *use, const struct digest *key, size_t which)
{
	uint64_t part;

	memcpy(&part, key->bytes + which * sizeof(part), sizeof(part));
	return part & (use->slots - 1);
}

static unsigned get(const struct use *use, size_t slot)
{
	return atomic_load_explicit(&use->bytes[slot], memory_order_relaxed);
}

static void set(struct use *use, size_t slot, unsigned value)
{
	atomic_store_explicit(&use->bytes[slot], (uint8_t)value, memory_order_relaxed);
}

static void raise_to(struct use *use, size_t slot, unsigned value)
{
	if (get(use, slot) < value)
		set(use, slot, value > UINT8_MAX ? UINT8_MAX : value);
}

unsigned use_score(const struct use *use, const struct digest *key)
{
	unsigned a = get(use, slot_of(use, key, 0)), b = get(use, slot_of(use, key, 1));

	return a < b ? a : b;
}

/* Reads before it writes: threads that hit do not fight for the cache line. */
static void mark_noted(struct use *use)
{
	if (!atomic_load_explicit(&use->is_noted, memory_order_relaxed))
		atomic_store_explicit(&use->is_noted, true, memory_order_relaxed);
}

void use_note_put(struct use *use, const struct digest *key)
{
	raise_to(use, slot_of(use, key, 0), PUT_CREDIT);
	raise_to(use, slot_of(use, key, 1), PUT_CREDIT);
	mark_noted(use);
	atomic_fetch_add_explicit(&use->puts_since_age, 1, memory_order_relaxed);
}

void use_note_hit(struct use *use, const struct digest *key)
{
	unsigned score = use_score(use, key);

	/* A hot record's bytes are full, and then nothing is written that other CPUs read. */
	if (score == UINT8_MAX)
		return;
	raise_to(use, slot_of(use, key, 0), score + HIT_CREDIT);
	raise_to(use, slot_of(use, key, 1), score + HIT_CREDIT);
	mark_noted(use);
}

void use_age(struct use *use, uint64_t records)
{
	uint64_t due = records / 100 * AGE_AFTER_PERCENT_PUT;

	if (due < AGE_AFTER_PUTS_MIN)
		due = AGE_AFTER_PUTS_MIN;
	if (atomic_load_explicit(&use->puts_since_age, memory_order_relaxed) < due)
		return;
	atomic_store_explicit(&use->puts_since_age, 0, memory_order_relaxed);
	for (size_t i = 0; i < use->slots; i++) {
		unsigned score = get(use, i);

		if (score != 0)
			set(use, i, score / 2);
	}
}

/* ---- The file -------------------------------------------------------- */

static bool read_all(int fd, void *bytes, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t got = read(fd, (char *)bytes + done, len - done);

		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

static bool write_all(int fd, const void *bytes, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t put = write(fd, (const char *)bytes + done, len - done);

		if (put <= 0)
			return false;
		done += (size_t)put;
	}
	return true;
}

static void merge(struct use *use, const uint8_t *saved)
{
	for (size_t i = 0; i < use->slots; i++)
		raise_to(use, i, saved[i]);
}

static void load_from(struct use *use, int fd)
{
	uint8_t *saved = malloc(use->slots);
	struct use_file_head head;

	if (saved != NULL && read_all(fd, &head, sizeof(head)) &&
	    memcmp(head.magic, magic, sizeof(magic)) == 0 && head.slots == use->slots &&
	    read_all(fd, saved, use->slots) && head.checksum == XXH3_64bits(saved, use->slots))
		merge(use, saved);
	free(saved);
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Not again what we have read or written ourselves: merging would undo the ageing since. */
void use_load(struct use *use, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat found;

	if (fd < 0)
		return;
	if (fstat(fd, &found) == 0 && !is_same_file(&found, &use->file)) {
		load_from(use, fd);
		use->file = found;
	}
	close(fd);
}

static bool write_file(const struct use *use, int fd)
{
	struct use_file_head head = {.slots = use->slots};
	uint8_t *copy = malloc(use->slots);
	bool done;

	if (copy == NULL)
		return false;
	for (size_t i = 0; i < use->slots; i++)
		copy[i] = (uint8_t)get(use, i);
	memcpy(head.magic, magic, sizeof(magic));
	head.checksum = XXH3_64bits(copy, use->slots);
	done = write_all(fd, &head, sizeof(head)) && write_all(fd, copy, use->slots);
	free(copy);
	return done;
}

bool use_save(struct use *use, const char *path)
{
	char beside[4096];
	struct stat written;
	int fd, len;

	if (!atomic_exchange_explicit(&use->is_noted, false, memory_order_relaxed))
		return true;
	use_load(use, path);
	len = snprintf(beside, sizeof(beside), "%s.%ld", path, (long)getpid());
	if (len < 0 || (size_t)len >= sizeof(beside))
		return false;
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	if (!write_file(use, fd) || fstat(fd, &written) != 0 || rename(beside, path) != 0) {
		close(fd);
		unlink(beside);
		return false;
	}
	close(fd);
	use->file = written;
	return true;
}
