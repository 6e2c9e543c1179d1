/* SPDX-License-Identifier: MIT */
/*
 * Multipart: reads a multipart/form-data body (RFC 7578) that is all in
 * memory.  Parts are slices of it; nothing is copied.  Pure.
 */
#ifndef EMULATOR_MULTIPART_H
#define EMULATOR_MULTIPART_H

#include "http/http.h"

struct multipart {
	const char *next, *end;
	struct http_slice boundary;
};

struct multipart_part {
	struct http_slice name;
	struct http_slice filename; /* empty when it has none */
	struct http_slice content;
};

/* False: the content type is not multipart/form-data with a boundary. */
bool multipart_start(
    struct multipart *multipart, struct http_slice content_type, const char *body, size_t len);

/* The next part; false at the end, and at the first thing that is not as it should be. */
bool multipart_next(struct multipart *multipart, struct multipart_part *part);

#endif
