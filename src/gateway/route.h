/* SPDX-License-Identifier: MIT */
/*
 * Route: which path goes to which handler, as one table.
 *
 * A pattern is a path in which at most one segment is {}: any one segment,
 * still percent-encoded.
 */
#ifndef GATEWAY_ROUTE_H
#define GATEWAY_ROUTE_H

#include "http/http.h"

struct call;

typedef void route_fn(struct call *call);

enum route_auth {
	ROUTE_OPEN,  /* nobody is asked */
	ROUTE_USER,  /* any key, when there are keys */
	ROUTE_ADMIN, /* from this machine, or with an admin key */
};

enum route_body { ROUTE_NO_BODY, ROUTE_BODY };

/* Rows: name for metrics and logs, method, pattern, auth, body, handler. */
#define ROUTES(ROW)                                                                                \
	ROW(EMBEDDINGS, "POST", "/v1/embeddings", USER, BODY, handle_embeddings)                   \
	ROW(EMBEDDINGS_BARE, "POST", "/embeddings", USER, BODY, handle_embeddings)                 \
	ROW(EMBEDDINGS_AZURE_V1, "POST", "/openai/v1/embeddings", USER, BODY, handle_embeddings)   \
	ROW(EMBEDDINGS_AZURE, "POST", "/openai/deployments/{}/embeddings", USER, BODY,             \
	    handle_embeddings)                                                                     \
	ROW(MODELS, "GET", "/v1/models", USER, NO_BODY, handle_models)                             \
	ROW(MODELS_BARE, "GET", "/models", USER, NO_BODY, handle_models)                           \
	ROW(MODELS_AZURE, "GET", "/openai/v1/models", USER, NO_BODY, handle_models)                \
	ROW(MODEL, "GET", "/v1/models/{}", USER, NO_BODY, handle_model)                            \
	ROW(MODEL_BARE, "GET", "/models/{}", USER, NO_BODY, handle_model)                          \
	ROW(MODEL_AZURE, "GET", "/openai/v1/models/{}", USER, NO_BODY, handle_model)               \
	ROW(HEALTH, "GET", "/health", OPEN, NO_BODY, handle_health)                                \
	ROW(HEALTHZ, "GET", "/healthz", OPEN, NO_BODY, handle_health)                              \
	ROW(READY, "GET", "/ready", OPEN, NO_BODY, handle_ready)                                   \
	ROW(METRICS, "GET", "/metrics", ADMIN, NO_BODY, handle_metrics)                            \
	ROW(SNAPSHOT, "GET", "/dashboard/snapshot", ADMIN, NO_BODY, handle_snapshot)               \
	ROW(HISTORY, "GET", "/dashboard/history", ADMIN, NO_BODY, handle_history)                  \
	ROW(EVENTS, "GET", "/dashboard/events", ADMIN, NO_BODY, handle_events)                     \
	ROW(NAMES, "GET", "/dashboard/names", OPEN, NO_BODY, handle_names)                         \
	ROW(PAGE, "GET", "/", OPEN, NO_BODY, handle_page)                                          \
	ROW(PAGE_FILE, "GET", "/dashboard/page/{}", OPEN, NO_BODY, handle_page_file)

enum route_id {
#define ROW(name, method, pattern, auth, body, handler) ROUTE_##name,
	ROUTES(ROW)
#undef ROW
	    ROUTE_NONE, /* no such path, for counting */
	ROUTE_COUNT
};

struct route {
	enum route_id id;
	const char *method;
	const char *pattern;
	enum route_auth auth;
	enum route_body body;
	route_fn *handler;
};

#define ROW(name, method, pattern, auth, body, handler) route_fn handler;
ROUTES(ROW)
#undef ROW

/* The row; HEAD is served by GET's.  NULL: none, and *is_path_known says whether another method has it. */
const struct route *route_find(struct http_slice method, struct http_slice path,
    struct http_slice *param, bool *is_path_known);

const struct route *route_at(enum route_id id);

#endif
