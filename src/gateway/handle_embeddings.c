/* SPDX-License-Identifier: MIT */
/* POST /v1/embeddings and its other names: the steps; each is a file of its own (embeddings.h). */
#include "gateway/embeddings.h"

#include <string.h>

void handle_embeddings(struct call *call)
{
	struct asked asked = {.body = &call->worker->request};

	if (!asked_read_body(call, &call->worker->request))
		return;
	if (call->key && !key_may_use(call->key, call->model, strlen(call->model))) {
		call_refuse(call, WIRE_REFUSAL_NO_SUCH_MODEL, call->model, NULL);
		return;
	}
	if (!call_take_extra(call, &call->worker->request))
		return;
	asked_fill(call, &asked);
	if (!call_take_rates(call, asked_tokens(asked.body->texts, asked.body->count)))
		return;
	call->prefix = hits_write(call, &asked);
	if (call->prefix == call->count)
		answer_finish(call);
	else
		misses_submit(call, &asked);
}
