/* SPDX-License-Identifier: MIT */
#include "http/parse.h"

#include <string.h>
#include <strings.h>

/* Character classes of RFC 9110 5.6.2 (token), 5.5 (field value) and 3986 (target, host). */
enum { TOKEN = 1, VALUE = 2, TARGET = 4, HOST = 8, VISIBLE = VALUE | TARGET, ALL = 15 };

static const uint8_t class_of[256] = {
    ['\t'] = VALUE,
    [' '] = VALUE,
    ['!'] = ALL,
    ['"'] = VISIBLE,
    ['#'] = TOKEN | VALUE, /* a fragment is never sent */
    ['$' ... '\''] = ALL,
    ['(' ... ')'] = VISIBLE | HOST,
    ['*' ... '+'] = ALL,
    [','] = VISIBLE,
    ['-' ... '.'] = ALL,
    ['/'] = VISIBLE,
    ['0' ... '9'] = ALL,
    [':' ... ';'] = VISIBLE | HOST,
    ['<'] = VISIBLE,
    ['='] = VISIBLE | HOST,
    ['>' ... '@'] = VISIBLE,
    ['A' ... 'Z'] = ALL,
    ['['] = VISIBLE | HOST,
    ['\\'] = VISIBLE,
    [']'] = VISIBLE | HOST,
    ['^'] = TOKEN | VISIBLE,
    ['_'] = ALL,
    ['`'] = TOKEN | VISIBLE,
    ['a' ... 'z'] = ALL,
    ['{'] = VISIBLE,
    ['|'] = TOKEN | VISIBLE,
    ['}'] = VISIBLE,
    ['~'] = ALL,
    [0x80 ... 0xff] = VALUE,
};

static bool is_class(char c, uint8_t class)
{
	return class_of[(uint8_t)c] & class;
}

static bool is_all(struct http_slice slice, uint8_t class)
{
	for (size_t i = 0; i < slice.len; i++)
		if (!is_class(slice.bytes[i], class))
			return false;
	return slice.len > 0;
}

static enum http_parse refuse(struct http_refusal *refusal, int status, const char *why)
{
	*refusal = (struct http_refusal){status, why};
	return HTTP_PARSE_REFUSED;
}

enum http_parse http_scan_head(struct http_scan *scan, const char *bytes, size_t len,
    size_t max_head_bytes, size_t *head_len, struct http_refusal *refusal)
{
	size_t end = len < max_head_bytes ? len : max_head_bytes;

	while (scan->scanned < end) {
		const char *lf = memchr(bytes + scan->scanned, '\n', end - scan->scanned);
		size_t line_len;

		if (!lf) {
			scan->scanned = end;
			break;
		}
		scan->scanned = (size_t)(lf - bytes) + 1;
		line_len = scan->scanned - scan->line_start;
		if (line_len < 2 || lf[-1] != '\r')
			return refuse(refusal, 400, "a line does not end in CRLF");
		scan->line_start = scan->scanned;
		if (line_len > 2) {
			scan->lines++;
		} else if (scan->lines > 0) {
			*head_len = scan->scanned;
			return HTTP_PARSE_DONE;
		} else if (scan->scanned > 2) {
			return refuse(refusal, 400, "empty lines before the request");
		}
	}
	if (len < max_head_bytes)
		return HTTP_PARSE_MORE;
	return scan->lines ? refuse(refusal, 431, "the head is too large")
			   : refuse(refusal, 414, "the request line is too long");
}

/* Splits "http://authority/path?query" (absolute form, RFC 9112 3.2.2). */
static bool split_absolute(
    struct http_slice target, struct http_slice *authority, struct http_slice *rest)
{
	static const char *const schemes[] = {"http://", "https://"};

	for (size_t i = 0; i < 2; i++) {
		size_t skip = strlen(schemes[i]);
		size_t end;

		if (target.len <= skip || strncasecmp(target.bytes, schemes[i], skip) != 0)
			continue;
		for (end = skip; end < target.len && target.bytes[end] != '/'; end++)
			if (target.bytes[end] == '?')
				return false;
		*authority = (struct http_slice){target.bytes + skip, end - skip};
		*rest = (struct http_slice){target.bytes + end, target.len - end};
		if (rest->len == 0)
			*rest = (struct http_slice){"/", 1};
		return is_all(*authority, HOST);
	}
	return false;
}

static enum http_parse parse_target(struct http_request *request, struct http_refusal *refusal)
{
	struct http_slice rest = request->target;
	const char *question;

	if (!is_all(rest, TARGET))
		return refuse(refusal, 400, "bad characters in the request target");
	if (rest.bytes[0] != '/') {
		bool is_asterisk = rest.len == 1 && rest.bytes[0] == '*' &&
				   http_slice_equals(request->method, "OPTIONS");

		if (!is_asterisk && !split_absolute(request->target, &request->host, &rest))
			return refuse(refusal, 400, "the request target is not a path");
	}
	question = memchr(rest.bytes, '?', rest.len);
	request->path = rest;
	request->query = (struct http_slice){rest.bytes + rest.len, 0};
	if (question) {
		request->path.len = (size_t)(question - rest.bytes);
		request->query.bytes = question + 1;
		request->query.len = rest.len - request->path.len - 1;
	}
	return HTTP_PARSE_DONE;
}

static enum http_parse parse_version(
    struct http_slice version, struct http_request *request, struct http_refusal *refusal)
{
	if (version.len != 8 || memcmp(version.bytes, "HTTP/", 5) != 0 || version.bytes[6] != '.' ||
	    version.bytes[5] < '0' || version.bytes[5] > '9' || version.bytes[7] < '0' ||
	    version.bytes[7] > '9')
		return refuse(refusal, 400, "malformed request line");
	if (version.bytes[5] != '1' || version.bytes[7] > '1')
		return refuse(refusal, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
	request->is_http_1_0 = version.bytes[7] == '0';
	return HTTP_PARSE_DONE;
}

static enum http_parse parse_request_line(
    const char *line, size_t len, struct http_request *request, struct http_refusal *refusal)
{
	const char *first = memchr(line, ' ', len);
	const char *second =
	    first ? memchr(first + 1, ' ', len - (size_t)(first + 1 - line)) : NULL;
	struct http_slice version;

	if (!second)
		return refuse(refusal, 400, "malformed request line");
	request->method = (struct http_slice){line, (size_t)(first - line)};
	request->target = (struct http_slice){first + 1, (size_t)(second - first - 1)};
	version = (struct http_slice){second + 1, (size_t)(line + len - second - 1)};
	if (!is_all(request->method, TOKEN))
		return refuse(refusal, 400, "malformed request line");
	if (parse_version(version, request, refusal) != HTTP_PARSE_DONE)
		return HTTP_PARSE_REFUSED;
	return parse_target(request, refusal);
}

/* ---- Fields ------------------------------------------------------------ */

/* What is gathered while the fields go by. */
struct gathering {
	struct http_request *request;
	struct http_framing *framing;
	struct http_refusal *refusal;
	bool has_host;
	bool has_coding;
};

static enum http_parse on_host(struct gathering *g, struct http_slice value)
{
	if (g->has_host)
		return refuse(g->refusal, 400, "more than one Host");
	if (!is_all(value, HOST))
		return refuse(g->refusal, 400, "malformed Host");
	g->has_host = true;
	if (!g->request->host.bytes) /* an absolute target names it already (RFC 9112 3.2.2) */
		g->request->host = value;
	return HTTP_PARSE_DONE;
}

static enum http_parse on_content_length(struct gathering *g, struct http_slice value)
{
	int64_t length = 0;

	if (g->framing->content_length >= 0)
		return refuse(g->refusal, 400, "more than one Content-Length");
	if (value.len == 0 || value.len > 18) /* 18 digits cannot overflow 63 bits */
		return refuse(g->refusal, 400, "malformed Content-Length");
	for (size_t i = 0; i < value.len; i++) {
		if (value.bytes[i] < '0' || value.bytes[i] > '9')
			return refuse(g->refusal, 400, "malformed Content-Length");
		length = length * 10 + (value.bytes[i] - '0');
	}
	g->framing->content_length = length;
	return HTTP_PARSE_DONE;
}

static enum http_parse on_transfer_encoding(struct gathering *g, struct http_slice value)
{
	if (g->has_coding)
		return refuse(g->refusal, 400, "more than one Transfer-Encoding");
	if (!http_slice_equals_any_case(value, "chunked"))
		return refuse(g->refusal, 400, "the only Transfer-Encoding understood is chunked");
	g->has_coding = true;
	g->framing->is_chunked = true;
	return HTTP_PARSE_DONE;
}

static enum http_parse on_connection(struct gathering *g, struct http_slice value)
{
	size_t at = 0;

	while (at < value.len) {
		const char *comma = memchr(value.bytes + at, ',', value.len - at);
		size_t end = comma ? (size_t)(comma - value.bytes) : value.len;
		struct http_slice option = {value.bytes + at, end - at};

		while (option.len && (*option.bytes == ' ' || *option.bytes == '\t'))
			option.bytes++, option.len--;
		while (option.len && strchr(" \t", option.bytes[option.len - 1]))
			option.len--;
		if (http_slice_equals_any_case(option, "close"))
			g->framing->wants_close = true;
		at = end + 1;
	}
	return HTTP_PARSE_DONE;
}

static enum http_parse on_expect(struct gathering *g, struct http_slice value)
{
	if (!http_slice_equals_any_case(value, "100-continue"))
		return refuse(g->refusal, 417, "the only expectation met is 100-continue");
	g->framing->wants_continue = true;
	return HTTP_PARSE_DONE;
}

/* The fields that decide where a message ends, and who answers. */
static const struct {
	const char *name;
	size_t len;
	enum http_parse (*fn)(struct gathering *g, struct http_slice value);
} watched[] = {
    {"host", 4, on_host},
    {"expect", 6, on_expect},
    {"connection", 10, on_connection},
    {"content-length", 14, on_content_length},
    {"transfer-encoding", 17, on_transfer_encoding},
};

static enum http_parse watch_field(struct gathering *g, const struct http_field *field)
{
	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
		if (field->name.len == watched[i].len &&
		    strncasecmp(field->name.bytes, watched[i].name, watched[i].len) == 0)
			return watched[i].fn(g, field->value);
	return HTTP_PARSE_DONE;
}

/* One line without its CRLF. */
static enum http_parse parse_field(
    const char *line, size_t len, struct http_field *field, struct http_refusal *refusal)
{
	size_t name_len = 0;
	size_t start;
	size_t end = len;

	while (name_len < len && is_class(line[name_len], TOKEN))
		name_len++;
	if (name_len == 0 || name_len == len || line[name_len] != ':')
		return refuse(refusal, 400, "malformed header field");
	start = name_len + 1;
	while (start < end && (line[start] == ' ' || line[start] == '\t'))
		start++;
	while (end > start && (line[end - 1] == ' ' || line[end - 1] == '\t'))
		end--;
	field->name = (struct http_slice){line, name_len};
	field->value = (struct http_slice){line + start, end - start};
	if (field->value.len && !is_all(field->value, VALUE))
		return refuse(refusal, 400, "control characters in a header field");
	return HTTP_PARSE_DONE;
}

static enum http_parse check_framing(struct gathering *g)
{
	struct http_framing *framing = g->framing;
	struct http_request *request = g->request;

	if (!g->has_host && !request->is_http_1_0)
		return refuse(g->refusal, 400, "no Host");
	if (g->has_coding && framing->content_length >= 0)
		return refuse(g->refusal, 400, "both Content-Length and Transfer-Encoding");
	if (g->has_coding && request->is_http_1_0)
		return refuse(g->refusal, 400, "Transfer-Encoding in HTTP/1.0");
	if (request->is_http_1_0) {
		framing->wants_close = true;
		framing->wants_continue = false; /* RFC 9110 10.1.1 */
	}
	request->content_length = framing->content_length;
	request->has_body = framing->is_chunked || framing->content_length >= 0;
	return HTTP_PARSE_DONE;
}

/* The line's length without CRLF; lines are known to end so. */
static size_t line_length(const char *line, const char *end)
{
	const char *lf = memchr(line, '\n', (size_t)(end - line));

	return (size_t)(lf - line) - 1;
}

enum http_parse http_parse_head(const char *bytes, size_t len, struct http_field *fields,
    size_t max_fields, struct http_request *request, struct http_framing *framing,
    struct http_refusal *refusal)
{
	const char *at = bytes;
	const char *end = bytes + len - 2; /* the empty line */
	struct gathering g = {request, framing, refusal, false, false};
	size_t line_len;

	*request = (struct http_request){.fields = fields};
	*framing = (struct http_framing){.content_length = -1};
	if (at[0] == '\r' && at[1] == '\n') /* the one empty line that may come before */
		at += 2;
	line_len = line_length(at, end);
	if (parse_request_line(at, line_len, request, refusal) != HTTP_PARSE_DONE)
		return HTTP_PARSE_REFUSED;
	for (at += line_len + 2; at < end; at += line_len + 2) {
		struct http_field *field = &fields[request->field_count];

		line_len = line_length(at, end);
		if (request->field_count == max_fields)
			return refuse(refusal, 431, "too many header fields");
		if (parse_field(at, line_len, field, refusal) != HTTP_PARSE_DONE ||
		    watch_field(&g, field) != HTTP_PARSE_DONE)
			return HTTP_PARSE_REFUSED;
		request->field_count++;
	}
	return check_framing(&g);
}
