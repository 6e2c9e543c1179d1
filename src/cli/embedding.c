/* SPDX-License-Identifier: MIT */
#include "cli/embedding.h"

#include <malloc.h>

#include "base/error.h"
#include "cli/pipeline.h"
#include "cli/records.h"

/*
 * Results and bodies are megabytes each and go between threads; left to itself, malloc soon takes
 * them from its heaps, which then grow with every group.  Mapped, they are gone when freed.  What
 * is smaller is used again at once: one heap for all threads, and none of it handed back between
 * two groups, since fetching it anew costs a fifth of a run's CPU (docs/decisions/bulk.md).
 */
#define MAPPED_BYTES  (1 << 20)
#define KEPT_BYTES    (64 << 20)
#define FETCHED_BYTES (1 << 20)

/*
 * Groups are smaller than requests (requests are filled from several): the first leaves sooner,
 * and the memory of one is used again before it has left the processor's cache.
 */
#define GROUP_TEXTS   512
#define GROUP_BYTES   (300u << 10)
#define REQUEST_TEXTS 2048

static enum embed_status open_writer(struct records *writer, const struct command_input *input,
    const struct embedding_output *output, struct embed_error *error)
{
	const struct request_options *request = options_values(input->options, &settings_request);
	struct records_options options = {
	    .path = output->path,
	    .format = (enum records_format)output->format,
	    .embedding = (enum records_embedding)output->embedding,
	    .has_documents = output->has_documents,
	    .dimensions = request->dimensions > UINT32_MAX ? 0 : (uint32_t)request->dimensions,
	};

	return records_open(writer, &options, error);
}

static size_t request_texts(const struct service_options *service)
{
	return service->batch_texts > 0 ? service->batch_texts : REQUEST_TEXTS;
}

static int run(const struct command_input *input, embed_service *service, struct source *source,
    struct records *writer, struct progress *progress, size_t window_bytes)
{
	const struct service_options *values = options_values(input->options, &settings_service);
	struct progress_state state = {0};
	struct pipeline_options options = {
	    .service = service,
	    .request = settings_request_of(input->options),
	    .source = source,
	    .writer = writer,
	    .progress = progress,
	    .group_texts = GROUP_TEXTS,
	    .group_bytes = GROUP_BYTES,
	    .request_texts = request_texts(values),
	    .window_bytes = window_bytes,
	    .no_store = values->no_store,
	};

	return pipeline_run(&options, &state);
}

static void set_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	mallopt(M_TOP_PAD, FETCHED_BYTES);
	mallopt(M_ARENA_MAX, 1);
}

int embedding_run(const struct command_input *input, const char *name, struct source *source,
    const struct embedding_output *output)
{
	const struct general_options *general = options_values(input->options, &settings_general);
	struct progress_options shown = {
	    .name = name,
	    .mode = (enum settings_progress)general->progress,
	    .is_small = source->is_small,
	    .has_data_on_stdout = output->path == NULL,
	    .log = input->log,
	};
	embed_service *service = NULL;
	struct embed_error error;
	struct progress progress;
	struct records writer;
	int exit_status;

	set_memory();
	error_clear(&error);
	progress_start(&progress, &shown);
	if (settings_open_service(&service, input->options, SETTINGS_ONLINE, input->log, &error) !=
	    EMBED_OK)
		return command_fail(&error);
	if (open_writer(&writer, input, output, &error) != EMBED_OK) {
		embed_close(service);
		return command_fail(&error);
	}
	source->service = service;
	exit_status = run(input, service, source, &writer, &progress, output->window_bytes);
	embed_close(service);
	return exit_status;
}
