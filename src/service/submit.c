/* SPDX-License-Identifier: MIT */
/* embed_submit and embed_texts: texts checked, looked up, and the rest sent. */
#include "service/job.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "service/input.h"
#include "service/too_long.h"

/* More texts in one call than memory could describe. */
#define SUBMIT_MAX_TEXTS (SIZE_MAX / 4096)

/* Decoded token ids must stay until the engine has copied them. */
struct decoded_list {
	struct buffer *buffers;
	size_t count, cap;
};

struct submission {
	embed_service *service;
	struct embed_job *job;
	const struct scope *scope; /* with the caller's strings */
	struct decoded_list decoded;
	size_t index; /* of the text at hand */
};

/* ---- Decoded ids ----------------------------------------------------- */

/* Keeps the buffer's bytes (ownership moves) if the input points into them. */
static bool keep_decoded(struct decoded_list *list, struct buffer *decoded)
{
	size_t cap = list->cap == 0 ? 16 : list->cap * 2;
	struct buffer *buffers;

	if (decoded->len == 0)
		return true;
	if (list->count == list->cap) {
		buffers = realloc(list->buffers, cap * sizeof(*buffers));
		if (buffers == NULL)
			return false;
		list->buffers = buffers;
		list->cap = cap;
	}
	list->buffers[list->count++] = *decoded;
	buffer_init(decoded, decoded->max_bytes);
	return true;
}

static void free_decoded(struct decoded_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		buffer_fini(&list->buffers[i]);
	free(list->buffers);
}

/* ---- One text -------------------------------------------------------- */

/* Why a text that the store does not have cannot be sent; EMBED_OK if it can. */
static enum embed_status may_send(const struct submission *submission, struct embed_error *error)
{
	const struct settings *settings = submission->service->settings;

	if (submission->service->engine == NULL || submission->scope->request.offline)
		return error_set_at(error, EMBED_NOT_STORED, submission->index, EMBED_NO_INDEX,
		    "text %zu is not in the store, and nothing may be sent (offline)",
		    submission->index);
	if (submission->scope->request.authorization == NULL && !settings_has_credentials(settings))
		return error_set_at(error, EMBED_UNAUTHORIZED, submission->index, EMBED_NO_INDEX,
		    "no API key is configured for %s; set OPENAI_API_KEY, or name another base URL",
		    settings->upstreams[0].name);
	return EMBED_OK;
}

/* Store, else engine: one part whose tokens are known (0: count them when it is a miss). */
static enum embed_status add_part(
    struct submission *submission, const struct embed_text *part, uint32_t tokens)
{
	struct embed_job *job = submission->job;
	struct embed_error error;
	struct digest key;

	if (!input_key(submission->scope, part, &key))
		return EMBED_NO_MEMORY;
	if (job_read_part(job, submission->index, &key))
		return EMBED_OK;
	if (may_send(submission, &error) != EMBED_OK) {
		job_fail_text(job, submission->index, &error);
		return EMBED_OK;
	}
	return job_add_part(job, submission->index, part, &key, tokens);
}

static enum embed_status on_part(
    const struct embed_text *part, uint32_t tokens, size_t index, size_t count, void *context)
{
	struct submission *submission = context;

	if (index == 0 && !job_expect_parts(submission->job, submission->index, (uint32_t)count))
		return EMBED_NO_MEMORY;
	return add_part(submission, part, tokens);
}

static void refuse_too_long(struct submission *submission, const struct embed_text *input)
{
	const struct scope *scope = submission->scope;
	struct embed_error error;
	size_t tokens = input->id_count;

	if (!input_is_ids(input))
		tokens_count(
		    tokens_encoder_of_thread(scope->encoding), input->bytes, input->len, &tokens);
	error_set_at(&error, EMBED_TEXT_TOO_LONG, submission->index, EMBED_NO_INDEX,
	    "text %zu has %zu tokens, and %s reads at most %u; cut it into chunks, or choose "
	    "truncate or average for texts that are too long",
	    submission->index, tokens, scope->request.model, scope->text_tokens);
	job_fail_text(submission->job, submission->index, &error);
}

static enum embed_status add_too_long(
    struct submission *submission, const struct embed_text *input, struct embed_error *error)
{
	struct embed_answer *answer = &submission->job->result->answers[submission->index];
	enum embed_status status;
	struct embed_text beginning;
	uint32_t tokens;

	switch (submission->scope->request.too_long) {
	case EMBED_TOO_LONG_TRUNCATE:
		status = too_long_truncate(submission->scope, input, &beginning, &tokens);
		if (status != EMBED_OK)
			return status;
		answer->truncated = true;
		return add_part(submission, &beginning, tokens);
	case EMBED_TOO_LONG_AVERAGE:
		return too_long_split(submission->scope, input, on_part, submission, error);
	default:
		refuse_too_long(submission, input);
		return EMBED_OK;
	}
}

/* Tokens of the input, or some number above the limit. */
static enum embed_status count(
    const struct scope *scope, const struct embed_text *input, size_t *tokens)
{
	*tokens = input->id_count;
	if (input_is_ids(input))
		return EMBED_OK;
	return tokens_count_up_to(tokens_encoder_of_thread(scope->encoding), input->bytes,
	    input->len, scope->text_tokens, tokens);
}

/* The store is asked before anything is counted: a hit needs no count. */
static enum embed_status add_input(
    struct submission *submission, const struct embed_text *input, struct embed_error *error)
{
	const struct scope *scope = submission->scope;
	enum embed_status status;
	struct embed_error refusal;
	struct digest key;
	size_t tokens;

	if (!input_key(scope, input, &key))
		return EMBED_NO_MEMORY;
	if (job_read_part(submission->job, submission->index, &key))
		return EMBED_OK;
	status = count(scope, input, &tokens);
	if (status != EMBED_OK)
		return status;
	if (tokens > scope->text_tokens)
		return add_too_long(submission, input, error);
	if (may_send(submission, &refusal) != EMBED_OK) {
		job_fail_text(submission->job, submission->index, &refusal);
		return EMBED_OK;
	}
	return job_add_part(submission->job, submission->index, input, &key, (uint32_t)tokens);
}

static enum embed_status add_text(
    struct submission *submission, const struct embed_text *text, struct embed_error *error)
{
	enum embed_status status;
	struct embed_error refusal;
	struct embed_text input;
	struct buffer decoded;

	buffer_init(&decoded, SIZE_MAX / 2);
	status =
	    input_check(submission->scope, text, submission->index, &decoded, &input, &refusal);
	if (status == EMBED_NO_MEMORY)
		goto done;
	if (status != EMBED_OK) {
		job_fail_text(submission->job, submission->index, &refusal);
		status = EMBED_OK;
		goto done;
	}
	status = add_input(submission, &input, error);
	if (status == EMBED_OK && !keep_decoded(&submission->decoded, &decoded))
		status = EMBED_NO_MEMORY;

done:
	buffer_fini(&decoded);
	return status;
}

/* ---- The call -------------------------------------------------------- */

static enum embed_status add_texts(struct submission *submission, const struct embed_text *texts,
    size_t text_count, struct embed_error *error)
{
	enum embed_status status = EMBED_OK;

	for (size_t i = 0; i < text_count && status == EMBED_OK; i++) {
		submission->index = i;
		error_clear(error);
		status = add_text(submission, &texts[i], error);
	}
	if (status != EMBED_OK && error != NULL && error->message[0] == '\0')
		error_set_at(error, status, submission->index, EMBED_NO_INDEX, "text %zu: %s",
		    submission->index, embed_status_meaning(status));
	return status;
}

enum embed_status embed_submit(embed_service *service, const struct embed_text *texts,
    size_t text_count, const struct embed_request *request, embed_done_fn *on_done, void *context,
    embed_job **job, struct embed_error *error)
{
	struct submission submission = {.service = service};
	enum embed_status status;
	struct scope scope;

	status = scope_init(&scope, service->settings, request, error);
	if (status != EMBED_OK)
		return status;
	if (text_count > SUBMIT_MAX_TEXTS)
		return error_set(
		    error, EMBED_TOO_LARGE, "%zu texts in one call are too many", text_count);
	submission.scope = &scope;
	submission.job = job_create(service, &scope, text_count, on_done, context);
	if (submission.job == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	status = add_texts(&submission, texts, text_count, error);
	if (status == EMBED_OK)
		status = job_send(submission.job, &scope.request, job != NULL, error);
	free_decoded(&submission.decoded);
	if (status == EMBED_OK && job != NULL)
		*job = submission.job;
	else
		job_unref(submission.job);
	return status;
}

/* A blocking call waits here; lives on its caller's stack. */
struct waiter {
	pthread_mutex_t lock; /* guards result */
	pthread_cond_t done;
	embed_result *result;
};

static void wake(embed_result *result, void *context)
{
	struct waiter *waiter = context;

	pthread_mutex_lock(&waiter->lock);
	waiter->result = result;
	pthread_cond_signal(&waiter->done);
	pthread_mutex_unlock(&waiter->lock);
}

enum embed_status embed_texts(embed_service *service, const struct embed_text *texts,
    size_t text_count, const struct embed_request *request, embed_result **out,
    struct embed_error *error)
{
	struct waiter waiter = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL};
	enum embed_status status;

	status = embed_submit(service, texts, text_count, request, wake, &waiter, NULL, error);
	if (status != EMBED_OK)
		return status;
	pthread_mutex_lock(&waiter.lock);
	while (waiter.result == NULL)
		pthread_cond_wait(&waiter.done, &waiter.lock);
	pthread_mutex_unlock(&waiter.lock);
	pthread_cond_destroy(&waiter.done);
	pthread_mutex_destroy(&waiter.lock);
	*out = waiter.result;
	return EMBED_OK;
}
