/* SPDX-License-Identifier: MIT */
/*
 * Connection: a socket, what was read of it and what waits to be written, and
 * the exchange under way.
 *
 * States: HEAD (idle, or reading a head), BODY, ANSWERING (the user has the
 * exchange, or its reply is being taken by the kernel), LINGER (our side is
 * closed; the rest of the client's bytes are thrown away, so that the kernel's
 * reset does not overtake the reply).
 *
 * Everything moves in http_conn_drive, which the worker calls after each
 * event, timer or resume.  The public functions on an exchange only take note
 * and write to the socket; they never drive, so nothing is freed under a
 * callback's feet.
 *
 * Threads: the worker's.
 */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <sys/uio.h>

#include "http/http.h"
#include "http/parse.h"

struct http_worker;

/* First member of what epoll points to. */
enum http_event_kind { HTTP_EVENT_WAKE, HTTP_EVENT_LISTENER, HTTP_EVENT_CONN };

enum http_conn_state { HTTP_CONN_HEAD, HTTP_CONN_BODY, HTTP_CONN_ANSWERING, HTTP_CONN_LINGER };

enum http_deadline_kind {
	HTTP_DEADLINE_IDLE,
	HTTP_DEADLINE_HEAD,
	HTTP_DEADLINE_BODY,
	HTTP_DEADLINE_WRITE,
	HTTP_DEADLINE_LINGER,
	HTTP_DEADLINE_KINDS,
	HTTP_DEADLINE_NONE = HTTP_DEADLINE_KINDS,
};

/* Bytes read. */
struct http_inbuf {
	struct http_inbuf *next;
	size_t cap;
	char bytes[];
};

/* Bytes that wait for the socket. */
struct http_block {
	struct http_block *next;
	char *bytes; /* owned */
	size_t sent;
	size_t len;
};

struct http_callback {
	http_exchange_fn *fn;
	void *arg;
};

struct http_exchange {
	struct http_conn *conn;
	struct http_exchange *next; /* among resumed, or spare ones */
	uint64_t id;
	int64_t started_us;
	struct http_request request;
	struct http_framing framing;
	size_t body_cap;
	void *user;
	struct buffer reply_fields;
	struct http_callback on_timer, on_gone, on_writable, on_resume;
	size_t timer_slot; /* in the heap plus 1; 0: none */
	int64_t due_us;
	int64_t stream_left; /* of an announced length; HTTP_CHUNKED */
	int status;
	uint64_t sent_bytes;
	char peer[64];
	bool is_known;     /* to the user: on_end is due */
	bool is_body_read; /* completely */
	bool is_parked;
	bool is_started; /* a status line was written, or raw bytes */
	bool is_streaming;
	bool is_chunked_out;
	bool is_complete; /* nothing will be added */
	bool is_gone;
	bool closes;  /* the connection after it */
	bool lingers; /* closing so that unread input does not kill the reply */
	bool wants_reset;
	struct http_field
	    fields[HTTP_FIELDS_MAX]; /* last, since only so many as there are get touched */
};

struct http_conn {
	enum http_event_kind event_kind;
	int fd;
	SSL *ssl;
	struct http_worker *worker;
	struct http_conn *prev, *next; /* among all */
	struct http_conn *again_next;
	struct http_conn *deadline_prev, *deadline_next;
	int64_t deadline_us;
	enum http_deadline_kind deadline;
	enum http_conn_state state;
	struct http_inbuf *in;
	size_t in_len; /* bytes in it */
	size_t head_len;
	size_t body_taken;  /* bytes that the body's reader has seen */
	size_t request_end; /* where the next request starts, once this one is complete */
	struct http_scan scan;
	struct http_chunked chunked;
	struct http_block *out, *out_last;
	size_t out_bytes;
	size_t lingered_bytes;
	struct http_exchange *exchange;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} peer;
	bool is_readable; /* the socket may have bytes (edge-triggered) */
	bool has_hung_up; /* the client sent its end of input */
	bool is_broken;   /* reset, or an error */
	bool is_again;
	bool is_dead;
};

/* Takes over a fresh socket; NULL (and closed) when memory is short. */
struct http_conn *http_conn_open(struct http_worker *worker, int fd, const struct sockaddr *peer);

/* What epoll said. */
void http_conn_on_event(struct http_conn *conn, uint32_t events);

void http_conn_on_turn(struct http_conn *conn);

/* Moves as far as it can without waiting. */
void http_conn_drive(struct http_conn *conn);

/* A deadline fell due. */
void http_conn_on_deadline(struct http_conn *conn);

/* Runs a callback on its exchange, then drives. */
void http_conn_call(struct http_exchange *exchange, struct http_callback callback);

/* Calls http_conn_on_turn in the loop's next turn. */
void http_conn_come_again(struct http_conn *conn);

/* The client counts as gone: for stopping. */
void http_conn_cut(struct http_conn *conn);

/* The second half of closing, at the end of a turn. */
void http_conn_free(struct http_conn *conn);

/* ---- Between connection.c and connection_read.c ----------------------- */

/* Whether a step may be followed by another at once. */
enum http_progress { HTTP_GO_ON, HTTP_WAIT };

/* Off every list; the memory goes at the end of the turn, since events may still point to it. */
void http_conn_close(struct http_conn *conn);

/* Tells the user that the exchange is over, and takes it back. */
void http_conn_end_exchange(struct http_conn *conn);

/* The client left in the middle of a request, or before one. */
enum http_progress http_conn_abandon(struct http_conn *conn);

/* ---- connection_read.c: the states HEAD and BODY ---------------------- */

/* Answers by the server itself, then closes. */
void http_conn_refuse(struct http_conn *conn, struct http_refusal refusal);

void http_conn_drop_inbuf(struct http_conn *conn);

/* Reads as far as one step goes. */
enum http_progress http_conn_read_head(struct http_conn *conn);
enum http_progress http_conn_read_body(struct http_conn *conn);

/* ---- io.c: the socket, plain or TLS ---------------------------------- */

#define HTTP_IO_END   0
#define HTTP_IO_AGAIN (-1)
#define HTTP_IO_ERROR (-2)

ssize_t http_io_read(struct http_conn *conn, void *bytes, size_t len);

/* Bytes written, of up to 16 parts; an error marks the connection broken. */
ssize_t http_io_write(struct http_conn *conn, const struct iovec *parts, int count);

/* Writes what waits.  Errors mark the connection broken. */
void http_io_flush(struct http_conn *conn);

/* Writes the parts, or keeps copies of what the socket does not take. */
void http_io_send(struct http_conn *conn, const struct iovec *parts, int count);

/* Keeps bytes from malloc, `sent` of them written already.  Frees them when memory is short. */
void http_io_keep(struct http_conn *conn, char *bytes, size_t sent, size_t len);
void http_io_keep_copy(struct http_conn *conn, const struct iovec *parts, int count, size_t skip);
void http_io_drop(struct http_conn *conn);

/* Ends our half; the client sees the end of the reply. */
void http_io_shutdown(struct http_conn *conn);

#endif
