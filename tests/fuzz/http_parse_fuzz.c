/* SPDX-License-Identifier: MIT */
/*
 * The first byte chooses how the rest is split.  Whole and split must agree,
 * and no slice may leave the input.
 */
#include <stdlib.h>
#include <string.h>

#include "http/parse.h"

#define CAP 4096

struct verdict {
	enum http_parse parsed;
	int status;
	size_t at;
	size_t body_len;
	char body[CAP];
};

static void check_slice(struct http_slice slice, const char *bytes, size_t len)
{
	if (slice.len == 1 && *slice.bytes == '/')
		return; /* an absolute target without a path */
	if (slice.len && (slice.bytes < bytes || slice.bytes + slice.len > bytes + len))
		abort();
}

static void read_head(const char *bytes, size_t len, size_t step, struct verdict *verdict)
{
	struct http_scan scan = {0};
	struct http_refusal refusal = {0};

	verdict->parsed = HTTP_PARSE_MORE;
	for (size_t here = 0; verdict->parsed == HTTP_PARSE_MORE && here < len;) {
		here = step < len - here ? here + step : len;
		verdict->parsed = http_scan_head(&scan, bytes, here, CAP, &verdict->at, &refusal);
	}
	if (verdict->parsed == HTTP_PARSE_DONE) {
		struct http_field fields[HTTP_FIELDS_MAX];
		struct http_request request;
		struct http_framing framing;

		verdict->parsed = http_parse_head(
		    bytes, verdict->at, fields, HTTP_FIELDS_MAX, &request, &framing, &refusal);
		if (verdict->parsed == HTTP_PARSE_DONE) {
			check_slice(request.path, bytes, len);
			check_slice(request.query, bytes, len);
			check_slice(request.host, bytes, len);
			for (size_t i = 0; i < request.field_count; i++)
				check_slice(fields[i].value, bytes, len);
			if (framing.is_chunked && framing.content_length >= 0)
				abort();
		}
	}
	verdict->status = refusal.status;
}

static void read_chunks(const char *bytes, size_t len, size_t step, struct verdict *verdict)
{
	struct http_chunked chunked = {0};
	struct http_refusal refusal = {0};

	memset(verdict, 0, sizeof(*verdict));
	verdict->parsed = HTTP_PARSE_MORE;
	while (verdict->parsed == HTTP_PARSE_MORE && verdict->at < len) {
		size_t piece = step < len - verdict->at ? step : len - verdict->at;
		size_t consumed = 0;
		size_t produced = 0;

		verdict->parsed = http_chunked_feed(&chunked, bytes + verdict->at, piece, CAP,
		    verdict->body + verdict->body_len, &consumed, &produced, &refusal);
		verdict->at += consumed;
		verdict->body_len += produced;
	}
	verdict->status = refusal.status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct verdict whole;
	static struct verdict split;
	const char *bytes = (const char *)data + 1;
	size_t step;

	if (size < 2 || size > CAP)
		return 0;
	step = data[0] ? data[0] : 1;
	size--;
	read_head(bytes, size, size, &whole);
	read_head(bytes, size, step, &split);
	if (whole.parsed != split.parsed || whole.status != split.status)
		abort();
	read_chunks(bytes, size, size, &whole);
	read_chunks(bytes, size, step, &split);
	if (whole.parsed != split.parsed || whole.status != split.status)
		abort();
	if (whole.parsed != HTTP_PARSE_REFUSED &&
	    (whole.body_len != split.body_len ||
		memcmp(whole.body, split.body, whole.body_len) != 0))
		abort();
	return 0;
}
