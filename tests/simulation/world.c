/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A run that takes longer than this has got stuck. */
#define LONGEST_US (INT64_C(6) * 3600 * 1000000)

void world_fail(struct world *world, const char *failure, const char *format, ...)
{
	va_list list;

	if (world->failure)
		return;
	world->failure = failure;
	va_start(list, format);
	vsnprintf(world->detail, sizeof(world->detail), format, list);
	va_end(list);
	world_trace(world, "FAILED %s: %s", failure, world->detail);
}

void world_trace(const struct world *world, const char *format, ...)
{
	va_list list;

	if (!world->has_trace)
		return;
	printf("%10.6f ", (double)(world->now_us - world->started_us) / 1e6);
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	putchar('\n');
}

bool world_chance(struct world *world, uint32_t in_1000)
{
	return random_below(&world->random, 1000) < in_1000;
}

uint64_t world_below(struct world *world, uint64_t bound)
{
	return random_below(&world->random, bound);
}

struct event *world_event(struct world *world, enum event_kind kind, int64_t at_us)
{
	uint32_t fails = memory_work_again();
	struct event *event = calloc(1, sizeof(*event));

	if (!event || !heap_add(&world->events, &event->node, at_us))
		abort();
	memory_fail_on(fails);
	event->kind = kind;
	event->number = ++world->event_count;
	return event;
}

/* ---- Making it up ---------------------------------------------------- */

static void make_faults(struct world *world)
{
	struct faults *faults = &world->faults;

	world->is_calm = world_chance(world, 400);
	if (world->is_calm)
		return;
	if (world_chance(world, 300))
		faults->rate_limit = 1 + (uint32_t)world_below(world, 200);
	if (world_chance(world, 400))
		faults->server = 1 + (uint32_t)world_below(world, 300);
	if (world_chance(world, 300))
		faults->stall = 1 + (uint32_t)world_below(world, 100);
	if (world_chance(world, 300))
		faults->reset = 1 + (uint32_t)world_below(world, 200);
	if (world_chance(world, 300))
		faults->nonsense = 1 + (uint32_t)world_below(world, 100);
	if (world_chance(world, 300))
		faults->store = 1 + (uint32_t)world_below(world, 300);
	if (world_chance(world, 200))
		faults->memory = 1 + (uint32_t)world_below(world, 60);
	if (world_chance(world, 100))
		faults->slow_down = 1 + (uint32_t)world_below(world, 50);
	faults->others = world_chance(world, 200);
	faults->quota = world_chance(world, 100);
	faults->crash = world_chance(world, 200);
}

static void make_upstream(struct world *world, size_t index)
{
	struct fake_upstream *upstream = &world->upstreams[index];
	struct embed_upstream *settings = &upstream->settings;

	snprintf(upstream->name, sizeof(upstream->name), "account%zu", index);
	*settings = (struct embed_upstream){.name = upstream->name,
	    .base_url = "http://nowhere",
	    .share = 1 + (uint32_t)world_below(world, 3),
	    .batch_texts = world_chance(world, 500) ? 2048 : 1 + (uint32_t)world_below(world, 20),
	    .batch_tokens = world_chance(world, 500) ? 295000 : 8192,
	    .batch_bytes = world_chance(world, 500) ? 8 << 20 : 12000,
	    .text_tokens = 8192,
	    .max_in_flight = 1 + (uint32_t)world_below(world, 16)};
	upstream->latency_us = 1000 + (int64_t)world_below(world, 1500000);
	upstream->names_input = world_chance(world, 500);
	upstream->tells_limits = world_chance(world, 700);
	if (world_chance(world, 700)) {
		/* The smallest account there is, up to a larger one. */
		upstream->permits.limit = 40000 * (double)(1 + world_below(world, 5));
		upstream->requests.limit = 100 * (double)(1 + world_below(world, 10));
	}
	/* What is not told must be set, or nobody could know; what is set may be smaller still. */
	if (upstream->permits.limit > 0 && (!upstream->tells_limits || world_chance(world, 500))) {
		upstream->permits.limit = 1200 + (double)world_below(world, 60000);
		upstream->requests.limit = 10 + (double)world_below(world, 300);
		settings->tokens_per_minute = (uint32_t)upstream->permits.limit;
		settings->requests_per_minute = (uint32_t)upstream->requests.limit;
	}
	upstream->permits.left = upstream->permits.limit;
	upstream->requests.left = upstream->requests.limit;
	upstream->permits.at_us = upstream->requests.at_us = world->now_us;
	if (world->faults.quota && world_chance(world, 600)) {
		upstream->dry_from_us = world->now_us + (int64_t)world_below(world, 10000000);
		upstream->dry_until_us =
		    upstream->dry_from_us + (int64_t)world_below(world, 120000000);
	}
	world->settings[index] = *settings;
}

static void make_text(struct world *world, size_t index)
{
	struct fake_text *text = &world->texts[index];
	size_t most = world_chance(world, world->has_long ? 900 : 100) ? sizeof(text->bytes) : 200;

	text->len = 1 + world_below(world, most);
	for (size_t i = 0; i < text->len; i++)
		text->bytes[i] = (char)('a' + world_below(world, 26));
	text->tokens = 1 + (uint32_t)(text->len / 4);
	for (size_t i = 0; i < DIGEST_BYTES; i++)
		text->key.bytes[i] = (uint8_t)world_below(world, 256);
	text->is_poison = world_chance(world, 10);
}

static void make_job(struct world *world, size_t index)
{
	struct fake_job *job = &world->jobs[index];
	int64_t at_us = world->now_us + (int64_t)world_below(world, 30000000);
	struct event *event;

	/* Often many at the same moment. */
	if (world_chance(world, 500))
		at_us = world->now_us + 1000000 * (int64_t)world_below(world, 4);
	job->world = world;
	job->number = index;
	job->count = world_chance(world, 500) ? 1 : 1 + world_below(world, 32);
	for (size_t i = 0; i < job->count; i++)
		job->texts[i] = world_below(world, world->text_count);
	job->lane = world_chance(world, 400) ? EMBED_LANE_INTERACTIVE : EMBED_LANE_BULK;
	job->user = world_chance(world, 100);
	job->is_short = world_chance(world, 200);
	if (world_chance(world, 100))
		job->deadline_us = at_us + 1 + (int64_t)world_below(world, 20000000);
	world_event(world, EVENT_LOOK, at_us)->job = job;
	if (!world_chance(world, 100))
		return;
	event = world_event(world, EVENT_CANCEL, at_us + (int64_t)world_below(world, 5000000));
	event->job = job;
}

static void make_core(struct world *world)
{
	const struct engine_hooks hooks = {fake_record, world, fake_find};

	memory_work_again();
	if (core_create(&world->core, &world->options, &hooks, 0, world->now_us) != EMBED_OK)
		abort();
	world->lives++;
}

void world_make(struct world *world, uint64_t seed)
{
	bool has_trace = world->has_trace;

	*world = (struct world){.seed = seed, .has_trace = has_trace, .random = {seed}};
	random_next(&world->random);
	world->started_us = world->now_us = 1000000 + (int64_t)world_below(world, 1000000000);
	make_faults(world);
	world->upstream_count = 1 + world_below(world, UPSTREAMS_MAX);
	for (size_t i = 0; i < world->upstream_count; i++)
		make_upstream(world, i);
	world->has_long = world_chance(world, 400);
	world->text_count = 1 + world_below(world, TEXTS_MAX);
	for (size_t i = 0; i < world->text_count; i++)
		make_text(world, i);
	world->job_count = 1 + world_below(world, JOBS_MAX);
	for (size_t i = 0; i < world->job_count; i++)
		make_job(world, i);
	if (world->faults.crash)
		world_event(
		    world, EVENT_CRASH, world->now_us + (int64_t)world_below(world, 20000000));
	world->options = (struct engine_options){.upstreams = world->settings,
	    .upstream_count = world->upstream_count,
	    .max_attempts = 1 + (uint32_t)world_below(world, 10),
	    .retry_deadline_ms = 1000 + (uint32_t)world_below(world, 120000),
	    .retry_budget_percent = 20,
	    .connect_timeout_ms = 1000,
	    .first_byte_timeout_ms = 5000,
	    .idle_timeout_ms = 1000,
	    .vector_bytes = world_chance(world, 500) ? 0 : 4096,
	    .seed = seed};
	make_core(world);
}

/* ---- Running it ------------------------------------------------------ */

/* What was in memory is gone; the disk stays.  Callers come back with what they have no answer for. */
static void crash(struct world *world)
{
	struct attempt *attempt;

	world_trace(world, "crash");
	for (size_t i = 0; i < world->job_count; i++)
		world->jobs[i].is_crashed = world->jobs[i].has_begun && !world->jobs[i].is_done;
	core_close(world->core, world->now_us);
	while ((attempt = core_under_way(world->core)))
		fake_abort(world, attempt);
	for (size_t i = 0; i < world->events.count;) {
		struct event *event = HEAP_ITEM(world->events.nodes[i], struct event, node);

		if (event->kind == EVENT_LOOK || event->kind == EVENT_CANCEL) {
			i++;
			continue;
		}
		heap_remove(&world->events, &event->node);
		if (event->kind == EVENT_RECORDED)
			fake_recorded(world, event, true);
		free(event);
		i = 0;
	}
	if (!core_is_empty(world->core))
		world_fail(world, "something is left after closing", "crash");
	core_destroy(world->core);
	make_core(world);
	for (size_t i = 0; i < world->job_count; i++)
		if (world->jobs[i].is_crashed)
			world_event(world, EVENT_LOOK, world->now_us + 1000)->job = &world->jobs[i];
}

static void handle(struct world *world, struct event *event)
{
	switch (event->kind) {
	case EVENT_LOOK:
		fake_look(world, event->job);
		break;
	case EVENT_SUBMIT:
		fake_submit(world, event->job);
		break;
	case EVENT_CANCEL:
		fake_cancel(world, event->job);
		break;
	case EVENT_ARRIVE:
		fake_arrive(world, event);
		break;
	case EVENT_ANSWER:
		fake_answer(world, event);
		break;
	case EVENT_RECORDED:
		fake_recorded(world, event, false);
		break;
	case EVENT_CRASH:
		crash(world);
		break;
	}
}

/* As the loop does it: all that happens at one time, then one decision. */
static void turn(struct world *world)
{
	struct attempt *attempt;
	struct heap_node *node;

	while ((node = heap_first(&world->events)) && node->key <= world->now_us) {
		struct event *event = HEAP_ITEM(node, struct event, node);

		heap_remove(&world->events, node);
		memory_fail_from_here(world->seed ^ event->number, world->faults.memory);
		handle(world, event);
		memory_work_again();
		free(event);
	}
	memory_fail_from_here(world->seed ^ (uint64_t)world->now_us, world->faults.memory);
	core_tick(world->core, world->now_us);
	while ((attempt = core_send(world->core, world->now_us))) {
		memory_work_again();
		fake_send(world, attempt);
		memory_fail_from_here(world->seed ^ world->attempts, world->faults.memory);
	}
	memory_work_again();
}

static void check_upstreams(struct world *world)
{
	/* Somebody else's use cannot be foreseen; a new process does not know of the last one's. */
	if (world->faults.others || world->faults.crash)
		return;
	for (size_t i = 0; i < world->upstream_count; i++)
		if (world->upstreams[i].exceeded > 0)
			world_fail(world, "an account's limit was exceeded", "account%zu, %u times",
			    i, world->upstreams[i].exceeded);
}

static void check_bills(struct world *world)
{
	for (size_t i = 0; i < world->text_count; i++)
		for (size_t user = 0; user < USERS; user++)
			for (size_t is_short = 0; is_short < 2; is_short++)
				if (world->texts[i].billed[user][is_short] >
				    1 + world->texts[i].lost[user][is_short])
					world_fail(world, "a text was billed twice", "text %zu: %u",
					    i, world->texts[i].billed[user][is_short]);
}

static void check_end(struct world *world)
{
	check_upstreams(world);
	check_bills(world);
	if (!core_is_empty(world->core))
		world_fail(world, "something is left in the core", "at the end");
	for (size_t i = 0; i < world->job_count; i++)
		if (!world->jobs[i].is_done)
			world_fail(world, "a job never ended", "job %zu", i);
	/* First attempts earn a fifth of a retry, each second one, and ten are there at first. */
	if ((double)world->retries > 11.0 * (double)world->lives + 0.2 * (double)world->firsts +
					 (double)(world->now_us - world->started_us) / 1e6)
		world_fail(world, "more retries than the budget allows", "%" PRIu64 " of %" PRIu64,
		    world->retries, world->attempts);
}

static bool advance(struct world *world)
{
	struct heap_node *node = heap_first(&world->events);
	int64_t next_us = core_wake_us(world->core);

	if (node && node->key < next_us)
		next_us = node->key;
	if (next_us == INT64_MAX)
		return false;
	if (next_us > world->now_us)
		world->now_us = next_us;
	return true;
}

/* Without a failure nothing is left; with one, what is left is not worth tidying. */
static void tidy(struct world *world)
{
	struct heap_node *node;

	while ((node = heap_first(&world->events))) {
		heap_remove(&world->events, node);
		free(HEAP_ITEM(node, struct event, node));
	}
	heap_fini(&world->events);
	if (!world->failure)
		core_destroy(world->core);
}

bool world_run(struct world *world)
{
	uint64_t turns = 0;

	do {
		turn(world);
		if (world->now_us - world->started_us > LONGEST_US || ++turns > 2000000)
			world_fail(world, "it does not end", "%" PRIu64 " turns", turns);
	} while (!world->failure && advance(world));
	if (!world->failure)
		check_end(world);
	tidy(world);
	return !world->failure;
}
