/* SPDX-License-Identifier: MIT */
#include "service/scope.h"

#include <string.h>

#include "base/error.h"
#include "cache/cache.h"

static void fill_request(
    struct scope *scope, const struct settings *settings, const struct embed_request *request)
{
	struct embed_request *filled = &scope->request;

	memset(filled, 0, sizeof(*filled));
	if (request != NULL)
		memcpy(filled, request,
		    request->size < sizeof(*filled) ? request->size : sizeof(*filled));
	filled->size = sizeof(*filled);
	if (filled->model == NULL)
		filled->model = settings->options.model;
	if (filled->key_name == NULL)
		filled->key_name = "";
	if (filled->key_weight == 0)
		filled->key_weight = 1;
	filled->offline |= settings->options.offline;
	filled->no_store |= settings->options.no_store || settings->options.home == NULL;
}

static enum embed_status check_request(
    const struct embed_request *request, struct embed_error *error)
{
	if (request->model[0] == '\0')
		return error_set(error, EMBED_NO_MODEL,
		    "the request names an empty model; name one, for example text-embedding-3-small");
	if ((unsigned)request->lane > EMBED_LANE_BULK)
		return error_set(
		    error, EMBED_BAD_OPTION, "lane %d does not exist", (int)request->lane);
	if ((unsigned)request->too_long > EMBED_TOO_LONG_AVERAGE)
		return error_set(
		    error, EMBED_BAD_OPTION, "too_long %d does not exist", (int)request->too_long);
	if (request->extra != NULL && strlen(request->extra) > EMBED_EXTRA_MAX)
		return error_set(error, EMBED_BAD_OPTION,
		    "the extra fields have more than %d bytes; send fewer or shorter ones",
		    EMBED_EXTRA_MAX);
	return EMBED_OK;
}

static enum embed_status check_dimensions(
    const struct embed_request *request, const struct embed_model *model, struct embed_error *error)
{
	uint32_t most = model == NULL ? CACHE_DIMENSIONS_MAX : model->dimensions;

	if (request->dimensions == 0)
		return EMBED_OK;
	if (model != NULL && !model->can_shorten)
		return error_set(error, EMBED_BAD_DIMENSIONS,
		    "%s always gives %u dimensions; leave `dimensions` out", model->name, most);
	if (request->dimensions > most)
		return error_set(error, EMBED_BAD_DIMENSIONS,
		    "%u dimensions were asked for, but %s gives at most %u", request->dimensions,
		    request->model, most);
	return EMBED_OK;
}

static void settle_dimensions(struct scope *scope)
{
	const struct embed_request *request = &scope->request;

	scope->can_shorten = scope->model != NULL && scope->model->can_shorten;
	scope->dimensions = request->dimensions;
	if (scope->dimensions == 0 && scope->model != NULL)
		scope->dimensions = scope->model->dimensions;
	scope->key.fixed_dimensions = scope->can_shorten ? 0 : request->dimensions;
}

/* All upstreams were found to share one space at open, so the first one's holds. */
static enum embed_status settle_space(
    struct scope *scope, const struct settings *settings, struct embed_error *error)
{
	const struct embed_upstream *upstream = &settings->upstreams[0];

	scope->key.space = &scope->space;
	scope->key.partition = scope->request.partition;
	scope->key.extra = scope->request.extra;
	return cache_space_make(
	    &scope->space, upstream->base_url, scope->request.model, upstream->space, error);
}

enum embed_status scope_init(struct scope *scope, const struct settings *settings,
    const struct embed_request *request, struct embed_error *error)
{
	enum embed_status status = EMBED_OK;

	if (request != NULL)
		status = error_check_size(request->size, "EMBED_REQUEST_INIT", error);
	if (status != EMBED_OK)
		return status;
	fill_request(scope, settings, request);
	status = check_request(&scope->request, error);
	if (status != EMBED_OK)
		return status;
	scope->model = embed_model_find(scope->request.model);
	scope->encoding =
	    tokens_encoding_find(scope->model == NULL ? NULL : scope->model->encoding);
	scope->text_tokens = settings->text_tokens;
	if (scope->model != NULL && scope->model->text_tokens < scope->text_tokens)
		scope->text_tokens = scope->model->text_tokens;
	status = check_dimensions(&scope->request, scope->model, error);
	if (status != EMBED_OK)
		return status;
	settle_dimensions(scope);
	return settle_space(scope, settings, error);
}
