/* SPDX-License-Identifier: MIT */
#include "service/writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "service/backlog.h"

#define WRITER_IDLE_US     ((int64_t)1000 * 1000)
#define WRITER_SAVINGS_US  ((int64_t)1000 * 1000)
#define WRITER_MAINTAIN_US ((int64_t)60 * 1000 * 1000)
#define WRITER_PRUNE_US    ((int64_t)24 * 3600 * 1000 * 1000)
/* Reports over any time stay; only single attempts older than this go. */
#define WRITER_ATTEMPTS_KEPT_S ((int64_t)400 * 24 * 3600)
/*
 * Nobody waits for a record to be durable, but each group costs two syncs: so a small one waits
 * for company.  At 1,000 misses a second that is one group for ten; a batch of rows is written at once.
 */
#define WRITER_LINGER_US    ((int64_t)10 * 1000)
#define WRITER_LINGER_TEXTS 32
/* A group's arrays; the engine bounds what can wait, this only stops a runaway. */
#define WRITER_GROUP_MAX_BYTES ((size_t)256 << 20)

struct writer {
	struct writer_parts parts;
	struct engine *engine;
	pthread_t thread;

	pthread_mutex_t lock; /* guards what follows, up to the blank line */
	pthread_cond_t work;
	pthread_cond_t flushed;
	struct engine_record *first; /* linked through record->context */
	struct engine_record *last;
	size_t waiting_texts;
	uint64_t flushes_asked, flushes_done;
	bool is_closing;

	/* The thread's own. */
	struct buffer attempts; /* struct ledger_attempt */
	struct buffer savings;  /* struct ledger_saving */
	struct buffer puts;     /* struct cache_put */
	struct backlog backlog;
	int64_t savings_due_us, maintain_due_us, prune_due_us;
	uint64_t read_faults; /* of the store, already said */
	bool is_failing; /* since the last group that went well: said once, not for every group */
};

/* ---- Ledger ---------------------------------------------------------- */

static void add_attempts(struct writer *writer, const struct engine_record *record)
{
	uint64_t price = settings_nano_per_token(writer->parts.settings, record->model);
	struct ledger_attempt row = {.time_us = record->sent_unix_us,
	    .upstream = record->upstream,
	    .model = record->model,
	    .lane = record->lane,
	    .is_billed = record->is_billed,
	    .http_status = record->http_status,
	    .status = record->status,
	    .latency_us = record->latency_us,
	    .retry = record->retry,
	    .request_id = record->request_id};

	for (size_t i = 0; i < record->share_count; i++) {
		row.is_part = i > 0;
		row.key_name = record->shares[i].key_name;
		row.texts = record->shares[i].texts;
		row.tokens = record->shares[i].tokens;
		row.cost_nano = row.tokens * price;
		buffer_append(&writer->attempts, &row, sizeof(row));
	}
}

static void add_saving(const struct tally_row *row, void *context)
{
	struct writer *writer = context;
	struct ledger_saving saving = {.time_us = clock_unix_s() * 1000000,
	    .model = row->model,
	    .key_name = row->key_name,
	    .lane = row->lane,
	    .hit_texts = row->counts.hit_texts,
	    .hit_tokens = row->counts.hit_tokens,
	    .joined_texts = row->counts.joined_texts,
	    .joined_tokens = row->counts.joined_tokens};

	saving.saved_nano = (saving.hit_tokens + saving.joined_tokens) *
			    settings_nano_per_token(writer->parts.settings, row->model);
	buffer_append(&writer->savings, &saving, sizeof(saving));
}

/* What could not be written goes back where it came from, for the next time. */
static void keep_savings(struct writer *writer, const struct ledger_saving *savings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct tally_counts counts = {savings[i].hit_texts, savings[i].hit_tokens,
		    savings[i].joined_texts, savings[i].joined_tokens};

		tally_add(writer->parts.tally, savings[i].model, savings[i].key_name,
		    savings[i].lane, &counts);
	}
}

static void report(struct writer *writer, const char *event, const struct embed_error *error)
{
	counters_add(writer->parts.counters, COUNTER_write_errors, 1);
	if (writer->is_failing)
		return;
	writer->is_failing = true;
	log_event(writer->parts.log, EMBED_LOG_ERROR, event, "message", error->message, "do",
	    "free space or mend the folder; it is tried again with each write", NULL);
}

static void lose_rows(struct writer *writer, size_t count)
{
	char text[32];

	snprintf(text, sizeof(text), "%zu", count);
	log_event(writer->parts.log, EMBED_LOG_ERROR, "ledger_rows_lost", "rows", text, "do",
	    "the ledger could not be written for too long; compare with the provider's usage page",
	    NULL);
}

static enum embed_status write_backlog(struct writer *writer, struct embed_error *error)
{
	enum embed_status status;

	if (writer->backlog.count == 0)
		return EMBED_OK;
	status = ledger_add(
	    writer->parts.ledger, writer->backlog.rows, writer->backlog.count, NULL, 0, error);
	if (status == EMBED_OK)
		backlog_clear(&writer->backlog);
	return status;
}

static enum embed_status write_ledger(struct writer *writer)
{
	const struct ledger_attempt *attempts = (const void *)writer->attempts.bytes;
	const struct ledger_saving *savings = (const void *)writer->savings.bytes;
	size_t attempt_count = writer->attempts.len / sizeof(*attempts);
	size_t saving_count = writer->savings.len / sizeof(*savings), kept;
	enum embed_status status;
	struct embed_error error;

	if (attempt_count + saving_count + writer->backlog.count == 0)
		return EMBED_OK;
	status = write_backlog(writer, &error);
	if (status == EMBED_OK)
		status = ledger_add(
		    writer->parts.ledger, attempts, attempt_count, savings, saving_count, &error);
	if (status == EMBED_OK)
		return EMBED_OK;
	report(writer, "ledger_write_failed", &error);
	keep_savings(writer, savings, saving_count);
	kept = backlog_add(&writer->backlog, attempts, attempt_count);
	if (kept < attempt_count)
		lose_rows(writer, attempt_count - kept);
	return status;
}

/* ---- Store ----------------------------------------------------------- */

static void add_puts(struct writer *writer, const struct engine_record *record)
{
	const struct engine_vector *vector;
	int64_t now_s = clock_unix_s();

	for (size_t i = 0; i < record->vector_count; i++) {
		vector = &record->vectors[i];
		buffer_append(&writer->puts,
		    &(struct cache_put){.key = vector->key,
			.numbers = vector->numbers,
			.dimensions = vector->dimensions,
			.tokens = vector->tokens,
			.created_s = now_s},
		    sizeof(struct cache_put));
	}
}

static enum embed_status write_store(struct writer *writer)
{
	const struct cache_put *puts = (const void *)writer->puts.bytes;
	size_t count = writer->puts.len / sizeof(*puts);
	enum embed_status status;
	struct embed_error error;

	if (count == 0)
		return EMBED_OK;
	status = cache_put_many(writer->parts.cache, puts, count, NULL, &error);
	if (status != EMBED_OK)
		report(writer, "store_write_failed", &error);
	return status;
}

/* ---- Groups ---------------------------------------------------------- */

static void hand_back(struct writer *writer, struct engine_record *record, enum embed_status status)
{
	struct engine_record *next;

	for (; record != NULL; record = next) {
		next = record->context;
		engine_recorded(writer->engine, record, status);
	}
}

static void write_group(struct writer *writer, struct engine_record *records, bool with_savings)
{
	enum embed_status ledger_status, store_status;

	buffer_reset(&writer->attempts);
	buffer_reset(&writer->savings);
	buffer_reset(&writer->puts);
	for (struct engine_record *record = records; record != NULL; record = record->context) {
		if (writer->parts.ledger != NULL)
			add_attempts(writer, record);
		if (writer->parts.cache != NULL)
			add_puts(writer, record);
	}
	if (with_savings && writer->parts.ledger != NULL)
		tally_drain(writer->parts.tally, add_saving, writer);
	if (writer->attempts.status != EMBED_OK || writer->puts.status != EMBED_OK)
		log_event(writer->parts.log, EMBED_LOG_ERROR, "writer_out_of_memory", "do",
		    "give the process more memory; some records of this group are not kept", NULL);
	ledger_status = write_ledger(writer);
	store_status = write_store(writer);
	if (ledger_status == EMBED_OK && store_status == EMBED_OK)
		writer->is_failing = false;
	hand_back(writer, records, store_status);
}

static void say_read_faults(struct writer *writer)
{
	struct cache_counters counters;
	struct embed_error error;

	cache_counters(writer->parts.cache, &counters);
	if (counters.read_faults == writer->read_faults)
		return;
	writer->read_faults = counters.read_faults;
	if (cache_read_fault(writer->parts.cache, &error) != EMBED_OK)
		log_event(writer->parts.log, EMBED_LOG_ERROR, "store_read_failed", "message",
		    error.message, "do", "its texts are paid for again; run embed cache verify",
		    NULL);
}

static void prune_attempts(struct writer *writer, int64_t now_us)
{
	uint64_t removed;

	if (writer->parts.ledger == NULL || now_us < writer->prune_due_us)
		return;
	ledger_prune(writer->parts.ledger, clock_unix_s() - WRITER_ATTEMPTS_KEPT_S, &removed, NULL);
	writer->prune_due_us = now_us + WRITER_PRUNE_US;
}

static void maintain(struct writer *writer, int64_t now_us)
{
	if (now_us < writer->maintain_due_us)
		return;
	if (writer->parts.cache != NULL) {
		cache_maintain(writer->parts.cache);
		say_read_faults(writer);
	}
	prune_attempts(writer, now_us);
	writer->maintain_due_us = now_us + WRITER_MAINTAIN_US;
}

/* ---- The thread ------------------------------------------------------ */

static bool is_urged(const struct writer *writer)
{
	return writer->is_closing || writer->flushes_asked != writer->flushes_done ||
	       writer->waiting_texts >= WRITER_LINGER_TEXTS;
}

/* True: the time has passed, and nobody asked for anything. */
static bool wait_out(struct writer *writer, int64_t wait_us)
{
	int64_t until_us = clock_now_us() + wait_us;
	const struct timespec until = {until_us / 1000000, until_us % 1000000 * 1000};

	return pthread_cond_timedwait(&writer->work, &writer->lock, &until) == ETIMEDOUT;
}

static void wait_for_work(struct writer *writer)
{
	if (writer->first == NULL && !is_urged(writer))
		wait_out(writer, WRITER_IDLE_US);
	if (writer->first != NULL)
		while (!is_urged(writer) && !wait_out(writer, WRITER_LINGER_US))
			;
}

static void *run(void *context)
{
	struct writer *writer = context;
	struct engine_record *records;
	uint64_t flushes_asked;
	bool is_closing;
	int64_t now_us;

	do {
		pthread_mutex_lock(&writer->lock);
		wait_for_work(writer);
		records = writer->first;
		writer->first = writer->last = NULL;
		writer->waiting_texts = 0;
		flushes_asked = writer->flushes_asked;
		is_closing = writer->is_closing;
		pthread_mutex_unlock(&writer->lock);

		now_us = clock_now_us();
		if (now_us >= writer->savings_due_us || is_closing ||
		    flushes_asked != writer->flushes_done) {
			writer->savings_due_us = now_us + WRITER_SAVINGS_US;
			write_group(writer, records, true);
		} else if (records != NULL) {
			write_group(writer, records, false);
		}
		maintain(writer, now_us);

		pthread_mutex_lock(&writer->lock);
		writer->flushes_done = flushes_asked;
		pthread_cond_broadcast(&writer->flushed);
		pthread_mutex_unlock(&writer->lock);
	} while (!is_closing || records != NULL);
	return NULL;
}

void writer_add(struct writer *writer, struct engine_record *record)
{
	bool is_first;

	record->context = NULL;
	pthread_mutex_lock(&writer->lock);
	is_first = writer->last == NULL;
	if (is_first)
		writer->first = record;
	else
		writer->last->context = record;
	writer->last = record;
	writer->waiting_texts += record->vector_count;
	if (is_first || is_urged(writer))
		pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->lock);
}

void writer_flush(struct writer *writer)
{
	uint64_t mine;

	if (writer == NULL)
		return;
	pthread_mutex_lock(&writer->lock);
	mine = ++writer->flushes_asked;
	pthread_cond_signal(&writer->work);
	while (writer->flushes_done < mine)
		pthread_cond_wait(&writer->flushed, &writer->lock);
	pthread_mutex_unlock(&writer->lock);
}

/* ---- Life ------------------------------------------------------------ */

static void init_conditions(struct writer *writer)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&writer->work, &attributes);
	pthread_condattr_destroy(&attributes);
	pthread_cond_init(&writer->flushed, NULL);
	pthread_mutex_init(&writer->lock, NULL);
}

static void fini(struct writer *writer)
{
	pthread_cond_destroy(&writer->work);
	pthread_cond_destroy(&writer->flushed);
	pthread_mutex_destroy(&writer->lock);
	buffer_fini(&writer->attempts);
	buffer_fini(&writer->savings);
	buffer_fini(&writer->puts);
	backlog_fini(&writer->backlog);
	free(writer);
}

enum embed_status writer_create(
    struct writer **out, const struct writer_parts *parts, struct embed_error *error)
{
	struct writer *writer = calloc(1, sizeof(*writer));
	int failure;

	if (writer == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	writer->parts = *parts;
	buffer_init(&writer->attempts, WRITER_GROUP_MAX_BYTES);
	buffer_init(&writer->savings, WRITER_GROUP_MAX_BYTES);
	buffer_init(&writer->puts, WRITER_GROUP_MAX_BYTES);
	backlog_init(&writer->backlog);
	init_conditions(writer);
	writer->maintain_due_us = clock_now_us() + WRITER_MAINTAIN_US;
	failure = thread_start(&writer->thread, run, writer);
	if (failure != 0) {
		fini(writer);
		return error_set(error, EMBED_IO, "the writer's thread could not be started: %s",
		    strerror(failure));
	}
	*out = writer;
	return EMBED_OK;
}

void writer_set_engine(struct writer *writer, struct engine *engine)
{
	writer->engine = engine;
}

void writer_destroy(struct writer *writer)
{
	if (writer == NULL)
		return;
	pthread_mutex_lock(&writer->lock);
	writer->is_closing = true;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->thread, NULL);
	fini(writer);
}
