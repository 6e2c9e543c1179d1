/* SPDX-License-Identifier: MIT */
/*
 * Headers: what an upstream's response headers say about limits and waiting
 * (PROTOCOL.md 2.2, 4, 9), and Go durations, read and written.
 *
 * Feed every header, then look.  Unknown headers and values that make no sense
 * are ignored: a header never fails a reply.  -1 stands for "not said"; Azure
 * sends -1 itself and means the same.
 *
 * Threads: none.
 */
#ifndef WIRE_HEADER_H
#define WIRE_HEADER_H

#include <embed.h>

/* Longest time that any header may name; above it the value is cut to this. */
#define WIRE_MAX_WAIT_MS (INT64_C(366) * 24 * 3600 * 1000)

/* One kind of permit. */
struct wire_quota {
	int64_t limit;     /* per minute */
	int64_t remaining; /* now */
	int64_t reset_ms;  /* until it is full again; rounded up */
};

enum wire_should_retry { WIRE_RETRY_UNSAID, WIRE_RETRY_YES, WIRE_RETRY_NO };

struct wire_headers {
	struct wire_quota requests;
	struct wire_quota tokens;
	struct wire_quota project_tokens;
	enum wire_should_retry should_retry;
	int64_t processing_ms;
	char request_id[128]; /* x-request-id or apim-request-id; printable ASCII */

	/* private: see wire_headers_wait_ms */
	int64_t retry_after_ms;
	int64_t retry_after_s_as_ms;
	int64_t retry_after_date_s;
	int64_t date_s;
};

/* Nothing said. */
void wire_headers_init(struct wire_headers *headers);

/* One header; the name in any case, the value without line end. */
void wire_headers_read(struct wire_headers *headers, const char *name, size_t name_len,
    const char *value, size_t value_len);

/* The same for a raw line "Name: value\r\n", as libcurl delivers it. */
void wire_headers_read_line(struct wire_headers *headers, const char *line, size_t len);

/*
 * How long the server asks to wait: retry-after-ms, else retry-after in seconds
 * (fractions allowed), else as HTTP date, measured from the server's own `date`
 * header when it sent one, else from `unix_s`.  -1 when it does not ask; a date
 * that is past gives 0.
 */
int64_t wire_headers_wait_ms(const struct wire_headers *headers, int64_t unix_s);

/*
 * A Go duration ("6m0s", "1.182s", "284ms", "1h2m", "5us") or a bare number of
 * seconds, in whole milliseconds rounded up.  False: not one, negative, or
 * longer than WIRE_MAX_WAIT_MS.
 */
bool wire_duration_read(const char *text, size_t len, int64_t *ms);

#define WIRE_DURATION_CAP 32

/* As Go prints it: "0s", "20ms", "1.182s", "6m0s", "1h0m2.5s", terminated.  ms >= 0.  Gives the length. */
size_t wire_duration_write(char text[WIRE_DURATION_CAP], int64_t ms);

/* An HTTP date in its three forms (RFC 9110 5.6.7) as seconds since 1970.  False: not one. */
bool wire_date_read(const char *text, size_t len, int64_t *unix_s);

#endif
