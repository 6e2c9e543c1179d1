/* SPDX-License-Identifier: MIT */
/*
 * Exchange: one request and its reply on a libcurl handle, used again and
 * again.  The transport's own; see transport.h.
 */
#ifndef ENGINE_EXCHANGE_H
#define ENGINE_EXCHANGE_H

#include <curl/curl.h>

#include "engine/core.h"
#include "wire/reply.h"

struct exchange {
	struct exchange *next, *prev; /* idle or under way */
	const struct engine_options *options;
	CURL *easy;
	struct curl_slist *headers;
	struct attempt *attempt;
	struct buffer body;
	struct buffer error_body;
	struct wire_reply reply;
	struct wire_headers reply_headers;
	struct embed_error reply_error; /* of a 2xx body */
	struct wire_fault fault;
	const int64_t *now_us; /* the transport's, set each turn */
	int64_t started_us;
	int64_t check_us; /* when to look whether it takes too long */
	int64_t last_byte_us;
	int64_t body_sent_seen; /* bytes */
	int http_status;
	bool has_bytes; /* the reply began */
	uint32_t sends; /* times that libcurl was about to send the request */
	bool is_timed_out;
	char curl_error[CURL_ERROR_SIZE];
};

/* NULL when memory runs out. */
struct exchange *exchange_create(const struct engine_options *options, const int64_t *now_us);
void exchange_destroy(struct exchange *exchange);

/* Makes the handle ready to send; false when memory runs out. */
bool exchange_prepare(struct exchange *exchange, struct attempt *attempt);

/* Its part of that: the attempt's request is put on the handle; false when memory runs out. */
bool exchange_write(struct exchange *exchange, const struct attempt *attempt);

/* The headers are overwritten and freed. */
void exchange_forget_headers(struct exchange *exchange);

/* True: it takes too long.  Otherwise check_us says when to ask again. */
bool exchange_is_overdue(struct exchange *exchange);

/* What came of it; pointers are into the exchange. */
struct core_answer exchange_judge(struct exchange *exchange, CURLcode code);

/* It was not to be finished. */
struct core_answer exchange_give_up(struct exchange *exchange, enum embed_status status);

#endif
