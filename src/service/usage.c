/* SPDX-License-Identifier: MIT */
/* embed_usage: the ledger, with everything in it that happened before the call. */
#include "service/service.h"

#include <string.h>

#include "base/error.h"

enum embed_status embed_usage(embed_service *service, const struct embed_usage_query *query,
    embed_usage_fn *fn, void *context, struct embed_error *error)
{
	struct embed_usage_query filled = EMBED_USAGE_QUERY_INIT;

	if (service->ledger == NULL)
		return error_set(error, EMBED_NOT_FOUND,
		    "this service keeps no ledger; open it with a home and without no_ledger");
	if (query != NULL &&
	    error_check_size(query->size, "EMBED_USAGE_QUERY_INIT", error) != EMBED_OK)
		return EMBED_BAD_OPTION;
	if (query != NULL)
		memcpy(&filled, query, query->size < sizeof(filled) ? query->size : sizeof(filled));
	writer_flush(service->writer);
	return ledger_usage(service->ledger, &filled, fn, context, error);
}
