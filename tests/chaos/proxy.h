/* SPDX-License-Identifier: MIT */
/*
 * Proxy: stands on loopback between a client and an upstream, passes bytes on,
 * and does harm at a chosen byte.
 *
 * An exchange begins with the first byte that the client sends on a new
 * connection or after a reply (HTTP/1.1 without pipelining, as libcurl speaks
 * it).  The plan says what becomes of it; it is asked on the proxy's threads,
 * by one of them at a time.
 *
 * Failures to set up fail the test at hand.
 */
#ifndef CHAOS_PROXY_H
#define CHAOS_PROXY_H

#include <stddef.h>
#include <stdint.h>

enum proxy_harm {
	PROXY_NO_HARM,
	PROXY_DEAF, /* reset after `at` bytes of the request, of which upstream sees nothing more */
	PROXY_RESET,   /* reset after `at` bytes of the reply */
	PROXY_CLOSE,   /* orderly end after `at` bytes of the reply */
	PROXY_STALL,   /* never a byte after `at` bytes of the reply, until the client goes away */
	PROXY_TRICKLE, /* some bytes from `at` on come one by one, each after a millisecond */
	PROXY_HARM_COUNT,
};

struct proxy_order {
	enum proxy_harm harm;
	size_t at;
};

typedef struct proxy_order proxy_plan_fn(void *context, uint64_t exchange);

struct proxy;

/* `upstream`: "http://127.0.0.1:PORT/v1". */
struct proxy *proxy_start(const char *upstream, proxy_plan_fn *plan, void *context);

/* The same with the proxy's own port; lives as long as the proxy. */
const char *proxy_base_url(const struct proxy *proxy);

/* Exchanges whose harm struck: an end that the order put behind the last byte does not. */
uint64_t proxy_struck(struct proxy *proxy);

/* Ends what is under way. */
void proxy_stop(struct proxy *proxy);

#endif
