/* SPDX-License-Identifier: MIT */
/* Answers: head, compression, framing, and what goes wrong with them on purpose. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/clock.h"
#include "emulator/call.h"
#include "wire/header.h"

#define PIECE_BYTES    ((size_t)64 << 10)
#define TRICKLE_PIECES 20
#define GZIP_LEVEL     1
#define GZIP_WINDOW    (15 + 16) /* zlib: 16 more asks for a gzip head */
#define RESET_PAUSE_US 5000      /* so that what was sent is read before the reset strikes */
#define JSON_TYPE      "application/json"
#define REFUSAL_TYPE   "application/json; charset=utf-8"

/* ---- Head ------------------------------------------------------------ */

static void add_quota_fields(struct call *call)
{
	static const char *const kinds[] = {"requests", "tokens"};
	char name[64], reset[WIRE_DURATION_CAP];

	for (int i = 0; i < 2; i++) {
		const struct quota_view *view = &call->quota[i];

		if (!call->has_quota[i])
			continue;
		snprintf(name, sizeof(name), "x-ratelimit-limit-%s", kinds[i]);
		if (!call->is_azure)
			http_reply_fieldf(call->exchange, name, "%" PRIu64, view->limit);
		snprintf(name, sizeof(name), "x-ratelimit-remaining-%s", kinds[i]);
		http_reply_fieldf(call->exchange, name, "%" PRIu64, view->remaining);
		snprintf(name, sizeof(name), "x-ratelimit-reset-%s", kinds[i]);
		if (call->is_azure)
			snprintf(
			    reset, sizeof(reset), "%" PRId64, (view->reset_us + 999999) / 1000000);
		else
			wire_duration_write(reset, view->reset_us / 1000);
		http_reply_field(call->exchange, name, reset);
	}
}

static void add_id_field(struct call *call)
{
	struct random random = {http_exchange_id(call->exchange) ^ 0x656d62656420656dU};

	http_reply_fieldf(call->exchange, call->is_azure ? "apim-request-id" : "x-request-id",
	    "req_%016" PRIx64 "%016" PRIx64, random_next(&random), random_next(&random));
}

static void add_order_fields(struct call *call)
{
	const struct {
		const char *name, *value;
	} fields[] = {{"retry-after", call->order.retry_after},
	    {"retry-after-ms", call->order.retry_after_ms},
	    {"x-should-retry", call->order.should_retry}};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i].value[0])
			http_reply_field(call->exchange, fields[i].name, fields[i].value);
}

static void add_fields(struct call *call)
{
	struct http_exchange *exchange = call->exchange;
	int64_t spent_us = clock_now_us() - http_exchange_started_us(exchange);

	http_reply_field(exchange, "x-embed-emulator", "true");
	add_id_field(call);
	add_order_fields(call);
	if (call->is_azure)
		http_reply_field(exchange, "x-ms-region", "Nowhere");
	if (call->status == 401 || call->status == 404)
		return;
	if (!call->is_azure) {
		http_reply_field(exchange, "openai-version", "2020-10-01");
		http_reply_field(exchange, "openai-organization", EMULATOR_ORG);
		http_reply_fieldf(exchange, "openai-processing-ms", "%" PRId64, spent_us / 1000);
	}
	if (call->model && call->layout == WIRE_LAYOUT_INDENTED) {
		http_reply_field(exchange, "openai-model", call->model);
		http_reply_field(exchange, "access-control-allow-origin", "*");
		http_reply_field(exchange, "via", "envoy-router");
		http_reply_fieldf(
		    exchange, "x-envoy-upstream-service-time", "%" PRId64, spent_us / 1000);
	}
	add_quota_fields(call);
}

/* ---- Compression ----------------------------------------------------- */

static bool takes_gzip(const struct call *call)
{
	const struct http_slice *field =
	    http_request_field(http_exchange_request(call->exchange), "accept-encoding");

	return call->emulator->options->gzip && field &&
	       memmem(field->bytes, field->len, "gzip", 4) != NULL;
}

/* Replaces the body; leaves it alone when memory is out. */
static bool compress_body(struct buffer *body)
{
	z_stream stream = {.next_in = (Bytef *)body->bytes, .avail_in = (uInt)body->len};
	struct buffer out;
	size_t bound;
	bool is_done;

	if (body->len == 0 || body->len > UINT32_MAX ||
	    deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) !=
		Z_OK)
		return false;
	buffer_init(&out, EMULATOR_ANSWER_MAX);
	bound = deflateBound(&stream, body->len);
	stream.next_out = (Bytef *)buffer_reserve(&out, bound);
	stream.avail_out = stream.next_out ? (uInt)bound : 0;
	is_done = stream.next_out && deflate(&stream, Z_FINISH) == Z_STREAM_END;
	out.len = stream.total_out;
	deflateEnd(&stream);
	if (!is_done) {
		buffer_fini(&out);
		return false;
	}
	buffer_fini(body);
	*body = out;
	return true;
}

static void maybe_compress(struct call *call)
{
	bool must = call->order.fault == FAULT_cut_gzip;

	if (call->status != 200 || !(takes_gzip(call) || must) ||
	    !compress_body(&call->delivery.body))
		return;
	http_reply_field(call->exchange, "content-encoding", "gzip");
	if (must)
		call->delivery.body.len -= call->delivery.body.len / 3;
}

/* ---- Sending --------------------------------------------------------- */

static void count_as_lost(struct call *call)
{
	struct emulator *emulator = call->emulator;

	if (call->billed_texts == 0)
		return;
	pthread_mutex_lock(&emulator->lock);
	books_lost(emulator->books, call->billed_texts, call->billed_tokens);
	pthread_mutex_unlock(&emulator->lock);
	call->billed_texts = 0;
}

static void reset_now(struct http_exchange *exchange, void *arg)
{
	(void)arg;
	http_exchange_reset(exchange);
}

static void finish(struct call *call)
{
	if (call->delivery.end != DELIVERY_WHOLE)
		count_as_lost(call);
	switch (call->delivery.end) {
	case DELIVERY_WHOLE:
		http_stream_end(call->exchange);
		break;
	case DELIVERY_CLOSE:
		http_exchange_close(call->exchange);
		break;
	case DELIVERY_RESET:
		http_exchange_after(call->exchange, RESET_PAUSE_US, reset_now, NULL);
		break;
	case DELIVERY_STALL:
		break; /* until the client goes away, or the server stops */
	}
}

static void pump(struct http_exchange *exchange, void *arg)
{
	struct call *call = arg;
	struct delivery *delivery = &call->delivery;

	while (delivery->sent < delivery->limit) {
		size_t len = delivery->limit - delivery->sent;

		if (len > delivery->step)
			len = delivery->step;
		if (!http_stream_write(exchange, delivery->body.bytes + delivery->sent, len)) {
			http_exchange_on_writable(exchange, pump, call);
			return;
		}
		delivery->sent += len;
		if (delivery->pause_ms > 0 && delivery->sent < delivery->limit) {
			http_exchange_after(
			    exchange, (int64_t)delivery->pause_ms * 1000, pump, call);
			return;
		}
	}
	finish(call);
}

static void plan_delivery(struct call *call)
{
	struct delivery *delivery = &call->delivery;
	size_t len = delivery->body.len;

	delivery->limit = len;
	delivery->step = PIECE_BYTES;
	switch (call->order.fault) {
	case FAULT_reset_after_status:
		delivery->limit = len > 0;
		delivery->end = DELIVERY_RESET;
		break;
	case FAULT_reset_mid_body:
		delivery->limit = len / 2;
		delivery->end = DELIVERY_RESET;
		break;
	case FAULT_cut_body:
		delivery->limit = len / 2;
		delivery->end = DELIVERY_CLOSE;
		break;
	case FAULT_stall_mid_body:
		delivery->limit = len / 2;
		delivery->end = DELIVERY_STALL;
		break;
	case FAULT_trickle:
		delivery->step = len / TRICKLE_PIECES + 1;
		delivery->pause_ms = call->order.pause_ms;
		break;
	default:
		break;
	}
}

static void send_answer(struct http_exchange *exchange, void *arg)
{
	struct call *call = arg;
	struct delivery *delivery = &call->delivery;
	bool is_chunked =
	    call->status == 200 && !call->is_whole && call->emulator->options->framing == 0;

	if (http_exchange_is_gone(exchange))
		return;
	if (delivery->body.status != EMBED_OK) {
		http_reply(exchange, 500, NULL, NULL, 0);
		return;
	}
	add_fields(call);
	maybe_compress(call);
	plan_delivery(call);
	if (!is_chunked && delivery->end == DELIVERY_WHOLE && delivery->pause_ms == 0) {
		http_reply_buffer(exchange, call->status, call->content_type, &delivery->body);
		return;
	}
	http_stream_start(exchange, call->status, call->content_type,
	    is_chunked ? HTTP_CHUNKED : (int64_t)delivery->body.len);
	pump(exchange, call);
}

void answer_after(struct call *call, int status, const char *content_type, int64_t delay_us)
{
	call->status = status;
	call->content_type = content_type;
	if (delay_us > 0)
		http_exchange_after(call->exchange, delay_us, send_answer, call);
	else
		send_answer(call->exchange, call);
}

void answer_with(struct call *call, int status, const char *content_type)
{
	answer_after(call, status, content_type, 0);
}

void answer_json(struct call *call, const char *text)
{
	buffer_append_text(&call->delivery.body, text);
	answer_with(call, 200, JSON_TYPE);
}

void answer_refusal(struct call *call, enum wire_refusal_id id)
{
	answer_with(call, wire_refusal_row(id)->http_status, REFUSAL_TYPE);
}

/* ---- Faults instead of an answer ------------------------------------- */

static bool is_rate_refusal(enum refusal refusal)
{
	return refusal == (enum refusal)WIRE_REFUSAL_RATE_TOKENS ||
	       refusal == (enum refusal)WIRE_REFUSAL_RATE_REQUESTS || refusal == REFUSAL_rate_newer;
}

void answer_fault(struct call *call)
{
	enum refusal refusal = call->order.refusal;

	switch (call->order.fault) {
	case FAULT_reset:
		http_exchange_reset(call->exchange);
		return;
	case FAULT_close:
		http_exchange_close(call->exchange);
		return;
	case FAULT_stall:
		return; /* never a byte */
	default:
		break;
	}
	if (is_rate_refusal(refusal) && call->order.retry_after[0] == '\0')
		strcpy(call->order.retry_after, "1");
	if (strcmp(call->order.retry_after, "none") == 0)
		call->order.retry_after[0] = '\0';
	refusal_write(&call->delivery.body, refusal, call->model);
	answer_with(call, refusal_http_status(refusal), refusal_content_type(refusal));
}
