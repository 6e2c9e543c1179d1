/* SPDX-License-Identifier: MIT */
#include "gateway/route.h"

#include <string.h>

static const struct route routes[] = {
#define ROW(name, method, pattern, auth, body, handler)                                            \
	{ROUTE_##name, method, pattern, ROUTE_##auth, ROUTE_##body, handler},
    ROUTES(ROW)
#undef ROW
};

const struct route *route_at(enum route_id id)
{
	return id < ROUTE_NONE ? &routes[id] : NULL;
}

static bool matches(const char *pattern, struct http_slice path, struct http_slice *param)
{
	const char *hole = strstr(pattern, "{}");
	size_t before;
	size_t after;

	*param = (struct http_slice){NULL, 0};
	if (!hole)
		return http_slice_equals(path, pattern);
	before = (size_t)(hole - pattern);
	after = strlen(hole + 2);
	if (path.len <= before + after || memcmp(path.bytes, pattern, before) != 0 ||
	    memcmp(path.bytes + path.len - after, hole + 2, after) != 0)
		return false;
	*param = (struct http_slice){path.bytes + before, path.len - before - after};
	return memchr(param->bytes, '/', param->len) == NULL;
}

static bool has_method(const struct route *route, struct http_slice method)
{
	if (http_slice_equals(method, "HEAD"))
		return strcmp(route->method, "GET") == 0;
	return http_slice_equals(method, route->method);
}

const struct route *route_find(
    struct http_slice method, struct http_slice path, struct http_slice *param, bool *is_path_known)
{
	*is_path_known = false;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (!matches(routes[i].pattern, path, param))
			continue;
		if (has_method(&routes[i], method))
			return &routes[i];
		*is_path_known = true;
	}
	*param = (struct http_slice){NULL, 0};
	return NULL;
}
