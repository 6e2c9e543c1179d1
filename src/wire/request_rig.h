/* SPDX-License-Identifier: MIT */
/* What tests of the request reader share. */
#ifndef WIRE_REQUEST_RIG_H
#define WIRE_REQUEST_RIG_H

#include "base/test.h"

#include "wire/request.h"

/* A body in memory of its own, without a NUL after it, so that ASan sees every step too far. */
static inline enum embed_status read_bytes(struct wire_request *request, const char *body,
    size_t len, size_t max_inputs, struct embed_error *error, char **copy)
{
	*copy = malloc(len == 0 ? 1 : len);
	memcpy(*copy, body, len);
	return wire_request_read(request, *copy, len, max_inputs, error);
}

static inline void assert_reads(struct wire_request *request, char **copy, const char *body)
{
	struct embed_error error = {0};

	if (read_bytes(request, body, strlen(body), 0, &error, copy) != EMBED_OK)
		fail_msg("%s: %s", body, error.message);
}

#endif
