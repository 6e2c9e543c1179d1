/* SPDX-License-Identifier: MIT */
/* The fake accounts: they count by their own arithmetic and answer as PROTOCOL.md has it. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "engine/table.h"
#include "wire/fault.h"
#include "world.h"

enum reply {
	REPLY_VECTORS,
	REPLY_RATE,
	REPLY_TOO_LARGE,
	REPLY_SERVER,
	REPLY_OVERLOAD,
	REPLY_SLOW_DOWN,
	REPLY_POISON,
	REPLY_DRY,
	REPLY_STALL,
	REPLY_RESET,
	REPLY_STALE,
	REPLY_NONSENSE,
};

static const char *const reply_names[] = {"vectors", "rate", "too large", "500", "503", "slow down",
    "400", "quota", "stall", "reset", "stale", "nonsense"};

/* ---- Texts ----------------------------------------------------------- */

float fake_number(const struct fake_text *text, uint32_t place)
{
	return 1.0F + (float)text->key.bytes[place] / 256.0F;
}

struct fake_text *fake_text_of(struct world *world, const struct flight *flight)
{
	for (size_t i = 0; i < world->text_count; i++)
		if (memcmp(&world->texts[i].key, flight_digest(flight), sizeof(struct digest)) == 0)
			return &world->texts[i];
	world_fail(world, "a flight has no text", "?");
	return &world->texts[0];
}

struct identity {
	struct fake_text *text;
	size_t user, is_short;
};

static struct identity identity_of(struct world *world, const struct flight *flight)
{
	return (struct identity){fake_text_of(world, flight), flight->kind->user[0] == 'b',
	    flight->kind->dimensions == SHORT};
}

#define FOR_EACH_FLIGHT(flight, attempt)                                                           \
	for (struct flight *flight = (attempt)->batch->texts.first; flight; flight = flight->next)

/* ---- Buckets --------------------------------------------------------- */

static void refill(struct fake_bucket *bucket, int64_t now_us)
{
	bucket->left = fmin(
	    bucket->limit, bucket->left + (double)(now_us - bucket->at_us) / 60e6 * bucket->limit);
	bucket->at_us = now_us;
}

static double cost_of(struct world *world, struct attempt *attempt)
{
	size_t bytes = 0;

	FOR_EACH_FLIGHT(flight, attempt)
	bytes += fake_text_of(world, flight)->len;
	return (double)(bytes / 4);
}

/* ---- Sending --------------------------------------------------------- */

static void check_size(struct world *world, struct attempt *attempt)
{
	const struct embed_upstream *settings = &attempt->upstream->settings;
	const struct fake_upstream *upstream = &world->upstreams[attempt->upstream->index];
	size_t texts = 0, tokens = 0, bytes = 0;

	FOR_EACH_FLIGHT(flight, attempt)
	{
		texts++;
		tokens += fake_text_of(world, flight)->tokens;
		bytes += fake_text_of(world, flight)->len + 3;
	}
	if (texts == 0 || texts > settings->batch_texts || tokens > settings->batch_tokens ||
	    bytes > settings->batch_bytes)
		world_fail(world, "a request is larger than its upstream allows",
		    "%zu texts, %zu tokens, %zu bytes", texts, tokens, bytes);
	if (upstream->under_way > settings->max_in_flight)
		world_fail(
		    world, "more requests at a time than are allowed", "%u", upstream->under_way);
}

static void check_once(struct world *world, struct attempt *attempt)
{
	FOR_EACH_FLIGHT(flight, attempt)
	{
		struct identity id = identity_of(world, flight);

		if (id.text->under_way[id.user][id.is_short]++ > 0)
			world_fail(world, "a text is under way twice", "text %zu",
			    (size_t)(id.text - world->texts));
		if (id.text->is_landed[id.user][id.is_short])
			world_fail(world, "a text that has landed is sent again", "text %zu",
			    (size_t)(id.text - world->texts));
		if (flight->kind != attempt->batch->kind)
			world_fail(world, "a batch mixes kinds", "text %zu",
			    (size_t)(id.text - world->texts));
	}
}

void fake_send(struct world *world, struct attempt *attempt)
{
	struct event *event =
	    world_event(world, EVENT_ARRIVE, world->now_us + (int64_t)world_below(world, 100000));

	event->attempt = attempt;
	world->attempts++;
	if (attempt->record.retry > 0)
		world->retries++;
	else
		world->firsts++;
	world->upstreams[attempt->upstream->index].under_way++;
	world_trace(world, "send %" PRIu64 " to %s: %zu texts, lane %d, retry %u", event->number,
	    attempt->record.upstream, attempt->batch->texts.texts, attempt->batch->lane,
	    attempt->record.retry);
	check_size(world, attempt);
	check_once(world, attempt);
}

static void leave(struct world *world, struct attempt *attempt)
{
	world->upstreams[attempt->upstream->index].under_way--;
	FOR_EACH_FLIGHT(flight, attempt)
	{
		struct identity id = identity_of(world, flight);

		id.text->under_way[id.user][id.is_short]--;
	}
}

/* ---- Arriving -------------------------------------------------------- */

static bool has_poison(struct world *world, struct attempt *attempt)
{
	FOR_EACH_FLIGHT(flight, attempt)
	if (fake_text_of(world, flight)->is_poison)
		return true;
	return false;
}

/* What goes wrong by chance, whatever the request. */
static enum reply accident(struct world *world)
{
	const struct faults *faults = &world->faults;

	if (world_chance(world, faults->stall))
		return REPLY_STALL;
	if (world_chance(world, faults->reset))
		return world_chance(world, 500) ? REPLY_RESET : REPLY_STALE;
	if (world_chance(world, faults->server))
		return world_chance(world, 500) ? REPLY_SERVER : REPLY_OVERLOAD;
	if (world_chance(world, faults->slow_down))
		return REPLY_SLOW_DOWN;
	if (world_chance(world, faults->rate_limit))
		return REPLY_RATE;
	return REPLY_VECTORS;
}

static enum reply charge(struct world *world, struct fake_upstream *upstream, double cost)
{
	struct fake_bucket *requests = &upstream->requests, *permits = &upstream->permits;

	if (permits->limit <= 0)
		return REPLY_VECTORS;
	refill(requests, world->now_us);
	refill(permits, world->now_us);
	if (world->faults.others && world_chance(world, 300))
		permits->left -= permits->left * (double)world_below(world, 500) / 1000;
	if (cost > permits->limit || permits->left < cost || requests->left < 1) {
		upstream->exceeded++;
		world_trace(world, "limit exceeded: %.0f of %.0f, requests %.2f", cost,
		    permits->left, requests->left);
		return cost > permits->limit ? REPLY_TOO_LARGE : REPLY_RATE;
	}
	permits->left -= cost;
	requests->left -= 1;
	return REPLY_VECTORS;
}

static enum reply decide(struct world *world, struct attempt *attempt, enum reply accident_reply)
{
	struct fake_upstream *upstream = &world->upstreams[attempt->upstream->index];
	enum reply reply;

	if (world->now_us >= upstream->dry_from_us && world->now_us < upstream->dry_until_us)
		return REPLY_DRY;
	reply = charge(world, upstream, cost_of(world, attempt));
	if (reply != REPLY_VECTORS)
		return reply;
	if (accident_reply != REPLY_VECTORS)
		return accident_reply;
	if (has_poison(world, attempt))
		return REPLY_POISON;
	return world_chance(world, world->faults.nonsense) ? REPLY_NONSENSE : REPLY_VECTORS;
}

/* An answer that nobody gets may have been billed all the same. */
static bool is_billed(struct world *world, struct attempt *attempt, enum reply reply)
{
	if (reply == REPLY_VECTORS || reply == REPLY_NONSENSE)
		return true;
	return (reply == REPLY_STALL || reply == REPLY_RESET) && !has_poison(world, attempt) &&
	       world_chance(world, 500);
}

static void bill(struct world *world, struct attempt *attempt, bool is_lost)
{
	FOR_EACH_FLIGHT(flight, attempt)
	{
		struct identity id = identity_of(world, flight);

		id.text->billed[id.user][id.is_short]++;
		id.text->lost[id.user][id.is_short] += is_lost;
	}
}

void fake_arrive(struct world *world, struct event *arrival)
{
	struct attempt *attempt = arrival->attempt;
	struct fake_upstream *upstream = &world->upstreams[attempt->upstream->index];
	enum reply reply = decide(world, attempt, accident(world));
	int64_t after_us = upstream->latency_us / 2 +
			   (int64_t)world_below(world, (uint64_t)upstream->latency_us + 1);
	struct event *event;

	if (reply == REPLY_STALL)
		after_us = (int64_t)world->options.first_byte_timeout_ms * 1000;
	event = world_event(world, EVENT_ANSWER, world->now_us + after_us);
	event->attempt = attempt;
	event->reply = reply;
	event->is_billed = is_billed(world, attempt, reply);
	event->left_requests = (int64_t)upstream->requests.left;
	event->left_permits = (int64_t)upstream->permits.left;
	if (event->is_billed)
		bill(world, attempt, reply != REPLY_VECTORS);
}

/* ---- Answering ------------------------------------------------------- */

static void tell_limits(
    const struct fake_upstream *upstream, const struct event *event, struct wire_headers *headers)
{
	if (!upstream->tells_limits || upstream->permits.limit <= 0)
		return;
	headers->requests.limit = (int64_t)upstream->requests.limit;
	headers->requests.remaining = event->left_requests;
	headers->tokens.limit = (int64_t)upstream->permits.limit;
	headers->tokens.remaining = event->left_permits;
}

/* A body of PROTOCOL.md 3, and its status. */
static int write_body(
    struct world *world, struct attempt *attempt, enum reply reply, char *body, size_t cap)
{
	size_t place = 0;

	switch (reply) {
	case REPLY_RATE:
		snprintf(body, cap,
		    "{\"error\":{\"message\":\"Rate limit reached for m in organization org-X on "
		    "tokens per min (TPM). Please try again in %" PRIu64
		    "ms.\",\"type\":\"tokens\","
		    "\"param\":null,\"code\":\"rate_limit_exceeded\"}}",
		    1 + world_below(world, 3000));
		return 429;
	case REPLY_TOO_LARGE:
		snprintf(body, cap,
		    "{\"error\":{\"message\":\"Request too large for m in organization org-X on "
		    "tokens per min (TPM): Limit %.0f, Requested 1.\",\"type\":\"tokens\","
		    "\"param\":null,\"code\":\"rate_limit_exceeded\"}}",
		    world->upstreams[attempt->upstream->index].permits.limit);
		return 429;
	case REPLY_DRY:
		snprintf(body, cap,
		    "{\"error\":{\"message\":\"You exceeded your current quota, please check your "
		    "plan and billing details.\",\"type\":\"insufficient_quota\",\"param\":null,"
		    "\"code\":\"insufficient_quota\"}}");
		return 429;
	case REPLY_SLOW_DOWN:
		snprintf(body, cap,
		    "{\"error\":{\"message\":\"Slow Down\",\"type\":null,\"param\":null,"
		    "\"code\":\"slow_down\"}}");
		return 503;
	case REPLY_POISON:
		FOR_EACH_FLIGHT(flight, attempt)
		{
			if (fake_text_of(world, flight)->is_poison)
				break;
			place++;
		}
		if (world->upstreams[attempt->upstream->index].names_input)
			snprintf(body, cap,
			    "{\"error\":{\"message\":\"Invalid 'input[%zu]': input cannot be an "
			    "empty string\",\"type\":\"invalid_request_error\",\"param\":null,"
			    "\"code\":null}}",
			    place);
		else
			snprintf(body, cap,
			    "{\"error\":{\"message\":\"'$.input' is invalid. Please check the API "
			    "reference: https://platform.openai.com/docs/api-reference.\","
			    "\"type\":\"invalid_request_error\",\"param\":null,\"code\":null}}");
		return 400;
	default:
		snprintf(body, cap,
		    "{\"error\":{\"message\":\"The server had an error while processing your "
		    "request\",\"type\":\"server_error\",\"param\":null,\"code\":null}}");
		return reply == REPLY_OVERLOAD ? 503 : 500;
	}
}

static void set_fault(struct wire_fault *fault, enum embed_status status, const char *what)
{
	*fault = (struct wire_fault){.verdict = WIRE_RETRY, .wait_ms = -1, .limit = -1};
	error_set(&fault->error, status, "%s", what);
}

static void judge_refusal(struct world *world, struct attempt *attempt, enum reply reply,
    const struct wire_headers *headers, struct wire_fault *fault)
{
	char body[1024];
	struct wire_answer answer = {
	    .http_status = write_body(world, attempt, reply, body, sizeof(body)),
	    .headers = headers,
	    .body = body,
	    .input_count = attempt->batch->texts.texts,
	};

	answer.body_len = strlen(body);
	wire_fault_read(fault, &answer);
}

static void put_vectors(struct world *world, struct attempt *attempt, struct core_answer *answer,
    struct wire_fault *fault)
{
	uint32_t dimensions = attempt->dimensions ? attempt->dimensions : DIMENSIONS;
	size_t place = 0;

	*fault = (struct wire_fault){.verdict = WIRE_DONE, .wait_ms = -1, .limit = -1};
	error_clear(&fault->error);
	fault->error.http_status = 200;
	answer->has_usage = true;
	FOR_EACH_FLIGHT(flight, attempt)
	{
		struct fake_text *text = fake_text_of(world, flight);
		float vector[DIMENSIONS];

		for (uint32_t i = 0; i < dimensions; i++)
			vector[i] = fake_number(text, i);
		answer->prompt_tokens += text->tokens + 1;
		if (attempt_vector(attempt, place++, vector, dimensions))
			continue;
		fault->verdict = WIRE_STOP_ALL;
		error_set(&fault->error, EMBED_NO_MEMORY, "no memory for the vectors");
		return;
	}
}

static void note_landed(struct world *world, struct attempt *attempt, bool is_good)
{
	FOR_EACH_FLIGHT(flight, attempt)
	{
		struct identity id = identity_of(world, flight);

		if (is_good)
			id.text->is_landed[id.user][id.is_short] = true;
		else
			id.text->lost[id.user][id.is_short]++;
	}
}

void fake_answer(struct world *world, struct event *event)
{
	struct attempt *attempt = event->attempt;
	enum reply reply = (enum reply)event->reply;
	struct wire_headers headers;
	struct wire_fault fault;
	struct core_answer answer = {.fault = &fault, .headers = &headers};

	wire_headers_init(&headers);
	tell_limits(&world->upstreams[attempt->upstream->index], event, &headers);
	answer.is_timeout = reply == REPLY_STALL;
	answer.is_stale = reply == REPLY_STALE;
	if (reply == REPLY_STALL || reply == REPLY_RESET || reply == REPLY_STALE) {
		set_fault(&fault, EMBED_UPSTREAM, reply_names[reply]);
		answer.headers = NULL;
	} else if (reply == REPLY_NONSENSE) {
		set_fault(&fault, EMBED_BAD_REPLY, "nonsense");
	} else if (reply == REPLY_VECTORS) {
		put_vectors(world, attempt, &answer, &fault);
		note_landed(world, attempt, fault.verdict == WIRE_DONE);
	} else {
		judge_refusal(world, attempt, reply, &headers, &fault);
	}
	world_trace(world, "answer from %s: %s (%s)%s", attempt->record.upstream,
	    reply_names[reply], wire_verdict_name(fault.verdict),
	    event->is_billed ? ", billed" : "");
	leave(world, attempt);
	core_answer(world->core, attempt, &answer, world->now_us);
}

void fake_abort(struct world *world, struct attempt *attempt)
{
	struct wire_fault fault;
	struct core_answer answer = {.fault = &fault};

	set_fault(&fault, EMBED_CLOSED, "killed");
	fault.verdict = WIRE_STOP_ALL;
	/* What was billed already is lost; what had not arrived yet never will. */
	for (size_t i = 0; i < world->events.count; i++) {
		struct event *event = HEAP_ITEM(world->events.nodes[i], struct event, node);

		if (event->kind == EVENT_ANSWER && event->attempt == attempt && event->is_billed &&
		    event->reply == REPLY_VECTORS)
			note_landed(world, attempt, false);
	}
	leave(world, attempt);
	core_answer(world->core, attempt, &answer, world->now_us);
}
