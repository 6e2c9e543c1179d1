/* SPDX-License-Identifier: MIT */
#include "engine/job.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "wire/request.h"

static size_t room_for(const char *text)
{
	return text ? strlen(text) + 1 : 1;
}

/* Copies `text` to *at and moves on; NULL becomes "". */
static const char *place(char **at, const char *text)
{
	char *start = *at;
	size_t len = text ? strlen(text) : 0;

	memcpy(start, text ? text : "", len);
	start[len] = '\0';
	*at = start + len + 1;
	return start;
}

static struct engine_job *allocate(const struct engine_job_spec *spec, size_t count)
{
	size_t strings = room_for(spec->model) + room_for(spec->key_name) + room_for(spec->user) +
			 room_for(spec->authorization) + room_for(spec->trace_parent) +
			 room_for(spec->extra);
	struct engine_job *job = calloc(1, sizeof(*job) + count * sizeof(struct entry) + strings);
	char *at;

	if (!job)
		return NULL;
	at = (char *)&job->entries[count];
	job->spec = *spec;
	job->spec.model = place(&at, spec->model);
	job->spec.key_name = place(&at, spec->key_name);
	job->spec.user = place(&at, spec->user);
	job->spec.extra = place(&at, spec->extra);
	job->spec.authorization = place(&at, spec->authorization);
	if (spec->trace_parent)
		job->spec.trace_parent = place(&at, spec->trace_parent);
	if (job->spec.key_weight == 0)
		job->spec.key_weight = 1;
	job->count = count;
	job->unanswered = count;
	job->probe_index = -1;
	buffer_init(&job->json, JOB_BODY_BYTES_MAX);
	return job;
}

/* Writes each text once, as it will stand in bodies; `json` holds offsets until all are written. */
static enum embed_status write_texts(
    struct engine_job *job, const struct engine_text *texts, size_t *offsets)
{
	size_t bytes = 0;

	for (size_t i = 0; i < job->count; i++)
		bytes += texts[i].bytes ? texts[i].len + 2 : texts[i].id_count * 7 + 2;
	/* A little for escapes; a failure shows in the buffer's status. */
	buffer_reserve(&job->json, bytes + bytes / 64 + 64);
	for (size_t i = 0; i < job->count; i++) {
		/* A writer of its own for each, so that none writes a comma. */
		struct wire_request_writer writer = {.out = &job->json};

		offsets[i] = job->json.len;
		if (texts[i].bytes)
			wire_request_add_text(&writer, texts[i].bytes, texts[i].len);
		else
			wire_request_add_ids(&writer, texts[i].ids, texts[i].id_count);
	}
	offsets[job->count] = job->json.len;
	return job->json.status;
}

static void fill_entries(
    struct engine_job *job, const struct engine_text *texts, const size_t *offsets)
{
	for (size_t i = 0; i < job->count; i++) {
		struct entry *entry = &job->entries[i];
		/* Of token arrays the charge is unknown: one for each token is assumed. */
		size_t bytes = texts[i].bytes ? texts[i].len : texts[i].id_count * 4;

		entry->digest = texts[i].key;
		entry->waiter.job = job;
		entry->flight.job = job;
		entry->flight.json = job->json.bytes + offsets[i];
		entry->flight.json_len = (uint32_t)(offsets[i + 1] - offsets[i]);
		entry->flight.charge_bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
		entry->flight.tokens = texts[i].tokens;
		job->tokens += texts[i].tokens;
	}
}

static enum embed_status fill(struct engine_job *job, const struct engine_text *texts)
{
	size_t few[65];
	size_t *offsets = few;
	enum embed_status status;

	if (job->count >= sizeof(few) / sizeof(*few)) {
		offsets = malloc((job->count + 1) * sizeof(*offsets));
		if (!offsets)
			return EMBED_NO_MEMORY;
	}
	status = write_texts(job, texts, offsets);
	if (status == EMBED_OK)
		fill_entries(job, texts, offsets);
	if (offsets != few)
		free(offsets);
	return status;
}

enum embed_status engine_job_create(struct engine_job **out, const struct engine_job_spec *spec,
    const struct engine_text *texts, size_t count, const struct engine_callbacks *callbacks,
    struct embed_error *error)
{
	struct engine_job *job;
	enum embed_status status;

	if (count > JOB_TEXTS_MAX)
		return error_set(error, EMBED_TOO_LARGE,
		    "%zu texts in one job are more than %zu: submit them in parts", count,
		    JOB_TEXTS_MAX);
	job = allocate(spec, count);
	if (!job)
		return error_set(error, EMBED_NO_MEMORY, "no memory for a job of %zu texts", count);
	atomic_init(&job->refs, 1);
	atomic_init(&job->is_cancelled, false);
	job->callbacks = *callbacks;
	status = fill(job, texts);
	if (status != EMBED_OK) {
		engine_job_unref(job);
		return error_set(error, status,
		    status == EMBED_TOO_LARGE
			? "the texts of one job are more than %zu bytes"
			: "no memory for the texts of a job (%zu bytes at most)",
		    JOB_BODY_BYTES_MAX);
	}
	*out = job;
	return EMBED_OK;
}

void engine_job_ref(struct engine_job *job)
{
	atomic_fetch_add_explicit(&job->refs, 1, memory_order_relaxed);
}

void engine_job_unref(struct engine_job *job)
{
	if (atomic_fetch_sub_explicit(&job->refs, 1, memory_order_acq_rel) != 1)
		return;
	buffer_fini(&job->json);
	secret_forget(job->spec.authorization);
	free(job);
}
