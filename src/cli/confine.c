/* SPDX-License-Identifier: MIT */
#include "cli/confine.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/privileges.h"
#include "app/sandbox.h"
#include "base/error.h"

/* RFC 7766: names are asked for over TCP too. */
#define DNS_PORT 53
/* libcurl's for a proxy that names none. */
#define PROXY_PORT  1080
#define HTTPS_PORT  443
#define UNIX_PREFIX "unix:"

/* What is allowed so far; after a failure nothing more is. */
struct confining {
	struct sandbox sandbox;
	enum embed_status status;
	struct embed_error *error;
};

/* ---- Files ------------------------------------------------------------ */

static void allow_file(const char *path, void *context)
{
	struct confining *confining = context;

	if (confining->status == EMBED_OK)
		confining->status =
		    sandbox_allow_beside(&confining->sandbox, SANDBOX_READ, path, confining->error);
}

static void allow_listening_folder(struct confining *confining, const char *address)
{
	size_t prefix = strlen(UNIX_PREFIX);

	if (confining->status == EMBED_OK && strncmp(address, UNIX_PREFIX, prefix) == 0)
		confining->status = sandbox_allow_beside(
		    &confining->sandbox, SANDBOX_WRITE, address + prefix, confining->error);
}

static void allow_files(
    struct confining *confining, const struct confine_options *options, const char *home)
{
	if (confining->status == EMBED_OK)
		confining->status = sandbox_allow_system(&confining->sandbox, confining->error);
	if (confining->status == EMBED_OK)
		confining->status =
		    sandbox_allow(&confining->sandbox, SANDBOX_WRITE, home, confining->error);
	allow_file(options->keys_file, confining);
	options_each_file(options->options, allow_file, confining);
	for (size_t i = 0; i < options->listen->count; i++)
		allow_listening_folder(confining, options->listen->items[i]);
}

/* ---- Ports ------------------------------------------------------------ */

static void allow_port(struct confining *confining, enum sandbox_port use, long port)
{
	if (confining->status == EMBED_OK && port >= 0 && port <= UINT16_MAX)
		confining->status =
		    sandbox_allow_port(&confining->sandbox, use, (uint16_t)port, confining->error);
}

/*
 * The port that a URL names, or that of its scheme where `takes_default`; -1:
 * none.  Without memory `confining` ends: a port that is left out would stay
 * closed for as long as the gateway runs.
 */
static long port_of(struct confining *confining, const char *text, bool takes_default)
{
	CURLU *url = curl_url();
	char *port = NULL;
	long number = -1;
	CURLUcode code =
	    url ? curl_url_set(url, CURLUPART_URL, text, CURLU_GUESS_SCHEME) : CURLUE_OUT_OF_MEMORY;

	if (code == CURLUE_OK)
		code = curl_url_get(
		    url, CURLUPART_PORT, &port, takes_default ? CURLU_DEFAULT_PORT : 0);
	if (code == CURLUE_OK)
		number = strtol(port, NULL, 10);
	else if (code == CURLUE_OUT_OF_MEMORY && confining->status == EMBED_OK)
		confining->status = error_set(confining->error, EMBED_NO_MEMORY, "out of memory");
	curl_free(port);
	curl_url_cleanup(url);
	return number;
}

static void allow_url(struct confining *confining, const char *url)
{
	if (url && *url)
		allow_port(confining, SANDBOX_CONNECT, port_of(confining, url, true));
}

static void allow_proxies(struct confining *confining)
{
	static const char *const variables[] = {
	    "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *proxy = getenv(variables[i]);
		long port = proxy && *proxy ? port_of(confining, proxy, false) : 0;

		if (port > 0)
			allow_port(confining, SANDBOX_CONNECT, port);
		if (port < 0) {
			allow_port(confining, SANDBOX_CONNECT, PROXY_PORT);
			allow_port(confining, SANDBOX_CONNECT, HTTPS_PORT);
		}
	}
}

/* -1: it is no TCP address. */
static long listening_port(const char *address)
{
	const char *colon = strrchr(address, ':');

	if (!colon || strncmp(address, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		return -1;
	return strtol(colon + 1, NULL, 10);
}

/* Which port a 0 becomes is not known yet, and every worker binds it: then listening stays free. */
static unsigned limited_ports(const struct option_list *listen)
{
	for (size_t i = 0; i < listen->count; i++)
		if (listening_port(listen->items[i]) == 0)
			return SANDBOX_CONNECT;
	return SANDBOX_CONNECT | SANDBOX_BIND;
}

static void allow_ports(struct confining *confining, const struct confine_options *options)
{
	const struct service_options *service = options_values(options->options, &settings_service);
	size_t count;
	const struct embed_upstream *upstreams = options_upstreams(options->options, &count);

	for (size_t i = 0; i < options->listen->count; i++)
		allow_port(confining, SANDBOX_BIND, listening_port(options->listen->items[i]));
	allow_port(confining, SANDBOX_CONNECT, DNS_PORT);
	allow_url(confining, service->base_url);
	for (size_t i = 0; i < count; i++)
		allow_url(confining, upstreams[i].base_url);
	for (size_t i = 0; i < options->url_count; i++)
		allow_url(confining, options->urls[i]);
	allow_proxies(confining);
}

/* ---- Entering --------------------------------------------------------- */

static void tell(
    const struct log *log, const struct confine_options *options, const struct sandbox_state *state)
{
	bool is_whole = state->landlock && state->filters_calls;
	bool is_wanted = options->sandbox != CONFINE_OFF;
	char landlock[16], uid[16];

	snprintf(landlock, sizeof(landlock), "%d", state->landlock);
	snprintf(uid, sizeof(uid), "%u", (unsigned)geteuid());
	log_event(log, is_whole || !is_wanted ? EMBED_LOG_INFO : EMBED_LOG_WARN, "sandbox", "uid",
	    uid, "files", state->landlock ? "limited" : "open", "ports",
	    state->limits_ports ? "limited" : "open", "calls",
	    state->filters_calls ? "limited" : "open", "landlock", landlock, "do",
	    is_whole || !is_wanted
		? NULL
		: "the kernel cannot do the rest; confine the service from outside",
	    NULL);
}

static enum embed_status enter(const struct confine_options *options, const char *home,
    struct sandbox_state *state, struct embed_error *error)
{
	struct confining confining = {.error = error};

	/* SQLite puts what it sorts where it may write. */
	if (setenv("SQLITE_TMPDIR", home, 1) != 0)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	sandbox_init(&confining.sandbox, limited_ports(options->listen));
	allow_files(&confining, options, home);
	allow_ports(&confining, options);
	if (confining.status == EMBED_OK)
		confining.status = sandbox_enter(&confining.sandbox, state, error);
	sandbox_fini(&confining.sandbox);
	if (confining.status == EMBED_OK && options->sandbox == CONFINE_REQUIRE &&
	    !(state->landlock && state->filters_calls))
		return error_set(error, EMBED_BAD_OPTION,
		    "--sandbox require: this kernel has no %s",
		    state->landlock ? "seccomp" : "Landlock");
	return confining.status;
}

/* The home folder of another user is that user's; one that was there stays as it is. */
static enum embed_status become(const char *text, const char *home, struct embed_error *error)
{
	struct privileges_user user;
	enum embed_status status = privileges_find(&user, text, error);
	bool is_new = access(home, F_OK) != 0;

	if (status == EMBED_OK)
		status = settings_make_home(home, error);
	if (status == EMBED_OK && is_new && geteuid() == 0 && lchown(home, user.uid, user.gid) != 0)
		status = error_set(
		    error, EMBED_IO, "cannot give %.300s to the user \"%s\"", home, user.name);
	return status == EMBED_OK ? privileges_drop(&user, error) : status;
}

enum embed_status confine(
    const struct confine_options *options, const struct log *log, struct embed_error *error)
{
	const struct general_options *general = options_values(options->options, &settings_general);
	struct sandbox_state state = {0};
	char home[SETTINGS_PATH_MAX];
	enum embed_status status = settings_home(home, options->options, error);

	if (status == EMBED_OK && options->user)
		status = become(options->user, home, error);
	if (status == EMBED_OK && !general->core_dumps)
		privileges_hide_memory(); /* a change of user took that back */
	if (status == EMBED_OK && options->sandbox != CONFINE_OFF) {
		status = settings_make_home(home, error);
		if (status == EMBED_OK)
			status = enter(options, home, &state, error);
	}
	if (status == EMBED_OK)
		tell(log, options, &state);
	return status;
}
