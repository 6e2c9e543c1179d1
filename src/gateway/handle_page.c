/* SPDX-License-Identifier: MIT */
/* The dashboard's page and what it is made of; and what its numbers are called. */
#include "gateway/state.h"

#include <string.h>
#include <strings.h>

#include "gateway/page.h"

/* Nothing but the page's own files, nothing inline, in nobody's frame. */
#define POLICY                                                                                     \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "                \
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static void add_fields(struct http_exchange *exchange, const struct page_file *file)
{
	http_reply_field(exchange, "content-security-policy", POLICY);
	http_reply_field(exchange, "x-content-type-options", "nosniff");
	http_reply_field(exchange, "referrer-policy", "no-referrer");
	http_reply_field(exchange, "cross-origin-opener-policy", "same-origin");
	http_reply_field(exchange, "cross-origin-resource-policy", "same-origin");
	http_reply_field(exchange, "cache-control", "no-cache"); /* ask each time, by the tag */
	http_reply_field(exchange, "vary", "accept-encoding");
	http_reply_field(exchange, "etag", file->etag);
}

/* Whether a list such as "gzip, deflate;q=0.5" has the word; q=0 takes it out. */
static bool lists_gzip(const struct http_slice *field)
{
	for (size_t i = 0; field && i + 4 <= field->len; i++) {
		const char *rest = field->bytes + i + 4;
		size_t left = field->len - i - 4;

		if (strncasecmp(field->bytes + i, "gzip", 4) == 0)
			return !(left >= 4 && strncasecmp(rest, ";q=0", 4) == 0 &&
				 (left == 4 || rest[4] == ','));
	}
	return false;
}

static bool has_tag(const struct http_slice *field, const char *etag)
{
	return field && memmem(field->bytes, field->len, etag, strlen(etag)) != NULL;
}

static void reply_file(struct call *call, const struct page_file *file)
{
	const struct http_request *request = http_exchange_request(call->exchange);
	struct http_slice body = file->plain;

	add_fields(call->exchange, file);
	if (has_tag(http_request_field(request, "if-none-match"), file->etag)) {
		http_reply(call->exchange, 304, NULL, NULL, 0);
		return;
	}
	if (lists_gzip(http_request_field(request, "accept-encoding"))) {
		http_reply_field(call->exchange, "content-encoding", "gzip");
		body = file->gzip;
	}
	http_reply(call->exchange, 200, file->content_type, body.bytes, body.len);
}

static const struct page_file *find(struct http_slice name)
{
	for (size_t i = 0; i < page_file_count; i++)
		if (http_slice_equals(name, page_files[i].name))
			return &page_files[i];
	return NULL;
}

void handle_page(struct call *call)
{
	reply_file(call, find((struct http_slice){"index.html", strlen("index.html")}));
}

void handle_page_file(struct call *call)
{
	const struct page_file *file = find(call_param(call));

	if (file)
		reply_file(call, file);
	else
		call_refuse_with(call, 404, "The dashboard has no such file.",
		    "invalid_request_error", NULL, NULL);
}

/* {"jobs":{"kind":"COUNT","unit":"jobs","meaning":"jobs accepted"},..} */
void handle_names(struct call *call)
{
	struct buffer *out = &call->worker->body;

	buffer_reset(out);
#define ROW(name, kind, unit, meaning)                                                             \
	buffer_append_char(out, out->len > 0 ? ',' : '{');                                         \
	buffer_append_text(out, "\"" #name "\":{\"kind\":\"" #kind "\",\"unit\":\"" unit           \
				"\",\"meaning\":\"" meaning "\"}");
	EMBED_STATS_TABLE(ROW)
#undef ROW
	buffer_append_char(out, '}');
	call_reply(call, 200);
}
