/* SPDX-License-Identifier: MIT */
/* GET /v1/models and /v1/models/{id} (PROTOCOL 12). */
#include <inttypes.h>
#include <string.h>

#include "emulator/call.h"

#define JSON_TYPE "application/json"

static void write_model(struct buffer *out, const struct embed_model *model, const char *indent)
{
	buffer_printf(out,
	    "%s{\n%s  \"id\": \"%s\",\n%s  \"object\": \"model\",\n%s  \"created\": %" PRId64
	    ",\n%s  \"owned_by\": \"%s\"\n%s}",
	    indent, indent, model->name, indent, indent, model->created_s, indent, model->owned_by,
	    indent);
}

void emulate_models(struct call *call)
{
	struct buffer *body = &call->delivery.body;
	const struct embed_model *model;
	bool is_first = true;

	if (!emulator_enter(call, FAULT_ON_MODELS))
		return;
	emulator_leave(call);
	buffer_append_text(body, "{\n  \"object\": \"list\",\n  \"data\": [");
	for (size_t i = 0; (model = embed_model_at(i)); i++) {
		if (!work_find_model(&call->emulator->limits, model->name))
			continue;
		buffer_append_text(body, is_first ? "\n" : ",\n");
		write_model(body, model, "    ");
		is_first = false;
	}
	buffer_append_text(body, "\n  ]\n}\n");
	answer_with(call, 200, JSON_TYPE);
}

void emulate_model(struct call *call)
{
	const struct embed_model *model = work_find_model(&call->emulator->limits, call->name);

	if (!emulator_enter(call, FAULT_ON_MODELS))
		return;
	emulator_leave(call);
	if (!model) {
		wire_refusal_write(
		    &call->delivery.body, WIRE_REFUSAL_NO_SUCH_MODEL, call->name, NULL);
		answer_refusal(call, WIRE_REFUSAL_NO_SUCH_MODEL);
		return;
	}
	write_model(&call->delivery.body, model, "");
	buffer_append_char(&call->delivery.body, '\n');
	answer_with(call, 200, JSON_TYPE);
}
