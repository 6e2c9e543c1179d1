/* SPDX-License-Identifier: MIT */
/*
 * A service at load while its upstream and the network misbehave in every way
 * at once.  CHAOS_SECONDS (8) and CHAOS_SEED (1) make it longer or another;
 * tools/chaos sets them.
 *
 * What must hold: each text has its right vector or an honest error; the
 * account's limit is not exceeded; nothing is paid for again that no fault had
 * lost; ledger, counters and bill agree but for what was lost on the way.
 */
#include "../service/fixture.h"

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "expected.h"
#include "proxy.h"

#define CALLERS         32
#define BATCH_TEXTS     8
#define CALL_TEXTS      24
#define NEW_TEXTS       400 /* of the texts asked for at a time, a second */
#define WINDOW_TEXTS    600 /* texts that are asked for at a time */
#define TEXT_TOKENS_MAX 64
#define QUOTA_STORM     12  /* refusals in a row, once in 5 s */
#define WEATHER_MS      100 /* how long a misbehaviour lasts */
#define SILENT_MS                                                                                  \
	2000 /* what a name server takes that never answers: more than the connect timeout */

static const char *const misbehaviours[] = {"reset", "close", "reset_after_status",
    "reset_mid_body", "cut_body", "trickle", "cut_json", "cut_gzip", "empty_body", "html_200",
    "out_of_order", "duplicate_index", "missing_index", "index_too_large", "missing_item", "nan",
    "infinity", "zero_vector", "short_vector", "long_vector", "bad_base64", "floats", "no_usage",
    "extra_keys", "stall", "stall_mid_body", "fault", "overloaded", "html_502"};

struct storm {
	struct stand_in *stand_in;
	struct proxy *proxy;
	char *home;
	embed_service *service;
	int64_t started_us, seconds;
	struct random random; /* the proxy's, under its lock */
	atomic_size_t calls, right, failed;
	atomic_size_t failures[EMBED_STATUS_COUNT];
	uint64_t refusals; /* that the storm ordered */
};

/* ---- Names ------------------------------------------------------------ */

typedef int resolve_fn(
    const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found);

static atomic_uint_fast64_t unresolved;

/* In the place of the C library's, for libcurl: names that nobody knows, and a name server that is silent. */
__attribute__((visibility("default"))) int getaddrinfo(
    const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	void *next = dlsym(RTLD_NEXT, "getaddrinfo");
	resolve_fn *resolve;

	memcpy(&resolve, &next, sizeof(resolve));
	if (node != NULL && strcmp(node, "nowhere.test") == 0) {
		atomic_fetch_add(&unresolved, 1);
		return EAI_NONAME;
	}
	if (node != NULL && strcmp(node, "silent.test") == 0) {
		atomic_fetch_add(&unresolved, 1);
		usleep(SILENT_MS * 1000);
		return EAI_AGAIN;
	}
	return resolve(node, service, hints, found);
}

/* ---- The callers -------------------------------------------------------- */

struct caller {
	struct storm *storm;
	pthread_t thread;
	struct random random;
	char complaint[600]; /* what must never be; "" */
};

/* One exchange in twenty is harmed, somewhere in the first 4 KB. */
static struct proxy_order plan(void *context, uint64_t exchange)
{
	struct storm *storm = context;
	struct proxy_order order = {PROXY_NO_HARM, 0};

	(void)exchange;
	if (random_below(&storm->random, 20) == 0)
		order.harm =
		    (enum proxy_harm)(1 + random_below(&storm->random, PROXY_HARM_COUNT - 1));
	order.at = (size_t)random_below(&storm->random, 4096);
	return order;
}

static bool is_over(const struct storm *storm)
{
	return clock_now_us() - storm->started_us > storm->seconds * 1000000;
}

/* ---- A caller --------------------------------------------------------- */

struct call {
	char bytes[CALL_TEXTS][TEXT_TOKENS_MAX * 4];
	struct embed_text texts[CALL_TEXTS];
	size_t count;
	struct embed_request request;
};

/* The texts of the window, which moves on, so that some are new, some on their way and some stored. */
static void make_call(struct caller *caller, struct call *call)
{
	static const uint32_t dimensions[] = {0, 8, 64};
	/* A text is always asked for with the same: more than are stored would rightly be paid for again. */
	uint64_t kind = random_below(&caller->random, 3);
	int64_t passed_ms = (clock_now_us() - caller->storm->started_us) / 1000;

	call->count = 1 + (size_t)random_below(&caller->random, CALL_TEXTS);
	for (size_t i = 0; i < call->count; i++) {
		uint64_t number = (uint64_t)(passed_ms * NEW_TEXTS / 1000) +
				  random_below(&caller->random, WINDOW_TEXTS);

		number += 3 - number % 3 + kind;
		snprintf(call->bytes[i], sizeof(call->bytes[i]), "%.*sgale %llu \xe6\xb5\xb7",
		    (int)(number % 150),
		    "rain, rain, rain, rain, rain, rain, rain, rain, rain, rain, "
		    "rain, rain, rain, rain, rain, rain, rain, rain, rain, rain, rain, rain, rain, ",
		    (unsigned long long)number);
		call->texts[i] = text_of(call->bytes[i]);
	}
	call->request = (struct embed_request)EMBED_REQUEST_INIT;
	call->request.dimensions = dimensions[kind];
	call->request.lane = (enum embed_lane)random_below(&caller->random, 2);
	if (random_below(&caller->random, 10) == 0)
		call->request.timeout_ms = 1 + (uint32_t)random_below(&caller->random, 1000);
}

static bool is_honest(enum embed_status status)
{
	return status == EMBED_UPSTREAM || status == EMBED_BAD_REPLY ||
	       status == EMBED_RATE_LIMITED || status == EMBED_DEADLINE;
}

static void check(struct caller *caller, const char *text, const struct embed_answer *answer)
{
	if (answer->status == EMBED_OK &&
	    is_near_expected(text, answer->vector, answer->dimensions)) {
		atomic_fetch_add(&caller->storm->right, 1);
		return;
	}
	if (answer->status != EMBED_OK && is_honest(answer->status)) {
		atomic_fetch_add(&caller->storm->failed, 1);
		atomic_fetch_add(&caller->storm->failures[answer->status], 1);
		return;
	}
	snprintf(caller->complaint, sizeof(caller->complaint), "\"%s\": %s", text,
	    answer->status == EMBED_OK ? "a wrong vector" : answer->error->message);
}

static void *run_caller(void *context)
{
	struct caller *caller = context;
	struct storm *storm = caller->storm;
	struct embed_error error = {0};
	embed_result *result;
	struct call call;

	while (!is_over(storm) && caller->complaint[0] == '\0') {
		make_call(caller, &call);
		if (embed_texts(storm->service, call.texts, call.count, &call.request, &result,
			&error) != EMBED_OK) {
			snprintf(caller->complaint, sizeof(caller->complaint), "%s", error.message);
			return NULL;
		}
		for (size_t i = 0; i < call.count; i++)
			check(caller, call.bytes[i], embed_result_answer(result, i));
		embed_result_destroy(result);
		atomic_fetch_add(&storm->calls, 1);
	}
	return NULL;
}

/* ---- The storm -------------------------------------------------------- */

static uint64_t number_of(const char *variable, uint64_t fallback)
{
	const char *value = getenv(variable);

	return value != NULL ? strtoull(value, NULL, 10) : fallback;
}

static void open_storm(struct storm *storm, uint64_t seed)
{
	static const char *const flags[] = {"--rpm", "3000", "--limit-span", "5s", "--latency",
	    "5ms", "--jitter", "20ms", "--idle-timeout", "2s", NULL};
	struct embed_options options = EMBED_OPTIONS_INIT;
	struct embed_error error = {0};
	/* An account behind the proxy, and one whose name nobody knows. */
	struct embed_upstream upstreams[] = {
	    {.name = "storm", .space = "stand-in", .share = 20},
	    {.name = "nowhere", .space = "stand-in", .base_url = "http://nowhere.test/v1"},
	};

	*storm = (struct storm){.stand_in = stand_in_start(flags),
	    .home = home_create(),
	    .random = {seed},
	    .seconds = (int64_t)number_of("CHAOS_SECONDS", 8),
	    .started_us = clock_now_us()};
	storm->proxy = proxy_start(stand_in_base_url(storm->stand_in), plan, storm);
	upstreams[0].base_url = proxy_base_url(storm->proxy);
	options.upstreams = upstreams;
	options.upstream_count = sizeof(upstreams) / sizeof(upstreams[0]);
	options.home = storm->home;
	options.batch_texts = BATCH_TEXTS;
	options.retry_budget_percent = 100;
	options.connect_timeout_ms = options.first_byte_timeout_ms = options.idle_timeout_ms = 500;
	options.log_level = EMBED_LOG_ERROR;
	if (embed_open(&storm->service, &options, &error) != EMBED_OK)
		fail_msg("%s", error.message);
}

/* Upstream's part of the storm: one misbehaviour after the other, and now and then an account refused many times in a row. */
static void brew(struct storm *storm, struct random *random)
{
	const size_t kinds = sizeof(misbehaviours) / sizeof(misbehaviours[0]);
	char rule[64];

	for (unsigned round = 1; !is_over(storm); round++) {
		if (round % 50 == 0) {
			snprintf(rule, sizeof(rule), "rate_tokens@next=%d@retry-after-ms=50",
			    QUOTA_STORM);
			storm->refusals += QUOTA_STORM;
		} else {
			snprintf(rule, sizeof(rule), "%s@20%%",
			    misbehaviours[random_below(random, kinds)]);
		}
		stand_in_calm(storm->stand_in);
		stand_in_fault(storm->stand_in, rule);
		usleep(WEATHER_MS * 1000);
	}
	stand_in_calm(storm->stand_in);
}

static void run_callers(struct storm *storm, uint64_t seed)
{
	static struct caller callers[CALLERS];
	struct random random = {seed};

	for (size_t i = 0; i < CALLERS; i++) {
		callers[i] = (struct caller){.storm = storm, .random = {seed * 1000 + i}};
		assert_int_equal(
		    pthread_create(&callers[i].thread, NULL, run_caller, &callers[i]), 0);
	}
	brew(storm, &random);
	for (size_t i = 0; i < CALLERS; i++) {
		pthread_join(callers[i].thread, NULL);
		if (callers[i].complaint[0] != '\0')
			fail_msg("%s", callers[i].complaint);
	}
}

static void add_usage(const struct embed_usage_row *row, void *context)
{
	*(struct embed_usage_row *)context = *row;
}

/*
 * Requests leave as the limit allows (to the permit: the simulation).  This account enforces its limit over
 * 5 s, which its headers do not tell: after each refusal they still speak of a minute's permits, and so it
 * is met again, rarely.
 */
static void check_limit(const struct storm *storm, uint64_t attempts)
{
	uint64_t limited = stand_in_status(storm->stand_in, 429);

	if (limited > storm->refusals + attempts / 50)
		fail_msg("%llu answers with status 429, and %llu were ordered",
		    (unsigned long long)limited, (unsigned long long)storm->refusals);
}

/* After the service's end: what the stand-in billed against what the service knows. */
static void check_books(struct storm *storm)
{
	struct embed_usage_row known = {0};
	struct embed_stats stats = EMBED_STATS_INIT;
	uint64_t billed, lost_most;

	assert_int_equal(embed_usage(storm->service, NULL, add_usage, &known, NULL), EMBED_OK);
	embed_stats(storm->service, &stats);
	billed = stand_in_count(storm->stand_in, "tokens");
	/* What a broken exchange or an unusable answer can have cost at the most. */
	lost_most = (known.failed_attempts + proxy_struck(storm->proxy)) * BATCH_TEXTS;
	print_message("storm: %llu names not found\n", (unsigned long long)unresolved);
	print_message("storm: %zu calls, %zu texts right, %zu failed honestly; %llu attempts, %llu "
		      "failed, %llu exchanges broken; billed %llu tokens, ledger %llu, %llu texts "
		      "paid again\n",
	    storm->calls, storm->right, storm->failed, (unsigned long long)known.attempts,
	    (unsigned long long)known.failed_attempts,
	    (unsigned long long)proxy_struck(storm->proxy), (unsigned long long)billed,
	    (unsigned long long)known.billed_tokens,
	    (unsigned long long)stand_in_count(storm->stand_in, "repeated_texts"));
	print_message("storm: %llu answers with status 429, at most %llu ordered\n",
	    (unsigned long long)stand_in_status(storm->stand_in, 429),
	    (unsigned long long)storm->refusals);
	assert_int_equal(stats.billed_tokens, known.billed_tokens);
	assert_int_equal(stats.cost_nano, known.cost_nano);
	assert_int_equal(stats.attempts, known.attempts);
	assert_true(known.billed_tokens <= billed);
	assert_true(billed <= known.billed_tokens + lost_most * TEXT_TOKENS_MAX);
	assert_true(stand_in_count(storm->stand_in, "repeated_texts") <= lost_most);
	check_limit(storm, known.attempts);
	assert_true(storm->right > storm->failed * 10);
	assert_true(unresolved > 0);
}

static void close_storm(struct storm *storm)
{
	struct embed_error error = {0};
	uint64_t good, bad;

	if (embed_store_verify(storm->service, false, &good, &bad, &error) != EMBED_OK)
		fail_msg("%s", error.message);
	assert_true(good > 0);
	assert_int_equal(bad, 0);
	embed_close(storm->service);
	proxy_stop(storm->proxy);
	stand_in_stop(storm->stand_in);
	home_destroy(storm->home);
}

static void every_text_is_answered_rightly_or_honestly_and_the_books_agree(void **state)
{
	uint64_t seed = number_of("CHAOS_SEED", 1);
	static struct storm storm;

	(void)state;
	open_storm(&storm, seed);
	run_callers(&storm, seed);
	check_books(&storm);
	close_storm(&storm);
}

/* ---- Accounts that cannot be reached ------------------------------------- */

/* How long the slowest of some calls took, beside an account at `dead_url`. */
static int64_t slowest_call_us(const char *dead_url)
{
	struct embed_options options = EMBED_OPTIONS_INIT;
	struct fixture fixture = {.stand_in = stand_in_start(NULL)};
	const struct embed_upstream upstreams[] = {
	    {.name = "dead", .space = "stand-in", .base_url = dead_url},
	    {.name = "good", .space = "stand-in", .base_url = stand_in_base_url(fixture.stand_in)}};
	struct embed_error error = {0};
	int64_t slowest_us = 0;

	options.upstreams = upstreams;
	options.upstream_count = 2;
	options.connect_timeout_ms = 300;
	if (embed_open(&fixture.service, &options, &error) != EMBED_OK)
		fail_msg("%s", error.message);
	for (int i = 0; i < 10; i++) {
		const char bytes[] = {'w', (char)('a' + i), '\0'};
		const struct embed_text text = text_of(bytes);
		int64_t began_us = clock_now_us(), took_us;
		embed_result *result = embed(&fixture, &text, 1, NULL);
		const struct embed_answer *answer = embed_result_answer(result, 0);

		if (answer->status != EMBED_OK)
			fail_msg("%s", answer->error->message);
		assert_true(is_near_expected(bytes, answer->vector, answer->dimensions));
		embed_result_destroy(result);
		took_us = clock_now_us() - began_us;
		slowest_us = took_us > slowest_us ? took_us : slowest_us;
	}
	embed_close(fixture.service);
	stand_in_stop(fixture.stand_in);
	return slowest_us;
}

static void a_silent_name_server_holds_up_no_other_account(void **state)
{
	uint64_t before = unresolved;

	(void)state;
	assert_true(slowest_call_us("http://silent.test/v1") < SILENT_MS * 1000 * 2 / 3);
	assert_true(unresolved > before);
}

static void an_unknown_name_costs_no_text(void **state)
{
	(void)state;
	assert_true(slowest_call_us("http://nowhere.test/v1") < SILENT_MS * 1000);
}

static void an_account_that_does_not_speak_tls_costs_no_text(void **state)
{
	struct stand_in *plain = stand_in_start(NULL);
	char url[80];

	(void)state;
	snprintf(url, sizeof(url), "https%s", stand_in_base_url(plain) + 4);
	assert_true(slowest_call_us(url) < SILENT_MS * 1000);
	assert_int_equal(stand_in_count(plain, "texts"), 0);
	stand_in_stop(plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_silent_name_server_holds_up_no_other_account),
	    cmocka_unit_test(an_unknown_name_costs_no_text),
	    cmocka_unit_test(an_account_that_does_not_speak_tls_costs_no_text),
	    cmocka_unit_test(every_text_is_answered_rightly_or_honestly_and_the_books_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
