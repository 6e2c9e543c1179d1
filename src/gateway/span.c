/* SPDX-License-Identifier: MIT */
/* A request's span: begun when it is read, told when it ends. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/state.h"

bool call_begin_span(struct call *call, const char *parent, size_t len)
{
	struct random *random = &call->worker->random;
	struct trace_context *trace = &call->trace;

	if (!trace_context_read(trace, parent, len)) {
		snprintf(trace->trace_id, sizeof(trace->trace_id), "%016" PRIx64 "%016" PRIx64,
		    random_next(random), random_next(random) | 1);
		trace->parent_id[0] = '\0';
		trace->is_sampled = true;
	}
	if (!trace->is_sampled)
		return false;
	call->span_id = random_next(random) | 1;
	trace_parent_write(call->trace_parent, trace, call->span_id);
	return true;
}

void call_end_span(struct call *call)
{
	int status = http_exchange_status(call->exchange);
	int64_t now_us = clock_now_us();
	int64_t unix_us = clock_unix_ms() * 1000;
	struct trace_span span = {.context = call->trace,
	    .span_id = call->span_id,
	    .kind = SPAN_SERVER,
	    .start_us = unix_us - (now_us - http_exchange_started_us(call->exchange)),
	    .end_us = unix_us,
	    .http_status = status,
	    .texts = call->count,
	    .hits = call->hits,
	    .tokens = call->tokens};

	snprintf(span.model, sizeof(span.model), "%.127s", call->model);
	if (http_exchange_is_gone(call->exchange))
		strcpy(span.error, "client_gone");
	else if (status >= 400)
		snprintf(span.error, sizeof(span.error), "%d", status);
	tracer_add(call->gateway->options.tracer, &span);
}
