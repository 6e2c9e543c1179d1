/* SPDX-License-Identifier: MIT */
/*
 * Server: the workers, where they listen, the certificate they show.
 *
 * Threads: made and ended by one thread; `lock` guards `tls`, `drained` and
 * waits for `connections` to fall to 0.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "http/worker.h"

struct http_server {
	struct http_options options; /* strings copied, defaults filled in */
	struct http_worker *workers;
	unsigned started; /* workers whose init was done */
	char (*names)[HTTP_ADDRESS_MAX];
	size_t name_count;
	struct http_listener *listeners; /* [address][worker] */
	uint16_t port;
	bool is_loopback; /* all addresses are */
	bool shares_ports;
	atomic_uint_fast64_t connections;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	SSL_CTX *tls;
	unsigned ready;   /* workers whose start hook said yes */
	unsigned failed;  /* or no */
	unsigned drained; /* workers that closed their listeners */
};

/* tls.c */
enum embed_status http_tls_load(
    SSL_CTX **out, const char *cert_file, const char *key_file, struct embed_error *error);

/* Tells whoever waits in drain or start. */
void http_server_changed(struct http_server *server, unsigned *counter);

#endif
