/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/command.h"

#define LOW_DISK_BYTES  ((uint64_t)1 << 30)
#define LOW_DESCRIPTORS 1024

/* What the doctor found so far. */
struct findings {
	bool has_colour;
	bool has_failed;
	bool is_unwritten; /* stdout takes no more */
};

enum finding { FINE, NOTE, BAD };

static void __attribute__((format(printf, 4, 5)))
report(struct findings *findings, enum finding kind, const char *what, const char *format, ...)
{
	static const char *const marks[] = {"ok  ", "note", "BAD "};
	static const char *const colours[] = {"\033[32m", "\033[33m", "\033[31m"};
	char text[900], line[1100];
	va_list args;
	int len;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	len = snprintf(line, sizeof(line), "%s%s%s  %-14s %s\n",
	    findings->has_colour ? colours[kind] : "", marks[kind],
	    findings->has_colour ? "\033[0m" : "", what, text);
	if (!findings->is_unwritten)
		findings->is_unwritten = !command_print(line, (size_t)len, NULL);
	findings->has_failed |= kind == BAD;
}

/* ---- Configuration ----------------------------------------------------- */

static bool uses_sections(const struct command_input *input)
{
	size_t upstreams;

	options_upstreams(input->options, &upstreams);
	return upstreams > 0 &&
	       options_source(input->options, &settings_service, "base_url") <= OPTION_FROM_FILE;
}

static void check_configuration(struct findings *findings, const struct command_input *input)
{
	const struct service_options *service = options_values(input->options, &settings_service);
	const char *file = options_file(input->options);
	size_t upstreams;

	options_upstreams(input->options, &upstreams);
	report(findings, FINE, "configuration", "%s",
	    file != NULL ? file : "no file; flags and environment only");
	report(findings, FINE, "model", "%s (%s)%s", service->model,
	    options_origin(input->options, &settings_service, "model"),
	    embed_model_find(service->model) == NULL
		? "; not one of OpenAI's: its cost is unknown unless [prices] names it"
		: "");
	if (uses_sections(input))
		report(findings, FINE, "upstreams", "%zu sections of the file", upstreams);
	else
		report(findings, FINE, "upstream", "%s (%s)", service->base_url,
		    options_origin(input->options, &settings_service, "base_url"));
}

/* A name that was mistyped does nothing, and nobody says so. */
static void check_environment(struct findings *findings, const struct command_input *input)
{
	const char *entry;
	size_t place = 0;

	while ((entry = command_unknown_variable(input, &place)) != NULL)
		report(findings, NOTE, "environment",
		    "%.*s is no setting of any command; \"man embed\" lists them",
		    (int)(strcspn(entry, "=") < 80 ? strcspn(entry, "=") : 80), entry);
}

static void check_key(struct findings *findings, const struct command_input *input)
{
	const struct service_options *service = options_values(input->options, &settings_service);

	if (service->api_key != NULL)
		report(findings, FINE, "key", "from %s",
		    options_origin(input->options, &settings_service, "api_key"));
	else if (service->api_key_file != NULL)
		report(findings, FINE, "key", "from the file %s", service->api_key_file);
	else if (!uses_sections(input))
		report(findings, NOTE, "key", "none; set OPENAI_API_KEY if the upstream wants one");
}

/* ---- Machine ----------------------------------------------------------- */

static void check_disk(struct findings *findings, const char *home)
{
	struct statvfs disk;
	uint64_t free_bytes;

	if (statvfs(home, &disk) != 0) {
		report(findings, BAD, "disk", "cannot look at %s: %s", home, strerror(errno));
		return;
	}
	free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
	report(findings, free_bytes < LOW_DISK_BYTES ? NOTE : FINE, "disk",
	    "%.1f GiB free below %s%s", (double)free_bytes / (1 << 30), home,
	    free_bytes < LOW_DISK_BYTES
		? "; a million vectors of text-embedding-3-small take about 4 GiB: free some, or set --home"
		: "");
}

static void check_descriptors(struct findings *findings)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	report(findings, limit.rlim_cur < LOW_DESCRIPTORS ? NOTE : FINE, "descriptors", "%llu%s",
	    (unsigned long long)limit.rlim_cur,
	    limit.rlim_cur < LOW_DESCRIPTORS
		? "; enough for the command line, few for a gateway: ulimit -n 65536"
		: "");
}

static void check_address_space(struct findings *findings, uint64_t store_bytes)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return;
	report(findings, limit.rlim_cur < store_bytes ? BAD : FINE, "address space",
	    "limited to %.1f GiB%s", (double)limit.rlim_cur / (1 << 30),
	    limit.rlim_cur < store_bytes
		? ", less than the store's cap, which is mapped whole: ulimit -v unlimited, or --store-size"
		: "");
}

static void check_network_library(struct findings *findings)
{
	const char *lack = embed_network_library_lack();

	if (lack == NULL)
		report(findings, FINE, "network", "%s", embed_network_library());
	else
		report(findings, NOTE, "network", "%s lacks %s; Debian's libcurl4 has it",
		    embed_network_library(), lack);
}

/* ---- Store and upstreams ----------------------------------------------- */

static void check_store(struct findings *findings, embed_service *service)
{
	struct embed_store_stats stats = EMBED_STORE_STATS_INIT;
	struct embed_error error;

	error_clear(&error);
	if (embed_store_stats(service, &stats, &error) != EMBED_OK)
		report(findings, BAD, "store", "%s", error.message);
	else
		report(findings, FINE, "store", "%llu vectors, %.1f MiB of at most %.1f GiB",
		    (unsigned long long)stats.records, (double)stats.used_bytes / (1 << 20),
		    (double)stats.cap_bytes / (1 << 30));
}

static const char *advice(enum embed_status status)
{
	switch (status) {
	case EMBED_UNAUTHORIZED:
		return "check OPENAI_API_KEY, or make a new key at https://platform.openai.com/api-keys";
	case EMBED_QUOTA:
		return "add credit at https://platform.openai.com/settings/organization/billing";
	case EMBED_NO_SUCH_MODEL:
		return "check --model, and that the project may use it";
	case EMBED_RATE_LIMITED:
		return "the account's limit is used up; wait, or ask for a higher tier";
	case EMBED_UPSTREAM:
	case EMBED_DEADLINE:
		return "check --base-url, the network, proxy settings (HTTPS_PROXY) and https://status.openai.com";
	default:
		return "see the message";
	}
}

static void check_upstream(struct findings *findings, embed_service *service, size_t index,
    const struct embed_upstream_state *state)
{
	struct embed_error error;
	int64_t latency_us = 0;
	enum embed_status status;

	error_clear(&error);
	status = embed_probe(service, index, &latency_us, &error);
	if (status == EMBED_OK)
		report(findings, FINE, "probe", "%s at %s answered in %.0f ms", state->name,
		    state->base_url, (double)latency_us / 1000);
	else
		report(findings, BAD, "probe", "%s at %s: %s\n%20s do: %s", state->name,
		    state->base_url, error.message, "", advice(status));
}

static void check_upstreams(struct findings *findings, embed_service *service)
{
	struct embed_upstream_state state;

	for (size_t i = 0; embed_upstream_state(service, i, &state) == EMBED_OK; i++)
		check_upstream(findings, service, i, &state);
}

static void check_service(struct findings *findings, const struct command_input *input)
{
	const struct service_options *values = options_values(input->options, &settings_service);
	enum settings_open how = values->offline ? SETTINGS_OFFLINE : SETTINGS_ONLINE;
	/* The findings say it all, unless the log is asked for. */
	struct log_sink *log =
	    options_source(input->options, &settings_general, "log_level") == OPTION_FROM_DEFAULT
		? NULL
		: input->log;
	embed_service *service;
	struct embed_error error;

	error_clear(&error);
	if (settings_open_service(&service, input->options, how, log, &error) != EMBED_OK) {
		report(findings, BAD, "opening", "%s", error.message);
		/* what does not need the upstream can still be looked at */
		if (how == SETTINGS_OFFLINE || settings_open_service(&service, input->options,
						   SETTINGS_OFFLINE, log, &error) != EMBED_OK)
			return;
		check_store(findings, service);
		embed_close(service);
		return;
	}
	check_store(findings, service);
	if (values->offline)
		report(findings, NOTE, "probe", "left out: --offline");
	else
		check_upstreams(findings, service);
	embed_close(service);
}

static int run(const struct command_input *input)
{
	const struct service_options *values = options_values(input->options, &settings_service);
	const char *no_colour = getenv("NO_COLOR");
	struct findings findings = {
	    .has_colour = isatty(STDOUT_FILENO) == 1 && (no_colour == NULL || *no_colour == '\0')};
	struct embed_error error;
	char home[SETTINGS_PATH_MAX];

	error_clear(&error);
	check_configuration(&findings, input);
	check_environment(&findings, input);
	check_key(&findings, input);
	check_service(&findings, input);
	if (settings_home(home, input->options, &error) != EMBED_OK)
		report(&findings, BAD, "home", "%s", error.message);
	else
		check_disk(&findings, home);
	check_network_library(&findings);
	check_descriptors(&findings);
	check_address_space(&findings, values->store_size_bytes);
	if (findings.has_failed)
		return COMMAND_USAGE;
	return findings.is_unwritten ? COMMAND_SOME_FAILED : COMMAND_GOOD;
}

const struct command command_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary = "Check configuration, key, upstream, store and machine",
    .details = "Sends one tiny request to each upstream, which is billed, unless --offline is\n"
	       "given. Exit status 2 when something has to be fixed.",
    .takes = COMMAND_TAKES_SERVICE,
    .run = run,
};
