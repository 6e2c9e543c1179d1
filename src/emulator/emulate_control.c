/* SPDX-License-Identifier: MIT */
/* The emulator's own doors: counters, faults, clock. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "emulator/call.h"

#define JSON_TYPE "application/json"
#define AHEAD_MAX ((int64_t)400 * 86400) /* seconds: more than a year is a mistake */

void emulate_banner(struct call *call)
{
	buffer_append_text(&call->delivery.body,
	    "This is embed emulate, a local stand-in for OpenAI's embeddings API.\n"
	    "Its vectors are made from hashed words: good for trials and tests, not for use.\n");
	answer_with(call, 200, "text/plain; charset=utf-8");
}

void emulate_health(struct call *call)
{
	answer_json(call, "{\"status\":\"ok\",\"emulator\":true}\n");
}

/* ---- Counters -------------------------------------------------------- */

/* With the lock held. */
static void write_faults(const struct fault_set *set, struct buffer *out)
{
	buffer_append_char(out, '[');
	for (size_t i = 0; i < set->count; i++)
		buffer_printf(out,
		    "%s{\"fault\":\"%s\",\"seen\":%" PRIu64 ",\"struck\":%" PRIu64 "}",
		    i > 0 ? "," : "", fault_name(&set->rules[i].order), set->rules[i].seen,
		    set->rules[i].struck);
	buffer_append_char(out, ']');
}

void emulate_stats(struct call *call)
{
	struct emulator *emulator = call->emulator;
	struct buffer *body = &call->delivery.body;
	struct http_server_stats server;

	http_server_stats(emulator->server, &server);
	buffer_append_char(body, '{');
	pthread_mutex_lock(&emulator->lock);
	books_write(emulator->books, body);
	buffer_append_text(body, ",\"faults\":");
	write_faults(&emulator->faults, body);
	pthread_mutex_unlock(&emulator->lock);
	buffer_printf(body,
	    ",\"connections\":%" PRIu64 ",\"connections_accepted\":%" PRIu64
	    ",\"refused_by_http\":%" PRIu64,
	    server.connections, server.accepted, server.refused);
	answer_json(call, "}\n");
}

void emulate_reset(struct call *call)
{
	struct emulator *emulator = call->emulator;

	pthread_mutex_lock(&emulator->lock);
	books_reset(emulator->books);
	fault_set_clear(&emulator->faults);
	emulator->account_count = 0;
	pthread_mutex_unlock(&emulator->lock);
	answer_json(call, "{\"reset\":true}\n");
}

/* ---- Faults ---------------------------------------------------------- */

void emulate_faults_get(struct call *call)
{
	struct emulator *emulator = call->emulator;

	pthread_mutex_lock(&emulator->lock);
	write_faults(&emulator->faults, &call->delivery.body);
	pthread_mutex_unlock(&emulator->lock);
	answer_json(call, "\n");
}

void emulate_faults_drop(struct call *call)
{
	struct emulator *emulator = call->emulator;

	pthread_mutex_lock(&emulator->lock);
	fault_set_clear(&emulator->faults);
	pthread_mutex_unlock(&emulator->lock);
	emulate_faults_get(call);
}

static void refuse_control(struct call *call, const char *message)
{
	wire_error_write(&call->delivery.body, message, "emulator_error", NULL, NULL);
	answer_with(call, 400, JSON_TYPE);
}

static enum embed_status add_fault(
    struct emulator *emulator, const json_t *spec, struct embed_error *error)
{
	enum embed_status status;

	pthread_mutex_lock(&emulator->lock);
	/* A value that is no string has no length, and no fault has an empty name. */
	status = fault_set_add(&emulator->faults,
	    json_is_string(spec) ? json_string_value(spec) : "", json_string_length(spec), error);
	pthread_mutex_unlock(&emulator->lock);
	return status;
}

void emulate_faults_add(struct call *call)
{
	const struct http_request *request = http_exchange_request(call->exchange);
	json_t *body = json_loadb(
	    request->body ? request->body : "", request->body_len, JSON_DECODE_ANY, NULL);
	enum embed_status status = EMBED_OK;
	struct embed_error error;
	json_t *spec;
	size_t i;

	if (json_is_array(body)) {
		json_array_foreach(body, i, spec) if (status == EMBED_OK) status =
		    add_fault(call->emulator, spec, &error);
	} else {
		status = add_fault(call->emulator, body, &error);
	}
	json_decref(body);
	if (status == EMBED_OK)
		emulate_faults_get(call);
	else
		refuse_control(call, error.message);
}

/* ---- Clock ----------------------------------------------------------- */

void emulate_clock_get(struct call *call)
{
	struct emulator *emulator = call->emulator;
	int64_t ahead_us;

	pthread_mutex_lock(&emulator->lock);
	ahead_us = emulator->clock_ahead_us;
	pthread_mutex_unlock(&emulator->lock);
	buffer_printf(&call->delivery.body, "{\"unix_s\":%" PRId64 ",\"ahead_s\":%" PRId64 "}\n",
	    emulator_unix_s(emulator), ahead_us / 1000000);
	answer_with(call, 200, JSON_TYPE);
}

void emulate_clock_move(struct call *call)
{
	const struct http_request *request = http_exchange_request(call->exchange);
	struct emulator *emulator = call->emulator;
	json_t *body = json_loadb(request->body ? request->body : "", request->body_len, 0, NULL);
	const json_t *advance = json_object_get(body, "advance_s");
	double advance_s = json_number_value(advance);
	bool is_good = json_is_number(advance) && advance_s >= 0 && advance_s <= AHEAD_MAX;

	json_decref(body);
	if (!is_good) {
		refuse_control(call, "send {\"advance_s\": SECONDS}, 0 to 400 days");
		return;
	}
	pthread_mutex_lock(&emulator->lock);
	if (emulator->clock_ahead_us / 1000000 < AHEAD_MAX * 10)
		emulator->clock_ahead_us += (int64_t)(advance_s * 1e6);
	pthread_mutex_unlock(&emulator->lock);
	emulate_clock_get(call);
}
