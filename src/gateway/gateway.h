/* SPDX-License-Identifier: MIT */
/*
 * Gateway: OpenAI's embeddings API over one service.
 *
 * Each HTTP worker answers hits by itself (embed_lookup, no lock); what is
 * missing is submitted to the service and the exchange parked until the engine
 * resumes it.  Routes: route.c.  Keys: keys.h.  Whoever starts the gateway
 * calls gateway_tick a few times a second, which picks up changed keys and
 * budgets.
 *
 * Threads: start, tick, reload, drain and stop belong to one thread, the one
 * that started it.
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include <embed.h>

#include "base/log.h"
#include "gateway/alarms.h"

struct gateway;
struct tracer;

enum gateway_unknown { GATEWAY_IGNORE_UNKNOWN, GATEWAY_PASS_UNKNOWN, GATEWAY_REFUSE_UNKNOWN };
enum gateway_hit_usage { GATEWAY_HITS_COUNT, GATEWAY_HITS_ZERO };

/* What may change while it runs.  0 and NULL mean the default unless said otherwise. */
struct gateway_policy {
	const char *const *cors_origins; /* "*" or origins; none: no CORS */
	size_t cors_origin_count;
	size_t max_body_bytes;
	size_t max_texts;      /* in one request */
	uint64_t queue_tokens; /* that may wait in all; past it 429 */
	int64_t queue_wait_us; /* estimated wait past which 429 is given; 0: no cap */
	int64_t timeout_us;    /* of a request that names none; 0: none */
	uint64_t wrong_keys;   /* that one address may show a minute; past it 429; 0: no limit */
	enum embed_too_long too_long;
	enum gateway_unknown unknown_fields;
	enum gateway_hit_usage hit_usage;
	bool logs_requests; /* one line at info level for each */
};

/* 0 and NULL mean the default unless said otherwise. */
struct gateway_options {
	const char *const *listen;
	size_t listen_count;
	const int *listen_fds; /* taken over */
	size_t listen_fd_count;
	unsigned workers;
	const char *keys_file; /* needs not exist: then only loopback is served */
	const char *tls_cert_file;
	const char *tls_key_file;
	uint32_t max_connections;
	uint32_t head_timeout_ms, body_timeout_ms, write_timeout_ms, idle_timeout_ms;
	bool passes_keys; /* callers bring their own upstream key; the gateway has none to check */
	struct log log;
	struct tracer *tracer; /* NULL: no spans, a traceparent is passed on as it came */
	alarms_fn *on_alarm;   /* beside the log; NULL: nobody */
	void *alarm_context;
	struct poster *webhook;       /* what alarms are posted by, to be counted; NULL: nothing */
	struct gateway_policy policy; /* to begin with */
};

/*
 * EMBED_BAD_OPTION when an address is not loopback and there is no key: an
 * open door to somebody's account.  The service outlives the gateway.
 */
enum embed_status gateway_start(struct gateway **out, embed_service *service,
    const struct gateway_options *options, struct embed_error *error);

/* Another process listened on one of its ports already, and gets a part of the connections until it ends. */
bool gateway_shares_ports(const struct gateway *gateway);

/* The `index`th address listened on, or NULL. */
const char *gateway_address(const struct gateway *gateway, size_t index);
size_t gateway_key_count(const struct gateway *gateway);

/* Looks whether the keys' file changed, and at budgets. */
void gateway_tick(struct gateway *gateway);

/*
 * Keys and certificates are read again, and requests that come from now on go
 * by `policy` (NULL: as before).  What cannot be read stays as it was, and is
 * logged.
 */
void gateway_reload(struct gateway *gateway, const struct gateway_policy *policy);

/* True when all requests were finished within the time. */
bool gateway_drain(struct gateway *gateway, uint32_t deadline_ms);

/* NULL is fine. */
void gateway_stop(struct gateway *gateway);

#endif
