/* SPDX-License-Identifier: MIT */
/* Who asks, and whether the key still has permits. */
#include "gateway/state.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "wire/header.h"

/* The key in `authorization: Bearer KEY` or `api-key: KEY`. */
static struct http_slice shown_key(const struct http_request *request)
{
	const struct http_slice *field = http_request_field(request, "authorization");
	struct http_slice key = {NULL, 0};

	if (!field) {
		field = http_request_field(request, "api-key");
		return field ? *field : key;
	}
	if (field->len > 7 && strncasecmp(field->bytes, "bearer ", 7) == 0)
		key = (struct http_slice){field->bytes + 7, field->len - 7};
	while (key.len && *key.bytes == ' ')
		key.bytes++, key.len--;
	return key;
}

/* Shorter ones may be passwords, of which eleven letters tell too much. */
#define MASK_MIN 32

/* As OpenAI echoes a key: its ends only, and never of a short one. */
static void mask(struct http_slice key, char out[32])
{
	if (key.len < MASK_MIN)
		snprintf(out, 32, "****");
	else
		snprintf(out, 32, "%.7s****%.4s", key.bytes, key.bytes + key.len - 4);
}

/* One key too many from this address; false: it may be told that the key is wrong. */
static bool refuse_try(struct call *call, int64_t wait_us)
{
	char message[128];

	if (wait_us <= 0)
		return false;
	atomic_fetch_add_explicit(&call->worker->counts.rejected, 1, memory_order_relaxed);
	call_retry_after(call, wait_us);
	snprintf(message, sizeof(message),
	    "Too many wrong API keys came from your address. Please try again in %llds.",
	    (long long)(wait_us + 999999) / 1000000);
	call_refuse_with(call, 429, message, "requests", NULL, "too_many_wrong_keys");
	return true;
}

static int64_t count_try(struct call *call)
{
	struct gateway *gateway = call->gateway;
	const char *peer = http_exchange_peer(call->exchange);
	struct tries_verdict verdict =
	    tries_fail(gateway->tries, peer, call->policy->wrong_keys, clock_now_us());

	if (verdict.is_news)
		log_event(&gateway->options.log, EMBED_LOG_WARN, "wrong_keys", "peer", peer, "do",
		    "see who calls from there; it is answered 429 for a while", NULL);
	return verdict.wait_us;
}

static bool refuse_key(struct call *call, struct http_slice shown)
{
	char masked[32];

	if (shown.len && refuse_try(call, count_try(call)))
		return false;
	http_reply_field(call->exchange, "www-authenticate", "Bearer");
	if (!shown.len) {
		call_refuse(call, WIRE_REFUSAL_KEY_MISSING, NULL);
		return false;
	}
	mask(shown, masked);
	call_refuse(call, WIRE_REFUSAL_KEY_WRONG, masked, NULL);
	return false;
}

/* In pass-through mode whatever is no key of ours is the caller's own. */
static bool take_caller_key(struct call *call, struct http_slice shown)
{
	if (!shown.len || shown.len >= sizeof(call->caller_key))
		return refuse_key(call, shown);
	/* Each would be tried upstream, in our name. */
	if (refuse_try(call, tries_wait_us(call->gateway->tries, http_exchange_peer(call->exchange),
				 call->policy->wrong_keys, clock_now_us())))
		return false;
	memcpy(call->caller_key, shown.bytes, shown.len);
	call->caller_key[shown.len] = '\0';
	return true;
}

void call_refuse_caller_key(struct call *call)
{
	refuse_key(call, (struct http_slice){call->caller_key, strlen(call->caller_key)});
}

/* ---- From this machine --------------------------------------------------------- */

/* "localhost", "127.x.y.z", "[::1]", each with or without a port. */
static bool is_loopback_name(struct http_slice host)
{
	static const char *const starts[] = {"localhost", "127.", "[::1]"};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		size_t len = strlen(starts[i]);
		size_t at = len;

		if (host.len < len || strncasecmp(host.bytes, starts[i], len) != 0)
			continue;
		if (i == 1) /* digits and dots up to the port, so that no name begins like it */
			while (at < host.len && strchr("0123456789.", host.bytes[at]))
				at++;
		if (at == host.len || host.bytes[at] == ':')
			return true;
	}
	return false;
}

/* True without an origin, and for the page that this gateway served. */
static bool is_own_origin(const struct http_request *request)
{
	const struct http_slice *origin = http_request_field(request, "origin");
	const struct http_slice *site = http_request_field(request, "sec-fetch-site");
	const char *scheme = request->is_tls ? "https://" : "http://";
	size_t len = strlen(scheme);

	if (site && !http_slice_equals(*site, "same-origin") && !http_slice_equals(*site, "none"))
		return false;
	if (!origin)
		return true;
	return origin->len == len + request->host.len && memcmp(origin->bytes, scheme, len) == 0 &&
	       memcmp(origin->bytes + len, request->host.bytes, request->host.len) == 0;
}

/*
 * Nearness lets in without a key only who speaks for this machine: not what a
 * proxy in front brings from elsewhere, not a page of another origin, and not
 * a page whose name was made to point here (DNS rebinding).
 */
static bool is_local(const struct call *call)
{
	static const char *const brought[] = {"forwarded", "x-forwarded-for", "x-real-ip", "via"};
	const struct http_request *request = http_exchange_request(call->exchange);

	if (!http_exchange_is_loopback(call->exchange) || !is_own_origin(request))
		return false;
	for (size_t i = 0; i < sizeof(brought) / sizeof(brought[0]); i++)
		if (http_request_field(request, brought[i]))
			return false;
	return strcmp(http_exchange_peer(call->exchange), "unix") == 0 ||
	       is_loopback_name(request->host);
}

/*
 * A page that neither this gateway served nor a configured origin: a browser says so.  Without keys
 * it could not read an answer, but it could spend.  A name made to point here is no loopback name.
 */
static bool is_strangers_page(const struct call *call)
{
	const struct http_request *request = http_exchange_request(call->exchange);

	if (!http_request_field(request, "origin") &&
	    !http_request_field(request, "sec-fetch-site"))
		return false;
	if (call_allowed_origin(call))
		return false;
	return !is_own_origin(request) || !is_loopback_name(request->host);
}

static bool refuse_strangers_page(struct call *call)
{
	call_refuse_with(call, 403,
	    "A page of another origin may not use this gateway: start it with --cors-origin ORIGIN, "
	    "or make a key with \"embed keys add NAME\".",
	    "invalid_request_error", NULL, "origin_not_allowed");
	return false;
}

bool call_authorize(struct call *call)
{
	const struct gateway_options *options = &call->gateway->options;
	struct key_table *keys = gateway_keys(call->worker);
	struct http_slice shown;

	if (call->route->auth == ROUTE_OPEN)
		return true;
	if (call->route->auth == ROUTE_ADMIN && is_local(call))
		return true;
	if (!keys->count && !options->passes_keys && call->route->auth == ROUTE_USER)
		/* loopback only: see gateway_start */
		return !is_strangers_page(call) || refuse_strangers_page(call);
	shown = shown_key(http_exchange_request(call->exchange));
	if (shown.len)
		call->key = key_table_find(keys, shown.bytes, shown.len, clock_unix_s());
	if (call->key) {
		call->keys = key_table_ref(keys);
		if (call->route->auth == ROUTE_ADMIN && !call->key->is_admin) {
			call_refuse_with(call, 403, "This needs an admin key.",
			    "invalid_request_error", NULL, "admin_key_required");
			return false;
		}
		return true;
	}
	if (options->passes_keys && call->route->auth == ROUTE_USER)
		return take_caller_key(call, shown);
	return refuse_key(call, shown);
}

/* ---- Rates ------------------------------------------------------------------- */

static void add_rate_fields(
    struct call *call, const char *what, const atomic_int_fast64_t *full_us, uint64_t limit)
{
	struct meter_left left = meter_look(full_us, limit, clock_now_us());
	char name[48];
	char duration[WIRE_DURATION_CAP];

	if (!limit)
		return;
	snprintf(name, sizeof(name), "x-ratelimit-limit-%s", what);
	http_reply_fieldf(call->exchange, name, "%llu", (unsigned long long)left.limit);
	snprintf(name, sizeof(name), "x-ratelimit-remaining-%s", what);
	http_reply_fieldf(call->exchange, name, "%llu", (unsigned long long)left.remaining);
	snprintf(name, sizeof(name), "x-ratelimit-reset-%s", what);
	wire_duration_write(duration, left.full_ms);
	http_reply_field(call->exchange, name, duration);
}

static void add_all_rate_fields(struct call *call)
{
	const struct key *key = call->key;

	if (key->rpm)
		add_rate_fields(call, "requests", &key->meter->requests_full_us, key->rpm);
	if (key->tpm)
		add_rate_fields(call, "tokens", &key->meter->tokens_full_us, key->tpm);
}

static void number_text(char out[24], uint64_t number)
{
	snprintf(out, 24, "%llu", (unsigned long long)number);
}

static bool refuse_rate(struct call *call, enum wire_refusal_id id, uint64_t limit,
    const atomic_int_fast64_t *full_us, uint64_t asked, int64_t wait_us)
{
	char limit_text[24], used_text[24], asked_text[24], wait_text[WIRE_DURATION_CAP];
	struct meter_left left = meter_look(full_us, limit, clock_now_us());

	atomic_fetch_add_explicit(&call->worker->counts.rejected, 1, memory_order_relaxed);
	add_all_rate_fields(call);
	number_text(limit_text, limit);
	number_text(used_text, limit - left.remaining);
	number_text(asked_text, asked);
	if (wait_us == INT64_MAX) {
		call_retry_after(call, 0);
		call_refuse(call, WIRE_REFUSAL_RATE_TOO_LARGE, call->model, call->key->name,
		    limit_text, asked_text, NULL);
		return false;
	}
	wire_duration_write(wait_text, (wait_us + 999) / 1000);
	call_retry_after(call, wait_us);
	call_refuse(call, id, call->model, call->key->name, limit_text, used_text, asked_text,
	    wait_text, NULL);
	return false;
}

bool call_take_rates(struct call *call, uint64_t tokens)
{
	const struct key *key = call->key;
	int64_t now_us = clock_now_us();
	int64_t wait_us = 0;

	if (!key || (!key->rpm && !key->tpm))
		return true;
	if (key->rpm)
		wait_us = meter_take(&key->meter->requests_full_us, key->rpm, 1, now_us);
	if (wait_us)
		return refuse_rate(call, WIRE_REFUSAL_RATE_REQUESTS, key->rpm,
		    &key->meter->requests_full_us, 1, wait_us);
	if (key->tpm)
		wait_us = meter_take(&key->meter->tokens_full_us, key->tpm, tokens, now_us);
	if (wait_us)
		return refuse_rate(call, WIRE_REFUSAL_RATE_TOKENS, key->tpm,
		    &key->meter->tokens_full_us, tokens, wait_us);
	add_all_rate_fields(call);
	return true;
}
