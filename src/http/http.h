/* SPDX-License-Identifier: MIT */
/*
 * HTTP server: strict HTTP/1.1 on epoll.  Knows no routes.
 *
 * The model.  A server has workers, each a thread with one event loop.  A
 * connection belongs to one worker for life, and carries one exchange (a
 * request and its reply) at a time; pipelined requests wait their turn.  The
 * server's user is called with an exchange when its head is complete
 * (`on_head`, may refuse before the body is read) and when its body is
 * complete (`on_request`), always on the worker's thread.  `on_request` either
 * answers (http_reply), starts a streamed answer (http_stream_*), waits for a
 * timer (http_exchange_after), or parks the exchange until some thread resumes
 * it.  In the end, exactly once, `on_end` is called, and the exchange is gone.
 *
 * When the client goes away before the reply is complete, the exchange is
 * `gone`: its on_gone callback runs once, its timer is dropped, everything
 * written to it is ignored, and it ends as soon as it is not parked.  An
 * end of input (half close) while a request waits counts as going away, since
 * it is how an aborted client looks.
 *
 * Strictness (RFC 9112, DESIGN "Gateway HTTP rules"): what could be read in
 * two ways is refused with 400 and the connection closed.  See parse.h.
 *
 * Threads.  An exchange and all functions on it belong to its worker's thread
 * (the callbacks), except http_exchange_resume.  http_server_* may be called
 * from any one thread that is not a worker, unless said otherwise.
 *
 * Ownership.  Everything that a request points to lives until on_end has
 * returned.  The body may be changed in place.  Arguments are borrowed for
 * the call.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <embed.h>

#include "base/buffer.h"

struct http_server;
struct http_exchange;

struct http_slice {
	const char *bytes; /* not NUL-terminated */
	size_t len;
};

struct http_field {
	struct http_slice name;  /* as it was sent */
	struct http_slice value; /* without blanks around it */
};

/* ---- Requests -------------------------------------------------------- */

/*
 * Its slices point into the connection's buffer, which may be another one when
 * the body has come: what on_head looked at, on_request looks up again.
 */
struct http_request {
	struct http_slice method; /* "POST", never empty */
	struct http_slice target; /* as sent */
	struct http_slice path;   /* still percent-encoded, starts with "/" ("*" for OPTIONS *) */
	struct http_slice query;  /* after "?", maybe empty */
	struct http_slice host;
	const struct http_field *fields; /* in the order sent */
	size_t field_count;
	char *body; /* chunked ones are joined; NULL in on_head */
	size_t body_len;
	int64_t content_length; /* as announced, or -1 (chunked, or no body) */
	bool has_body;          /* announced one, even of length 0 */
	bool is_http_1_0;
	bool is_tls;
};

/* The exchange's request. */
const struct http_request *http_exchange_request(const struct http_exchange *exchange);

/* First field of that name (any case), or NULL. */
const struct http_slice *http_request_field(const struct http_request *request, const char *name);

bool http_slice_equals(struct http_slice slice, const char *text);
bool http_slice_equals_any_case(struct http_slice slice, const char *text);

/*
 * Undoes %XX.  Returns the length, or SIZE_MAX when the result does not fit
 * `cap`, is malformed or would hold a NUL.  Not NUL-terminated.
 */
size_t http_percent_decode(struct http_slice in, char *out, size_t cap);

/* Finds NAME=value in a query; the value still encoded. */
bool http_query_find(struct http_slice query, const char *name, struct http_slice *value);

/* The client's address ("192.0.2.1:4711", "[::1]:4711", "unix"); lives as long as the exchange. */
const char *http_exchange_peer(struct http_exchange *exchange);

/* True for a Unix socket and addresses of this machine's loopback. */
bool http_exchange_is_loopback(struct http_exchange *exchange);

/* A number that no other exchange of this server has; 1 and up. */
uint64_t http_exchange_id(const struct http_exchange *exchange);

/* When the first byte of the request was read (clock_now_us). */
int64_t http_exchange_started_us(const struct http_exchange *exchange);

/* ---- State that goes along ------------------------------------------- */

/* What `on_worker_start` made for this worker: state without locks. */
void *http_exchange_worker_user(const struct http_exchange *exchange);

/* A pointer of the caller's for this exchange, NULL at first; free it in on_end. */
void http_exchange_set_user(struct http_exchange *exchange, void *user);
void *http_exchange_user(const struct http_exchange *exchange);

/* ---- Replies --------------------------------------------------------- */

/*
 * Adds a field to the reply; before http_reply or http_stream_start.  The
 * server itself writes date, content-type, content-length or
 * transfer-encoding, and connection.  Control characters in the value become
 * blanks.
 */
void http_reply_field(struct http_exchange *exchange, const char *name, const char *value);
void http_reply_fieldf(struct http_exchange *exchange, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * The whole reply, once for an exchange; ends it when the bytes are with the
 * kernel.  What the socket does not take at once is copied.  content_type NULL:
 * none.  HEAD gets no body, 204 and 304 neither.
 */
void http_reply(struct http_exchange *exchange, int status, const char *content_type,
    const void *body, size_t len);
void http_reply_segments(struct http_exchange *exchange, int status, const char *content_type,
    const struct http_slice *segments, size_t count);

/*
 * Same, from a buffer: the rest is taken over, not copied, when the socket is
 * slow.  The buffer is empty afterwards (it keeps its memory if all was sent).
 * A failed buffer answers 500.
 */
void http_reply_buffer(
    struct http_exchange *exchange, int status, const char *content_type, struct buffer *body);

/* The connection closes after this reply. */
void http_exchange_close_after(struct http_exchange *exchange);

/* True from the client's going away on. */
bool http_exchange_is_gone(const struct http_exchange *exchange);

/* For on_end: the status sent (0: none), body and head bytes handed to the kernel. */
int http_exchange_status(const struct http_exchange *exchange);
uint64_t http_exchange_sent_bytes(const struct http_exchange *exchange);

/* ---- Streamed replies ------------------------------------------------ */

#define HTTP_CHUNKED (-1)

/*
 * Starts a reply whose body follows in pieces: of known length, or
 * HTTP_CHUNKED (to an HTTP/1.0 client: until close).
 */
void http_stream_start(
    struct http_exchange *exchange, int status, const char *content_type, int64_t content_length);

/*
 * One piece.  False, and nothing is written, when more than
 * `max_pending_bytes` would wait for the socket: write again from on_writable.
 * A gone exchange swallows everything and says true.
 */
bool http_stream_write(struct http_exchange *exchange, const void *bytes, size_t len);

/* Ends body and exchange.  Fewer bytes than announced: the connection is cut. */
void http_stream_end(struct http_exchange *exchange);

/* ---- Waiting --------------------------------------------------------- */

typedef void http_exchange_fn(struct http_exchange *exchange, void *arg);

/*
 * Runs fn on the worker's thread after `us` microseconds, unless the exchange
 * ends or is gone before.  One timer for each exchange: a new one replaces it.
 */
void http_exchange_after(
    struct http_exchange *exchange, int64_t us, http_exchange_fn *fn, void *arg);

/* Runs fn once, when the client has gone away.  NULL: no longer. */
void http_exchange_on_gone(struct http_exchange *exchange, http_exchange_fn *fn, void *arg);

/* Runs fn once, when at most half of max_pending_bytes waits (in a later turn of the loop). */
void http_exchange_on_writable(struct http_exchange *exchange, http_exchange_fn *fn, void *arg);

/*
 * park promises exactly one resume, and keeps the exchange alive until then,
 * even when the client goes away.  resume may be called from any thread
 * (before the parking callback has returned, too); fn then runs on the worker's
 * thread.  It always runs, so it can free `arg`; check http_exchange_is_gone.
 */
void http_exchange_park(struct http_exchange *exchange);
void http_exchange_resume(struct http_exchange *exchange, http_exchange_fn *fn, void *arg);

/* ---- Faults on purpose (the emulator) -------------------------------- */

/*
 * Bytes as they are, instead of a reply or in the middle of a streamed one;
 * no framing.  Bounded as http_stream_write.  The connection cannot be used
 * again: finish with http_exchange_close or http_exchange_reset.
 */
bool http_exchange_send_raw(struct http_exchange *exchange, const void *bytes, size_t len);

/* Sends what waits, then closes, whatever the framing promised. */
void http_exchange_close(struct http_exchange *exchange);

/* Closes at once with a TCP reset; what waits is lost. */
void http_exchange_reset(struct http_exchange *exchange);

/* ---- Server ---------------------------------------------------------- */

/*
 * The head is complete, the body not read.  May set the body's cap
 * (http_exchange_set_body_cap) and may answer: then the body is never read and
 * on_request not called.  May not park.
 */
typedef void http_head_fn(struct http_exchange *exchange, void *context);
typedef void http_request_fn(struct http_exchange *exchange, void *context);

/* Once for each exchange that on_head or on_request saw; nothing can be sent any more. */
typedef void http_end_fn(struct http_exchange *exchange, void *context);

/* State for one worker; on its thread, before its first exchange.  False: the server does not start. */
typedef bool http_worker_start_fn(unsigned index, void **worker_user, void *context);
typedef void http_worker_stop_fn(void *worker_user, void *context);

/*
 * Writes the body of a refusal that the server makes by itself (400, 408, 413,
 * 414, 417, 431, 501, 503, 505) into `body` and gives its content type.
 */
typedef void http_refusal_fn(
    int status, const char *why, struct buffer *body, const char **content_type, void *context);

void http_exchange_set_body_cap(struct http_exchange *exchange, size_t max_body_bytes);

/* 0 and NULL mean the default. */
struct http_options {
	const char *const *listen; /* "127.0.0.1:8080", "[::1]:0", "localhost:80", "unix:/path" */
	size_t listen_count;
	const int *listen_fds; /* already listening (socket activation); closed by the server */
	size_t listen_fd_count;
	unsigned workers;          /* default 1 */
	size_t max_head_bytes;     /* default 16 KiB */
	size_t max_fields;         /* default and most 100 */
	size_t max_body_bytes;     /* when on_head sets none; default 1 MiB */
	size_t max_pending_bytes;  /* of a streamed reply; default 256 KiB */
	uint32_t max_connections;  /* default 16384; one more gets a 503 */
	uint32_t head_timeout_ms;  /* first byte of a request to its blank line; default 10000 */
	uint32_t body_timeout_ms;  /* blank line to the last byte of the body; default 60000 */
	uint32_t write_timeout_ms; /* a reply's bytes to be taken by the kernel; default 60000 */
	uint32_t idle_timeout_ms;  /* between requests; default 75000 */
	bool takes_over_ports;     /* listen even where another process does: its successor */
	const char *tls_cert_file; /* PEM chain; with it TLS on all TCP addresses */
	const char *tls_key_file;
	const char *server_name; /* `server` field; NULL: none */
	const char *
	    loopback_only_because; /* refuse addresses that others can reach, saying this; NULL: any */
	http_head_fn *on_head;     /* may be NULL */
	http_request_fn *on_request;
	http_end_fn *on_end;                   /* may be NULL */
	http_worker_start_fn *on_worker_start; /* may be NULL */
	http_worker_stop_fn *on_worker_stop;   /* may be NULL */
	http_refusal_fn *on_refusal;           /* NULL: one line of plain text */
	void *context;
};

/*
 * Binds, listens, starts the workers.  A stale Unix socket file (nobody
 * accepts there) is replaced.  EMBED_BAD_OPTION or EMBED_IO with a sentence.
 * *out is set before the first worker runs, for its handlers; NULL on failure.
 */
enum embed_status http_server_start(
    struct http_server **out, const struct http_options *options, struct embed_error *error);

/*
 * Where it listens: HOST:PORT with the port really bound, or unix:PATH; NULL
 * past the last.  Lives as long as the server.
 */
const char *http_server_address(const struct http_server *server, size_t index);

/* True when another process listened on one of its ports already: both get what comes. */
bool http_server_shares_ports(const struct http_server *server);

/* True when every address can be reached from this machine only. */
bool http_server_is_loopback(const struct http_server *server);

/* The port of the first TCP address, or 0. */
uint16_t http_server_port(const struct http_server *server);

struct http_server_stats {
	uint64_t connections; /* open now */
	uint64_t accepted, exchanges, refused, timed_out, over_cap;
};
/* Any thread. */
void http_server_stats(const struct http_server *server, struct http_server_stats *stats);

/* Reads certificate and key again, for connections from now on.  On failure the old ones stay. */
enum embed_status http_server_reload_tls(struct http_server *server, struct embed_error *error);

/*
 * Accepts no more, closes idle connections, lets running exchanges finish with
 * `connection: close`, and waits for that, at most deadline_ms.  True when all
 * are done.
 */
bool http_server_drain(struct http_server *server, uint32_t deadline_ms);

/*
 * Cuts what is left (their on_gone runs), waits until each parked exchange was
 * resumed, ends the workers, frees all.  NULL is fine.
 */
void http_server_stop(struct http_server *server);

#endif
