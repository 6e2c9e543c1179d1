/* SPDX-License-Identifier: MIT */
/*
 * Listen: addresses in words to listening sockets.
 *
 * TCP addresses get one socket for each worker (SO_REUSEPORT: the kernel
 * spreads connections); Unix sockets and inherited ones are shared by all.
 *
 * Threads: none; the server's start and stop.
 */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include "http/connection.h"

struct http_listener {
	enum http_event_kind event_kind;
	int fd;
	bool is_shared; /* with other workers */
	bool is_tcp;
	bool is_loopback; /* others cannot reach it */
};

#define HTTP_ADDRESS_MAX 128

/*
 * Opens `count` sockets for an address ("HOST:PORT", "[V6]:PORT", "*:PORT",
 * "unix:PATH"); shared ones are duplicates of one.  `name` gets the address
 * with the port really bound.
 */
enum embed_status http_listen_open(const char *address, struct http_listener *listeners,
    size_t count, char name[HTTP_ADDRESS_MAX], struct embed_error *error);

/*
 * EMBED_IO when a process listens on the TCP address already.  SO_REUSEPORT
 * would let both, and the kernel give each a part of the connections.
 */
enum embed_status http_listen_check_free(const char *address, struct embed_error *error);

/* Same for a socket that listens already; takes it over, also on failure. */
enum embed_status http_listen_adopt(int fd, struct http_listener *listeners, size_t count,
    char name[HTTP_ADDRESS_MAX], struct embed_error *error);

/* "192.0.2.1:4711", "[::1]:4711" or "unix". */
void http_address_text(const struct sockaddr *address, char *out, size_t cap);

/* 127/8, ::1, and what is not TCP. */
bool http_address_is_loopback(const struct sockaddr *address);

#endif
