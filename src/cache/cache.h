/* SPDX-License-Identifier: MIT */
/*
 * Cache: the store of vectors on disk (LMDB), below the folder `home`/store.
 *
 * Reads.  cache_get may run on any number of threads at once.  It takes no
 * lock, writes nothing to disk and allocates nothing (but for the first read
 * of each of the process's 64 reader slots).  It copies the vector out, so no
 * reader ever holds the store longer than that.
 *
 * Writes.  Every write function may be called on any thread and by several
 * processes; writers take turns.  What a write function reported as written
 * is on disk: it survives kill -9 and power cuts.  One that fails has written
 * nothing, or whole groups of records, never parts of one.
 *
 * Size.  `cap_bytes` bounds the file.  From 90 % of it on, each group of puts
 * first evicts as much as it needs: of a random run of neighbouring keys those
 * with the least use (docs/decisions/store.md).  Use is remembered in memory
 * and saved by cache_maintain and cache_close, never by a read.
 *
 * Records carry a checksum that covers the key too.  One that is wrong is a
 * miss, and counted.
 *
 * Processes.  Several may open one home at the same time.  One process must
 * not open a home twice, and must not use a cache after fork (open it in the
 * child instead): both break LMDB's file locks.
 */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include <embed.h>

#include "base/digest.h"
#include "cache/key.h"

/* More numbers than any embedding model has. */
#define CACHE_DIMENSIONS_MAX 65536u

#define CACHE_CAP_DEFAULT (64ull << 30)
/* A smaller cap would leave no room for a group of writes beside what it replaces. */
#define CACHE_CAP_MIN (4ull << 20)

struct cache;

struct cache_options {
	const char *home;   /* created if missing, for its owner alone */
	uint64_t cap_bytes; /* 0: CACHE_CAP_DEFAULT; at least CACHE_CAP_MIN */
	uint64_t ttl_s;     /* older records are misses; 0: they stay good for ever */
};

/*
 * EMBED_STORE with a sentence that says what to do when the folder cannot be
 * written, when the file is not ours or of a newer format, or damaged while
 * others use it; EMBED_BAD_OPTION for a cap that is too small.
 *
 * After an opening that was not closed (a crash, kill -9, a power cut) the
 * index is checked first, and after two in a row all that LMDB trusts.  A
 * damaged or cut file is set aside and an empty store begun, so that no page
 * can end one process after the other.
 */
enum embed_status cache_open(
    struct cache **out, const struct cache_options *options, struct embed_error *error);

/*
 * Where the file went that was found damaged when this cache was opened, so
 * that it began empty; "" when nothing was.  The next one found replaces it.
 */
const char *cache_set_aside(const struct cache *cache);

/* No other thread may be inside the cache.  NULL is fine. */
void cache_close(struct cache *cache);

/* ---- Reading --------------------------------------------------------- */

struct cache_want {
	uint32_t dimensions; /* 0: as many as the record has */
	bool can_shorten;    /* a larger record may be cut to `dimensions` and renormalised */
	int64_t now_s;       /* for the time to live */
};

struct cache_hit {
	uint32_t dimensions; /* numbers copied out */
	uint32_t tokens;     /* of the text */
	int64_t created_s;
};

/*
 * Copies the vector of `key` to `numbers`, which has room for `cap` of them.
 *   EMBED_OK         `numbers` and `hit` are filled.
 *   EMBED_NOT_FOUND  a miss: none, too small, too old, or damaged.
 *   EMBED_TOO_LARGE  it is there, but `cap` is too small; only `hit` is filled.
 *   EMBED_STORE      the store could not be read; cache_read_fault says why.
 *                    Treat it as a miss.
 */
enum embed_status cache_get(struct cache *cache, const struct digest *key,
    const struct cache_want *want, float *numbers, size_t cap, struct cache_hit *hit);

/*
 * Several reads as one: cheaper than cache_get for each, and the records of a
 * group are on their way from memory while the first of them is still copied.
 * A reading pins the store's state, so it must be short and never wait for
 * anything; a thread has one at a time and writes nothing meanwhile.
 */
struct cache_reading {
	struct cache *cache;
	struct store_slot *slot;
	int rc;
};

/* Where a record lies, until the reading ends. */
struct cache_place {
	void *bytes;
	size_t len;
};

/* EMBED_STORE: nothing to end. */
enum embed_status cache_reading_begin(struct cache_reading *reading, struct cache *cache);
void cache_reading_end(struct cache_reading *reading);

/* EMBED_OK, EMBED_NOT_FOUND or EMBED_STORE; does not wait for the record's bytes. */
enum embed_status cache_reading_find(
    struct cache_reading *reading, const struct digest *key, struct cache_place *place);

/* The record at `place`, which was found for `key`: results as those of cache_get. */
enum embed_status cache_reading_take(struct cache_reading *reading, const struct digest *key,
    const struct cache_place *place, const struct cache_want *want, float *numbers, size_t cap,
    struct cache_hit *hit);

/* Says why the latest read on any thread ended in EMBED_STORE; EMBED_OK if none has. */
enum embed_status cache_read_fault(struct cache *cache, struct embed_error *error);

/* ---- Writing --------------------------------------------------------- */

struct cache_put {
	struct digest key;
	const float *numbers; /* validated: finite, norm above 0 */
	uint32_t dimensions;  /* 1 .. CACHE_DIMENSIONS_MAX */
	uint32_t tokens;      /* of the text */
	int64_t created_s;
};

struct cache_written {
	uint64_t stored;
	uint64_t kept;    /* the store had a larger good record, which stays */
	uint64_t evicted; /* to make room */
};

/*
 * Writes `count` records, durable at return.  One transaction, unless the
 * group is large beside the cap.  Of equal keys the largest vector stays, of
 * equally large ones the last.  A record that is longer than the time to live
 * or damaged is replaced by anything.  EMBED_STORE when the disk or the store
 * is full or fails: the same puts may be tried again later.  EMBED_BAD_FORMAT
 * for a vector with no numbers, too many, or one that is not finite: then
 * nothing is written.  `written` may be NULL and is filled in any case.
 */
enum embed_status cache_put_many(struct cache *cache, const struct cache_put *puts, size_t count,
    struct cache_written *written, struct embed_error *error);

/*
 * To be called about once a minute: frees what dead processes held, saves and
 * ages what is known of the records' use, brings a store that was opened with
 * a lower cap than before down to it, some steps a call.
 */
void cache_maintain(struct cache *cache);

/* ---- Looking after it ------------------------------------------------ */

struct cache_counters {
	uint64_t stored;      /* records written */
	uint64_t evicted;     /* records evicted to make room */
	uint64_t bad;         /* damaged records met */
	uint64_t read_faults; /* reads that ended in EMBED_STORE */
};

/* Of this process, since it opened the cache. */
void cache_counters(struct cache *cache, struct cache_counters *counters);

/* records, used, file and cap exactly; ages and halves from a sample of at most 512 records. */
enum embed_status cache_stats(
    struct cache *cache, struct embed_store_stats *stats, struct embed_error *error);

struct cache_level {
	uint64_t records;
	uint64_t used_bytes;
};

/* The two numbers that change all the time, without sampling; cheap. */
enum embed_status cache_level(struct cache *cache, struct cache_level *level);

struct cache_verified {
	uint64_t good;
	uint64_t bad;
};

/*
 * First checks the file's structure (page by page, without trusting it), then
 * every record.  With `repair` bad records are removed; a damaged structure
 * cannot be repaired: EMBED_STORE says what to do.
 */
enum embed_status cache_verify(
    struct cache *cache, bool repair, struct cache_verified *verified, struct embed_error *error);

struct cache_prune {
	int64_t now_s;
	uint64_t older_than_s; /* 0: none by age */
	uint64_t to_bytes;     /* then evict until at most this is used; 0: no such target */
};

enum embed_status cache_prune(struct cache *cache, const struct cache_prune *prune,
    uint64_t *removed, struct embed_error *error);

/* Removes every record.  The file keeps its size; its pages are used again. */
enum embed_status cache_clear(struct cache *cache, uint64_t *removed, struct embed_error *error);

/* ---- Moving it ------------------------------------------------------- */

/*
 * Writes every good record to `fd` as a file that cache_import reads (its
 * form is in transfer.h).  Records that are written meanwhile may or may not
 * be in it.  EMBED_IO when `fd` cannot be written.
 */
enum embed_status cache_export(
    struct cache *cache, int fd, uint64_t *records, struct embed_error *error);

struct cache_imported {
	uint64_t records; /* good ones read */
	uint64_t added;   /* of these, what the store did not have as large */
	uint64_t bad;     /* damaged ones, left out */
};

/*
 * Adds what an exported file holds, as it streams in.  Damage inside a record
 * leaves out that record; damage between records, or a file that ends early,
 * ends the import.  Either way what is good before (and in the first case
 * behind) is added, and EMBED_BAD_FORMAT names the first bad record's number,
 * counting from 1.  `imported` is filled in any case.
 */
enum embed_status cache_import(struct cache *cache, int fd, int64_t now_s,
    struct cache_imported *imported, struct embed_error *error);

#endif
