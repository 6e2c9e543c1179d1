/* SPDX-License-Identifier: MIT */
/*
 * What the store costs: records written durably in groups, and read at random,
 * beside SQLite doing the same with the same bytes; then the parts of a read,
 * writing while the store evicts, and the ledger.
 *
 *	bench_store FOLDER [RECORDS]
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>
#include <zlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/clock.h"
#include "base/random.h"
#include "cache/cache.h"
#include "cache/record.h"
#include "ledger/ledger.h"

#define DIMENSIONS 1536u
#define GROUP      256u
#define NOW_S      1700000000

static float vector[GROUP][DIMENSIONS];
static uint64_t records = 100000;

static void die(const char *what)
{
	fprintf(stderr, "bench_store: %s\n", what);
	exit(1);
}

static int64_t cpu_us(void)
{
	struct timespec spent;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
	return spent.tv_sec * 1000000 + spent.tv_nsec / 1000;
}

static struct digest key_of(uint64_t number)
{
	struct digest key;
	const struct digest_part part = {&number, sizeof(number)};

	if (!digest_parts(&key, &part, 1))
		die("no memory");
	return key;
}

static void fill_vectors(bool is_half)
{
	struct random random = {1};

	for (size_t i = 0; i < GROUP; i++)
		for (size_t k = 0; k < DIMENSIONS; k++)
			vector[i][k] =
			    is_half ? ((float)random_below(&random, 2047) - 1023.0f) / 2048.0f
				    : (float)(random_unit(&random) - 0.5);
}

/* ---- Ours --------------------------------------------------------------------- */

static struct cache *open_cache(const char *folder, const char *name, uint64_t cap_bytes)
{
	char home[512];
	const struct cache_options options = {home, cap_bytes, 0};
	struct embed_error error;
	struct cache *cache;

	snprintf(home, sizeof(home), "%s/%s", folder, name);
	if (cache_open(&cache, &options, &error) != EMBED_OK)
		die(error.message);
	return cache;
}

static void put_group(struct cache *cache, uint64_t first)
{
	struct cache_put puts[GROUP];
	struct embed_error error;

	for (uint64_t i = 0; i < GROUP; i++)
		puts[i] = (struct cache_put){key_of(first + i), vector[i], DIMENSIONS, 100, NOW_S};
	if (cache_put_many(cache, puts, GROUP, NULL, &error) != EMBED_OK)
		die(error.message);
}

static double write_ours(struct cache *cache, uint64_t first, uint64_t count)
{
	int64_t start_us = clock_now_us();

	for (uint64_t done = 0; done < count; done += GROUP)
		put_group(cache, first + done);
	return (double)count * 1e6 / (double)(clock_now_us() - start_us);
}

static double read_ours(struct cache *cache, uint64_t reads)
{
	const struct cache_want want = {DIMENSIONS, true, NOW_S};
	struct random random = {7};
	static float numbers[DIMENSIONS];
	struct cache_hit hit;
	int64_t start_us = cpu_us();

	for (uint64_t i = 0; i < reads; i++) {
		struct digest key = key_of(random_below(&random, records));

		if (cache_get(cache, &key, &want, numbers, DIMENSIONS, &hit) != EMBED_OK)
			die("a record is missing");
	}
	return (double)(cpu_us() - start_us) / (double)reads;
}

/* ---- SQLite, tuned: WAL, one blob key, statements kept ---------------------------- */

static sqlite3 *open_sqlite(const char *folder, const char *name)
{
	char path[512];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/%s.db", folder, name);
	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db,
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA mmap_size = 68719476736;"
		" CREATE TABLE record (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID",
		NULL, NULL, NULL) != SQLITE_OK)
		die(sqlite3_errmsg(db));
	return db;
}

static double write_sqlite(sqlite3 *db, uint64_t count)
{
	static uint8_t bytes[RECORD_BYTES_MAX];
	const struct half *half = half_best();
	sqlite3_stmt *insert;
	int64_t start_us = clock_now_us();

	sqlite3_prepare_v2(db, "INSERT INTO record VALUES (?1, ?2)", -1, &insert, NULL);
	for (uint64_t i = 0; i < count; i++) {
		struct cache_put put = {key_of(i), vector[i % GROUP], DIMENSIONS, 100, NOW_S};
		size_t len = record_encode(bytes, half, &put);

		if (i % GROUP == 0)
			sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
		sqlite3_bind_blob(insert, 1, put.key.bytes, DIGEST_BYTES, SQLITE_STATIC);
		sqlite3_bind_blob(insert, 2, bytes, (int)len, SQLITE_STATIC);
		if (sqlite3_step(insert) != SQLITE_DONE)
			die(sqlite3_errmsg(db));
		sqlite3_reset(insert);
		if (i % GROUP == GROUP - 1)
			sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	}
	sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	sqlite3_finalize(insert);
	return (double)count * 1e6 / (double)(clock_now_us() - start_us);
}

static double read_sqlite(sqlite3 *db, uint64_t reads)
{
	const struct half *half = half_best();
	struct random random = {7};
	static float numbers[DIMENSIONS];
	sqlite3_stmt *get;
	int64_t start_us = cpu_us();

	sqlite3_prepare_v2(db, "SELECT value FROM record WHERE key = ?1", -1, &get, NULL);
	for (uint64_t i = 0; i < reads; i++) {
		struct digest key = key_of(random_below(&random, records));
		struct record_head head;
		const uint8_t *bytes;

		sqlite3_bind_blob(get, 1, key.bytes, DIGEST_BYTES, SQLITE_STATIC);
		if (sqlite3_step(get) != SQLITE_ROW)
			die("a record is missing");
		bytes = sqlite3_column_blob(get, 0);
		if (!record_decode(&head, &key, bytes, (size_t)sqlite3_column_bytes(get, 0)))
			die("a record is damaged");
		record_copy(numbers, half, &head, bytes, DIMENSIONS);
		sqlite3_reset(get);
	}
	sqlite3_finalize(get);
	return (double)(cpu_us() - start_us) / (double)reads;
}

/* ---- The parts of a read ------------------------------------------------------------ */

#define ROUNDS 200000

static double each_us(int64_t start_us)
{
	return (double)(cpu_us() - start_us) / ROUNDS;
}

static void time_parts(void)
{
	static uint8_t bytes[RECORD_BYTES_MAX];
	static float numbers[DIMENSIONS];
	static uint16_t halves[DIMENSIONS];
	const struct half *ways[] = {half_best(), half_portable()};
	struct cache_put put = {key_of(1), vector[0], DIMENSIONS, 100, NOW_S};
	size_t len = record_encode(bytes, half_best(), &put);
	uint64_t sum = 0;
	int64_t start_us = cpu_us();

	for (int i = 0; i < ROUNDS; i++, bytes[40]++)
		sum += XXH3_64bits(bytes, len);
	printf("  checksum of %zu bytes      XXH3 %.2f us", len, each_us(start_us));
	start_us = cpu_us();
	for (int i = 0; i < ROUNDS; i++, bytes[40]++)
		sum += crc32(0, bytes, (uInt)len);
	printf("   zlib crc32 %.2f us\n", each_us(start_us));
	for (int way = 0; way < 2; way++) {
		start_us = cpu_us();
		for (int i = 0; i < ROUNDS; i++, bytes[40]++)
			ways[way]->to_float(numbers, bytes + RECORD_HEAD_BYTES, DIMENSIONS);
		printf("  %u halves, %-8s       to floats %.2f us", DIMENSIONS, ways[way]->name,
		    each_us(start_us));
		start_us = cpu_us();
		for (int i = 0; i < ROUNDS; i++)
			sum += ways[way]->from_float(halves, vector[i % GROUP], DIMENSIONS);
		printf("   from floats %.2f us\n", each_us(start_us));
	}
	start_us = cpu_us();
	for (int i = 0; i < ROUNDS; i++)
		sum += key_of((uint64_t)i).bytes[0];
	printf("  making a key (in every read below) %.2f us   [%llu]\n", each_us(start_us),
	    (unsigned long long)sum % 10);
}

/* ---- The ledger ---------------------------------------------------------------------- */

static void count_row(const struct embed_usage_row *row, void *context)
{
	uint64_t *tokens = context;

	*tokens += row->billed_tokens;
}

/* A year of attempts, ten every minute by default, then the report that looks at all. */
static void time_ledger(const char *folder)
{
	enum { ROWS = 200000, AT_ONCE = 64 };
	struct ledger_attempt attempts[AT_ONCE];
	const struct embed_usage_query query = {
	    .by = EMBED_BY_MONTH | EMBED_BY_MODEL | EMBED_BY_KEY};
	static const char *const keys[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
	struct embed_error error;
	struct ledger *ledger;
	uint64_t tokens = 0;
	int64_t start_us;

	if (ledger_open(&ledger, folder, &error) != EMBED_OK)
		die(error.message);
	start_us = clock_now_us();
	for (int64_t i = 0; i < ROWS; i += AT_ONCE) {
		for (int k = 0; k < AT_ONCE; k++)
			attempts[k] = (struct ledger_attempt){
			    .time_us = ((int64_t)NOW_S + (i + k) * 31536000 / ROWS) * 1000000,
			    .upstream = "api.openai.com",
			    .model = "text-embedding-3-small",
			    .key_name = keys[k % 8],
			    .is_billed = true,
			    .texts = 100,
			    .tokens = 10000,
			    .cost_nano = 200000,
			    .http_status = 200,
			    .request_id = "req_0123456789abcdef0123456789abcdef"};
		if (ledger_add(ledger, attempts, AT_ONCE, NULL, 0, &error) != EMBED_OK)
			die(error.message);
	}
	printf("ledger: %.0f attempts a second in groups of %d, durable\n",
	    ROWS * 1e6 / (double)(clock_now_us() - start_us), AT_ONCE);
	start_us = clock_now_us();
	if (ledger_usage(ledger, &query, count_row, &tokens, &error) != EMBED_OK)
		die(error.message);
	printf("ledger: a year (%d attempts) by month, model and key: %.1f ms\n", ROWS,
	    (double)(clock_now_us() - start_us) / 1000);
	if (tokens != (uint64_t)ROWS * 10000)
		die("the report is wrong");
	ledger_close(ledger);
}

/* ---- All of it -------------------------------------------------------------------------- */

static void compare(const char *folder, const char *name, bool is_half)
{
	char sqlite_name[64];
	double ours, theirs;
	struct cache *cache;
	sqlite3 *db;

	snprintf(sqlite_name, sizeof(sqlite_name), "sqlite-%s", name);
	fill_vectors(is_half);
	cache = open_cache(folder, name, 0);
	db = open_sqlite(folder, sqlite_name);
	ours = write_ours(cache, 0, records);
	theirs = write_sqlite(db, records);
	printf("%s: durable writes in groups of %u: ours %.0f records/s, SQLite %.0f, ratio %.1f\n",
	    name, GROUP, ours, theirs, ours / theirs);
	for (int round = 0; round < 3; round++) {
		ours = read_ours(cache, 2 * records);
		theirs = read_sqlite(db, 2 * records);
		printf(
		    "%s: random reads, key, checksum and floats: ours %.2f us, SQLite %.2f us, ratio %.2f\n",
		    name, ours, theirs, ours / theirs);
	}
	sqlite3_close(db);
	cache_close(cache);
}

int main(int argc, char **argv)
{
	struct cache *cache;
	double rate;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2)
		die("usage: bench_store FOLDER [RECORDS]");
	if (argc > 2)
		records = strtoull(argv[2], NULL, 10) / GROUP * GROUP;
	fill_vectors(true);
	printf("%llu records of %u dimensions\n", (unsigned long long)records, DIMENSIONS);
	time_parts();
	compare(argv[1], "halves", true);
	compare(argv[1], "floats", false);
	fill_vectors(true);
	cache = open_cache(argv[1], "evicting", 128u << 20);
	write_ours(cache, 0, 40960);
	rate = write_ours(cache, 1000000, 81920);
	printf("evicting: durable writes into a full store of 128 MiB: %.0f records/s\n", rate);
	cache_close(cache);
	time_ledger(argv[1]);
	return 0;
}
