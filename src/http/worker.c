/* SPDX-License-Identifier: MIT */
#include "http/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "http/server.h"

#define EVENTS_MAX       256
#define SPARE_INBUFS     64
#define SPARE_EXCHANGES  64
#define HEAD_MAX         (64u << 10)
#define REPLY_FIELDS_MAX (16u << 10)
#define LINGER_US        2000000
/* While draining, a connection that was idle this long has no request on its way. */
#define DRAIN_IDLE_US 500000

/* ---- Spare parts ------------------------------------------------------- */

struct http_inbuf *http_worker_take_inbuf(struct http_worker *worker)
{
	struct http_inbuf *inbuf = worker->spare_inbufs;

	if (inbuf) {
		worker->spare_inbufs = inbuf->next;
		worker->spare_inbuf_count--;
		return inbuf;
	}
	inbuf = malloc(sizeof(*inbuf) + worker->options->max_head_bytes);
	if (inbuf)
		inbuf->cap = worker->options->max_head_bytes;
	return inbuf;
}

void http_worker_give_inbuf(struct http_worker *worker, struct http_inbuf *inbuf)
{
	if (inbuf->cap != worker->options->max_head_bytes ||
	    worker->spare_inbuf_count == SPARE_INBUFS) {
		free(inbuf);
		return;
	}
	inbuf->next = worker->spare_inbufs;
	worker->spare_inbufs = inbuf;
	worker->spare_inbuf_count++;
}

struct http_exchange *http_worker_take_exchange(struct http_worker *worker)
{
	struct http_exchange *exchange = worker->spare_exchanges;
	struct buffer fields;

	if (exchange) {
		worker->spare_exchanges = exchange->next;
		worker->spare_exchange_count--;
		fields = exchange->reply_fields;
	} else {
		exchange = malloc(sizeof(*exchange));
		if (!exchange)
			return NULL;
		buffer_init(&fields, REPLY_FIELDS_MAX);
	}
	memset(exchange, 0, offsetof(struct http_exchange, fields));
	exchange->reply_fields = fields;
	buffer_reset(&exchange->reply_fields);
	exchange->id = worker->next_id;
	worker->next_id += worker->options->workers;
	exchange->started_us = worker->now_us;
	exchange->body_cap = worker->options->max_body_bytes;
	return exchange;
}

static void free_exchange(struct http_exchange *exchange)
{
	buffer_fini(&exchange->reply_fields);
	free(exchange);
}

void http_worker_give_exchange(struct http_worker *worker, struct http_exchange *exchange)
{
	if (worker->spare_exchange_count == SPARE_EXCHANGES) {
		free_exchange(exchange);
		return;
	}
	exchange->next = worker->spare_exchanges;
	worker->spare_exchanges = exchange;
	worker->spare_exchange_count++;
}

const char *http_worker_date(struct http_worker *worker)
{
	int64_t now_s = clock_unix_s();

	if (now_s != worker->date_s) {
		time_t time = (time_t)now_s;
		struct tm utc;

		gmtime_r(&time, &utc);
		strftime(worker->date, sizeof(worker->date), "%a, %d %b %Y %H:%M:%S GMT", &utc);
		worker->date_s = now_s;
	}
	return worker->date;
}

SSL *http_worker_new_ssl(struct http_worker *worker)
{
	struct http_server *server = worker->server;
	SSL *ssl;

	pthread_mutex_lock(&server->lock);
	ssl = SSL_new(server->tls);
	pthread_mutex_unlock(&server->lock);
	if (ssl)
		SSL_set_accept_state(ssl);
	return ssl;
}

/* ---- Orders ------------------------------------------------------------ */

void http_worker_wake(struct http_worker *worker)
{
	uint64_t one = 1;
	ssize_t written = write(worker->wake_fd, &one, sizeof(one));

	(void)written; /* a full counter wakes as well */
}

void http_worker_order(struct http_worker *worker, enum http_order order)
{
	atomic_fetch_or(&worker->orders, order);
	http_worker_wake(worker);
}

/* Idle connections get a short while more: under load each sends a request and is told to close. */
static void start_draining(struct http_worker *worker)
{
	struct http_deadline_list *idle = &worker->deadlines[HTTP_DEADLINE_IDLE];

	worker->is_draining = true;
	http_accept_no_more(worker);
	idle->timeout_us = idle->timeout_us < DRAIN_IDLE_US ? idle->timeout_us : DRAIN_IDLE_US;
	for (struct http_conn *conn = idle->first; conn; conn = conn->deadline_next)
		if (conn->deadline_us > worker->now_us + idle->timeout_us)
			conn->deadline_us = worker->now_us + idle->timeout_us;
	http_server_changed(worker->server, &worker->server->drained);
}

static void start_stopping(struct http_worker *worker)
{
	struct http_conn *next;

	worker->is_stopping = true;
	http_accept_no_more(worker);
	for (struct http_conn *conn = worker->conns; conn; conn = next) {
		next = conn->next;
		http_conn_cut(conn);
	}
}

static void take_orders(struct http_worker *worker)
{
	unsigned orders = atomic_exchange(&worker->orders, 0);

	if (orders & HTTP_ORDER_DRAIN && !worker->is_draining)
		start_draining(worker);
	if (orders & HTTP_ORDER_STOP && !worker->is_stopping)
		start_stopping(worker);
}

/* ---- The loop ---------------------------------------------------------- */

static void run_resumed(struct http_worker *worker)
{
	struct http_exchange *list =
	    atomic_exchange_explicit(&worker->resumed, NULL, memory_order_acquire);
	struct http_exchange *in_order = NULL;

	while (list) {
		struct http_exchange *next = list->next;

		list->next = in_order;
		in_order = list;
		list = next;
	}
	while (in_order) {
		struct http_exchange *next = in_order->next;

		in_order->is_parked = false;
		http_conn_call(in_order, in_order->on_resume);
		in_order = next;
	}
}

static void run_due(struct http_worker *worker)
{
	struct http_exchange *exchange;
	struct http_conn *conn;

	while ((exchange = http_timer_due(worker)))
		http_conn_call(exchange, exchange->on_timer);
	while ((conn = http_deadline_due(worker)))
		http_conn_on_deadline(conn);
}

static void run_again(struct http_worker *worker)
{
	struct http_conn *conn = worker->again;

	worker->again = NULL;
	while (conn) {
		struct http_conn *next = conn->again_next;

		conn->is_again = false;
		http_conn_on_turn(conn);
		conn = next;
	}
}

void http_worker_forget_connection(struct http_worker *worker)
{
	if (atomic_fetch_sub(&worker->server->connections, 1) == 1 && worker->is_draining)
		http_server_changed(worker->server, NULL);
}

static void free_dead(struct http_worker *worker)
{
	struct http_conn **link = &worker->dead;

	while (*link) {
		struct http_conn *conn = *link;

		if (conn->is_again) { /* the list of the next turn points to it */
			link = &conn->next;
			continue;
		}
		*link = conn->next;
		http_conn_free(conn);
		http_worker_forget_connection(worker);
	}
}

static void on_event(struct http_worker *worker, const struct epoll_event *event)
{
	uint64_t count;

	switch (*(enum http_event_kind *)event->data.ptr) {
	case HTTP_EVENT_WAKE:
		if (read(worker->wake_fd, &count, sizeof(count)) < 0)
			return;
		break;
	case HTTP_EVENT_LISTENER:
		http_accept_some(worker, event->data.ptr);
		break;
	case HTTP_EVENT_CONN:
		http_conn_on_event(event->data.ptr, event->events);
		break;
	}
}

static int ceil_ms(int64_t us)
{
	return us > 60000000 ? 60000 : (int)((us + 999) / 1000);
}

/* Waits for events until the next timer or deadline. */
static int wait_events(struct http_worker *worker, struct epoll_event *events)
{
	int64_t next_us = http_deadline_next(worker);
	int64_t wait_us;
	struct timespec timeout;
	int count;

	if (http_timer_next(worker) < next_us)
		next_us = http_timer_next(worker);
	if (worker->again)
		next_us = 0;
	if (next_us == INT64_MAX)
		return epoll_wait(worker->epoll_fd, events, EVENTS_MAX, -1);
	wait_us = next_us - clock_now_us();
	if (wait_us <= 0)
		return epoll_wait(worker->epoll_fd, events, EVENTS_MAX, 0);
	timeout = (struct timespec){wait_us / 1000000, wait_us % 1000000 * 1000};
	count = epoll_pwait2(worker->epoll_fd, events, EVENTS_MAX, &timeout, NULL);
	if (count < 0 && errno == ENOSYS) /* kernels before 5.11 */
		count = epoll_wait(worker->epoll_fd, events, EVENTS_MAX, ceil_ms(wait_us));
	return count;
}

static void turn(struct http_worker *worker)
{
	struct epoll_event events[EVENTS_MAX];
	int count = wait_events(worker, events);

	worker->now_us = clock_now_us();
	for (int i = 0; i < count; i++)
		on_event(worker, &events[i]);
	run_resumed(worker);
	run_due(worker);
	run_again(worker);
	take_orders(worker);
	free_dead(worker);
}

static bool is_finished(struct http_worker *worker)
{
	return worker->is_stopping && !worker->conns && !worker->dead &&
	       !atomic_load(&worker->resumed);
}

void http_worker_run(struct http_worker *worker)
{
	const struct http_options *options = worker->options;
	struct http_server *server = worker->server;

	worker->now_us = clock_now_us();
	if (options->on_worker_start &&
	    !options->on_worker_start(worker->index, &worker->user, options->context)) {
		http_server_changed(server, &server->failed);
		return;
	}
	http_server_changed(server, &server->ready);
	while (!is_finished(worker))
		turn(worker);
	if (options->on_worker_stop)
		options->on_worker_stop(worker->user, options->context);
}

/* ---- Making and unmaking ----------------------------------------------- */

static bool watch(struct http_worker *worker, int fd, void *tag, uint32_t events)
{
	struct epoll_event event = {events, {.ptr = tag}};

	return epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool watch_listeners(struct http_worker *worker)
{
	for (size_t i = 0; i < worker->listener_count; i++) {
		struct http_listener *listener = &worker->listeners[i * worker->options->workers];

		if (!watch(worker, listener->fd, listener,
			EPOLLIN | (listener->is_shared ? EPOLLEXCLUSIVE : 0)))
			return false;
	}
	return true;
}

enum embed_status http_worker_init(
    struct http_worker *worker, struct http_server *server, unsigned index)
{
	static enum http_event_kind wake_tag = HTTP_EVENT_WAKE;
	const struct http_options *options = &server->options;

	worker->server = server;
	worker->options = options;
	worker->index = index;
	worker->next_id = index + 1;
	worker->listeners = server->listeners + index;
	worker->listener_count = server->name_count;
	worker->date_s = -1;
	buffer_init(&worker->head, HEAD_MAX);
	worker->deadlines[HTTP_DEADLINE_IDLE].timeout_us = options->idle_timeout_ms * 1000ll;
	worker->deadlines[HTTP_DEADLINE_HEAD].timeout_us = options->head_timeout_ms * 1000ll;
	worker->deadlines[HTTP_DEADLINE_BODY].timeout_us = options->body_timeout_ms * 1000ll;
	worker->deadlines[HTTP_DEADLINE_WRITE].timeout_us = options->write_timeout_ms * 1000ll;
	worker->deadlines[HTTP_DEADLINE_LINGER].timeout_us = LINGER_US;
	worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	worker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	worker->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (worker->epoll_fd < 0 || worker->wake_fd < 0 ||
	    !watch(worker, worker->wake_fd, &wake_tag, EPOLLIN) || !watch_listeners(worker))
		return EMBED_IO;
	return EMBED_OK;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void http_worker_fini(struct http_worker *worker)
{
	/* A thread may still be on its way out of http_exchange_resume. */
	while (atomic_load_explicit(&worker->resuming, memory_order_acquire))
		sched_yield();
	while (worker->spare_inbufs) {
		struct http_inbuf *next = worker->spare_inbufs->next;

		free(worker->spare_inbufs);
		worker->spare_inbufs = next;
	}
	while (worker->spare_exchanges) {
		struct http_exchange *next = worker->spare_exchanges->next;

		free_exchange(worker->spare_exchanges);
		worker->spare_exchanges = next;
	}
	free(worker->timers.items);
	buffer_fini(&worker->head);
	close_fd(worker->epoll_fd);
	close_fd(worker->wake_fd);
	close_fd(worker->spare_fd);
}
