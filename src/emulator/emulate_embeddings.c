/* SPDX-License-Identifier: MIT */
/* POST /v1/embeddings and its other paths: judge, limit, bill, compute, answer. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "emulator/call.h"
#include "wire/header.h"

#define JSON_TYPE "application/json"

/* ---- Limits ---------------------------------------------------------- */

/* With the lock held. */
static struct account *account_of(struct emulator *emulator, const char *key, const char *model)
{
	const struct emulator_options *options = emulator->options;
	const struct quota_limits limits = {
	    options->rpm, options->rpd, options->tpm, options->limit_span_us};
	struct account *account;

	for (size_t i = 0; i < emulator->account_count; i++) {
		account = &emulator->accounts[i];
		if (strcmp(account->key, key) == 0 && strcmp(account->model, model) == 0)
			return account;
	}
	if (emulator->account_count == EMULATOR_ACCOUNTS)
		return &emulator->accounts[EMULATOR_ACCOUNTS - 1];
	account = &emulator->accounts[emulator->account_count++];
	snprintf(account->key, sizeof(account->key), "%s", key);
	snprintf(account->model, sizeof(account->model), "%s", model);
	quota_init(&account->quota, &limits, clock_now_us() + emulator->clock_ahead_us);
	return account;
}

/* With the lock held. */
static enum quota_answer take_quota(struct call *call, uint64_t tokens, struct quota_excess *excess)
{
	struct emulator *emulator = call->emulator;
	int64_t now_us = clock_now_us() + emulator->clock_ahead_us;
	struct quota *quota = &account_of(emulator, call->key, call->model)->quota;
	enum quota_answer answer = quota_take(quota, tokens, now_us, excess);

	call->has_quota[0] = quota_look(&quota->requests, now_us, &call->quota[0]);
	call->has_quota[1] = quota_look(&quota->tokens, now_us, &call->quota[1]);
	return answer;
}

static void write_day_refusal(
    struct call *call, const struct quota_excess *excess, const char *wait)
{
	char message[512];

	snprintf(message, sizeof(message),
	    "Rate limit reached for %s in organization " EMULATOR_ORG
	    " on requests per day (RPD): Limit %" PRIu64 ", Used %" PRIu64 ", Requested %" PRIu64
	    ". Please try again in %s. "
	    "Visit https://platform.openai.com/account/rate-limits to learn more.",
	    call->model, excess->limit, excess->used, excess->requested, wait);
	wire_error_write(&call->delivery.body, message, "requests", NULL, "rate_limit_exceeded");
}

static void refuse_rate(
    struct call *call, enum quota_answer answer, const struct quota_excess *excess)
{
	struct buffer *body = &call->delivery.body;
	char limit[24], used[24], requested[24], wait[WIRE_DURATION_CAP];

	snprintf(limit, sizeof(limit), "%" PRIu64, excess->limit);
	snprintf(used, sizeof(used), "%" PRIu64, excess->used);
	snprintf(requested, sizeof(requested), "%" PRIu64, excess->requested);
	wire_duration_write(wait, (excess->wait_us + 999) / 1000);
	if (answer == QUOTA_TOO_LARGE) {
		wire_refusal_write(body, WIRE_REFUSAL_RATE_TOO_LARGE, call->model, EMULATOR_ORG,
		    limit, requested, NULL);
		answer_refusal(call, WIRE_REFUSAL_RATE_TOO_LARGE);
		return;
	}
	snprintf(call->order.retry_after, sizeof(call->order.retry_after), "%" PRId64,
	    (excess->wait_us + 999999) / 1000000);
	if (answer == QUOTA_REQUESTS_DAY)
		write_day_refusal(call, excess, wait);
	else
		wire_refusal_write(body,
		    answer == QUOTA_TOKENS ? WIRE_REFUSAL_RATE_TOKENS : WIRE_REFUSAL_RATE_REQUESTS,
		    call->model, EMULATOR_ORG, limit, used, requested, wait, NULL);
	answer_refusal(call, WIRE_REFUSAL_RATE_TOKENS);
}

/* ---- Time ------------------------------------------------------------ */

/* When the answer is due; takes a slot until then.  With the lock held. */
static int64_t due_us(struct emulator *emulator, int64_t started_us, uint64_t tokens)
{
	const struct emulator_options *options = emulator->options;
	int64_t takes_us = options->latency_us + options->token_latency_us * (int64_t)tokens / 1000;
	int64_t *slot = emulator->slots;

	if (options->jitter_us > 0)
		takes_us +=
		    (int64_t)random_below(&emulator->random, (uint64_t)options->jitter_us + 1);
	if (!slot)
		return started_us + takes_us;
	for (uint64_t i = 1; i < options->slots; i++)
		if (emulator->slots[i] < *slot)
			slot = &emulator->slots[i];
	*slot = (*slot > started_us ? *slot : started_us) + takes_us;
	return *slot;
}

/* ---- The request ----------------------------------------------------- */

/* The model of an Azure path's deployment; NULL: no such deployment. */
static const struct embed_model *deployment_model(const struct emulator *emulator, const char *name)
{
	const struct option_list *list = &emulator->options->deployment;
	size_t len = strlen(name);

	for (size_t i = 0; i < list->count; i++)
		if (strncmp(list->items[i], name, len) == 0 && list->items[i][len] == '=')
			return work_find_model(&emulator->limits, list->items[i] + len + 1);
	return work_find_model(&emulator->limits, name);
}

/* Refused by the checks: costs a request permit, as every failed request does. */
static void refuse_work(struct call *call, enum wire_refusal_id id, const struct work *work)
{
	struct quota_excess excess;

	if (work->model) {
		call->model = work->model->name;
		pthread_mutex_lock(&call->emulator->lock);
		take_quota(call, 0, &excess);
		books_judged(call->emulator->books, call->key, call->model);
		pthread_mutex_unlock(&call->emulator->lock);
	}
	answer_refusal(call, id);
}

/* What the lock is held for: fault, limit, bill, time. */
struct verdict {
	enum quota_answer quota;
	struct quota_excess excess;
	int64_t due_us;
	bool is_billed;
};

static void decide(struct call *call, const struct work *work, struct verdict *verdict)
{
	struct emulator *emulator = call->emulator;
	const struct wire_request *request = work->request;
	const struct fault_request asked = {
	    FAULT_ON_EMBEDDINGS, call->key, call->model, request->texts, request->count};
	const struct books_bill bill = {call->key, call->model, request->texts, request->count,
	    work->tokens, work->charge, false};

	books_judged(emulator->books, call->key, call->model);
	call->order = fault_set_pick(&emulator->faults, &asked);
	if (call->order.fault != FAULT_none && fault_stage_of(call->order.fault) == FAULT_INSTEAD)
		return;
	verdict->quota = take_quota(call, work->charge, &verdict->excess);
	if (verdict->quota != QUOTA_OK)
		return;
	books_bill(emulator->books, &bill);
	verdict->is_billed = true;
	verdict->due_us = due_us(emulator, http_exchange_started_us(call->exchange), work->tokens);
}

static void compute(struct call *call, const struct work *work, const struct verdict *verdict)
{
	struct worker *worker = http_exchange_worker_user(call->exchange);
	const struct work_style style = {
	    .layout = (enum work_layout)call->emulator->options->layout,
	    .noise_seed = call->emulator->options->noise ? random_next(&worker->random) | 1 : 0,
	    .fault = call->order.fault};

	call->billed_texts = work->request->count;
	call->billed_tokens = work->tokens;
	work_write(work, &style, &call->delivery.body);
	answer_after(call, 200, JSON_TYPE, verdict->due_us - clock_now_us());
}

static void do_work(struct call *call, const struct work *work)
{
	struct verdict verdict = {QUOTA_OK, .is_billed = false};

	call->model = work->model->name;
	call->layout = work_layout_of(work, (enum work_layout)call->emulator->options->layout);
	pthread_mutex_lock(&call->emulator->lock);
	decide(call, work, &verdict);
	pthread_mutex_unlock(&call->emulator->lock);
	if (verdict.is_billed)
		compute(call, work, &verdict);
	else if (verdict.quota != QUOTA_OK)
		refuse_rate(call, verdict.quota, &verdict.excess);
	else
		answer_fault(call);
}

void emulate_embeddings(struct call *call)
{
	struct worker *worker = http_exchange_worker_user(call->exchange);
	const struct http_request *request = http_exchange_request(call->exchange);
	const struct embed_model *model = NULL;
	enum wire_refusal_id refusal;
	struct work work;

	call->is_embeddings = true;
	pthread_mutex_lock(&call->emulator->lock);
	books_begin(call->emulator->books);
	pthread_mutex_unlock(&call->emulator->lock);
	if (call->name[0]) {
		model = deployment_model(call->emulator, call->name);
		if (!model) {
			refusal_write(&call->delivery.body, REFUSAL_azure_404, NULL);
			answer_with(call, 404, JSON_TYPE);
			return;
		}
	}
	refusal = work_read(&work, &worker->request, &call->emulator->limits, model,
	    request->body ? request->body : (char[]){""}, request->body_len, &call->delivery.body);
	if (refusal != WIRE_REFUSAL_NONE) {
		refuse_work(call, refusal, &work);
		return;
	}
	do_work(call, &work);
	work_fini(&work);
}
