/* SPDX-License-Identifier: MIT */
#include "telemetry/poster.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/thread.h"

struct letter {
	struct letter *next;
	struct buffer body;
	char *field; /* or NULL */
};

struct poster {
	struct poster_options options;
	CURL *easy; /* the thread's, as the next */
	struct curl_slist *fields;
	pthread_t thread;

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t work;
	struct letter *first, *last;
	size_t waiting;
	struct poster_counts counts;
	bool is_closing;
	int64_t give_up_us; /* once closing */
};

static void letter_destroy(struct letter *letter)
{
	buffer_fini(&letter->body);
	free(letter->field);
	free(letter);
}

/* ---- One try ---------------------------------------------------------------- */

static bool is_out_of_time(struct poster *poster)
{
	bool is_over;

	pthread_mutex_lock(&poster->lock);
	is_over = poster->is_closing && clock_now_us() >= poster->give_up_us;
	pthread_mutex_unlock(&poster->lock);
	return is_over;
}

/* libcurl asks about once a second, and when bytes move. */
static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return is_out_of_time(context);
}

static size_t on_reply(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count; /* nobody reads it */
}

enum outcome { SENT, AGAIN, REFUSED };

static enum outcome outcome_of(CURLcode code, long status)
{
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return REFUSED; /* it will be no other certificate in some seconds */
	if (code != CURLE_OK)
		return AGAIN;
	if (status / 100 == 2)
		return SENT;
	return status == 408 || status == 429 || status >= 500 ? AGAIN : REFUSED;
}

static void describe(char fault[64], CURLcode code, long status)
{
	if (code != CURLE_OK)
		snprintf(fault, 64, "%s", curl_easy_strerror(code));
	else
		snprintf(fault, 64, "the receiver answered with status %ld", status);
}

static enum outcome try_letter(struct poster *poster, struct letter *letter, char fault[64])
{
	struct curl_slist *own = NULL;
	CURL *easy = poster->easy;
	long status = 0;
	CURLcode code;

	for (const struct curl_slist *at = poster->fields; at; at = at->next)
		own = curl_slist_append(own, at->data);
	if (letter->field)
		own = curl_slist_append(own, letter->field);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, own);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)letter->body.len);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, letter->body.bytes);
	code = curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(own);
	describe(fault, code, status);
	return outcome_of(code, status);
}

/* ---- The thread --------------------------------------------------------------- */

static void wait_ms(struct poster *poster, int64_t ms)
{
	int64_t until_us = clock_now_us() + ms * 1000;
	struct timespec until;

	if (poster->is_closing && until_us > poster->give_up_us)
		until_us = poster->give_up_us;
	until =
	    (struct timespec){.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};
	pthread_cond_timedwait(&poster->work, &poster->lock, &until);
}

/* Between two tries; the work that comes meanwhile waits too. */
static void pause_between(struct poster *poster, int64_t ms)
{
	int64_t until_us = clock_now_us() + ms * 1000;

	pthread_mutex_lock(&poster->lock);
	while (clock_now_us() < until_us &&
	       !(poster->is_closing && clock_now_us() >= poster->give_up_us))
		wait_ms(poster, (until_us - clock_now_us()) / 1000 + 1);
	pthread_mutex_unlock(&poster->lock);
}

static void post(struct poster *poster, struct letter *letter)
{
	int64_t ms = poster->options.first_wait_ms;
	enum outcome outcome = AGAIN;
	char fault[64] = "no time was left";

	for (uint32_t i = 0; i < poster->options.tries && outcome == AGAIN; i++, ms *= 2) {
		if (i > 0)
			pause_between(poster, ms / 2);
		if (is_out_of_time(poster))
			break;
		outcome = try_letter(poster, letter, fault);
	}
	pthread_mutex_lock(&poster->lock);
	if (outcome == SENT) {
		poster->counts.sent++;
	} else {
		poster->counts.failed++;
		memcpy(poster->counts.last_fault, fault, sizeof(fault));
	}
	pthread_mutex_unlock(&poster->lock);
	letter_destroy(letter);
}

static struct letter *take(struct poster *poster, bool *is_closing)
{
	struct letter *letter;

	pthread_mutex_lock(&poster->lock);
	if (!poster->first && !poster->is_closing)
		wait_ms(poster, poster->options.interval_ms);
	letter = poster->first;
	if (letter) {
		poster->first = letter->next;
		poster->waiting--;
	}
	if (!poster->first)
		poster->last = NULL;
	*is_closing = poster->is_closing;
	pthread_mutex_unlock(&poster->lock);
	return letter;
}

static void *run(void *context)
{
	struct poster *poster = context;
	int64_t collect_us = 0;
	bool is_closing = false, was_closing;
	struct letter *letter;

	do {
		was_closing = is_closing;
		if (poster->options.collect && (is_closing || clock_now_us() >= collect_us)) {
			poster->options.collect(poster, poster->options.context);
			collect_us = clock_now_us() + (int64_t)poster->options.interval_ms * 1000;
		}
		letter = take(poster, &is_closing);
		if (letter)
			post(poster, letter);
	} while (letter || !was_closing);
	return NULL;
}

/* ---- Life ---------------------------------------------------------------------- */

static void fill_defaults(struct poster_options *options)
{
	if (!options->queue)
		options->queue = 64;
	if (!options->timeout_ms)
		options->timeout_ms = 10000;
	if (!options->tries)
		options->tries = 5;
	if (!options->first_wait_ms)
		options->first_wait_ms = 500;
	if (!options->interval_ms)
		options->interval_ms = 1000;
}

static bool set_up_handle(struct poster *poster)
{
	const struct poster_options *options = &poster->options;
	CURL *easy;

	/* Whoever comes first decides for all: what libcurl sent, keys too, is overwritten. */
	curl_global_init_mem(
	    CURL_GLOBAL_DEFAULT, malloc, secret_free, secret_realloc, strdup, calloc);
	easy = poster->easy = curl_easy_init();
	poster->fields = curl_slist_append(NULL, "Content-Type: application/json");
	poster->fields = curl_slist_append(poster->fields, "Expect:");
	for (size_t i = 0; options->fields && options->fields[i]; i++)
		poster->fields = curl_slist_append(poster->fields, options->fields[i]);
	if (!easy || !poster->fields)
		return false;
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_reply);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, poster);
	/* What libcurl copies may find no memory. */
	return curl_easy_setopt(easy, CURLOPT_URL, options->url) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_USERAGENT, "embed/" EMBED_VERSION_TEXT) == CURLE_OK &&
	       (!options->ca_file || !options->ca_file[0] ||
		   curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file) == CURLE_OK);
}

static void init_locks(struct poster *poster)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&poster->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&poster->work, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void fini(struct poster *poster)
{
	while (poster->first) {
		struct letter *next = poster->first->next;

		letter_destroy(poster->first);
		poster->first = next;
	}
	curl_easy_cleanup(poster->easy);
	curl_slist_free_all(poster->fields);
	pthread_cond_destroy(&poster->work);
	pthread_mutex_destroy(&poster->lock);
	free(poster);
}

enum embed_status poster_create(
    struct poster **out, const struct poster_options *options, struct embed_error *error)
{
	struct poster *poster = calloc(1, sizeof(*poster));

	if (!poster)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	poster->options = *options;
	fill_defaults(&poster->options);
	init_locks(poster);
	if (!set_up_handle(poster)) {
		fini(poster);
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	}
	if (thread_start(&poster->thread, run, poster) != 0) {
		fini(poster);
		return error_set(error, EMBED_IO, "no thread could be started");
	}
	*out = poster;
	return EMBED_OK;
}

bool poster_post(struct poster *poster, struct buffer *body, const char *field)
{
	struct letter *letter = calloc(1, sizeof(*letter));
	bool has_room = letter && (!field || (letter->field = strdup(field)) != NULL);

	if (letter)
		letter->body = *body;
	else
		buffer_fini(body);
	buffer_init(body, body->max_bytes);
	pthread_mutex_lock(&poster->lock);
	has_room = has_room && poster->waiting < poster->options.queue;
	if (!has_room) {
		poster->counts.dropped++;
	} else {
		if (poster->last)
			poster->last->next = letter;
		else
			poster->first = letter;
		poster->last = letter;
		poster->waiting++;
		pthread_cond_signal(&poster->work);
	}
	pthread_mutex_unlock(&poster->lock);
	if (!has_room && letter)
		letter_destroy(letter);
	return has_room;
}

struct poster_counts poster_counts(struct poster *poster)
{
	struct poster_counts counts;

	pthread_mutex_lock(&poster->lock);
	counts = poster->counts;
	pthread_mutex_unlock(&poster->lock);
	return counts;
}

void poster_destroy(struct poster *poster, uint32_t flush_ms)
{
	if (!poster)
		return;
	pthread_mutex_lock(&poster->lock);
	poster->is_closing = true;
	poster->give_up_us = clock_now_us() + (int64_t)flush_ms * 1000;
	pthread_cond_signal(&poster->work);
	pthread_mutex_unlock(&poster->lock);
	pthread_join(poster->thread, NULL);
	fini(poster);
}
