/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/arena.h"
#include "app/option_file.h"
#include "app/settings.h"
#include "base/error.h"

/* mkdir -p for the folders above `path`; the last is the library's. */
static enum embed_status make_parents(const char *path, struct embed_error *error)
{
	char part[SETTINGS_PATH_MAX];

	snprintf(part, sizeof(part), "%s", path);
	for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return error_set(error, EMBED_IO, "cannot create the folder %.300s: %s",
			    part, strerror(errno));
		*slash = '/';
	}
	return EMBED_OK;
}

enum embed_status settings_make_home(const char *path, struct embed_error *error)
{
	enum embed_status status = make_parents(path, error);

	if (status != EMBED_OK || mkdir(path, 0700) == 0 || errno == EEXIST)
		return status;
	return error_set(
	    error, EMBED_IO, "cannot create the folder %.300s: %s", path, strerror(errno));
}

/* ---- Service ---------------------------------------------------------- */

/* All that embed_open borrows while it runs. */
struct opening {
	struct embed_options embed;
	struct embed_upstream upstream;
	char home[SETTINGS_PATH_MAX];
	struct arena arena; /* the key read from a file */
};

static uint32_t clamp(uint64_t count)
{
	return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

static uint32_t to_ms(int64_t us)
{
	return us > 0 && us < 1000 ? 1 : clamp((uint64_t)us / 1000);
}

/* The stronger source of api_key and api_key_file wins; between equals the key itself. */
static enum embed_status find_key(struct opening *opening, const struct options *options,
    const struct service_options *service, const char **key, struct embed_error *error)
{
	*key = service->api_key;
	if (service->api_key_file == NULL)
		return EMBED_OK;
	if (service->api_key != NULL &&
	    options_source(options, &settings_service, "api_key") >=
		options_source(options, &settings_service, "api_key_file"))
		return EMBED_OK;
	return option_file_read_secret(key, service->api_key_file,
	    options_origin(options, &settings_service, "api_key_file"), &opening->arena, error);
}

static bool uses_sections(const struct options *options)
{
	size_t count;

	options_upstreams(options, &count);
	return count > 0 &&
	       options_source(options, &settings_service, "base_url") <= OPTION_FROM_FILE;
}

static enum embed_status use_sections(
    struct opening *opening, const struct options *options, struct embed_error *error)
{
	size_t count;
	const struct embed_upstream *upstreams = options_upstreams(options, &count);

	for (size_t i = 0; i < count; i++)
		if (upstreams[i].kind == EMBED_UPSTREAM_AZURE && upstreams[i].base_url == NULL)
			return error_set(error, EMBED_BAD_OPTION,
			    "[upstream %s]: an Azure upstream needs its base_url, such as "
			    "https://NAME.openai.azure.com",
			    upstreams[i].name);
	opening->embed.upstreams = upstreams;
	opening->embed.upstream_count = count;
	return EMBED_OK;
}

static bool is_openai(const char *url)
{
	return strstr(url, "api.openai.com") != NULL;
}

static enum embed_status use_one(struct opening *opening, const struct options *options,
    const struct service_options *service, enum settings_open how, struct embed_error *error)
{
	struct embed_upstream *upstream = &opening->upstream;
	enum embed_status status = option_file_check_readable(
	    service->ca_file, options_origin(options, &settings_service, "ca_file"), error);
	bool is_sending = how == SETTINGS_ONLINE && !service->offline;

	if (status != EMBED_OK)
		return status;
	*upstream = (struct embed_upstream){
	    .base_url = service->base_url,
	    .organization = service->organization,
	    .project = service->project,
	    .ca_file = service->ca_file,
	    .batch_tokens = clamp(service->batch_tokens),
	    .requests_per_minute = clamp(service->requests_per_minute),
	    .tokens_per_minute = clamp(service->tokens_per_minute),
	    .http2_prior_knowledge = service->http2_prior_knowledge,
	};
	opening->embed.upstreams = upstream;
	opening->embed.upstream_count = 1;
	if (!is_sending)
		return EMBED_OK;
	status = find_key(opening, options, service, &upstream->api_key, error);
	if (status == EMBED_OK && upstream->api_key == NULL && service->base_url != NULL &&
	    is_openai(service->base_url))
		return error_set(error, EMBED_BAD_OPTION,
		    "no API key: set OPENAI_API_KEY (or --api-key-file FILE). To try without one, "
		    "run \"embed emulate\" in another terminal and add --base-url http://127.0.0.1:8089/v1");
	return status;
}

static enum embed_status fill(struct opening *opening, const struct options *options,
    enum settings_open how, struct log_sink *log, struct embed_error *error)
{
	const struct service_options *service = options_values(options, &settings_service);
	const struct general_options *general = options_values(options, &settings_general);
	enum embed_status status = settings_home(opening->home, options, error);

	if (status != EMBED_OK)
		return status;
	opening->embed = (struct embed_options)EMBED_OPTIONS_INIT;
	opening->embed.home = opening->home;
	opening->embed.model = service->model;
	opening->embed.prices = options_prices(options, &opening->embed.price_count);
	opening->embed.offline = service->offline || how == SETTINGS_OFFLINE;
	opening->embed.no_store = service->no_store;
	opening->embed.no_ledger = service->no_ledger;
	opening->embed.max_in_flight = clamp(service->max_in_flight);
	opening->embed.batch_texts = clamp(service->batch_texts);
	opening->embed.store_bytes = service->store_size_bytes;
	opening->embed.store_ttl_s = (uint64_t)service->store_ttl_us / 1000000;
	opening->embed.max_attempts = clamp(service->max_attempts);
	opening->embed.retry_deadline_ms = to_ms(service->retry_deadline_us);
	opening->embed.retry_budget_percent = clamp(service->retry_budget);
	opening->embed.connect_timeout_ms = to_ms(service->connect_timeout_us);
	opening->embed.first_byte_timeout_ms = to_ms(service->first_byte_timeout_us);
	opening->embed.idle_timeout_ms = to_ms(service->idle_timeout_us);
	opening->embed.renormalize = service->renormalize;
	/* The sink drops what is not wanted, and remembers faults; only lines of attempts are many. */
	opening->embed.log_level =
	    general->log_level > EMBED_LOG_INFO ? EMBED_LOG_DEBUG : EMBED_LOG_INFO;
	if (log != NULL) {
		opening->embed.log = log_sink_write;
		opening->embed.log_context = log;
	}
	if (uses_sections(options))
		return use_sections(opening, options, error);
	return use_one(opening, options, service, how, error);
}

/* What becomes of the options: a service, or another course for the one there is. */
typedef enum embed_status use_fn(
    embed_service **service, const struct embed_options *options, struct embed_error *error);

static enum embed_status use_options(embed_service **service, use_fn *use,
    const struct options *options, enum settings_open how, struct log_sink *log,
    const struct settings_spans *spans, struct embed_error *error)
{
	struct opening *opening = calloc(1, sizeof(*opening));
	enum embed_status status;

	if (opening == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	status = fill(opening, options, how, log, error);
	if (status == EMBED_OK)
		status = make_parents(opening->home, error);
	if (spans != NULL) {
		opening->embed.span = spans->fn;
		opening->embed.span_context = spans->context;
	}
	if (status == EMBED_OK)
		status = use(service, &opening->embed, error);
	arena_fini(&opening->arena);
	free(opening);
	return status;
}

enum embed_status settings_open_service(embed_service **out, const struct options *options,
    enum settings_open how, struct log_sink *log, struct embed_error *error)
{
	return use_options(out, embed_open, options, how, log, NULL, error);
}

enum embed_status settings_open_traced(embed_service **out, const struct options *options,
    struct log_sink *log, const struct settings_spans *spans, struct embed_error *error)
{
	return use_options(out, embed_open, options, SETTINGS_ONLINE, log, spans, error);
}

static enum embed_status reload(
    embed_service **service, const struct embed_options *options, struct embed_error *error)
{
	return embed_reload(*service, options, error);
}

enum embed_status settings_reload_service(
    embed_service *service, const struct options *options, struct embed_error *error)
{
	return use_options(&service, reload, options, SETTINGS_ONLINE, NULL, NULL, error);
}
