/* SPDX-License-Identifier: MIT */
#include "emulator/emulator.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "emulator/call.h"
#include "emulator/depot.h"

#define PENDING_MAX ((size_t)32 << 20)
#define UPLOAD_MAX  ((size_t)600 << 20) /* above the 512 MB that a file may have */

static const struct option_row option_rows[] = {
#define OPTION(...) OPTION_ROW(struct emulator_options, __VA_ARGS__)
#include "emulator/emulator.def"
#undef OPTION
};

const struct option_set emulator_option_set =
    OPTION_SET("emulate", "A local OpenAI", struct emulator_options, option_rows);

int64_t emulator_now_us(struct emulator *emulator)
{
	int64_t ahead_us;

	pthread_mutex_lock(&emulator->lock);
	ahead_us = emulator->clock_ahead_us;
	pthread_mutex_unlock(&emulator->lock);
	return clock_now_us() + ahead_us;
}

int64_t emulator_unix_s(struct emulator *emulator)
{
	return clock_unix_s() + (emulator_now_us(emulator) - clock_now_us()) / 1000000;
}

bool emulator_enter(struct call *call, enum fault_target target)
{
	const struct fault_request asked = {target, call->key, NULL, NULL, 0};
	struct emulator *emulator = call->emulator;
	int64_t now_s = emulator_unix_s(emulator);

	pthread_mutex_lock(&emulator->lock);
	depot_tick(emulator->depot, now_s);
	call->order = fault_set_pick(&emulator->faults, &asked);
	if (call->order.fault == FAULT_none || fault_stage_of(call->order.fault) != FAULT_INSTEAD)
		return true;
	pthread_mutex_unlock(&emulator->lock);
	answer_fault(call);
	return false;
}

void emulator_leave(struct call *call)
{
	pthread_mutex_unlock(&call->emulator->lock);
}

/* ---- Exchanges ------------------------------------------------------- */

static bool is_upload(const struct http_request *request)
{
	return http_slice_equals(request->path, "/v1/files");
}

static void on_head(struct http_exchange *exchange, void *context)
{
	const struct emulator *emulator = context;

	http_exchange_set_body_cap(exchange, is_upload(http_exchange_request(exchange))
						 ? UPLOAD_MAX
						 : emulator->options->max_body_bytes);
}

static void on_request(struct http_exchange *exchange, void *context)
{
	struct call *call = calloc(1, sizeof(*call));

	if (!call) {
		http_reply(exchange, 500, NULL, NULL, 0);
		return;
	}
	call->emulator = context;
	call->exchange = exchange;
	buffer_init(&call->delivery.body, EMULATOR_ANSWER_MAX);
	http_exchange_set_user(exchange, call);
	emulator_dispatch(call);
}

static void count_end(struct call *call)
{
	struct emulator *emulator = call->emulator;
	bool is_lost = http_exchange_is_gone(call->exchange) ||
		       fault_stage_of(call->order.fault) == FAULT_CONTENT;

	pthread_mutex_lock(&emulator->lock);
	books_status(emulator->books, http_exchange_status(call->exchange));
	if (call->is_embeddings)
		books_end(emulator->books);
	if (call->billed_texts > 0 && is_lost)
		books_lost(emulator->books, call->billed_texts, call->billed_tokens);
	else if (call->billed_texts > 0)
		emulator->books->answered++;
	pthread_mutex_unlock(&emulator->lock);
}

static void on_end(struct http_exchange *exchange, void *context)
{
	struct call *call = http_exchange_user(exchange);

	(void)context;
	if (!call)
		return;
	count_end(call);
	buffer_fini(&call->delivery.body);
	free(call);
}

static void on_refusal(
    int status, const char *why, struct buffer *body, const char **content_type, void *context)
{
	(void)context;
	*content_type = "application/json; charset=utf-8";
	wire_error_write(
	    body, why, status < 500 ? "invalid_request_error" : "server_error", NULL, NULL);
}

/* ---- Workers --------------------------------------------------------- */

static bool on_worker_start(unsigned index, void **worker_user, void *context)
{
	const struct emulator *emulator = context;
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return false;
	wire_request_init(&worker->request);
	worker->random.state = emulator->options->seed + ((uint64_t)index << 32);
	*worker_user = worker;
	return true;
}

static void on_worker_stop(void *worker_user, void *context)
{
	struct worker *worker = worker_user;

	(void)context;
	wire_request_fini(&worker->request);
	free(worker);
}

/* ---- Opening --------------------------------------------------------- */

static enum embed_status add_faults(struct emulator *emulator, struct embed_error *error)
{
	const struct option_list *list = &emulator->options->fault;
	enum embed_status status = EMBED_OK;

	fault_set_init(&emulator->faults, emulator->options->seed);
	for (size_t i = 0; i < list->count && status == EMBED_OK; i++)
		status =
		    fault_set_add(&emulator->faults, list->items[i], strlen(list->items[i]), error);
	if (status == EMBED_OK)
		return EMBED_OK;
	if (error)
		error->status = EMBED_BAD_OPTION; /* the sentence is good as it is */
	return EMBED_BAD_OPTION;
}

static enum embed_status check_options(
    const struct emulator_options *options, struct embed_error *error)
{
	if (options->slots > EMULATOR_SLOTS_MAX)
		return error_set(
		    error, EMBED_BAD_OPTION, "--slots: at most %d", EMULATOR_SLOTS_MAX);
	if (options->workers < 1 || options->workers > 64)
		return error_set(error, EMBED_BAD_OPTION, "--workers: 1 to 64");
	if (options->max_texts < 1 || options->max_text_tokens < 1 ||
	    options->max_request_tokens < 1)
		return error_set(error, EMBED_BAD_OPTION,
		    "--max-texts, --max-text-tokens and --max-request-tokens: 1 or more");
	for (size_t i = 0; i < options->model_limit.count; i++)
		if (!embed_model_find(options->model_limit.items[i]))
			return error_set(error, EMBED_BAD_OPTION,
			    "--model-limit: OpenAI has no model \"%s\"",
			    options->model_limit.items[i]);
	return EMBED_OK;
}

static void on_bill(const struct books_bill *bill, void *context)
{
	struct emulator *emulator = context;

	books_bill(emulator->books, bill); /* the depot is only entered with the lock held */
}

static struct depot *open_depot(struct emulator *emulator)
{
	const struct emulator_options *options = emulator->options;
	const struct depot_settings settings = {
	    .pace = {options->batch_validating_us, options->batch_request_us,
		options->batch_finalizing_us},
	    .limits = &emulator->limits,
	    .faults = &emulator->faults,
	    .seed = options->seed,
	    .on_bill = on_bill,
	    .context = emulator};

	return depot_create(&settings);
}

static enum embed_status fill(struct emulator *emulator, struct embed_error *error)
{
	const struct emulator_options *options = emulator->options;

	emulator->limits = (struct work_limits){options->max_texts, options->max_text_tokens,
	    options->max_request_tokens, options->model_limit.items, options->model_limit.count};
	emulator->random.state = options->seed;
	emulator->books = books_create();
	emulator->accounts = calloc(EMULATOR_ACCOUNTS, sizeof(*emulator->accounts));
	emulator->depot = open_depot(emulator);
	if (options->slots > 0)
		emulator->slots = calloc(options->slots, sizeof(*emulator->slots));
	if (!emulator->books || !emulator->accounts || !emulator->depot ||
	    (options->slots > 0 && !emulator->slots))
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	return add_faults(emulator, error);
}

static enum embed_status listen_and_serve(struct emulator *emulator, struct embed_error *error)
{
	const struct emulator_options *options = emulator->options;
	const struct http_options http = {.listen = &options->listen,
	    .listen_count = 1,
	    .workers = (unsigned)options->workers,
	    .max_head_bytes = (size_t)64 << 10,
	    .max_body_bytes = options->max_body_bytes,
	    /* A whole answer: computing the next one must not starve this one's sending. */
	    .max_pending_bytes = PENDING_MAX,
	    .idle_timeout_ms = (uint32_t)(options->idle_timeout_us / 1000),
	    .server_name = "embed-emulator",
	    .on_head = on_head,
	    .on_request = on_request,
	    .on_end = on_end,
	    .on_worker_start = on_worker_start,
	    .on_worker_stop = on_worker_stop,
	    .on_refusal = on_refusal,
	    .context = emulator};

	return http_server_start(&emulator->server, &http, error);
}

enum embed_status emulator_open(
    struct emulator **out, const struct emulator_options *options, struct embed_error *error)
{
	struct emulator *emulator;
	enum embed_status status = check_options(options, error);

	if (status != EMBED_OK)
		return status;
	emulator = calloc(1, sizeof(*emulator));
	if (!emulator)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	emulator->options = options;
	pthread_mutex_init(&emulator->lock, NULL);
	status = fill(emulator, error);
	if (status == EMBED_OK)
		status = listen_and_serve(emulator, error);
	if (status != EMBED_OK) {
		emulator_close(emulator);
		return status;
	}
	*out = emulator;
	return EMBED_OK;
}

void emulator_close(struct emulator *emulator)
{
	if (!emulator)
		return;
	http_server_stop(emulator->server);
	books_destroy(emulator->books);
	depot_destroy(emulator->depot);
	free(emulator->accounts);
	free(emulator->slots);
	pthread_mutex_destroy(&emulator->lock);
	free(emulator);
}

const char *emulator_address(const struct emulator *emulator)
{
	return http_server_address(emulator->server, 0);
}

void emulator_list_faults(struct buffer *out)
{
	for (int i = FAULT_none + 1; i < FAULT_refusal; i++) {
		const struct fault_order order = {.fault = (enum fault)i};

		buffer_printf(out, "%-22s %s\n", fault_name(&order), fault_meaning((enum fault)i));
	}
	for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++) {
		const char *name = refusal_name((enum refusal)i);

		for (; *name; name++)
			buffer_append_char(
			    out, (char)(*name >= 'A' && *name <= 'Z' ? *name + 32 : *name));
		buffer_printf(out, "%*s an error answer with status %d\n",
		    (int)(strlen(refusal_name((enum refusal)i)) < 22
			      ? 22 - strlen(refusal_name((enum refusal)i))
			      : 0),
		    "", refusal_http_status((enum refusal)i));
	}
}
