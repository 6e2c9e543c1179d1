/* SPDX-License-Identifier: MIT */
/*
 * List query: `after` and `limit` of the listing endpoints (PROTOCOL 8).
 * Feed every candidate's id in order; it says which are on the page.  Pure.
 */
#ifndef EMULATOR_LIST_QUERY_H
#define EMULATOR_LIST_QUERY_H

#include "http/http.h"

struct list_query {
	char after[128]; /* "": from the beginning; emptied when that one has passed */
	size_t left;     /* places on the page */
	bool has_more;
	bool is_ascending;
};

void list_query_read(
    struct list_query *list, struct http_slice query, size_t fallback, size_t most);
bool list_query_takes(struct list_query *list, const char *id);

#endif
