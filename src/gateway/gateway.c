/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "gateway/dashboard.h"
#include "gateway/state.h"

#define REPLY_MAX_BYTES      (8ull << 30)
#define TEXT_MAX_BYTES       (4u << 20)
#define SMALL_BODY_MAX       65536
#define BUDGET_SYNC_EVERY_US 60000000

/* ---- Exchanges -------------------------------------------------------------- */

static bool find_route(struct call *call)
{
	const struct http_request *request = http_exchange_request(call->exchange);
	struct http_slice param;
	bool is_path_known;
	char method[32], path[256];

	call->route = route_find(request->method, request->path, &param, &is_path_known);
	if (call->route) {
		call->param_start = param.len ? (size_t)(param.bytes - request->path.bytes) : 0;
		call->param_len = param.len;
		return true;
	}
	snprintf(method, sizeof(method), "%.*s", (int)request->method.len, request->method.bytes);
	snprintf(path, sizeof(path), "%.*s", (int)request->path.len, request->path.bytes);
	call_refuse(call, is_path_known ? WIRE_REFUSAL_BAD_METHOD : WIRE_REFUSAL_NO_SUCH_PATH,
	    method, path, NULL);
	return false;
}

static void on_head(struct http_exchange *exchange, void *context)
{
	struct gateway *gateway = context;
	struct call *call = call_begin(gateway, exchange);

	if (!call) {
		http_reply(exchange, 500, NULL, NULL, 0);
		return;
	}
	if (call_answer_preflight(call) || !find_route(call) || !call_authorize(call))
		return;
	http_exchange_set_body_cap(exchange,
	    call->route->body == ROUTE_BODY ? call->policy->max_body_bytes : SMALL_BODY_MAX);
}

static void on_request(struct http_exchange *exchange, void *context)
{
	struct call *call = call_of(exchange);

	(void)context;
	call->route->handler(call);
}

static void on_end(struct http_exchange *exchange, void *context)
{
	(void)context;
	if (call_of(exchange))
		call_end(call_of(exchange));
}

static void on_refusal(
    int status, const char *why, struct buffer *body, const char **content_type, void *context)
{
	(void)status;
	(void)context;
	*content_type = "application/json";
	wire_error_write(body, why, "invalid_request_error", NULL, NULL);
}

/* ---- Workers ------------------------------------------------------------------ */

static bool on_worker_start(unsigned index, void **user, void *context)
{
	struct gateway *gateway = context;
	struct gateway_worker *worker = &gateway->workers[index];

	worker->gateway = gateway;
	wire_request_init(&worker->request);
	buffer_init(&worker->body, REPLY_MAX_BYTES);
	buffer_init(&worker->extra, EMBED_EXTRA_MAX + 1);
	if (getrandom(&worker->random.state, sizeof(worker->random.state), 0) < 0)
		worker->random.state = (uint64_t)clock_now_us() + index;
	worker->keys_generation = 0;
	*user = worker;
	return true;
}

static void on_worker_stop(void *user, void *context)
{
	struct gateway_worker *worker = user;

	(void)context;
	wire_request_fini(&worker->request);
	buffer_fini(&worker->body);
	buffer_fini(&worker->extra);
	free(worker->vector);
	key_table_unref(worker->keys);
	while (worker->spare_calls) {
		struct call *next = worker->spare_calls->next;

		free(worker->spare_calls);
		worker->spare_calls = next;
	}
}

struct key_table *gateway_keys(struct gateway_worker *worker)
{
	struct gateway *gateway = worker->gateway;
	unsigned generation = atomic_load_explicit(&gateway->keys_generation, memory_order_acquire);

	if (generation == worker->keys_generation)
		return worker->keys;
	key_table_unref(worker->keys);
	pthread_mutex_lock(&gateway->keys_lock);
	worker->keys = key_table_ref(gateway->keys);
	worker->keys_generation = atomic_load(&gateway->keys_generation);
	pthread_mutex_unlock(&gateway->keys_lock);
	return worker->keys;
}

/* ---- Keys ---------------------------------------------------------------------- */

struct spent {
	uint64_t nano;
};

static void add_spent(const struct embed_usage_row *row, void *context)
{
	struct spent *spent = context;

	spent->nano += row->cost_nano;
}

static void sync_budget(struct gateway *gateway, const struct key *key)
{
	int64_t now_us = clock_now_us();
	int64_t start_s = meter_period_start(key->period, clock_unix_s());
	struct embed_usage_query query = EMBED_USAGE_QUERY_INIT;
	struct spent spent = {0};

	if (!key->budget_nano || !meter_is_due(key->meter, start_s, BUDGET_SYNC_EVERY_US, now_us))
		return;
	query.since_s = start_s;
	query.key_name = key->name;
	if (embed_usage(gateway->service, &query, add_spent, &spent, NULL) == EMBED_OK)
		meter_sync(key->meter, start_s, spent.nano, now_us);
}

static enum embed_status bind_meters(
    struct gateway *gateway, struct key_table *table, struct embed_error *error)
{
	for (size_t i = 0; i < table->count; i++) {
		table->keys[i].meter = meter_set_get(&gateway->meters, table->keys[i].name);
		if (!table->keys[i].meter)
			return error_set(error, EMBED_NO_MEMORY, "out of memory");
		sync_budget(gateway, &table->keys[i]);
	}
	return EMBED_OK;
}

/* Remembers which file was read, so that a change is seen. */
static bool note_keys_file(struct gateway *gateway)
{
	struct stat status = {0};
	int64_t mtime_ns = 0;
	bool is_changed;

	if (stat(gateway->options.keys_file, &status) == 0)
		mtime_ns = status.st_mtim.tv_sec * 1000000000ll + status.st_mtim.tv_nsec;
	is_changed = mtime_ns != gateway->keys_mtime_ns || status.st_ino != gateway->keys_inode;
	gateway->keys_mtime_ns = mtime_ns;
	gateway->keys_inode = status.st_ino;
	return is_changed;
}

static enum embed_status load_keys(struct gateway *gateway, struct embed_error *error)
{
	struct key_table *table;
	struct key_table *old;
	enum embed_status status = key_table_load(&table, gateway->options.keys_file, error);

	if (status != EMBED_OK)
		return status;
	status = bind_meters(gateway, table, error);
	if (status != EMBED_OK) {
		key_table_unref(table);
		return status;
	}
	pthread_mutex_lock(&gateway->keys_lock);
	old = gateway->keys;
	gateway->keys = table;
	atomic_fetch_add_explicit(&gateway->keys_generation, 1, memory_order_release);
	pthread_mutex_unlock(&gateway->keys_lock);
	key_table_unref(old);
	return EMBED_OK;
}

/* The last key must not be taken away under an open door. */
static bool is_open_door(struct gateway *gateway)
{
	if (gateway->options.passes_keys || gateway->keys->count)
		return false;
	return !http_server_is_loopback(gateway->http);
}

static void reload_keys(struct gateway *gateway)
{
	struct embed_error error;
	struct key_table *before = key_table_ref(gateway->keys);

	error_clear(&error);
	if (load_keys(gateway, &error) != EMBED_OK) {
		log_event(&gateway->options.log, EMBED_LOG_ERROR, "keys_not_read", "why",
		    error.message, "do", "repair the file; the keys read before stay in force",
		    NULL);
	} else if (is_open_door(gateway)) {
		pthread_mutex_lock(&gateway->keys_lock);
		key_table_unref(gateway->keys);
		gateway->keys = key_table_ref(before);
		atomic_fetch_add_explicit(&gateway->keys_generation, 1, memory_order_release);
		pthread_mutex_unlock(&gateway->keys_lock);
		log_event(&gateway->options.log, EMBED_LOG_ERROR, "no_keys_left", "do",
		    "add a key; those before stay in force, since the address is open to others",
		    NULL);
	} else {
		log_event(&gateway->options.log, EMBED_LOG_INFO, "keys_read", NULL);
	}
	key_table_unref(before);
}

static void look_at_outbox(struct gateway *gateway)
{
	struct outbox now;

	outbox_read(&now, gateway->options.tracer, gateway->options.webhook);
	outbox_tell(&gateway->outbox, &now, &gateway->options.log);
	gateway->outbox = now;
}

void gateway_tick(struct gateway *gateway)
{
	if (note_keys_file(gateway))
		reload_keys(gateway);
	for (size_t i = 0; i < gateway->keys->count; i++)
		sync_budget(gateway, &gateway->keys->keys[i]);
	alarms_look(&gateway->alarms, gateway, clock_now_us());
	look_at_outbox(gateway);
}

void gateway_reload(struct gateway *gateway, const struct gateway_policy *policy)
{
	struct embed_error error;

	error_clear(&error);
	if (policy && !policies_set(&gateway->policies, policy))
		log_event(&gateway->options.log, EMBED_LOG_ERROR, "settings_not_read", "why",
		    "out of memory", "do",
		    "give the process more memory and send SIGHUP again; those read before stay in force",
		    NULL);
	note_keys_file(gateway);
	reload_keys(gateway);
	if (http_server_reload_tls(gateway->http, &error) != EMBED_OK)
		log_event(&gateway->options.log, EMBED_LOG_ERROR, "certificate_not_read", "why",
		    error.message, "do",
		    "repair --tls-cert or --tls-key and send SIGHUP again; the one read before is still shown",
		    NULL);
}

size_t gateway_key_count(const struct gateway *gateway)
{
	return gateway->keys->count;
}

/* ---- Starting and ending --------------------------------------------------------- */

static enum embed_status copy_options(
    struct gateway *gateway, const struct gateway_options *options, struct embed_error *error)
{
	gateway->options = *options;
	if (!gateway->options.workers)
		gateway->options.workers = 1;
	gateway->options.policy = (struct gateway_policy){0};
	gateway->options.keys_file = strdup(options->keys_file);
	if (!gateway->options.keys_file || !policies_set(&gateway->policies, &options->policy))
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	return EMBED_OK;
}

static enum embed_status start_http(struct gateway *gateway, struct embed_error *error)
{
	const struct gateway_options *options = &gateway->options;
	struct http_options http = {
	    .listen = options->listen,
	    .listen_count = options->listen_count,
	    .listen_fds = options->listen_fds,
	    .listen_fd_count = options->listen_fd_count,
	    .workers = options->workers,
	    .max_body_bytes = SMALL_BODY_MAX,
	    .max_connections = options->max_connections,
	    .head_timeout_ms = options->head_timeout_ms,
	    .body_timeout_ms = options->body_timeout_ms,
	    .write_timeout_ms = options->write_timeout_ms,
	    .idle_timeout_ms = options->idle_timeout_ms,
	    .takes_over_ports = true,
	    .tls_cert_file = options->tls_cert_file,
	    .tls_key_file = options->tls_key_file,
	    .loopback_only_because =
		!options->passes_keys && !gateway->keys->count
		    ? "there is no key yet. Make one with \"embed keys add NAME\""
		    : NULL,
	    .on_head = on_head,
	    .on_request = on_request,
	    .on_end = on_end,
	    .on_worker_start = on_worker_start,
	    .on_worker_stop = on_worker_stop,
	    .on_refusal = on_refusal,
	    .context = gateway,
	};

	gateway->worker_count = options->workers;
	gateway->workers = calloc(options->workers, sizeof(*gateway->workers));
	gateway->half_text = half_text_create();
	gateway->tries = tries_create();
	if (!gateway->workers || !gateway->half_text || !gateway->tries)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	return http_server_start(&gateway->http, &http, error);
}

enum embed_status gateway_start(struct gateway **out, embed_service *service,
    const struct gateway_options *options, struct embed_error *error)
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));
	enum embed_status status;

	if (!gateway)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	gateway->service = service;
	gateway->started_s = clock_unix_s();
	gateway->started_us = clock_now_us();
	meter_set_init(&gateway->meters);
	alarms_init(&gateway->alarms);
	pthread_mutex_init(&gateway->keys_lock, NULL);
	pthread_mutex_init(&gateway->admission.lock, NULL);
	status = copy_options(gateway, options, error);
	if (status == EMBED_OK) {
		note_keys_file(gateway);
		status = load_keys(gateway, error);
	}
	if (status == EMBED_OK)
		status = dashboard_create(&gateway->dashboard, gateway, error);
	if (status == EMBED_OK)
		status = start_http(gateway, error);
	if (status == EMBED_OK)
		status = dashboard_start(gateway->dashboard, error);
	if (status != EMBED_OK) {
		gateway_stop(gateway);
		return status;
	}
	*out = gateway;
	return EMBED_OK;
}

bool gateway_shares_ports(const struct gateway *gateway)
{
	return http_server_shares_ports(gateway->http);
}

const char *gateway_address(const struct gateway *gateway, size_t index)
{
	return http_server_address(gateway->http, index);
}

bool gateway_drain(struct gateway *gateway, uint32_t deadline_ms)
{
	atomic_store(&gateway->is_draining, true);
	return http_server_drain(gateway->http, deadline_ms);
}

void gateway_stop(struct gateway *gateway)
{
	if (!gateway)
		return;
	if (gateway->dashboard)
		dashboard_stop(gateway->dashboard); /* it looks at the server */
	http_server_stop(gateway->http);
	dashboard_destroy(gateway->dashboard);
	key_table_unref(gateway->keys);
	meter_set_fini(&gateway->meters);
	alarms_fini(&gateway->alarms);
	pthread_mutex_destroy(&gateway->keys_lock);
	pthread_mutex_destroy(&gateway->admission.lock);
	policies_fini(&gateway->policies);
	free((char *)gateway->options.keys_file);
	free(gateway->workers);
	free(gateway->half_text);
	tries_destroy(gateway->tries);
	free(gateway);
}
