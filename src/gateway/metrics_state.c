/* SPDX-License-Identifier: MIT */
#include "gateway/metrics.h"

#include <string.h>

#include "base/clock.h"
#include "gateway/process.h"

/* ---- Lanes ---------------------------------------------------------------- */

static void write_lanes(struct exposition *to, embed_service *service)
{
	static const char *const names[] = {"interactive", "bulk"};
	struct embed_lane_state lanes[2];

	for (int i = 0; i < 2; i++)
		embed_lane_state(service, (enum embed_lane)i, &lanes[i]);
	exposition_begin(
	    to, "embed_lane_queued_texts", EXPOSITION_GAUGE, "texts waiting in a lane");
	for (int i = 0; i < 2; i++)
		exposition_count(to, "", lanes[i].texts, "lane", names[i], NULL);
	exposition_begin(
	    to, "embed_lane_queued_tokens", EXPOSITION_GAUGE, "tokens waiting in a lane");
	for (int i = 0; i < 2; i++)
		exposition_count(to, "", lanes[i].tokens, "lane", names[i], NULL);
	exposition_begin(to, "embed_lane_oldest_seconds", EXPOSITION_GAUGE,
	    "age of the text that has waited longest in a lane");
	for (int i = 0; i < 2; i++)
		exposition_number(
		    to, "", (double)lanes[i].oldest_us * 1e-6, "lane", names[i], NULL);
	exposition_begin(to, "embed_lane_wait_seconds", EXPOSITION_GAUGE,
	    "time that a text would wait in a lane which came now");
	for (int i = 0; i < 2; i++)
		exposition_number(to, "", (double)lanes[i].wait_us * 1e-6, "lane", names[i], NULL);
}

/* ---- Upstreams ------------------------------------------------------------ */

/* A family with one sample for each upstream: its name's rest, help, and the value of `state`. */
#define UPSTREAM_TABLE(ROW)                                                                        \
	ROW("attempts", COUNTER, "requests sent to an upstream", state.attempts)                   \
	ROW("failures", COUNTER, "requests that an upstream did not answer with vectors",          \
	    state.failures)                                                                        \
	ROW("rate_limited", COUNTER, "answers of an upstream with status 429", state.rate_limited) \
	ROW("in_flight", GAUGE, "requests under way to an upstream", state.in_flight)              \
	ROW("slots", GAUGE, "requests that may be under way to an upstream", state.slots)          \
	ROW("barred", GAUGE, "1: an upstream is of no use until a person acts", state.is_barred)   \
	ROW("requests_limit", GAUGE, "requests a minute that an account may send; 0: unknown",     \
	    state.requests_per_minute)                                                             \
	ROW("requests_left", GAUGE, "requests that an account may send now", state.requests_left)  \
	ROW("tokens_limit", GAUGE, "tokens a minute that an account may send; 0: unknown",         \
	    state.tokens_per_minute)                                                               \
	ROW("tokens_left", GAUGE, "tokens that an account may send now", state.tokens_left)

/* A limiter may be in debt: what is left is then nothing. */
static uint64_t whole(double value)
{
	return value > 0 ? (uint64_t)value : 0;
}

static void write_breakers(struct exposition *to, embed_service *service)
{
	static const char *const states[] = {"closed", "open", "half-open"};
	struct embed_upstream_state state;

	exposition_begin(to, "embed_upstream_breaker", EXPOSITION_GAUGE,
	    "1 for the state that an upstream's breaker is in");
	for (size_t i = 0; embed_upstream_state(service, i, &state) == EMBED_OK; i++)
		for (size_t j = 0; j < 3; j++)
			exposition_count(to, "", strcmp(state.breaker, states[j]) == 0, "upstream",
			    state.name, "state", states[j], NULL);
}

static void write_upstreams(struct exposition *to, embed_service *service)
{
	struct embed_upstream_state state;

#define ROW(rest, kind, help, value)                                                               \
	exposition_begin(to, "embed_upstream_" rest, EXPOSITION_##kind, help);                     \
	for (size_t i = 0; embed_upstream_state(service, i, &state) == EMBED_OK; i++)              \
		exposition_count(to, "", whole((double)(value)), "upstream", state.name, NULL);
	UPSTREAM_TABLE(ROW)
#undef ROW
	write_breakers(to, service);
}

/* ---- Keys ----------------------------------------------------------------- */

/* Each of the first keys with a budget; `is_budget`: what it may spend, else what it has. */
static void write_key_money(struct exposition *to, struct key_table *keys, bool is_budget)
{
	size_t told = 0;

	for (size_t i = 0; i < keys->count && told < METRICS_KEYS_MAX; i++) {
		const struct key *key = &keys->keys[i];

		if (key->budget_nano == 0)
			continue;
		told++;
		exposition_count(to, "",
		    is_budget ? key->budget_nano
			      : meter_spent(key->meter, key->period, clock_unix_s()),
		    "key", key->name, "period", key_period_name(key->period), NULL);
	}
}

static void write_budgets(struct exposition *to, struct gateway *gateway)
{
	struct key_table *keys;

	pthread_mutex_lock(&gateway->keys_lock);
	keys = key_table_ref(gateway->keys);
	pthread_mutex_unlock(&gateway->keys_lock);
	exposition_begin(to, "embed_key_budget_nano", EXPOSITION_GAUGE,
	    "nano-dollars that a key may spend in its period");
	write_key_money(to, keys, true);
	exposition_begin(to, "embed_key_spent_nano", EXPOSITION_GAUGE,
	    "nano-dollars that a key has spent in its period");
	write_key_money(to, keys, false);
	key_table_unref(keys);
}

/* ---- The process ---------------------------------------------------------- */

static void write_process(struct exposition *to)
{
	struct process process;

	process_read(&process);
	/* Names as all Prometheus clients have them. */
	exposition_begin(
	    to, "process_cpu_seconds", EXPOSITION_COUNTER, "CPU time, user and kernel");
	exposition_number(to, "", process.cpu_s, NULL);
	exposition_begin(
	    to, "process_start_time_seconds", EXPOSITION_GAUGE, "Unix time of the start");
	exposition_number(to, "", process.start_s, NULL);
	const struct {
		const char *name, *help;
		uint64_t value;
	} rows[] = {
	    {"process_resident_memory_bytes", "memory in use", process.resident_bytes},
	    {"process_virtual_memory_bytes", "address space in use", process.virtual_bytes},
	    {"process_threads", "threads", process.threads},
	    {"process_open_fds", "open file descriptors", process.open_fds},
	    {"process_max_fds", "file descriptors that may be open", process.max_fds},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		exposition_begin(to, rows[i].name, EXPOSITION_GAUGE, rows[i].help);
		exposition_count(to, "", rows[i].value, NULL);
	}
}

static void write_alarms(struct exposition *to, struct gateway *gateway)
{
	struct alarm_event raised[METRICS_KEYS_MAX];
	size_t count = alarms_raised(&gateway->alarms, raised, METRICS_KEYS_MAX);

	exposition_begin(to, "embed_alarms", EXPOSITION_GAUGE, "alarms that are raised, by kind");
	for (int kind = 0; kind < ALARM_KIND_COUNT; kind++) {
		uint64_t of_kind = 0;

		for (size_t i = 0; i < count; i++)
			of_kind += raised[i].kind == (enum alarm_kind)kind;
		exposition_count(to, "", of_kind, "alarm", alarm_code((enum alarm_kind)kind), NULL);
	}
}

static void write_outbox(struct exposition *to, struct gateway *gateway)
{
	struct outbox outbox;

	outbox_read(&outbox, gateway->options.tracer, gateway->options.webhook);
	exposition_begin(to, "embed_spans", EXPOSITION_COUNTER, "spans of requests and attempts");
	exposition_count(to, "", outbox.spans, NULL);
	exposition_begin(to, "embed_spans_dropped", EXPOSITION_COUNTER,
	    "spans that no room was left for before they were sent");
	exposition_count(to, "", outbox.spans_dropped, NULL);
	exposition_begin(to, "embed_letters", EXPOSITION_COUNTER,
	    "letters to the collector (spans) and the webhook (alarms), by what became of them");
	for (int i = 0; i < OUTBOX_COUNT; i++) {
		const struct poster_counts *letters = &outbox.letters[i];
		const char *name = outbox_name((enum outbox_to)i);

		exposition_count(to, "", letters->sent, "to", name, "outcome", "sent", NULL);
		exposition_count(to, "", letters->failed, "to", name, "outcome", "failed", NULL);
		exposition_count(to, "", letters->dropped, "to", name, "outcome", "dropped", NULL);
	}
}

void metrics_write_state(struct exposition *to, struct gateway *gateway)
{
	exposition_begin(to, "embed_build", EXPOSITION_GAUGE, "1, with the program's version");
	exposition_count(to, "", 1, "version", embed_version(), NULL);
	write_lanes(to, gateway->service);
	write_upstreams(to, gateway->service);
	write_budgets(to, gateway);
	write_alarms(to, gateway);
	write_outbox(to, gateway);
	write_process(to);
}
