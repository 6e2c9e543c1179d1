/* SPDX-License-Identifier: MIT */
/* What came of an exchange, as the core understands it. */
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "engine/exchange.h"

static const char *name_of(const struct exchange *exchange)
{
	return exchange->attempt->upstream->settings.name;
}

static void set_fault(struct exchange *exchange, enum wire_verdict verdict,
    enum embed_status status, const char *what)
{
	struct wire_fault *fault = &exchange->fault;

	*fault = (struct wire_fault){
	    .verdict = verdict, .wait_ms = -1, .limit = -1, .used = -1, .requested = -1};
	error_set(&fault->error, status, "%s: %s", name_of(exchange), what);
	fault->error.http_status = exchange->http_status;
}

static const char *timeout_text(const struct exchange *exchange)
{
	if (exchange->has_bytes)
		return "the reply stopped coming; it is tried again on a new connection";
	return "no answer in time; it is tried again on a new connection";
}

/* The account's settings are at fault, which only a person can change. */
static bool is_for_a_person(CURLcode code)
{
	switch (code) {
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
		return true;
	default:
		return false;
	}
}

static bool is_resend(const struct exchange *exchange)
{
	return exchange->sends > 1;
}

static void judge_network(struct exchange *exchange, CURLcode code)
{
	const char *told =
	    exchange->curl_error[0] ? exchange->curl_error : curl_easy_strerror(code);
	char what[CURL_ERROR_SIZE + 128];

	if (is_resend(exchange)) {
		set_fault(exchange, WIRE_RETRY, EMBED_UPSTREAM,
		    "the kept connection was dead; it is tried again on a new one");
	} else if (code == CURLE_OUT_OF_MEMORY) {
		set_fault(exchange, WIRE_STOP_ALL, EMBED_NO_MEMORY, "no memory for the request");
	} else if (is_for_a_person(code)) {
		snprintf(what, sizeof(what), "%s (check base_url and ca_file)", told);
		set_fault(exchange, WIRE_STOP_ALL, EMBED_UPSTREAM, what);
		exchange->fault.is_account = true;
	} else {
		snprintf(what, sizeof(what), "%s (check that it can be reached)", told);
		set_fault(exchange, WIRE_RETRY, EMBED_UPSTREAM, what);
	}
}

static bool is_dead_connection(const struct exchange *exchange, CURLcode code)
{
	long connects = 1;

	if (is_resend(exchange))
		return true;
	curl_easy_getinfo(exchange->easy, CURLINFO_NUM_CONNECTS, &connects);
	return connects == 0 && !exchange->has_bytes &&
	       (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING);
}

/*
 * All vectors that were asked for are there.  They are paid for, so how the connection ends after
 * them is no matter; if they are not, `reply_error` says why.
 */
static bool is_whole(struct exchange *exchange, CURLcode code)
{
	struct embed_error *error = &exchange->reply_error;

	if (exchange->http_status / 100 != 2 || error->status != EMBED_OK)
		return false;
	if (wire_reply_end(&exchange->reply, error) != EMBED_OK && code != CURLE_OK)
		error_set(error, EMBED_BAD_REPLY, "the reply was cut: %s",
		    exchange->curl_error[0] ? exchange->curl_error : curl_easy_strerror(code));
	return error->status == EMBED_OK;
}

static void judge_vectors(struct exchange *exchange)
{
	struct embed_error *error = &exchange->reply_error;

	if (error->status == EMBED_NO_MEMORY) {
		set_fault(exchange, WIRE_STOP_ALL, EMBED_NO_MEMORY, error->message);
	} else if (error->status != EMBED_OK) {
		error->http_status = exchange->http_status;
		wire_fault_from_reply(&exchange->fault, error);
	} else {
		exchange->fault =
		    (struct wire_fault){.verdict = WIRE_DONE, .wait_ms = -1, .limit = -1};
		error_clear(&exchange->fault.error);
		exchange->fault.error.http_status = exchange->http_status;
	}
}

static void judge_refusal(struct exchange *exchange)
{
	const struct wire_answer answer = {
	    .http_status = exchange->http_status,
	    .headers = &exchange->reply_headers,
	    .body = exchange->error_body.bytes,
	    .body_len = exchange->error_body.len,
	    .input_count = exchange->attempt->batch->texts.texts,
	    .unix_s = clock_unix_s(),
	};

	wire_fault_read(&exchange->fault, &answer);
}

/* The status and the head say enough, even where the body was cut. */
static bool is_refused(const struct exchange *exchange, CURLcode code)
{
	return code == CURLE_OK ? exchange->http_status != 0
				: exchange->http_status >= 300 && code != CURLE_OUT_OF_MEMORY;
}

struct core_answer exchange_judge(struct exchange *exchange, CURLcode code)
{
	struct core_answer answer = {
	    .fault = &exchange->fault,
	    .headers = exchange->http_status != 0 ? &exchange->reply_headers : NULL,
	};

	answer.is_timeout = !is_whole(exchange, code) &&
			    (exchange->is_timed_out || code == CURLE_OPERATION_TIMEDOUT);
	if (answer.is_timeout)
		set_fault(exchange, WIRE_RETRY, EMBED_UPSTREAM, timeout_text(exchange));
	else if (exchange->http_status / 100 == 2)
		judge_vectors(exchange);
	else if (is_refused(exchange, code))
		judge_refusal(exchange);
	else
		judge_network(exchange, code);
	answer.is_stale = !answer.is_timeout && is_dead_connection(exchange, code);
	answer.has_usage = exchange->reply.usage.is_known;
	answer.prompt_tokens = exchange->reply.usage.prompt_tokens;
	return answer;
}

struct core_answer exchange_give_up(struct exchange *exchange, enum embed_status status)
{
	set_fault(exchange, WIRE_STOP_ALL, status, embed_status_meaning(status));
	return (struct core_answer){.fault = &exchange->fault};
}
