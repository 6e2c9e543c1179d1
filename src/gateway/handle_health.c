/* SPDX-License-Identifier: MIT */
/* /health: the process answers.  /ready: it should be sent requests. */
#include "gateway/state.h"

#include <string.h>

static void answer(struct call *call, int status, const char *json)
{
	buffer_reset(&call->worker->body);
	buffer_append_text(&call->worker->body, json);
	call_reply(call, status);
}

void handle_health(struct call *call)
{
	answer(call, 200, "{\"status\":\"ok\"}\n");
}

/* Not while draining, and not when every upstream is being avoided. */
static bool has_upstream(struct gateway *gateway)
{
	struct embed_upstream_state state;
	size_t count = 0;

	while (embed_upstream_state(gateway->service, count, &state) == EMBED_OK) {
		if (strcmp(state.breaker, "open") != 0)
			return true;
		count++;
	}
	return count == 0; /* offline: the store answers */
}

void handle_ready(struct call *call)
{
	if (atomic_load(&call->gateway->is_draining))
		answer(call, 503, "{\"status\":\"draining\"}\n");
	else if (!has_upstream(call->gateway))
		answer(call, 503, "{\"status\":\"no upstream answers\"}\n");
	else
		answer(call, 200, "{\"status\":\"ready\"}\n");
}
