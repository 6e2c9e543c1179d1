/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "http/parse.h"

#define HOST        "Host: a\r\n"
#define BYTES(text) (text), sizeof(text) - 1

struct head_case {
	const char *name;
	const char *bytes;
	size_t len;
	int status; /* of the refusal; 0: fine */
};

static const struct head_case head_cases[] = {
    {"plain", BYTES("GET / HTTP/1.1\r\n" HOST "\r\n"), 0},
    {"one empty line before", BYTES("\r\nGET / HTTP/1.1\r\n" HOST "\r\n"), 0},
    {"two empty lines before", BYTES("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"no blanks around a value", BYTES("GET / HTTP/1.1\r\nHost:a\r\nX:\r\n\r\n"), 0},
    {"length", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n"), 0},
    {"chunked", BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"), 0},
    {"bytes above 0x7f in a value", BYTES("GET / HTTP/1.1\r\n" HOST "X: \xc3\xa4\r\n\r\n"), 0},
    {"absolute target", BYTES("GET http://b/c?d HTTP/1.1\r\n" HOST "\r\n"), 0},
    {"asterisk", BYTES("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), 0},
    {"HTTP/1.0 without Host", BYTES("GET / HTTP/1.0\r\n\r\n"), 0},
    {"continue", BYTES("POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\n\r\n"), 0},

    {"bare LF after the request line", BYTES("GET / HTTP/1.1\n" HOST "\r\n"), 400},
    {"bare LF after a field", BYTES("GET / HTTP/1.1\r\nHost: a\n\r\n"), 400},
    {"bare LF as the last line", BYTES("GET / HTTP/1.1\r\n" HOST "\n"), 400},
    {"bare CR in a value", BYTES("GET / HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n"), 400},
    {"bare CR in the request line", BYTES("GET /\r HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"CR as the request line", BYTES("\r\r\n\r\n"), 400},
    {"NUL in a value", BYTES("GET / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n"), 400},
    {"NUL in a name", BYTES("GET / HTTP/1.1\r\n" HOST "X\0: a\r\n\r\n"), 400},
    {"NUL in the target", BYTES("GET /\0 HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"DEL in a value", BYTES("GET / HTTP/1.1\r\n" HOST "X: \x7f\r\n\r\n"), 400},
    {"folded line", BYTES("GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n"), 400},
    {"folded with a tab", BYTES("GET / HTTP/1.1\r\n" HOST "X: a\r\n\tb\r\n\r\n"), 400},
    {"blank before the first field", BYTES("GET / HTTP/1.1\r\n X: a\r\n" HOST "\r\n"), 400},
    {"blank before the colon", BYTES("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400},
    {"tab before the colon", BYTES("GET / HTTP/1.1\r\n" HOST "X\t: a\r\n\r\n"), 400},
    {"no colon", BYTES("GET / HTTP/1.1\r\n" HOST "X\r\n\r\n"), 400},
    {"no name", BYTES("GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n"), 400},
    {"no Host", BYTES("GET / HTTP/1.1\r\n\r\n"), 400},
    {"two Hosts", BYTES("GET / HTTP/1.1\r\n" HOST HOST "\r\n"), 400},
    {"empty Host", BYTES("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 400},
    {"Host with a path", BYTES("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400},
    {"Host with a user", BYTES("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"), 400},
    {"Host list", BYTES("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"), 400},

    {"length twice, equal",
	BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"), 400},
    {"length twice, different",
	BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"), 400},
    {"length list", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n\r\n"), 400},
    {"length with a sign", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\n"), 400},
    {"length below 0", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: -5\r\n\r\n"), 400},
    {"length in hex", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\n"), 400},
    {"length empty", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n"), 400},
    {"length with a blank", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 5 0\r\n\r\n"), 400},
    {"length of 2^64",
	BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551616\r\n\r\n"), 400},
    {"length and coding",
	BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
	400},
    {"coding and length",
	BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
	400},
    {"coding twice",
	BYTES("POST / HTTP/1.1\r\n" HOST
	      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
	400},
    {"coding chunked, chunked",
	BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, chunked\r\n\r\n"), 400},
    {"coding gzip, chunked",
	BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"), 400},
    {"coding identity", BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n"),
	400},
    {"coding xchunked", BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n"),
	400},
    {"coding with a parameter",
	BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked;q=1\r\n\r\n"), 400},
    {"coding after a vertical tab",
	BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \vchunked\r\n\r\n"), 400},
    {"coding empty", BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n"), 400},
    {"coding in HTTP/1.0", BYTES("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"),
	400},

    {"two blanks in the request line", BYTES("GET  / HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"blank in the target", BYTES("GET /a b HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"blank after the version", BYTES("GET / HTTP/1.1 \r\n" HOST "\r\n"), 400},
    {"blank before the method", BYTES(" GET / HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"no version", BYTES("GET /\r\n" HOST "\r\n"), 400},
    {"small letters in the version", BYTES("GET / http/1.1\r\n" HOST "\r\n"), 400},
    {"version with three parts", BYTES("GET / HTTP/1.1.1\r\n" HOST "\r\n"), 400},
    {"HTTP/2.0", BYTES("PRI * HTTP/2.0\r\n\r\n"), 505},
    {"HTTP/1.2", BYTES("GET / HTTP/1.2\r\n" HOST "\r\n"), 505},
    {"HTTP/0.9", BYTES("GET / HTTP/0.9\r\n" HOST "\r\n"), 505},
    {"method with a bracket", BYTES("GE(T / HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"no method", BYTES(" / HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"fragment", BYTES("GET /#a HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"target without a slash", BYTES("GET a HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"asterisk with GET", BYTES("GET * HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"CONNECT", BYTES("CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"absolute target with a user", BYTES("GET http://u@b/ HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"bytes above 0x7f in the target", BYTES("GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"unknown expectation", BYTES("POST / HTTP/1.1\r\n" HOST "Expect: 200-ok\r\n\r\n"), 417},
};

struct parsed {
	struct http_request request;
	struct http_framing framing;
	struct http_refusal refusal;
	struct http_field fields[HTTP_FIELDS_MAX];
	size_t head_len;
};

/* Feeds `step` bytes at a time; the status of the refusal, 0 or -1 (not complete). */
static int parse(const char *bytes, size_t len, size_t step, size_t max, struct parsed *parsed)
{
	struct http_scan scan = {0};

	for (size_t here = 0; here <= len;
	     here = here + step < len || here == len ? here + step : len) {
		switch (
		    http_scan_head(&scan, bytes, here, max, &parsed->head_len, &parsed->refusal)) {
		case HTTP_PARSE_MORE:
			continue;
		case HTTP_PARSE_REFUSED:
			return parsed->refusal.status;
		case HTTP_PARSE_DONE:
			break;
		}
		if (http_parse_head(bytes, parsed->head_len, parsed->fields, HTTP_FIELDS_MAX,
			&parsed->request, &parsed->framing, &parsed->refusal) == HTTP_PARSE_REFUSED)
			return parsed->refusal.status;
		return 0;
	}
	return -1;
}

static void each_head_gets_its_verdict_however_it_is_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(head_cases) / sizeof(head_cases[0]); i++) {
		const struct head_case *c = &head_cases[i];

		for (size_t step = 1; step <= c->len; step++) {
			struct parsed parsed;
			int status = parse(c->bytes, c->len, step, 16384, &parsed);

			if (status != c->status)
				fail_msg("%s, %zu bytes at a time: %d, not %d", c->name, step,
				    status, c->status);
		}
	}
}

static void assert_slice(struct http_slice slice, const char *text)
{
	if (!http_slice_equals(slice, text))
		fail_msg("\"%.*s\" is not \"%s\"", (int)slice.len, slice.bytes, text);
}

static void a_head_comes_apart_into_its_parts(void **state)
{
	static const char head[] = "POST /v1/a%20b?x=1&y=&x=2 HTTP/1.1\r\nHost: h:80\r\n"
				   "X-Pad: \t two words \t\r\nContent-Length: 12\r\n\r\n";
	struct parsed p;
	struct http_slice value;

	(void)state;
	assert_int_equal(parse(head, sizeof(head) - 1, 7, 16384, &p), 0);
	assert_slice(p.request.method, "POST");
	assert_slice(p.request.target, "/v1/a%20b?x=1&y=&x=2");
	assert_slice(p.request.path, "/v1/a%20b");
	assert_slice(p.request.query, "x=1&y=&x=2");
	assert_slice(p.request.host, "h:80");
	assert_slice(*http_request_field(&p.request, "x-pad"), "two words");
	assert_null(http_request_field(&p.request, "x-pa"));
	assert_int_equal(p.request.content_length, 12);
	assert_true(p.request.has_body);
	assert_true(http_query_find(p.request.query, "x", &value));
	assert_slice(value, "1");
	assert_true(http_query_find(p.request.query, "y", &value));
	assert_slice(value, "");
	assert_false(http_query_find(p.request.query, "z", &value));
}

static void an_absolute_target_names_host_and_path(void **state)
{
	static const char head[] = "GET http://b:1?q HTTP/1.1\r\nHost: a\r\n\r\n";
	static const char with_path[] = "GET HTTPS://b/c?q HTTP/1.1\r\nHost: a\r\n\r\n";
	struct parsed p;

	(void)state;
	assert_int_equal(
	    parse(head, sizeof(head) - 1, 999, 16384, &p), 400); /* no path before "?" */
	assert_int_equal(parse(with_path, sizeof(with_path) - 1, 999, 16384, &p), 0);
	assert_slice(p.request.host, "b");
	assert_slice(p.request.path, "/c");
	assert_slice(p.request.query, "q");
}

static void connection_options_are_a_list(void **state)
{
	static const struct {
		const char *value;
		bool closes;
	} cases[] = {{"close", true}, {"keep-alive", false}, {"Keep-Alive, Close", true},
	    {"TE ,\tclose ", true}, {"closed", false}, {"", false}, {",,close,", true}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char head[200];
		int len = snprintf(head, sizeof(head),
		    "GET / HTTP/1.1\r\nHost: a\r\nConnection: %s\r\n\r\n", cases[i].value);
		struct parsed p;

		assert_int_equal(parse(head, (size_t)len, 999, 16384, &p), 0);
		assert_int_equal(p.framing.wants_close, cases[i].closes);
	}
}

static size_t many_fields(char *out, size_t cap, int count)
{
	size_t len = (size_t)snprintf(out, cap, "GET / HTTP/1.1\r\nHost: a\r\n");

	for (int i = 1; i < count; i++)
		len += (size_t)snprintf(out + len, cap - len, "X: 1\r\n");
	return len + (size_t)snprintf(out + len, cap - len, "\r\n");
}

static void at_most_a_hundred_fields_pass(void **state)
{
	static char head[16384];
	struct parsed p;

	(void)state;
	assert_int_equal(parse(head, many_fields(head, sizeof(head), 100), 9999, 16384, &p), 0);
	assert_int_equal(p.request.field_count, 100);
	assert_int_equal(parse(head, many_fields(head, sizeof(head), 101), 9999, 16384, &p), 431);
	assert_int_equal(parse(head, many_fields(head, sizeof(head), 1000), 9999, 16384, &p), 431);
}

static void a_head_past_the_maximum_is_refused_before_it_is_complete(void **state)
{
	static char head[65536];
	struct parsed p;
	size_t len = (size_t)sprintf(head, "GET / HTTP/1.1\r\nHost: a\r\nX: ");

	(void)state;
	memset(head + len, 'x', sizeof(head) - len);
	assert_int_equal(parse(head, 1023, 100, 1024, &p), -1);
	assert_int_equal(parse(head, 1024, 100, 1024, &p), 431);
	memset(head, 'x', sizeof(head));
	assert_int_equal(parse(head, 1024, 100, 1024, &p), 414);
}

/* ---- Chunked bodies ----------------------------------------------------- */

struct chunk_case {
	const char *name;
	const char *bytes;
	size_t len;
	int status;       /* 0: complete, -1: wants more */
	const char *body; /* when complete */
	size_t left;      /* bytes behind the body */
};

static const struct chunk_case chunk_cases[] = {
    {"one chunk", BYTES("3\r\nabc\r\n0\r\n\r\n"), 0, "abc", 0},
    {"two chunks and a next request", BYTES("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET"), 0, "abcde", 3},
    {"empty body", BYTES("0\r\n\r\n"), 0, "", 0},
    {"leading zeros", BYTES("0003\r\nabc\r\n000\r\n\r\n"), 0, "abc", 0},
    {"hex in both cases", BYTES("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"), 0,
	"01234567890123456789", 0},
    {"extension", BYTES("3;a=\"b\"\r\nabc\r\n0;x\r\n\r\n"), 0, "abc", 0},
    {"trailer", BYTES("3\r\nabc\r\n0\r\nX-Sum: 1\r\nY:\r\n\r\n"), 0, "abc", 0},
    {"not complete", BYTES("3\r\nabc\r\n0\r\n"), -1, NULL, 0},
    {"empty size", BYTES("\r\nabc\r\n"), 400, NULL, 0},
    {"sign", BYTES("+3\r\nabc\r\n0\r\n\r\n"), 400, NULL, 0},
    {"0x", BYTES("0x3\r\nabc\r\n0\r\n\r\n"), 400, NULL, 0},
    {"blank after the size", BYTES("3 \r\nabc\r\n0\r\n\r\n"), 400, NULL, 0},
    {"blank before the size", BYTES(" 3\r\nabc\r\n0\r\n\r\n"), 400, NULL, 0},
    {"bare LF after the size", BYTES("3\nabc\r\n0\r\n\r\n"), 400, NULL, 0},
    {"bare CR after the size", BYTES("3\rabc\r\n0\r\n\r\n"), 400, NULL, 0},
    {"bare LF in an extension", BYTES("3;a\nabc\r\n0\r\n\r\n"), 400, NULL, 0},
    {"bare CR in an extension", BYTES("3;a\rb\r\nabc\r\n0\r\n\r\n"), 400, NULL, 0},
    {"NUL in an extension", BYTES("3;a\0\r\nabc\r\n0\r\n\r\n"), 400, NULL, 0},
    {"data longer than its size", BYTES("3\r\nabcd\r\n0\r\n\r\n"), 400, NULL, 0},
    {"bare LF after the data", BYTES("3\r\nabc\n0\r\n\r\n"), 400, NULL, 0},
    {"bare LF at the end", BYTES("3\r\nabc\r\n0\r\n\n"), 400, NULL, 0},
    {"bare CR at the end", BYTES("3\r\nabc\r\n0\r\n\rG"), 400, NULL, 0},
    {"trailer without a colon", BYTES("0\r\nX\r\n\r\n"), 400, NULL, 0},
    {"trailer that folds", BYTES("0\r\nX: a\r\n b\r\n\r\n"), 400, NULL, 0},
    {"size of 2^64", BYTES("10000000000000000\r\n"), 400, NULL, 0},
    {"size of 2^64 - 1", BYTES("ffffffffffffffff\r\n"), 400, NULL, 0},
    {"size of 2^60 - 1", BYTES("fffffffffffffff\r\n"), 413, NULL, 0},
    {"one byte above the cap", BYTES("10\r\n0123456789abcdef\r\n11\r\n"), 413, NULL, 0},
};

#define CAP 32

static int feed(const struct chunk_case *c, size_t step, char *body, size_t *body_len, size_t *left)
{
	struct http_chunked chunked = {0};
	struct http_refusal refusal;
	size_t at = 0;

	*body_len = 0;
	while (at < c->len) {
		size_t len = step < c->len - at ? step : c->len - at;
		size_t consumed;
		size_t produced;
		enum http_parse parsed = http_chunked_feed(&chunked, c->bytes + at, len, CAP,
		    body + *body_len, &consumed, &produced, &refusal);

		if (parsed == HTTP_PARSE_REFUSED)
			return refusal.status;
		*body_len += produced;
		at += consumed;
		*left = c->len - at;
		if (parsed == HTTP_PARSE_DONE)
			return 0;
	}
	return -1;
}

static void each_chunked_body_gets_its_verdict_however_it_is_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(chunk_cases) / sizeof(chunk_cases[0]); i++) {
		const struct chunk_case *c = &chunk_cases[i];

		for (size_t step = 1; step <= c->len; step++) {
			char body[CAP];
			size_t body_len;
			size_t left;
			int status = feed(c, step, body, &body_len, &left);

			if (status != c->status)
				fail_msg("%s, %zu bytes at a time: %d, not %d", c->name, step,
				    status, c->status);
			if (status == 0) {
				assert_int_equal(body_len, strlen(c->body));
				assert_memory_equal(body, c->body, body_len);
				assert_int_equal(left, c->left);
			}
		}
	}
}

static void extensions_do_not_go_on_for_ever(void **state)
{
	static char bytes[8192];
	struct chunk_case c = {"", bytes, sizeof(bytes), 0, NULL, 0};
	char body[CAP];
	size_t body_len;
	size_t left;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, "3;", 2);
	assert_int_equal(feed(&c, 100, body, &body_len, &left), 400);
	memcpy(bytes, "0\r\n", 3);
	assert_int_equal(feed(&c, 100, body, &body_len, &left), 400);
}

static void percent_codes_are_undone(void **state)
{
	char out[8];
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {{"abc", "abc"}, {"a%2Fb", "a/b"}, {"%41%42", "AB"}, {"%", NULL}, {"%4", NULL},
	    {"%zz", NULL}, {"%00", NULL}, {"123456789", NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_slice in = {cases[i].in, strlen(cases[i].in)};
		size_t len = http_percent_decode(in, out, sizeof(out));

		if (!cases[i].out) {
			assert_int_equal(len, SIZE_MAX);
			continue;
		}
		assert_int_equal(len, strlen(cases[i].out));
		assert_memory_equal(out, cases[i].out, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_head_gets_its_verdict_however_it_is_split),
	    cmocka_unit_test(a_head_comes_apart_into_its_parts),
	    cmocka_unit_test(an_absolute_target_names_host_and_path),
	    cmocka_unit_test(connection_options_are_a_list),
	    cmocka_unit_test(at_most_a_hundred_fields_pass),
	    cmocka_unit_test(a_head_past_the_maximum_is_refused_before_it_is_complete),
	    cmocka_unit_test(each_chunked_body_gets_its_verdict_however_it_is_split),
	    cmocka_unit_test(extensions_do_not_go_on_for_ever),
	    cmocka_unit_test(percent_codes_are_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
