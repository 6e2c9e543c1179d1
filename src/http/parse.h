/* SPDX-License-Identifier: MIT */
/*
 * Parse: request heads and chunked bodies, strictly (RFC 9110, 9112).
 *
 * Whatever two recipients could read in two ways is refused, because that is
 * what request smuggling lives on: line ends other than CRLF, blanks before a
 * colon, folded lines, control characters, a length given twice or beside
 * transfer-encoding, any coding but exactly "chunked", a Host missing or
 * given twice, HTTP/1.0 with a coding.
 *
 * Pure: bytes in, values out; no memory of its own, any split of the bytes
 * gives the same result.  The slices of a head point into the caller's bytes.
 *
 * Threads: none shared.
 */
#ifndef HTTP_PARSE_H
#define HTTP_PARSE_H

#include "http/http.h"

#define HTTP_FIELDS_MAX 100

/* A refusal: the status to answer with and a phrase that says why. */
struct http_refusal {
	int status;
	const char *why;
};

enum http_parse {
	HTTP_PARSE_MORE,    /* fine so far, not complete */
	HTTP_PARSE_DONE,    /* complete */
	HTTP_PARSE_REFUSED, /* see the refusal */
};

/* ---- Where a head ends ------------------------------------------------ */

/* All zero at first; remembers what was looked at, so that bytes are scanned once. */
struct http_scan {
	size_t scanned;    /* bytes looked at */
	size_t line_start; /* of the line that is not complete */
	size_t lines;
};

/*
 * Looks for the empty line that ends a head among the `len` bytes that came so
 * far.  DONE: *head_len bytes make the head, empty line included.  An empty
 * line before the request line is let pass once.
 */
enum http_parse http_scan_head(struct http_scan *scan, const char *bytes, size_t len,
    size_t max_head_bytes, size_t *head_len, struct http_refusal *refusal);

/* ---- A head ----------------------------------------------------------- */

/* What the connection needs to know of the fields. */
struct http_framing {
	int64_t content_length; /* -1: none given */
	bool is_chunked;
	bool wants_close;    /* `connection: close`, or HTTP/1.0 */
	bool wants_continue; /* `expect: 100-continue` */
};

/*
 * Parses a complete head.  `fields` has room for `max_fields`.  On DONE,
 * `request` is filled but for body, body_len and is_tls.  Never MORE.
 */
enum http_parse http_parse_head(const char *bytes, size_t len, struct http_field *fields,
    size_t max_fields, struct http_request *request, struct http_framing *framing,
    struct http_refusal *refusal);

/* ---- A chunked body --------------------------------------------------- */

/* All zero at first. */
struct http_chunked {
	int state;
	unsigned digits;     /* of the size so far */
	uint64_t left;       /* bytes of this chunk still to come */
	uint64_t body_bytes; /* in all chunks so far, this one included */
	size_t extra_bytes;  /* of extensions and trailers, which are read and dropped */
	size_t name_len;     /* of the trailer's name so far */
};

/*
 * Decodes `in` to `out`; out may be at or before in (in place).  Consumes all
 * bytes unless DONE, when `*consumed` tells where the next request starts.
 * `*produced` bytes were written.  413 when the body would exceed `cap`.
 */
enum http_parse http_chunked_feed(struct http_chunked *chunked, const char *in, size_t len,
    size_t cap, char *out, size_t *consumed, size_t *produced, struct http_refusal *refusal);

#endif
