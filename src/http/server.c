/* SPDX-License-Identifier: MIT */
#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/thread.h"

/* ---- Options ----------------------------------------------------------- */

#define DEFAULT(field, value)                                                                      \
	if (!options->field)                                                                       \
	options->field = (value)

static void fill_defaults(struct http_options *options)
{
	DEFAULT(workers, 1);
	DEFAULT(max_head_bytes, 16u << 10);
	DEFAULT(max_fields, HTTP_FIELDS_MAX);
	DEFAULT(max_body_bytes, 1u << 20);
	DEFAULT(max_pending_bytes, 256u << 10);
	DEFAULT(max_connections, 16384);
	DEFAULT(head_timeout_ms, 10000);
	DEFAULT(body_timeout_ms, 60000);
	DEFAULT(write_timeout_ms, 60000);
	DEFAULT(idle_timeout_ms, 75000);
	if (options->max_fields > HTTP_FIELDS_MAX)
		options->max_fields = HTTP_FIELDS_MAX;
}
#undef DEFAULT

static bool copy_text(const char **text)
{
	if (!*text)
		return true;
	*text = strdup(*text);
	return *text != NULL;
}

static enum embed_status take_options(
    struct http_server *server, const struct http_options *options, struct embed_error *error)
{
	bool is_copied;

	server->options = *options;
	server->is_loopback = true;
	server->options.listen = NULL;
	server->options.listen_fds = NULL;
	is_copied = copy_text(&server->options.tls_cert_file);
	is_copied &= copy_text(&server->options.tls_key_file);
	is_copied &= copy_text(&server->options.server_name);
	fill_defaults(&server->options);
	if (!is_copied)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	if (!options->listen_count && !options->listen_fd_count)
		return error_set(error, EMBED_BAD_OPTION, "no address to listen on");
	if (!options->tls_cert_file != !options->tls_key_file)
		return error_set(error, EMBED_BAD_OPTION,
		    "TLS needs a certificate and its key: give both files or none");
	return EMBED_OK;
}

/* ---- Starting ---------------------------------------------------------- */

void http_server_changed(struct http_server *server, unsigned *counter)
{
	pthread_mutex_lock(&server->lock);
	if (counter)
		++*counter;
	pthread_cond_broadcast(&server->changed);
	pthread_mutex_unlock(&server->lock);
}

static enum embed_status check_reach(struct http_server *server,
    const struct http_listener *listener, const char *name, struct embed_error *error)
{
	server->is_loopback &= listener->is_loopback;
	if (listener->is_loopback || !server->options.loopback_only_because)
		return EMBED_OK;
	return error_set(error, EMBED_BAD_OPTION,
	    "will not listen on %s, which others can reach: %s", name,
	    server->options.loopback_only_because);
}

static enum embed_status open_address(struct http_server *server, const char *address,
    struct http_listener *row, char *name, struct embed_error *error)
{
	enum embed_status status = http_listen_check_free(address, error);

	if (status == EMBED_IO && server->options.takes_over_ports)
		server->shares_ports = true;
	else if (status != EMBED_OK)
		return status;
	return http_listen_open(address, row, server->options.workers, name, error);
}

/* listeners[address * workers + worker] */
static enum embed_status open_listeners(
    struct http_server *server, const struct http_options *options, struct embed_error *error)
{
	size_t workers = server->options.workers;
	size_t count = options->listen_count + options->listen_fd_count;
	enum embed_status status = EMBED_OK;

	server->names = calloc(count, sizeof(*server->names));
	server->listeners = calloc(count * workers, sizeof(*server->listeners));
	if (!server->names || !server->listeners)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < count && status == EMBED_OK; i++) {
		struct http_listener *row = server->listeners + i * workers;
		char *name = server->names[i];

		server->name_count = i + 1;
		if (i < options->listen_fd_count)
			status =
			    http_listen_adopt(options->listen_fds[i], row, workers, name, error);
		else
			status = open_address(server, options->listen[i - options->listen_fd_count],
			    row, name, error);
		if (status == EMBED_OK)
			status = check_reach(server, row, name, error);
		if (status == EMBED_OK && !server->port && row->is_tcp)
			server->port = (uint16_t)strtoul(strrchr(name, ':') + 1, NULL, 10);
	}
	return status;
}

static void *run_worker(void *worker)
{
	http_worker_run(worker);
	return NULL;
}

static enum embed_status start_workers(struct http_server *server, struct embed_error *error)
{
	unsigned count = server->options.workers;
	bool has_failed;

	server->workers = calloc(count, sizeof(*server->workers));
	if (!server->workers)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	for (unsigned i = 0; i < count; i++) {
		server->started = i + 1;
		if (http_worker_init(&server->workers[i], server, i) != EMBED_OK)
			return error_set(
			    error, EMBED_IO, "cannot set up a worker: %s", strerror(errno));
	}
	for (unsigned i = 0; i < count; i++) {
		struct http_worker *worker = &server->workers[i];

		worker->has_thread = thread_start(&worker->thread, run_worker, worker) == 0;
		if (!worker->has_thread)
			return error_set(error, EMBED_IO, "cannot start a worker thread");
	}
	pthread_mutex_lock(&server->lock);
	while (server->ready + server->failed < count)
		pthread_cond_wait(&server->changed, &server->lock);
	has_failed = server->failed > 0;
	pthread_mutex_unlock(&server->lock);
	return has_failed ? error_set(error, EMBED_NO_MEMORY, "a worker could not start")
			  : EMBED_OK;
}

enum embed_status http_server_start(
    struct http_server **out, const struct http_options *options, struct embed_error *error)
{
	struct http_server *server = calloc(1, sizeof(*server));
	pthread_condattr_t monotonic;
	enum embed_status status;

	if (!server)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	pthread_mutex_init(&server->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&server->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);

	status = take_options(server, options, error);
	if (status == EMBED_OK && server->options.tls_cert_file)
		status = http_tls_load(&server->tls, server->options.tls_cert_file,
		    server->options.tls_key_file, error);
	if (status == EMBED_OK)
		status = open_listeners(server, options, error);
	*out = server; /* the first request may be here before all workers are */
	if (status == EMBED_OK)
		status = start_workers(server, error);
	if (status != EMBED_OK) {
		http_server_stop(server);
		*out = NULL;
	}
	return status;
}

/* ---- Looking ----------------------------------------------------------- */

const char *http_server_address(const struct http_server *server, size_t index)
{
	return index < server->name_count ? server->names[index] : NULL;
}

bool http_server_shares_ports(const struct http_server *server)
{
	return server->shares_ports;
}

bool http_server_is_loopback(const struct http_server *server)
{
	return server->is_loopback;
}

uint16_t http_server_port(const struct http_server *server)
{
	return server->port;
}

static uint64_t counter(const atomic_uint_fast64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

void http_server_stats(const struct http_server *server, struct http_server_stats *stats)
{
	*stats = (struct http_server_stats){.connections = counter(&server->connections)};
	for (unsigned i = 0; i < server->started; i++) {
		const struct http_counters *counters = &server->workers[i].counters;

		stats->accepted += counter(&counters->accepted);
		stats->exchanges += counter(&counters->exchanges);
		stats->refused += counter(&counters->refused);
		stats->timed_out += counter(&counters->timed_out);
		stats->over_cap += counter(&counters->over_cap);
	}
}

enum embed_status http_server_reload_tls(struct http_server *server, struct embed_error *error)
{
	SSL_CTX *fresh;
	SSL_CTX *old;
	enum embed_status status;

	if (!server->options.tls_cert_file)
		return EMBED_OK;
	status = http_tls_load(
	    &fresh, server->options.tls_cert_file, server->options.tls_key_file, error);
	if (status != EMBED_OK)
		return status;
	pthread_mutex_lock(&server->lock);
	old = server->tls;
	server->tls = fresh;
	pthread_mutex_unlock(&server->lock);
	SSL_CTX_free(old); /* connections that use it hold it */
	return EMBED_OK;
}

/* ---- Ending ------------------------------------------------------------ */

static struct timespec in_ms(uint32_t ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += ms % 1000 * 1000000l;
	if (at.tv_nsec >= 1000000000l) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000l;
	}
	return at;
}

bool http_server_drain(struct http_server *server, uint32_t deadline_ms)
{
	struct timespec deadline = in_ms(deadline_ms);
	bool is_done;
	int waited = 0;

	for (unsigned i = 0; i < server->started; i++)
		http_worker_order(&server->workers[i], HTTP_ORDER_DRAIN);
	pthread_mutex_lock(&server->lock);
	for (;;) {
		is_done = server->drained == server->started && counter(&server->connections) == 0;
		if (is_done || waited != 0)
			break;
		waited = pthread_cond_timedwait(&server->changed, &server->lock, &deadline);
	}
	pthread_mutex_unlock(&server->lock);
	return is_done;
}

static void remove_unix_files(struct http_server *server)
{
	for (size_t i = server->options.listen_fd_count; i < server->name_count; i++)
		if (strncmp(server->names[i], "unix:", 5) == 0)
			unlink(server->names[i] + 5);
}

void http_server_stop(struct http_server *server)
{
	if (!server)
		return;
	for (unsigned i = 0; i < server->started; i++)
		http_worker_order(&server->workers[i], HTTP_ORDER_STOP);
	for (unsigned i = 0; i < server->started; i++)
		if (server->workers[i].has_thread)
			pthread_join(server->workers[i].thread, NULL);
	for (unsigned i = 0; i < server->started; i++)
		http_worker_fini(&server->workers[i]);
	for (size_t i = 0; i < server->name_count * server->options.workers; i++)
		if (server->listeners[i].fd > 0)
			close(server->listeners[i].fd);
	remove_unix_files(server);
	SSL_CTX_free(server->tls);
	pthread_cond_destroy(&server->changed);
	pthread_mutex_destroy(&server->lock);
	free(server->workers);
	free(server->listeners);
	free(server->names);
	free((char *)server->options.tls_cert_file);
	free((char *)server->options.tls_key_file);
	free((char *)server->options.server_name);
	free(server);
}
