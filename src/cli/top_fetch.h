/* SPDX-License-Identifier: MIT */
/*
 * Top's fetching: the gateway's snapshot and history, over HTTP or a Unix socket.
 *
 * Ownership: the fetcher is its opener's; what it fetched is the caller's.
 * Threads: none.
 */
#ifndef CLI_TOP_FETCH_H
#define CLI_TOP_FETCH_H

#include <embed.h>
#include <jansson.h>

#include "base/buffer.h"

struct top_fetch;

struct top_fetch_options {
	const char *url;     /* "http://HOST:PORT", "https://..", "HOST:PORT" or "unix:PATH" */
	const char *key;     /* NULL: none is shown */
	const char *ca_file; /* NULL: the system's */
};

enum embed_status top_fetch_open(
    struct top_fetch **out, const struct top_fetch_options *options, struct embed_error *error);

/* NULL is fine. */
void top_fetch_close(struct top_fetch *fetch);

/*
 * GETs a path ("/dashboard/snapshot") into `body`, which is reset first.
 * EMBED_UPSTREAM when nobody answers, EMBED_UNAUTHORIZED when a key is wanted,
 * EMBED_BAD_REPLY when it is no gateway; each with what to do.
 */
enum embed_status top_fetch_get(
    struct top_fetch *fetch, const char *path, struct buffer *body, struct embed_error *error);

/* The same, read; the caller decrefs. */
enum embed_status top_fetch_json(
    struct top_fetch *fetch, const char *path, json_t **out, struct embed_error *error);

#endif
