/* SPDX-License-Identifier: MIT */
/*
 * Page: the dashboard's files, as they were when the program was built.
 *
 * The table is made by page/pack from the folder page/.  Constant.
 */
#ifndef GATEWAY_PAGE_H
#define GATEWAY_PAGE_H

#include "http/http.h"

struct page_file {
	const char *name; /* "app.js" */
	const char *content_type;
	const char *etag; /* with its quotes */
	struct http_slice plain, gzip;
};

extern const struct page_file page_files[];
extern const size_t page_file_count;

#endif
