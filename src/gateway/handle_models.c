/* SPDX-License-Identifier: MIT */
/* GET /v1/models and /v1/models/{id}: what is known and what the key may use. */
#include "gateway/state.h"

#include <string.h>

static bool is_allowed(struct call *call, const char *name)
{
	return !call->key || key_may_use(call->key, name, strlen(name));
}

static void write_model(struct buffer *out, const struct embed_model *model)
{
	buffer_append_text(out, "{\"id\":");
	wire_json_string(out, model->name, strlen(model->name));
	buffer_printf(out,
	    ",\"object\":\"model\",\"created\":%lld,\"owned_by\":", (long long)model->created_s);
	wire_json_string(out, model->owned_by, strlen(model->owned_by));
	buffer_append_char(out, '}');
}

void handle_models(struct call *call)
{
	struct buffer *body = &call->worker->body;
	const struct embed_model *model;
	const char *separator = "";

	buffer_reset(body);
	buffer_append_text(body, "{\"object\":\"list\",\"data\":[");
	for (size_t i = 0; (model = embed_model_at(i)); i++) {
		if (!is_allowed(call, model->name))
			continue;
		buffer_append_text(body, separator);
		write_model(body, model);
		separator = ",";
	}
	buffer_append_text(body, "]}\n");
	call_reply(call, 200);
}

void handle_model(struct call *call)
{
	const struct embed_model *model = NULL;
	size_t len = http_percent_decode(call_param(call), call->model, CALL_MODEL_MAX);

	if (len != SIZE_MAX) {
		call->model[len] = '\0';
		model = embed_model_find(call->model);
	}
	if (!model || !is_allowed(call, call->model)) {
		call_refuse(call, WIRE_REFUSAL_NO_SUCH_MODEL, call->model, NULL);
		return;
	}
	buffer_reset(&call->worker->body);
	write_model(&call->worker->body, model);
	buffer_append_char(&call->worker->body, '\n');
	call_reply(call, 200);
}
