/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "cache/store.h"
#include "cache/structure.h"

/* Reader slots of all processes together; 64 bytes each in the lock file. */
#define READERS_MAX 1024

/* Of the lock file: the readers behind a head of as much as three, of which one is in the count. */
#define LOCK_BYTES ((READERS_MAX + 2) * 64)

/* How often a file that others have open is looked at before it is believed to be damaged. */
#define LOOK_TRIES    40
#define LOOK_PAUSE_MS 5
/* And one that somebody who is there is just making: a busy machine may stop the maker for seconds. */
#define BIRTH_TRIES 2000

/* What one call may remove on its way to a lower cap: some tenths of a second. */
#define SHRINK_STEPS 100

struct format_value {
	uint32_t format;
	uint32_t zero;
};

/* ---- The folder -------------------------------------------------------- */

static bool make_folder(const char *path)
{
	struct stat found;

	if (mkdir(path, 0700) == 0)
		return true;
	return errno == EEXIST && stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

static bool make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (!make_folder(path)) {
			*slash = '/';
			return false;
		}
		*slash = '/';
	}
	return make_folder(path);
}

static void name_file(char *path, const char *folder, const char *name)
{
	size_t len = strlen(folder);

	memcpy(path, folder, len);
	strcpy(path + len, name);
}

static enum embed_status open_folder(
    struct cache *cache, const char *home, char *folder, struct embed_error *error)
{
	int len = snprintf(folder, PATH_MAX, "%s/store", home);

	/* Room for the longest name below it. */
	if (home[0] == '\0' || len < 0 || len + (int)sizeof("/damaged.mdb") > PATH_MAX)
		return error_set(error, EMBED_BAD_OPTION, "the home's path is empty or too long");
	name_file(cache->data_path, folder, "/data.mdb");
	name_file(cache->use_path, folder, "/use");
	if (!make_folders(folder))
		return error_set(error, EMBED_STORE,
		    "the folder %.200s cannot be made: %s; choose another home", folder,
		    strerror(errno));
	return EMBED_OK;
}

/* ---- The file, before LMDB trusts it ------------------------------------ */

/*
 * The fast check first: it finds what makes reads go astray.  What only writes
 * trust has to be wrong when that did not help.
 */
static enum structure_depth depth_for(const struct guard *guard)
{
	if (!guard->is_alone || guard->unclean == 0)
		return STRUCTURE_HEADS;
	return guard->unclean == 1 ? STRUCTURE_INDEX : STRUCTURE_ALL;
}

/* A damaged file makes room for a new one, in the place of an earlier one: at most one is kept. */
static enum embed_status set_aside(struct cache *cache, const char *folder,
    struct structure_facts *facts, struct embed_error *error)
{
	name_file(cache->set_aside, folder, "/damaged.mdb");
	if (rename(cache->data_path, cache->set_aside) == 0) {
		*facts = (struct structure_facts){0};
		return EMBED_OK;
	}
	cache->set_aside[0] = '\0';
	return error_set(error, EMBED_STORE,
	    "the store %.200s is damaged and could not be set aside: %s", cache->data_path,
	    strerror(errno));
}

/*
 * While another process makes or grows the file, what is read of it at one
 * instant and at the next need not agree: what looks wrong is looked at again.
 */
static enum embed_status look_until_settled(
    struct cache *cache, struct structure_facts *facts, struct embed_error *error)
{
	const struct timespec pause = {.tv_nsec = LOOK_PAUSE_MS * 1000000};
	const MDB_val key = store_format_key();
	enum embed_status status;

	for (int tries = 1;; tries++) {
		status = structure_look(cache->data_path, depth_for(&cache->guard),
		    cache->guard.is_alone ? &key : NULL, facts, error);
		if (cache->guard.is_alone || (status == EMBED_OK && !facts->is_unborn) ||
		    tries >= (facts->is_unborn ? BIRTH_TRIES : LOOK_TRIES))
			return status;
		nanosleep(&pause, NULL);
	}
}

static enum embed_status look_at_file(struct cache *cache, const char *folder,
    struct structure_facts *facts, struct embed_error *error)
{
	char guard_path[PATH_MAX];
	enum embed_status status;

	name_file(guard_path, folder, "/unclean");
	guard_enter(&cache->guard, guard_path);
	status = look_until_settled(cache, facts, error);
	if (facts->is_damaged && cache->guard.is_alone)
		status = set_aside(cache, folder, facts, error);
	if (status == EMBED_OK && facts->is_unborn && truncate(cache->data_path, 0) != 0)
		status =
		    error_set(error, EMBED_STORE, "the store %.200s could not be made anew: %s",
			cache->data_path, strerror(errno));
	if (status == EMBED_OK)
		guard_share(&cache->guard);
	return status;
}

/* ---- The environment --------------------------------------------------- */

/*
 * LMDB maps its lock file with holes in it, and writing into a hole on a full
 * disk is a SIGBUS: here the disk gives the room first, or says that it has none.
 * Closed again before LMDB locks it, since closing would drop the locks.
 */
static enum embed_status make_lock_file(
    struct cache *cache, const char *folder, struct embed_error *error)
{
	char path[PATH_MAX];
	int fd, rc = 0;

	name_file(path, folder, "/lock.mdb");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return EMBED_OK; /* LMDB meets the same, and says it */
	if (fallocate(fd, 0, 0, LOCK_BYTES) != 0)
		rc = errno;
	close(fd);
	/* A file system that knows no such call is left to LMDB. */
	return rc == ENOSPC || rc == EDQUOT ? store_error(cache, error, rc, "be opened") : EMBED_OK;
}

static enum embed_status open_env(
    struct cache *cache, const char *folder, uint64_t map_bytes, struct embed_error *error)
{
	int dead, rc = mdb_env_create(&cache->env);

	if (rc != 0) {
		cache->env = NULL;
		return store_error(cache, error, rc, "be opened");
	}
	rc = mdb_env_set_maxreaders(cache->env, READERS_MAX);
	if (rc == 0)
		rc = mdb_env_set_mapsize(cache->env, map_bytes);
	/* Read-ahead would fetch pages of other records; sync stays on: see docs/decisions. */
	if (rc == 0)
		rc = mdb_env_open(cache->env, folder, MDB_NOTLS | MDB_NORDAHEAD, 0600);
	if (rc == 0)
		rc = mdb_reader_check(cache->env, &dead);
	return rc == 0 ? EMBED_OK : store_error(cache, error, rc, "be opened");
}

static enum embed_status check_format(
    struct cache *cache, const MDB_val *value, struct embed_error *error)
{
	struct format_value found;

	if (value->mv_size != sizeof(found))
		return store_error(cache, error, MDB_INVALID, "be opened");
	memcpy(&found, value->mv_data, sizeof(found));
	if (found.format > STORE_FORMAT)
		return error_set(error, EMBED_STORE,
		    "the store %.200s has format %u and this program knows up to %u: use the newer "
		    "program that wrote it, or another home",
		    cache->data_path, found.format, STORE_FORMAT);
	return EMBED_OK;
}

/* A new store gets its format's entry; one that has entries but not this one is someone else's. */
static enum embed_status claim(struct cache *cache, MDB_txn *txn, struct embed_error *error)
{
	struct format_value ours = {STORE_FORMAT, 0};
	MDB_val key = store_format_key();
	MDB_val value = {sizeof(ours), &ours};
	MDB_stat stat;
	int rc = mdb_stat(txn, cache->dbi, &stat);

	if (rc == 0 && stat.ms_entries > 0)
		return error_set(error, EMBED_STORE,
		    "%.200s is an LMDB file of another program: choose another home",
		    cache->data_path);
	if (rc == 0)
		rc = mdb_put(txn, cache->dbi, &key, &value, 0);
	return rc == 0 ? EMBED_OK : store_error(cache, error, rc, "be written");
}

static enum embed_status open_format(struct cache *cache, bool may_write, struct embed_error *error)
{
	MDB_val key = store_format_key(), value;
	enum embed_status status;
	MDB_txn *txn;
	int rc = mdb_txn_begin(cache->env, NULL, may_write ? 0 : MDB_RDONLY, &txn);

	if (rc != 0)
		return store_error(cache, error, rc, "be opened");
	rc = mdb_dbi_open(txn, NULL, 0, &cache->dbi);
	if (rc == 0)
		rc = mdb_get(txn, cache->dbi, &key, &value);
	if (rc == 0)
		status = check_format(cache, &value, error);
	else if (rc != MDB_NOTFOUND)
		status = store_error(cache, error, rc, "be opened");
	else if (may_write)
		status = claim(cache, txn, error);
	else
		status = EMBED_NOT_FOUND;
	if (status != EMBED_OK) {
		mdb_txn_abort(txn);
		return status;
	}
	rc = mdb_txn_commit(txn);
	return rc == 0 ? EMBED_OK : store_error(cache, error, rc, "be written");
}

/* Opening an existing store writes nothing, so it needs no room on the disk. */
static enum embed_status open_records(struct cache *cache, struct embed_error *error)
{
	enum embed_status status = open_format(cache, false, error);
	MDB_stat stat;

	if (status == EMBED_NOT_FOUND)
		status = open_format(cache, true, error);
	if (status != EMBED_OK)
		return status;
	mdb_env_stat(cache->env, &stat);
	cache->page_bytes = stat.ms_psize;
	return EMBED_OK;
}

/* ---- Opening and closing ------------------------------------------------ */

static enum embed_status allocate(struct cache *cache, struct embed_error *error)
{
	cache->half = half_best();
	cache->random.state = (uint64_t)clock_now_us() ^ (uint64_t)getpid() << 32;
	cache->scratch = malloc(RECORD_BYTES_MAX);
	cache->use = use_create(cache->cap_bytes / cache->page_bytes);
	if (cache->scratch == NULL || cache->use == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	return EMBED_OK;
}

const char *cache_set_aside(const struct cache *cache)
{
	return cache->set_aside;
}

static void load_use(struct cache *cache)
{
	struct cache_level level;

	if (cache_level(cache, &level) != EMBED_OK)
		return;
	store_note_if_filling(cache, level.used_bytes);
	use_load(cache->use, cache->use_path);
}

static enum embed_status open_parts(
    struct cache *cache, const struct cache_options *options, struct embed_error *error)
{
	struct structure_facts facts;
	char folder[PATH_MAX];
	enum embed_status status = open_folder(cache, options->home, folder, error);

	if (status == EMBED_OK)
		status = look_at_file(cache, folder, &facts, error);
	if (status == EMBED_OK)
		status = make_lock_file(cache, folder, error);
	/* The map is the cap, unless the file was once opened with a larger one. */
	if (status == EMBED_OK)
		status = open_env(cache, folder,
		    facts.map_bytes > cache->cap_bytes ? facts.map_bytes : cache->cap_bytes, error);
	if (status == EMBED_OK)
		status = open_records(cache, error);
	if (status == EMBED_OK)
		status = allocate(cache, error);
	return status;
}

enum embed_status cache_open(
    struct cache **out, const struct cache_options *options, struct embed_error *error)
{
	uint64_t cap_bytes = options->cap_bytes == 0 ? CACHE_CAP_DEFAULT : options->cap_bytes;
	enum embed_status status;
	struct cache *cache;

	if (cap_bytes < CACHE_CAP_MIN || cap_bytes > (uint64_t)1 << 46)
		return error_set(error, EMBED_BAD_OPTION,
		    "the store's cap must be at least %llu bytes and at most 64 TiB, not %llu",
		    CACHE_CAP_MIN, (unsigned long long)cap_bytes);
	cache = aligned_alloc(alignof(struct cache), sizeof(*cache));
	if (cache == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	memset(cache, 0, sizeof(*cache));
	cache->guard.fd = -1;
	pthread_mutex_init(&cache->write_lock, NULL);
	cache->cap_bytes = cap_bytes / 4096 * 4096;
	cache->ttl_s = options->ttl_s;
	cache->limit_bytes = evict_limit_bytes(cache);
	status = open_parts(cache, options, error);
	if (status != EMBED_OK) {
		cache_close(cache);
		return status;
	}
	load_use(cache);
	cache->is_open = true;
	*out = cache;
	return EMBED_OK;
}

/* A record under another key, or cut, may be the index's fault: its checksum cannot tell. */
static bool is_in_order(const struct cache *cache)
{
	return cache->is_open && !atomic_load(&cache->is_suspect) && atomic_load(&cache->bad) == 0;
}

void cache_close(struct cache *cache)
{
	if (cache == NULL)
		return;
	if (cache->use != NULL)
		use_save(cache->use, cache->use_path);
	for (size_t i = 0; i < STORE_SLOTS; i++)
		if (cache->slots[i].txn != NULL)
			mdb_txn_abort(cache->slots[i].txn);
	if (cache->env != NULL)
		mdb_env_close(cache->env);
	guard_leave(&cache->guard, is_in_order(cache));
	use_destroy(cache->use);
	free(cache->scratch);
	pthread_mutex_destroy(&cache->write_lock);
	free(cache);
}

/* A store that was opened with a lower cap than before comes down to it by and by. */
static void shrink_some(struct cache *cache, uint64_t used_bytes)
{
	uint64_t limit_bytes = evict_limit_bytes(cache);
	struct eviction eviction = {0};
	int rc = 0;

	for (int step = 0; rc == 0 && used_bytes > limit_bytes && step < SHRINK_STEPS; step++)
		rc = evict_step(cache, used_bytes - limit_bytes, &eviction, &used_bytes);
	atomic_fetch_add_explicit(&cache->evicted, eviction.records, memory_order_relaxed);
}

void cache_maintain(struct cache *cache)
{
	struct cache_level level;
	int dead;

	mdb_reader_check(cache->env, &dead);
	if (cache_level(cache, &level) != EMBED_OK)
		return;
	store_note_if_filling(cache, level.used_bytes);
	pthread_mutex_lock(&cache->write_lock);
	shrink_some(cache, level.used_bytes);
	use_age(cache->use, level.records);
	use_save(cache->use, cache->use_path);
	pthread_mutex_unlock(&cache->write_lock);
}
