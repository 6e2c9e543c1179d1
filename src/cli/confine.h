/* SPDX-License-Identifier: MIT */
/*
 * Confine: a daemon becomes the user that it should be, and enters a sandbox
 * (app/sandbox.h) with what its options need and nothing else:
 *
 *	written   the home folder, the folders of Unix sockets to listen on
 *	read      the folders of all files that the options name, the system's
 *	ports     to listen on those of `listen`, to connect to those of the
 *	          upstreams, other addresses, proxies, and of DNS
 *
 * Threads: call it before there are others.
 */
#ifndef CLI_CONFINE_H
#define CLI_CONFINE_H

#include "app/settings.h"
#include "base/log.h"

/* The places of enum values in serve.def. */
enum confine_sandbox { CONFINE_OFF, CONFINE_ON, CONFINE_REQUIRE };

struct confine_options {
	const char *user; /* "NAME[:GROUP]"; NULL: stay who it is */
	enum confine_sandbox sandbox;
	const struct options *options;
	const struct option_list *listen;
	const char *keys_file;   /* wherever it was found */
	const char *const *urls; /* beside the upstreams'; NULL ones are skipped */
	size_t url_count;
};

/* EMBED_BAD_OPTION: what is required cannot be had here.  One line tells the log what is in force. */
enum embed_status confine(
    const struct confine_options *options, const struct log *log, struct embed_error *error);

#endif
