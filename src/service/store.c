/* SPDX-License-Identifier: MIT */
/* embed_store_*: looking after the store. */
#include "service/service.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"

static enum embed_status need_store(const embed_service *service, struct embed_error *error)
{
	if (service->cache != NULL)
		return EMBED_OK;
	return error_set(error, EMBED_NOT_FOUND,
	    "this service keeps no store; open it with a home and without no_store");
}

enum embed_status embed_store_stats(
    embed_service *service, struct embed_store_stats *stats, struct embed_error *error)
{
	enum embed_status status = need_store(service, error);
	struct embed_store_stats filled = EMBED_STORE_STATS_INIT;

	if (status == EMBED_OK)
		status = cache_stats(service->cache, &filled, error);
	if (status != EMBED_OK)
		return status;
	/* An older caller's struct is shorter. */
	filled.size = stats->size;
	memcpy(stats, &filled, stats->size < sizeof(filled) ? stats->size : sizeof(filled));
	return EMBED_OK;
}

enum embed_status embed_store_verify(
    embed_service *service, bool repair, uint64_t *good, uint64_t *bad, struct embed_error *error)
{
	enum embed_status status = need_store(service, error);
	struct cache_verified verified;

	if (status != EMBED_OK)
		return status;
	status = cache_verify(service->cache, repair, &verified, error);
	if (status != EMBED_OK)
		return status;
	*good = verified.good;
	*bad = verified.bad;
	return EMBED_OK;
}

enum embed_status embed_store_prune(embed_service *service, uint64_t older_than_s,
    uint64_t to_bytes, uint64_t *removed, struct embed_error *error)
{
	const struct cache_prune prune = {
	    .now_s = clock_unix_s(), .older_than_s = older_than_s, .to_bytes = to_bytes};
	enum embed_status status = need_store(service, error);

	return status != EMBED_OK ? status : cache_prune(service->cache, &prune, removed, error);
}

enum embed_status embed_store_export(
    embed_service *service, int fd, uint64_t *records, struct embed_error *error)
{
	enum embed_status status = need_store(service, error);

	return status != EMBED_OK ? status : cache_export(service->cache, fd, records, error);
}

enum embed_status embed_store_import(
    embed_service *service, int fd, uint64_t *added, uint64_t *bad, struct embed_error *error)
{
	enum embed_status status = need_store(service, error);
	struct cache_imported imported;

	if (status != EMBED_OK)
		return status;
	status = cache_import(service->cache, fd, clock_unix_s(), &imported, error);
	/* A damaged file still gave what is good in it. */
	if (status == EMBED_OK || status == EMBED_BAD_FORMAT) {
		*added = imported.added;
		*bad = imported.bad;
	}
	return status;
}

enum embed_status embed_store_clear(
    embed_service *service, uint64_t *removed, struct embed_error *error)
{
	enum embed_status status = need_store(service, error);

	return status != EMBED_OK ? status : cache_clear(service->cache, removed, error);
}
