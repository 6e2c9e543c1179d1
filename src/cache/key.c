/* SPDX-License-Identifier: MIT */
#include "cache/key.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

/* Two kinds of input, two kinds of key.  A change of what is hashed needs new names here. */
#define TEXT_KEY "embed/1/text"
#define IDS_KEY  "embed/1/ids"

#define OPENAI_ORIGIN_HOST "api.openai.com"

/* Scheme, host and port of a URL, as slices of it; port "" when it is the scheme's own. */
struct origin {
	const char *scheme, *host, *port;
	size_t scheme_len, host_len, port_len;
};

/* Domains whose every host answers with OpenAI's own vectors. */
static const char *const azure_domains[] = {
    ".openai.azure.com",
    ".openai.azure.us",
    ".openai.azure.cn",
    ".cognitiveservices.azure.com",
    ".cognitiveservices.azure.us",
    ".cognitiveservices.azure.cn",
    ".services.ai.azure.com",
};

static bool slice_is(const char *bytes, size_t len, const char *text)
{
	return len == strlen(text) && strncasecmp(bytes, text, len) == 0;
}

static bool slice_ends_with(const char *bytes, size_t len, const char *end)
{
	size_t end_len = strlen(end);

	return len > end_len && strncasecmp(bytes + len - end_len, end, end_len) == 0;
}

/* Where the host ends: an IPv6 address in brackets may hold colons. */
static size_t host_length(const char *authority, size_t len)
{
	const char *end;

	if (len > 0 && authority[0] == '[') {
		end = memchr(authority, ']', len);
		return end == NULL ? 0 : (size_t)(end - authority) + 1;
	}
	end = memchr(authority, ':', len);
	return end == NULL ? len : (size_t)(end - authority);
}

static bool is_default_port(const struct origin *origin)
{
	if (origin->port_len == 0)
		return true;
	if (slice_is(origin->scheme, origin->scheme_len, "https"))
		return slice_is(origin->port, origin->port_len, "443");
	return slice_is(origin->scheme, origin->scheme_len, "http") &&
	       slice_is(origin->port, origin->port_len, "80");
}

/* "https://user@Host.:443/v1?x" to https, Host, "".  False when there is no scheme or host. */
static bool origin_parse(struct origin *origin, const char *url)
{
	const char *scheme_end = strstr(url, "://");
	const char *authority, *at;
	size_t len;

	if (scheme_end == NULL || scheme_end == url)
		return false;
	origin->scheme = url;
	origin->scheme_len = (size_t)(scheme_end - url);
	authority = scheme_end + 3;
	len = strcspn(authority, "/?#");
	at = memrchr(authority, '@', len);
	if (at != NULL) {
		len -= (size_t)(at + 1 - authority);
		authority = at + 1;
	}
	origin->host = authority;
	origin->host_len = host_length(authority, len);
	origin->port = authority + origin->host_len;
	origin->port_len = len - origin->host_len;
	if (origin->port_len > 0) {
		if (origin->port[0] != ':')
			return false;
		origin->port++;
		origin->port_len--;
	}
	if (origin->host_len > 0 && origin->host[origin->host_len - 1] == '.')
		origin->host_len--;
	if (is_default_port(origin))
		origin->port_len = 0;
	return origin->host_len > 0;
}

static bool origin_is_openai(const struct origin *origin)
{
	if (!slice_is(origin->scheme, origin->scheme_len, "https") || origin->port_len > 0)
		return false;
	if (slice_is(origin->host, origin->host_len, OPENAI_ORIGIN_HOST) ||
	    slice_ends_with(origin->host, origin->host_len, "." OPENAI_ORIGIN_HOST))
		return true;
	for (size_t i = 0; i < sizeof(azure_domains) / sizeof(azure_domains[0]); i++)
		if (slice_ends_with(origin->host, origin->host_len, azure_domains[i]))
			return true;
	return false;
}

static bool has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

/*
 * The three kinds of space are told apart by their first line, and the model
 * comes last, so that no name can imitate another kind's.
 */
static int write_space(
    char *out, size_t cap, const struct origin *origin, const char *model, const char *named)
{
	if (named != NULL)
		return snprintf(out, cap, "named\n%s\n%s", named, model);
	if (origin_is_openai(origin))
		return snprintf(out, cap, "openai\n%s", model);
	return snprintf(out, cap, "origin\n%.*s://%.*s%s%.*s\n%s", (int)origin->scheme_len,
	    origin->scheme, (int)origin->host_len, origin->host, origin->port_len > 0 ? ":" : "",
	    (int)origin->port_len, origin->port, model);
}

/* Scheme and host mean the same in any case; the model's name does not. */
static void lower_origin(char *space)
{
	char *line = strchr(space, '\n') + 1;

	for (; *line != '\n'; line++)
		if (*line >= 'A' && *line <= 'Z')
			*line = (char)(*line + ('a' - 'A'));
}

enum embed_status cache_space_make(struct cache_space *space, const char *base_url,
    const char *model, const char *named, struct embed_error *error)
{
	struct cache_space made;
	struct origin origin;
	int len;

	if (model == NULL || model[0] == '\0')
		return error_set(error, EMBED_NO_MODEL, "no model was named");
	if (base_url == NULL)
		base_url = "https://" OPENAI_ORIGIN_HOST;
	if (named != NULL && named[0] == '\0')
		named = NULL;
	if (strlen(base_url) >= CACHE_SPACE_MAX || !origin_parse(&origin, base_url))
		return error_set(error, EMBED_BAD_OPTION,
		    "the base URL '%.200s' has no scheme and host; write it like https://host/v1",
		    base_url);
	if (has_control(model) || has_control(base_url) || (named != NULL && has_control(named)))
		return error_set(error, EMBED_BAD_OPTION,
		    "model, base URL and space must not hold control characters");
	len = write_space(made.bytes, sizeof(made.bytes), &origin, model, named);
	if (len < 0 || (size_t)len >= sizeof(made.bytes))
		return error_set(error, EMBED_BAD_OPTION,
		    "model, base URL and space are together longer than %zu bytes",
		    sizeof(made.bytes));
	made.len = (size_t)len;
	if (strncmp(made.bytes, "origin\n", 7) == 0)
		lower_origin(made.bytes);
	*space = made;
	return EMBED_OK;
}

/* The hash takes numbers as little-endian bytes, as every host we build for has them. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "keys and records are little-endian");

static bool make_key(struct digest *key, const char *kind, const struct cache_scope *scope,
    const void *content, size_t len)
{
	const char *partition = scope->partition == NULL ? "" : scope->partition;
	const struct digest_part parts[] = {
	    {kind, strlen(kind)},
	    {scope->space->bytes, scope->space->len},
	    {partition, strlen(partition)},
	    {&scope->fixed_dimensions, sizeof(scope->fixed_dimensions)},
	    {content, len},
	    {scope->extra, scope->extra == NULL ? 0 : strlen(scope->extra)},
	};
	size_t count = sizeof(parts) / sizeof(parts[0]);

	/* Without extra fields the key is what it was before there were any. */
	return digest_parts(key, parts, parts[count - 1].len == 0 ? count - 1 : count);
}

bool cache_key_text(
    struct digest *key, const struct cache_scope *scope, const char *bytes, size_t len)
{
	return make_key(key, TEXT_KEY, scope, bytes, len);
}

bool cache_key_ids(
    struct digest *key, const struct cache_scope *scope, const uint32_t *ids, size_t count)
{
	return make_key(key, IDS_KEY, scope, ids, count * sizeof(*ids));
}
