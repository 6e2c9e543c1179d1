/* SPDX-License-Identifier: MIT */
#include "cli/top_fetch.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"

#define BODY_MAX_BYTES   (32u << 20)
#define TIMEOUT_MS       5000L
#define CONNECT_MS       2000L
#define URL_MAX_BYTES    2048
#define NEEDS_KEY_ADVICE "set EMBED_TOP_KEY to an admin key (\"embed keys add NAME --admin\")"
#define TRUST_ADVICE     "--ca-file names the certificates to trust"
#define NO_ANSWER_ADVICE "is \"embed serve\" running there? --url names another place"

struct top_fetch {
	CURL *easy;
	struct curl_slist *fields;
	char base[URL_MAX_BYTES];
	char failure[CURL_ERROR_SIZE];
	struct buffer json; /* being read */
};

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct buffer *body = context;

	buffer_append(body, bytes, size * count);
	return body->status == EMBED_OK ? size * count : 0;
}

static bool has_scheme(const char *url)
{
	return strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
}

static enum embed_status set_url(
    struct top_fetch *fetch, const char *url, struct embed_error *error)
{
	size_t len;

	if (strncmp(url, "unix:", 5) == 0) {
		curl_easy_setopt(fetch->easy, CURLOPT_UNIX_SOCKET_PATH, url + 5);
		url = "http://localhost";
	}
	if (snprintf(fetch->base, sizeof(fetch->base), "%s%s", has_scheme(url) ? "" : "http://",
		url) >= (int)sizeof(fetch->base) - 64)
		return error_set(error, EMBED_BAD_OPTION, "--url is too long");
	len = strlen(fetch->base);
	if (len > 3 && strcmp(fetch->base + len - 3, "/v1") == 0)
		fetch->base[len -= 3] = '\0'; /* as `embed serve` prints it */
	while (len > 0 && fetch->base[len - 1] == '/')
		fetch->base[--len] = '\0';
	return EMBED_OK;
}

static bool set_key(struct top_fetch *fetch, const char *key)
{
	char field[512];

	snprintf(field, sizeof(field), "authorization: Bearer %s", key);
	fetch->fields = curl_slist_append(NULL, field);
	explicit_bzero(field, sizeof(field));
	curl_easy_setopt(fetch->easy, CURLOPT_HTTPHEADER, fetch->fields);
	return fetch->fields != NULL;
}

enum embed_status top_fetch_open(
    struct top_fetch **out, const struct top_fetch_options *options, struct embed_error *error)
{
	struct top_fetch *fetch = calloc(1, sizeof(*fetch));
	enum embed_status status;

	if (!fetch)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	buffer_init(&fetch->json, BODY_MAX_BYTES);
	curl_global_init_mem(
	    CURL_GLOBAL_DEFAULT, malloc, secret_free, secret_realloc, strdup, calloc);
	fetch->easy = curl_easy_init();
	if (!fetch->easy || (options->key && *options->key && !set_key(fetch, options->key))) {
		top_fetch_close(fetch);
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	}
	status = set_url(fetch, options->url, error);
	if (status != EMBED_OK) {
		top_fetch_close(fetch);
		return status;
	}
	if (options->ca_file && *options->ca_file)
		curl_easy_setopt(fetch->easy, CURLOPT_CAINFO, options->ca_file);
	curl_easy_setopt(fetch->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(fetch->easy, CURLOPT_ERRORBUFFER, fetch->failure);
	curl_easy_setopt(fetch->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(fetch->easy, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	curl_easy_setopt(fetch->easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(fetch->easy, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
	curl_easy_setopt(fetch->easy, CURLOPT_WRITEFUNCTION, on_body);
	*out = fetch;
	return EMBED_OK;
}

void top_fetch_close(struct top_fetch *fetch)
{
	if (!fetch)
		return;
	curl_easy_cleanup(fetch->easy);
	curl_slist_free_all(fetch->fields);
	buffer_fini(&fetch->json);
	free(fetch);
}

static enum embed_status judge(struct top_fetch *fetch, long code, struct embed_error *error)
{
	if (code == 200)
		return EMBED_OK;
	if (code == 401 || code == 403)
		return error_set(
		    error, EMBED_UNAUTHORIZED, "%s wants a key: %s", fetch->base, NEEDS_KEY_ADVICE);
	return error_set(error, EMBED_BAD_REPLY,
	    "%s answered with status %ld: it is no \"embed serve\", or an older one", fetch->base,
	    code);
}

enum embed_status top_fetch_get(
    struct top_fetch *fetch, const char *path, struct buffer *body, struct embed_error *error)
{
	char url[URL_MAX_BYTES + 128];
	long code = 0;
	CURLcode result;

	buffer_reset(body);
	snprintf(url, sizeof(url), "%s%s", fetch->base, path);
	curl_easy_setopt(fetch->easy, CURLOPT_URL, url);
	curl_easy_setopt(fetch->easy, CURLOPT_WRITEDATA, body);
	fetch->failure[0] = '\0';
	result = curl_easy_perform(fetch->easy);
	if (result != CURLE_OK)
		return error_set(error, EMBED_UPSTREAM, "%s: %s; %s", fetch->base,
		    fetch->failure[0] ? fetch->failure : curl_easy_strerror(result),
		    result == CURLE_PEER_FAILED_VERIFICATION ? TRUST_ADVICE : NO_ANSWER_ADVICE);
	curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &code);
	return judge(fetch, code, error);
}

enum embed_status top_fetch_json(
    struct top_fetch *fetch, const char *path, json_t **out, struct embed_error *error)
{
	enum embed_status status = top_fetch_get(fetch, path, &fetch->json, error);
	json_t *json;

	if (status != EMBED_OK)
		return status;
	json = json_loadb(fetch->json.bytes ? fetch->json.bytes : "", fetch->json.len, 0, NULL);
	if (!json_is_object(json)) {
		json_decref(json);
		return judge(fetch, 0, error);
	}
	*out = json;
	return EMBED_OK;
}
