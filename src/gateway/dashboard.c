/* SPDX-License-Identifier: MIT */
/* The thread, what it publishes, and who waits for it.  What it looks at: look.c. */
#include "gateway/dashboard.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "gateway/days.h"
#include "gateway/look.h"
#include "gateway/state.h"

#define SECONDS_KEPT    (15 * 60)
#define MINUTES_KEPT    (24 * 60)
#define VIEWERS_MAX     1024
#define BYTES_MAX       (16u << 20)
#define DAYS_STALE_US   5000000
#define EVENT_HEAD_FORM "id: %llu\ndata: "
#define EVENT_TAIL      "\n\n"

/* An exchange that waits for history. */
struct asker {
	struct asker *next;
	struct http_exchange *exchange;
	enum dashboard_span span;
	dashboard_history_fn *fn;
	struct dashboard_bytes *bytes;
};

/* History as it was last written; the thread's. */
struct written {
	struct dashboard_bytes *bytes;
	uint64_t sequence; /* of the snapshot it goes with */
	int64_t written_us;
};

struct dashboard {
	struct gateway *gateway;
	struct look look; /* the thread's, as the next three */
	struct history_ring seconds, minutes;
	struct history_point minute; /* the one under way; time_s 0: none */
	struct written written[DASHBOARD_SPANS];
	atomic_uint viewers;
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	struct dashboard_bytes *latest;
	struct asker *askers;
	int64_t next_us; /* clock_now_us of the next look */
	bool is_stopping;
};

/* ---- Bytes --------------------------------------------------------------- */

static struct dashboard_bytes *bytes_create(const char *head, const struct buffer *json)
{
	size_t head_len = strlen(head);
	size_t tail_len = strlen(EVENT_TAIL);
	struct dashboard_bytes *bytes;

	if (json->status != EMBED_OK)
		return NULL;
	bytes = malloc(sizeof(*bytes) + head_len + json->len + tail_len);
	if (!bytes)
		return NULL;
	memcpy(bytes->bytes, head, head_len);
	memcpy(bytes->bytes + head_len, json->bytes, json->len);
	memcpy(bytes->bytes + head_len + json->len, EVENT_TAIL, tail_len);
	atomic_init(&bytes->refs, 1);
	bytes->sequence = 0;
	bytes->event = (struct http_slice){bytes->bytes, head_len + json->len + tail_len};
	bytes->json = (struct http_slice){bytes->bytes + head_len, json->len};
	return bytes;
}

static struct dashboard_bytes *bytes_ref(struct dashboard_bytes *bytes)
{
	atomic_fetch_add_explicit(&bytes->refs, 1, memory_order_relaxed);
	return bytes;
}

void dashboard_bytes_unref(struct dashboard_bytes *bytes)
{
	if (bytes && atomic_fetch_sub_explicit(&bytes->refs, 1, memory_order_acq_rel) == 1)
		free(bytes);
}

struct dashboard_bytes *dashboard_latest(struct dashboard *dashboard)
{
	struct dashboard_bytes *bytes;

	pthread_mutex_lock(&dashboard->lock);
	bytes = bytes_ref(dashboard->latest);
	pthread_mutex_unlock(&dashboard->lock);
	return bytes;
}

int64_t dashboard_next_us(struct dashboard *dashboard)
{
	int64_t next_us;

	pthread_mutex_lock(&dashboard->lock);
	next_us = dashboard->next_us;
	pthread_mutex_unlock(&dashboard->lock);
	next_us -= clock_now_us();
	return next_us > 0 ? next_us : 0;
}

/* ---- Once a second --------------------------------------------------------- */

static void publish(struct dashboard *dashboard)
{
	struct dashboard_bytes *bytes;
	struct dashboard_bytes *old;
	struct buffer json;
	char head[64];

	buffer_init(&json, BYTES_MAX);
	snapshot_write(&json, &dashboard->look.snapshot);
	snprintf(head, sizeof(head), EVENT_HEAD_FORM,
	    (unsigned long long)dashboard->look.snapshot.sequence);
	bytes = bytes_create(head, &json);
	buffer_fini(&json);
	if (!bytes)
		return; /* viewers see that the last one grows old */
	bytes->sequence = dashboard->look.snapshot.sequence;
	pthread_mutex_lock(&dashboard->lock);
	old = dashboard->latest;
	dashboard->latest = bytes;
	pthread_mutex_unlock(&dashboard->lock);
	dashboard_bytes_unref(old);
}

static void remember(struct dashboard *dashboard)
{
	const struct history_point *second = &dashboard->look.snapshot.second;
	struct history_point *minute = &dashboard->minute;
	int64_t minute_s = second->time_s - second->time_s % 60;

	history_ring_add(&dashboard->seconds, second);
	if (minute->time_s && minute->time_s != minute_s) {
		look_at_minute(&dashboard->look, minute);
		history_ring_add(&dashboard->minutes, minute);
		*minute = (struct history_point){0};
	}
	minute->time_s = minute_s;
	history_merge(minute, second);
}

/* ---- History ---------------------------------------------------------------- */

static void write_history(struct dashboard *dashboard, enum dashboard_span span, struct buffer *out)
{
	if (span == DASHBOARD_15_MINUTES)
		history_write(out, &dashboard->seconds, 1);
	else if (span == DASHBOARD_24_HOURS)
		history_write(out, &dashboard->minutes, 60);
	else
		days_write(out, dashboard->gateway->service, clock_unix_s());
}

static bool is_fresh(const struct dashboard *dashboard, enum dashboard_span span)
{
	const struct written *written = &dashboard->written[span];

	if (!written->bytes)
		return false;
	if (span == DASHBOARD_90_DAYS)
		return clock_now_us() - written->written_us < DAYS_STALE_US;
	return written->sequence == dashboard->look.snapshot.sequence;
}

/* The same bytes for all who ask before the next second. */
static struct dashboard_bytes *history_bytes(struct dashboard *dashboard, enum dashboard_span span)
{
	struct written *written = &dashboard->written[span];
	struct buffer json;

	if (!is_fresh(dashboard, span)) {
		dashboard_bytes_unref(written->bytes);
		buffer_init(&json, BYTES_MAX);
		write_history(dashboard, span, &json);
		written->bytes = bytes_create("", &json);
		written->sequence = dashboard->look.snapshot.sequence;
		written->written_us = clock_now_us();
		buffer_fini(&json);
	}
	return written->bytes ? bytes_ref(written->bytes) : NULL;
}

static void on_history(struct http_exchange *exchange, void *arg)
{
	struct asker *asker = arg;

	asker->fn(exchange, asker->bytes);
	free(asker);
}

static void answer(struct dashboard *dashboard, struct asker *askers, bool is_stopping)
{
	while (askers) {
		struct asker *asker = askers;

		askers = asker->next;
		asker->bytes = is_stopping ? NULL : history_bytes(dashboard, asker->span);
		http_exchange_resume(asker->exchange, on_history, asker);
	}
}

void dashboard_ask_history(struct dashboard *dashboard, enum dashboard_span span,
    struct http_exchange *exchange, dashboard_history_fn *fn)
{
	struct asker *asker = malloc(sizeof(*asker));
	bool is_stopping;

	if (asker) {
		*asker = (struct asker){NULL, exchange, span, fn, NULL};
		http_exchange_park(exchange);
		pthread_mutex_lock(&dashboard->lock);
		is_stopping = dashboard->is_stopping;
		if (!is_stopping) {
			asker->next = dashboard->askers;
			dashboard->askers = asker;
			pthread_cond_signal(&dashboard->wake);
		}
		pthread_mutex_unlock(&dashboard->lock);
		if (is_stopping)
			http_exchange_resume(exchange, on_history, asker);
		return;
	}
	fn(exchange, NULL);
}

/* ---- The thread ---------------------------------------------------------------- */

/* The next whole second of the calendar, so that points fall on seconds. */
static int64_t next_second_us(void)
{
	return clock_now_us() + (1000 - clock_unix_ms() % 1000) * 1000;
}

static void wait_until(struct dashboard *dashboard, int64_t us)
{
	struct timespec until = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

	pthread_cond_timedwait(&dashboard->wake, &dashboard->lock, &until);
}

static void *run(void *context)
{
	struct dashboard *dashboard = context;

	/* So that its share of the CPU can be seen.  By itself: for another it would be a file that a sandbox closes. */
	pthread_setname_np(pthread_self(), "dashboard");
	pthread_mutex_lock(&dashboard->lock);
	while (!dashboard->is_stopping) {
		struct asker *askers = dashboard->askers;
		bool is_due = clock_now_us() >= dashboard->next_us;

		if (!askers && !is_due) {
			wait_until(dashboard, dashboard->next_us);
			continue;
		}
		dashboard->askers = NULL;
		pthread_mutex_unlock(&dashboard->lock);
		if (is_due) {
			look_now(&dashboard->look);
			remember(dashboard);
			publish(dashboard);
		}
		answer(dashboard, askers, false);
		pthread_mutex_lock(&dashboard->lock);
		if (is_due)
			dashboard->next_us = next_second_us();
	}
	pthread_mutex_unlock(&dashboard->lock);
	return NULL;
}

static void init_sync(struct dashboard *dashboard)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&dashboard->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&dashboard->wake, &attributes);
	pthread_condattr_destroy(&attributes);
}

enum embed_status dashboard_create(
    struct dashboard **out, struct gateway *gateway, struct embed_error *error)
{
	struct dashboard *dashboard = calloc(1, sizeof(*dashboard));

	if (!dashboard)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	dashboard->gateway = gateway;
	init_sync(dashboard);
	if (history_ring_init(&dashboard->seconds, SECONDS_KEPT) &&
	    history_ring_init(&dashboard->minutes, MINUTES_KEPT) &&
	    look_init(&dashboard->look, gateway)) {
		look_now(&dashboard->look);
		publish(dashboard);
	}
	if (!dashboard->latest) {
		dashboard_destroy(dashboard);
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	}
	dashboard->next_us = next_second_us();
	*out = dashboard;
	return EMBED_OK;
}

enum embed_status dashboard_start(struct dashboard *dashboard, struct embed_error *error)
{
	if (thread_start(&dashboard->thread, run, dashboard) != 0)
		return error_set(error, EMBED_NO_MEMORY, "no thread for the dashboard");
	dashboard->has_thread = true;
	return EMBED_OK;
}

void dashboard_stop(struct dashboard *dashboard)
{
	struct asker *askers;

	pthread_mutex_lock(&dashboard->lock);
	dashboard->is_stopping = true;
	pthread_cond_signal(&dashboard->wake);
	pthread_mutex_unlock(&dashboard->lock);
	if (dashboard->has_thread)
		pthread_join(dashboard->thread, NULL);
	dashboard->has_thread = false;
	pthread_mutex_lock(&dashboard->lock);
	askers = dashboard->askers;
	dashboard->askers = NULL;
	pthread_mutex_unlock(&dashboard->lock);
	answer(dashboard, askers, true);
}

void dashboard_destroy(struct dashboard *dashboard)
{
	if (!dashboard)
		return;
	for (size_t i = 0; i < DASHBOARD_SPANS; i++)
		dashboard_bytes_unref(dashboard->written[i].bytes);
	dashboard_bytes_unref(dashboard->latest);
	look_fini(&dashboard->look);
	history_ring_fini(&dashboard->seconds);
	history_ring_fini(&dashboard->minutes);
	pthread_mutex_destroy(&dashboard->lock);
	pthread_cond_destroy(&dashboard->wake);
	free(dashboard);
}

bool dashboard_enter(struct dashboard *dashboard)
{
	if (atomic_fetch_add(&dashboard->viewers, 1) < VIEWERS_MAX)
		return true;
	atomic_fetch_sub(&dashboard->viewers, 1);
	return false;
}

void dashboard_leave(struct dashboard *dashboard)
{
	atomic_fetch_sub(&dashboard->viewers, 1);
}
