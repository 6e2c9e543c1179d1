/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "app/signals.h"
#include "base/clock.h"
#include "base/error.h"
#include "cli/command.h"
#include "cli/confine.h"
#include "cli/reports.h"
#include "gateway/gateway.h"
#include "gateway/supervisor.h"

#define LISTEN_FDS_MAX 16
#define WORKERS_MAX    64
/* What is told to others may take so long at the end. */
#define REPORTS_FLUSH_MS 3000
#define TICK_MS          250

struct serve_options {
#define OPTION OPTION_FIELD
#include "cli/serve.def"
#undef OPTION
};

static const struct option_row serve_rows[] = {
#define OPTION(...) OPTION_ROW(struct serve_options, __VA_ARGS__)
#include "cli/serve.def"
#undef OPTION
};

static const struct option_set serve_set =
    OPTION_SET("serve", "Serving", struct serve_options, serve_rows);

static uint32_t to_ms(int64_t us)
{
	int64_t ms = us / 1000;

	return ms > UINT32_MAX ? UINT32_MAX : ms < 1 ? 1 : (uint32_t)ms;
}

static unsigned worker_count(uint64_t asked)
{
	int processors = get_nprocs();

	if (asked)
		return asked < WORKERS_MAX ? (unsigned)asked : WORKERS_MAX;
	return processors < 8 ? (unsigned)processors : 8;
}

static struct gateway_policy policy_of(const struct options *options)
{
	const struct general_options *general = options_values(options, &settings_general);
	const struct serve_options *serve = options_values(options, &serve_set);

	return (struct gateway_policy){
	    .cors_origins = serve->cors_origin.items,
	    .cors_origin_count = serve->cors_origin.count,
	    .max_body_bytes = serve->max_body_bytes,
	    .max_texts = serve->max_texts,
	    .queue_tokens = serve->queue_tokens,
	    .queue_wait_us = serve->queue_wait_us,
	    .timeout_us = serve->request_timeout_us,
	    .wrong_keys = serve->wrong_keys,
	    .too_long = (enum embed_too_long)serve->too_long,
	    .unknown_fields = (enum gateway_unknown)serve->unknown_fields,
	    .hit_usage = (enum gateway_hit_usage)serve->hit_usage,
	    .logs_requests = general->log_level >= EMBED_LOG_INFO,
	};
}

static struct gateway_options gateway_options_of(
    const struct command_input *input, const char *keys_file)
{
	const struct serve_options *serve = input->own;

	return (struct gateway_options){
	    .listen = serve->listen.items,
	    .listen_count = serve->listen.count,
	    .workers = worker_count(serve->workers),
	    .keys_file = keys_file,
	    .tls_cert_file = serve->tls_cert,
	    .tls_key_file = serve->tls_key,
	    .max_connections =
		serve->max_connections > UINT32_MAX ? UINT32_MAX : (uint32_t)serve->max_connections,
	    .head_timeout_ms = to_ms(serve->head_timeout_us),
	    .body_timeout_ms = to_ms(serve->body_timeout_us),
	    .write_timeout_ms = to_ms(serve->write_timeout_us),
	    .idle_timeout_ms = to_ms(serve->keep_alive_us),
	    .passes_keys = serve->pass_through,
	    .log = {log_sink_write, input->log, NULL}, /* the sink drops what is not wanted */
	    .policy = policy_of(input->options),
	};
}

/* HOME/keys unless a file is named. */
static enum embed_status find_keys_file(char path[SETTINGS_PATH_MAX + 8],
    const struct options *options, const char *named, struct embed_error *error)
{
	enum embed_status status;

	if (named && *named) {
		snprintf(path, SETTINGS_PATH_MAX + 8, "%s", named);
		return EMBED_OK;
	}
	status = settings_home(path, options, error);
	if (status == EMBED_OK)
		strcat(path, "/keys");
	return status;
}

static void announce(const struct gateway *gateway, bool is_tls)
{
	const char *address;

	for (size_t i = 0; (address = gateway_address(gateway, i)); i++) {
		if (strncmp(address, "unix:", 5) == 0)
			fprintf(stderr, "embed: serving on %s\n", address);
		else
			fprintf(stderr, "embed: serving on %s://%s/v1\n", is_tls ? "https" : "http",
			    address);
	}
	if (gateway_shares_ports(gateway))
		fputs("embed: another process serves there, too: each gets a part of the requests "
		      "until one of them ends\n",
		    stderr);
	if (!gateway_key_count(gateway))
		fprintf(stderr, "embed: no keys: whoever is on this machine may use it "
				"(\"embed keys add NAME\" makes one)\n");
}

static void empty_eventfd(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return;
}

/* A page's origin has no path: one with a slash at its end would never match. */
static bool is_origin(const char *origin)
{
	const char *slashes = strstr(origin, "://");

	if (strcmp(origin, "*") == 0 || strcmp(origin, "null") == 0)
		return true;
	return slashes && slashes > origin && slashes[3] != '\0' && !strpbrk(slashes + 3, "/?# \t");
}

static enum embed_status check_origins(const struct options *options, struct embed_error *error)
{
	const struct serve_options *own = options_values(options, &serve_set);

	for (size_t i = 0; i < own->cors_origin.count; i++)
		if (!is_origin(own->cors_origin.items[i]))
			return error_set(error, EMBED_BAD_OPTION,
			    "%s: \"%.100s\" is no origin; it looks like https://app.example.org, "
			    "without a path, or is *",
			    options_origin(options, &serve_set, "cors_origin"),
			    own->cors_origin.items[i]);
	return EMBED_OK;
}

/* 0 was the default in silence; whoever writes it means something else. */
static enum embed_status check_limits(const struct options *options, struct embed_error *error)
{
	const struct serve_options *own = options_values(options, &serve_set);
	const struct {
		const char *name;
		uint64_t value;
	} limits[] = {
	    {"max_body", own->max_body_bytes},
	    {"max_texts", own->max_texts},
	    {"queue_tokens", own->queue_tokens},
	    {"max_connections", own->max_connections},
	    {"head_timeout", (uint64_t)own->head_timeout_us},
	    {"body_timeout", (uint64_t)own->body_timeout_us},
	    {"write_timeout", (uint64_t)own->write_timeout_us},
	    {"keep_alive", (uint64_t)own->keep_alive_us},
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (limits[i].value == 0)
			return error_set(error, EMBED_BAD_OPTION,
			    "%s must be above 0; leave it out for the default",
			    options_origin(options, &serve_set, limits[i].name));
	return EMBED_OK;
}

static enum embed_status check_options(const struct options *options, struct embed_error *error)
{
	enum embed_status status = check_origins(options, error);

	return status == EMBED_OK ? check_limits(options, error) : status;
}

/* ---- Reloading ------------------------------------------------------------------ */

struct serving {
	const struct command_input *input;
	embed_service *service;
	struct gateway *gateway;
	struct options *reloaded; /* the newest that were read after the start, or NULL */
};

static const struct options *current_options(const struct serving *serving)
{
	return serving->reloaded ? serving->reloaded : serving->input->options;
}

static struct log log_of(const struct serving *serving)
{
	return (struct log){log_sink_write, serving->input->log, NULL};
}

static void tell_taken(const char *name, enum option_change change, void *context)
{
	const struct log log = log_of(context);

	if (change == OPTION_RELOAD)
		log_event(&log, EMBED_LOG_INFO, "setting_changed", "name", name, NULL);
}

static void tell_not_taken(const char *name, enum option_change change, void *context)
{
	const struct log log = log_of(context);

	if (change == OPTION_START)
		log_event(&log, EMBED_LOG_WARN, "setting_needs_restart", "name", name, "do",
		    "it has another value now, which needs a restart; the one from the start is "
		    "in force",
		    NULL);
}

static void take_options(struct serving *serving, struct options *options)
{
	const struct general_options *general = options_values(options, &settings_general);

	log_sink_set_level(serving->input->log, (enum embed_log_level)general->log_level);
	options_compare(serving->input->options, options, tell_not_taken, serving);
	options_compare(current_options(serving), options, tell_taken, serving);
	options_destroy(serving->reloaded);
	serving->reloaded = options;
}

/* All or nothing: a file with a mistake leaves everything as it was. */
static void read_options(struct serving *serving)
{
	const struct log log = log_of(serving);
	struct options *options = NULL;
	struct embed_error error;

	error_clear(&error);
	if (command_reload(&options, serving->input, &error) == EMBED_OK &&
	    check_options(options, &error) == EMBED_OK &&
	    settings_reload_service(serving->service, options, &error) == EMBED_OK) {
		take_options(serving, options);
		return;
	}
	options_destroy(options);
	log_event(&log, EMBED_LOG_ERROR, "settings_not_read", "why", error.message, "do",
	    "repair it; those read before stay in force", NULL);
}

static void reload(struct serving *serving)
{
	struct gateway_policy policy;
	char state[64];

	snprintf(
	    state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_now_us());
	supervisor_notify(state);
	read_options(serving);
	policy = policy_of(current_options(serving));
	gateway_reload(serving->gateway, &policy);
	supervisor_notify("READY=1");
}

/* ---- Serving -------------------------------------------------------------------- */

/* Until asked to stop. */
static void watch(struct serving *serving)
{
	struct pollfd signals = {.fd = signals_fd(), .events = POLLIN};
	int64_t watchdog_us = supervisor_watchdog_us();
	int tick_ms =
	    watchdog_us && watchdog_us / 1000 < TICK_MS ? (int)(watchdog_us / 1000) : TICK_MS;

	while (!signals_stop_asked()) {
		if (poll(&signals, 1, tick_ms) > 0)
			empty_eventfd(signals.fd);
		if (signals_take_reload())
			reload(serving);
		gateway_tick(serving->gateway);
		if (watchdog_us)
			supervisor_notify("WATCHDOG=1");
	}
}

static void drain(struct serving *serving)
{
	const struct serve_options *own = options_values(current_options(serving), &serve_set);

	supervisor_notify("STOPPING=1");
	if (!gateway_drain(serving->gateway, to_ms(own->drain_timeout_us)))
		fprintf(
		    stderr, "embed: requests were cut: they took longer than --drain-timeout\n");
}

static int serve(const struct command_input *input, embed_service *service, const char *keys_file,
    struct reports *reports)
{
	const struct serve_options *own = input->own;
	struct gateway_options options = gateway_options_of(input, keys_file);
	struct serving serving = {.input = input, .service = service};
	int fds[LISTEN_FDS_MAX];
	struct embed_error error;

	error_clear(&error);
	options.tracer = reports->tracer;
	options.on_alarm = reports_alarm;
	options.alarm_context = reports;
	options.webhook = reports->alarms;
	options.listen_fds = fds;
	options.listen_fd_count = supervisor_listen_fds(fds, LISTEN_FDS_MAX);
	if (options.listen_fd_count) /* the sockets are the supervisor's choice */
		options.listen_count = 0;
	if (gateway_start(&serving.gateway, service, &options, &error) != EMBED_OK)
		return command_fail(&error);
	announce(serving.gateway, own->tls_cert && *own->tls_cert);
	supervisor_notify("READY=1");
	watch(&serving);
	drain(&serving);
	gateway_stop(serving.gateway);
	options_destroy(serving.reloaded);
	return COMMAND_GOOD;
}

/* OpenTelemetry's own variables, where ours say nothing. */
static const char *or_variable(const char *value, const char *name)
{
	return value && *value ? value : getenv(name);
}

static const char *otlp_endpoint(const struct serve_options *own)
{
	return or_variable(own->otlp_endpoint, "OTEL_EXPORTER_OTLP_ENDPOINT");
}

static enum embed_status open_reports(
    struct reports *reports, const struct serve_options *own, struct embed_error *error)
{
	const struct reports_options options = {.otlp_endpoint = otlp_endpoint(own),
	    .otlp_headers = or_variable(own->otlp_headers, "OTEL_EXPORTER_OTLP_HEADERS"),
	    .alarm_url = own->alarm_url,
	    .alarm_secret = own->alarm_secret,
	    .ca_file = own->alarm_ca_file};

	return reports_open(reports, &options, error);
}

static int run_with(
    const struct command_input *input, const char *keys_file, struct reports *reports)
{
	const struct settings_spans spans = {reports->tracer ? reports_span : NULL, reports};
	embed_service *service;
	struct embed_error error;
	int exit_status;

	error_clear(&error);
	if (settings_open_traced(&service, input->options, input->log, &spans, &error) != EMBED_OK)
		return command_fail(&error);
	exit_status = serve(input, service, keys_file, reports);
	embed_close(service);
	return exit_status;
}

/* Before anything is opened and any thread started. */
static enum embed_status confine_serving(
    const struct command_input *input, const char *keys_file, struct embed_error *error)
{
	static const struct option_list nowhere;
	const struct serve_options *own = input->own;
	const char *const urls[] = {otlp_endpoint(own), own->alarm_url};
	const struct log log = {log_sink_write, input->log, NULL};
	const struct confine_options options = {.user = own->user,
	    .sandbox = (enum confine_sandbox)own->sandbox,
	    .options = input->options,
	    /* a supervisor's sockets come instead */
	    .listen = supervisor_has_fds() ? &nowhere : &own->listen,
	    .keys_file = keys_file,
	    .urls = urls,
	    .url_count = sizeof(urls) / sizeof(urls[0])};

	return confine(&options, &log, error);
}

static int run(const struct command_input *input)
{
	const struct serve_options *own = input->own;
	char keys_file[SETTINGS_PATH_MAX + 8];
	struct reports reports;
	struct embed_error error;
	int exit_status;

	error_clear(&error);
	if (!signals_reload_on_hangup())
		return command_misuse("cannot set up signals");
	if (input->argument_count)
		return command_misuse("serve takes no arguments: \"%.60s\"", input->arguments[0]);
	if (check_options(input->options, &error) != EMBED_OK ||
	    find_keys_file(keys_file, input->options, own->keys_file, &error) != EMBED_OK ||
	    confine_serving(input, keys_file, &error) != EMBED_OK ||
	    open_reports(&reports, own, &error) != EMBED_OK)
		return command_fail(&error);
	exit_status = run_with(input, keys_file, &reports);
	reports_close(&reports, REPORTS_FLUSH_MS);
	return exit_status;
}

const struct command command_serve = {
    .name = "serve",
    .arguments = "",
    .summary = "Serve OpenAI's embeddings API over the store",
    .details = "Any OpenAI client gets the store, the limits and the retries by setting its base\n"
	       "URL to the address printed. SIGHUP reads options, keys and certificates again;\n"
	       "SIGTERM finishes what runs and stops, a second one stops at once.",
    .takes = COMMAND_TAKES_SERVICE,
    .own = &serve_set,
    .run = run,
};
