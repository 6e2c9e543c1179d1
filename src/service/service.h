/* SPDX-License-Identifier: MIT */
/*
 * Service: what embed_open makes, for the files of this layer.
 *
 * Everything here is constant after embed_open but what the members guard
 * themselves, so any thread may use it.
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include <embed.h>

#include "base/log.h"
#include "cache/cache.h"
#include "engine/engine.h"
#include "ledger/ledger.h"
#include "service/counters.h"
#include "service/latency.h"
#include "service/scope.h"
#include "service/settings.h"
#include "service/tally.h"
#include "service/writer.h"

struct embed_service {
	struct settings *settings;
	struct log log;
	atomic_int log_level; /* that `log` goes by; embed_reload changes it */
	struct counters *counters;
	struct tally *tally;
	struct latency *latency;
	struct cache *cache;   /* NULL: no home, or no_store */
	struct ledger *ledger; /* NULL: no home, or no_ledger */
	struct writer *writer; /* NULL when both are */
	struct engine *engine; /* NULL when offline */
};

/* Counts `texts` answered from the store, and what they saved. */
void service_count_hits(
    embed_service *service, const struct scope *scope, uint64_t texts, uint64_t tokens);

/* The same for texts that joined a flight. */
void service_count_joined(
    embed_service *service, const struct scope *scope, uint64_t texts, uint64_t tokens);

/*
 * Asks the store for one key: EMBED_OK, EMBED_NOT_FOUND (also when there is no
 * store, or it failed), EMBED_TOO_LARGE.  Scales to length 1 if so configured.
 */
enum embed_status service_read(embed_service *service, const struct scope *scope,
    const struct digest *key, float *vector, size_t cap, struct cache_hit *hit);

#endif
