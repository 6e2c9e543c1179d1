/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "emulator/call.h"

#define PATH_SHOWN 300

/* `*` stands for one segment, which the handler finds in call->name. */
static const struct route {
	const char *method, *path;
	call_fn *handler;
	bool is_open; /* no key needed */
} routes[] = {
    {"POST", "/v1/embeddings", emulate_embeddings, false},
    {"POST", "/embeddings", emulate_embeddings, false},
    {"POST", "/openai/v1/embeddings", emulate_embeddings, false},
    {"POST", "/openai/deployments/*/embeddings", emulate_embeddings, false},
    {"GET", "/v1/models", emulate_models, false},
    {"GET", "/v1/models/*", emulate_model, false},
    {"POST", "/v1/files", emulate_file_upload, false},
    {"GET", "/v1/files", emulate_files_list, false},
    {"GET", "/v1/files/*", emulate_file, false},
    {"DELETE", "/v1/files/*", emulate_file_delete, false},
    {"GET", "/v1/files/*/content", emulate_file_content, false},
    {"POST", "/v1/batches", emulate_batch_create, false},
    {"GET", "/v1/batches", emulate_batches_list, false},
    {"GET", "/v1/batches/*", emulate_batch, false},
    {"POST", "/v1/batches/*/cancel", emulate_batch_cancel, false},
    {"GET", "/", emulate_banner, true},
    {"GET", "/health", emulate_health, true},
    {"GET", "/emulator/stats", emulate_stats, true},
    {"POST", "/emulator/reset", emulate_reset, true},
    {"GET", "/emulator/faults", emulate_faults_get, true},
    {"POST", "/emulator/faults", emulate_faults_add, true},
    {"DELETE", "/emulator/faults", emulate_faults_drop, true},
    {"GET", "/emulator/clock", emulate_clock_get, true},
    {"POST", "/emulator/clock", emulate_clock_move, true},
};

/* ---- Matching -------------------------------------------------------- */

/* Takes one segment off the front of `path`; false when there is none left. */
static bool next_segment(struct http_slice *path, struct http_slice *segment)
{
	const char *slash;

	if (path->len == 0)
		return false;
	path->bytes++;
	path->len--;
	slash = memchr(path->bytes, '/', path->len);
	segment->bytes = path->bytes;
	segment->len = slash ? (size_t)(slash - path->bytes) : path->len;
	path->bytes += segment->len;
	path->len -= segment->len;
	return true;
}

static bool path_matches(const char *pattern, struct http_slice path, struct http_slice *name)
{
	struct http_slice rest = {pattern, strlen(pattern)}, wanted, found;

	while (next_segment(&rest, &wanted)) {
		if (!next_segment(&path, &found))
			return false;
		if (http_slice_equals(wanted, "*"))
			*name = found;
		else if (wanted.len != found.len ||
			 memcmp(wanted.bytes, found.bytes, wanted.len) != 0)
			return false;
	}
	return path.len == 0;
}

static const struct route *find_route(
    const struct http_request *request, bool *has_path, struct http_slice *name)
{
	*has_path = false;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		struct http_slice found = {"", 0};

		if (!path_matches(routes[i].path, request->path, &found))
			continue;
		*has_path = true;
		if (http_slice_equals(request->method, routes[i].method)) {
			*name = found;
			return &routes[i];
		}
	}
	return NULL;
}

/* ---- Keys ------------------------------------------------------------ */

static void read_key(struct call *call)
{
	const struct http_request *request = http_exchange_request(call->exchange);
	const struct http_slice *field = http_request_field(request, "authorization");
	struct http_slice key = {"", 0};

	if (field && field->len > 7 && strncasecmp(field->bytes, "bearer ", 7) == 0)
		key = (struct http_slice){field->bytes + 7, field->len - 7};
	else if ((field = http_request_field(request, "api-key")))
		key = *field;
	snprintf(call->key, sizeof(call->key), "%.*s",
	    (int)(key.len < sizeof(call->key) ? key.len : sizeof(call->key) - 1), key.bytes);
}

static bool key_is_good(const struct call *call)
{
	const struct option_list *keys = &call->emulator->options->key;

	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(keys->items[i], call->key) == 0)
			return true;
	return keys->count == 0;
}

/* As OpenAI shows it: "sk-wrong****-key". */
static void mask_key(const char *key, char *masked, size_t cap)
{
	size_t len = strlen(key);

	if (len > 12)
		snprintf(masked, cap, "%.8s****%s", key, key + len - 4);
	else
		snprintf(masked, cap, "****");
}

static void refuse_key(struct call *call)
{
	struct buffer *body = &call->delivery.body;
	enum wire_refusal_id id = call->key[0] ? WIRE_REFUSAL_KEY_WRONG : WIRE_REFUSAL_KEY_MISSING;
	char masked[32];

	if (call->is_azure) {
		refusal_write(body, REFUSAL_azure_401, NULL);
		answer_with(call, 401, refusal_content_type(REFUSAL_azure_401));
		return;
	}
	mask_key(call->key, masked, sizeof(masked));
	wire_refusal_write(body, id, masked, NULL);
	answer_refusal(call, id);
}

/* ---- Dispatch -------------------------------------------------------- */

static void refuse_path(struct call *call, bool has_path)
{
	const struct http_request *request = http_exchange_request(call->exchange);
	enum wire_refusal_id id = has_path ? WIRE_REFUSAL_BAD_METHOD : WIRE_REFUSAL_NO_SUCH_PATH;
	char method[32], path[PATH_SHOWN];

	snprintf(method, sizeof(method), "%.*s",
	    request->method.len < 31 ? (int)request->method.len : 31, request->method.bytes);
	snprintf(path, sizeof(path), "%.*s",
	    request->path.len < PATH_SHOWN ? (int)request->path.len : PATH_SHOWN - 1,
	    request->path.bytes);
	wire_refusal_write(&call->delivery.body, id, method, path, NULL);
	answer_refusal(call, id);
}

void emulator_dispatch(struct call *call)
{
	const struct http_request *request = http_exchange_request(call->exchange);
	struct http_slice name = {"", 0};
	const struct route *route;
	size_t len;
	bool has_path;

	read_key(call);
	call->is_azure = request->path.len > 8 && memcmp(request->path.bytes, "/openai/", 8) == 0;
	route = find_route(request, &has_path, &name);
	if ((!route || !route->is_open) && !key_is_good(call)) {
		refuse_key(call);
		return;
	}
	len = http_percent_decode(name, call->name, sizeof(call->name) - 1);
	if (!route || len == SIZE_MAX) {
		refuse_path(call, has_path && len != SIZE_MAX);
		return;
	}
	call->name[len] = '\0';
	route->handler(call);
}
