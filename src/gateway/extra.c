/* SPDX-License-Identifier: MIT */
/* Fields that nobody here knows, for an upstream that may. */
#include "gateway/state.h"

bool call_take_extra(struct call *call, struct wire_request *body)
{
	struct buffer *extra = &call->worker->extra;

	buffer_reset(extra);
	if (call->policy->unknown_fields != GATEWAY_PASS_UNKNOWN || !body->extra_count)
		return true;
	wire_request_write_extras(body, extra);
	buffer_append_char(extra, '\0');
	if (extra->status == EMBED_OK)
		return true;
	call_refuse_with(call, 400,
	    "The fields that are passed on to the upstream are too long together.",
	    "invalid_request_error", NULL, "extra_too_long");
	return false;
}
