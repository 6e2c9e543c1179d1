/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "gateway/route.h"

/* The handlers are not called here; the table only needs their names. */
#define ROW(name, method, pattern, auth, body, handler) [ROUTE_##name] = pattern,
static const char *const patterns[] = {ROUTES(ROW)};
#undef ROW

static struct http_slice slice(const char *text)
{
	return (struct http_slice){text, strlen(text)};
}

static void every_row_is_found_by_its_own_path(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROUTE_NONE; i++) {
		const struct route *row = route_at((enum route_id)i);
		char path[128];
		const char *hole = strstr(patterns[i], "{}");
		struct http_slice param;
		bool is_path_known;

		assert_int_equal(row->id, i);
		if (hole)
			snprintf(path, sizeof(path), "%.*sa%%2Fb%s", (int)(hole - patterns[i]),
			    patterns[i], hole + 2);
		else
			snprintf(path, sizeof(path), "%s", patterns[i]);
		assert_ptr_equal(
		    route_find(slice(row->method), slice(path), &param, &is_path_known), row);
		assert_int_equal(param.len, hole ? 5 : 0);
	}
}

static void what_is_no_route_is_told_from_a_wrong_method(void **state)
{
	static const struct {
		const char *method, *path;
		bool is_path_known;
	} cases[] = {
	    {"GET", "/v1/embeddings", true},
	    {"DELETE", "/v1/models/x", true},
	    {"POST", "/v1/embeddings/", false},
	    {"POST", "/v1/Embeddings", false},
	    {"GET", "/v1/models/", false},
	    {"GET", "/v1/models/a/b", false},
	    {"POST", "/openai/deployments/a/b/embeddings", false},
	    {"POST", "/openai/deployments//embeddings", false},
	    {"POST", "/", true},
	    {"GET", "/index.html", false},
	    {"GET", "/dashboard/page/a/b", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_slice param;
		bool is_path_known = !cases[i].is_path_known;

		assert_null(route_find(
		    slice(cases[i].method), slice(cases[i].path), &param, &is_path_known));
		assert_int_equal(is_path_known, cases[i].is_path_known);
	}
}

static void head_goes_where_get_goes(void **state)
{
	struct http_slice param;
	bool is_path_known;

	(void)state;
	assert_ptr_equal(route_find(slice("HEAD"), slice("/health"), &param, &is_path_known),
	    route_at(ROUTE_HEALTH));
	assert_null(route_find(slice("HEAD"), slice("/v1/embeddings"), &param, &is_path_known));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_is_found_by_its_own_path),
	    cmocka_unit_test(what_is_no_route_is_told_from_a_wrong_method),
	    cmocka_unit_test(head_goes_where_get_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
