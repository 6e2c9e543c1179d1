/* SPDX-License-Identifier: MIT */
/*
 * Transport: attempts over HTTP, through libcurl's multi interface.
 *
 * A body is joined from the flights' texts into a buffer that is kept from
 * attempt to attempt; a reply is read while it arrives, each vector going to
 * its place in the attempt's memory; an error's body is kept up to 64 KiB.
 * Handles, connections and buffers are used again.
 *
 * Times: libcurl's own connect timeout; here, a first-byte timeout from when the
 * request was sent (while a body is still going out, from the last progress),
 * an idle timeout between bytes of the reply, and the retry deadline as the
 * bound for a whole attempt, against replies that only drip.
 *
 * TLS is verified, 1.2 or newer.  Redirects are not followed: they would carry
 * a key elsewhere.  A proxy is taken from where libcurl looks for one.  Answers
 * are not asked for in gzip (docs/decisions/engine.md).
 *
 * Threads: one owner, the engine's; transport_wake any.
 */
#ifndef ENGINE_TRANSPORT_H
#define ENGINE_TRANSPORT_H

#include "engine/core.h"

struct transport;

/* How an attempt that was sent ended. */
typedef void transport_done_fn(
    struct attempt *attempt, const struct core_answer *answer, void *context);

/* `options` must outlive the transport.  EMBED_NO_MEMORY, or EMBED_IO when libcurl cannot start. */
enum embed_status transport_create(struct transport **out, const struct engine_options *options,
    transport_done_fn *on_done, void *context);

/* Nothing may be under way.  NULL is fine. */
void transport_destroy(struct transport *transport);

/* Starts it.  on_done follows; from inside only when memory runs out. */
void transport_send(struct transport *transport, struct attempt *attempt, int64_t now_us);

/* Reads and writes what can be; calls on_done for what ended.  True: something did. */
bool transport_perform(struct transport *transport, int64_t now_us);

/* Waits until there is something to do, transport_wake, or `until_us` (INT64_MAX: no end). */
void transport_wait(struct transport *transport, int64_t until_us, int64_t now_us);

/* Ends the wait, now or the next one. */
void transport_wake(struct transport *transport);

/* Ends everything that is under way with `status`. */
void transport_abort(struct transport *transport, enum embed_status status);

/* See embed_network_library and embed_network_library_lack.  Any thread. */
const char *transport_library(void);
const char *transport_library_lack(void);

#endif
