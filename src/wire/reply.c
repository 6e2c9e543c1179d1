/* SPDX-License-Identifier: MIT */
/* Reading; writing is in reply_write.c. */
#include "wire/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "wire/float_text.h"

/* What may come next. */
enum state {
	VALUE,
	VALUE_OR_CLOSE, /* after '[' */
	KEY,
	KEY_OR_CLOSE, /* after '{' */
	COLON,
	COMMA_OR_CLOSE,
	IN_KEY,
	IN_STRING,
	IN_NUMBER,
	IN_NAME, /* true, false, null */
	FINISHED,
};

/* Containers with a meaning; what lies in any other is skipped. */
enum where { IN_TOP, IN_DATA, IN_ITEM, IN_VECTOR, IN_USAGE, IN_SKIPPED };

/* What a value is. */
enum role {
	TOP,
	SKIPPED,
	DATA,
	MODEL,
	USAGE,
	ITEM,
	INDEX,
	VECTOR,
	NUMBER,
	PROMPT_TOKENS,
	TOTAL_TOKENS
};

/* Bits of `known`. */
#define KNOWN_DATA          1
#define KNOWN_INDEX         2
#define KNOWN_VECTOR        4
#define KNOWN_PROMPT_TOKENS 8

/* Values of `escape`: none, after a backslash, then 2..5: hex digits read. */
#define ESCAPE_NONE  0
#define ESCAPE_BEGUN 1
#define ESCAPE_HEX   2

static const struct {
	enum where where;
	const char *name;
	enum role role;
} keys[] = {
    {IN_TOP, "data", DATA},
    {IN_TOP, "model", MODEL},
    {IN_TOP, "usage", USAGE},
    {IN_ITEM, "index", INDEX},
    {IN_ITEM, "embedding", VECTOR},
    {IN_USAGE, "prompt_tokens", PROMPT_TOKENS},
    {IN_USAGE, "total_tokens", TOTAL_TOKENS},
};

/* One call of wire_reply_feed. */
struct feed {
	struct wire_reply *reply;
	const char *begin;
	const char *at;
	const char *end;
	struct embed_error *error;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct feed *feed, const char *format, ...)
{
	struct wire_reply *reply = feed->reply;
	char what[160];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	reply->status = EMBED_BAD_REPLY;
	error_set_at(feed->error, EMBED_BAD_REPLY, EMBED_NO_INDEX, EMBED_NO_INDEX,
	    "upstream's reply is wrong at byte %llu: %s",
	    (unsigned long long)(reply->fed + (uint64_t)(feed->at - feed->begin)), what);
	return false;
}

/* A fault of the vector being read. */
static bool fail_vector(struct feed *feed, const char *problem)
{
	struct wire_reply *reply = feed->reply;

	if ((reply->known & KNOWN_INDEX) != 0) {
		fail(feed, "the vector with index %zu %s", reply->index, problem);
		if (feed->error != NULL)
			feed->error->index = reply->index;
		return false;
	}
	return fail(feed, "vector number %zu %s", reply->received + 1, problem);
}

/* ---- Containers ----------------------------------------------------- */

static bool open_container(struct feed *feed, bool is_object)
{
	struct wire_reply *reply = feed->reply;

	if (reply->depth >= WIRE_MAX_DEPTH)
		return fail(feed, "nested more than %d deep", WIRE_MAX_DEPTH);
	reply->nesting = reply->nesting << 1 | is_object;
	reply->depth++;
	reply->state = is_object ? KEY_OR_CLOSE : VALUE_OR_CLOSE;
	return true;
}

static void start_item(struct wire_reply *reply)
{
	reply->where = IN_ITEM;
	reply->known &= (uint8_t) ~(KNOWN_INDEX | KNOWN_VECTOR);
}

/* A value of a kind that its place does not allow; fine where it is skipped. */
static bool refuse_kind(struct feed *feed)
{
	switch (feed->reply->role) {
	case TOP:
		return fail(feed, "it is not an object");
	case DATA:
		return fail(feed, "`data` is not a list");
	case ITEM:
		return fail(feed, "an item of `data` is not an object");
	case INDEX:
		return fail(feed, "an `index` is not a number");
	case VECTOR:
		return fail_vector(feed, "is neither base64 nor a list of numbers");
	case NUMBER:
		return fail_vector(feed, "holds something that is not a number");
	default:
		return true;
	}
}

static bool skip_container(struct feed *feed)
{
	struct wire_reply *reply = feed->reply;

	if (!refuse_kind(feed))
		return false;
	if (reply->where != IN_SKIPPED) {
		reply->skip_where = reply->where;
		reply->skip_depth = reply->depth;
		reply->where = IN_SKIPPED;
	}
	return true;
}

static bool open_object(struct feed *feed)
{
	struct wire_reply *reply = feed->reply;

	if (!open_container(feed, true))
		return false;
	switch (reply->role) {
	case TOP:
		reply->where = IN_TOP;
		return true;
	case USAGE:
		reply->where = IN_USAGE;
		return true;
	case ITEM:
		start_item(reply);
		return true;
	default:
		return skip_container(feed);
	}
}

static bool open_array(struct feed *feed)
{
	struct wire_reply *reply = feed->reply;

	if (!open_container(feed, false))
		return false;
	switch (reply->role) {
	case DATA:
		reply->where = IN_DATA;
		return true;
	case VECTOR:
		reply->where = IN_VECTOR;
		return true;
	default:
		return skip_container(feed);
	}
}

static bool finish_vector(struct feed *feed)
{
	uint32_t dimensions;
	const char *problem = vector_reader_finish(&feed->reply->vector, &dimensions);

	return problem == NULL || fail_vector(feed, problem);
}

/* An item is complete: only now its index is certain. */
static bool finish_item(struct feed *feed)
{
	struct wire_reply *reply = feed->reply;
	uint64_t bit = UINT64_C(1) << (reply->index % 64);

	if ((reply->known & KNOWN_VECTOR) == 0)
		return fail(feed, "item %zu has no `embedding`", reply->received);
	if ((reply->known & KNOWN_INDEX) == 0)
		return fail(feed, "item %zu has no `index`", reply->received);
	if ((reply->seen[reply->index / 64] & bit) != 0)
		return fail(feed, "index %zu came twice", reply->index);
	reply->seen[reply->index / 64] |= bit;
	reply->received++;
	reply->dimensions = reply->vector.dimensions;
	reply->on_vector(
	    reply->context, reply->index, reply->vector.floats, reply->vector.dimensions);
	reply->where = IN_DATA;
	return true;
}

static bool close_container(struct feed *feed, char c)
{
	struct wire_reply *reply = feed->reply;
	bool is_object = (reply->nesting & 1) != 0;

	if (reply->depth == 0 || is_object != (c == '}'))
		return fail(feed, "'%c' closes nothing", c);
	reply->nesting >>= 1;
	reply->depth--;
	reply->state = reply->depth == 0 ? FINISHED : COMMA_OR_CLOSE;
	switch (reply->where) {
	case IN_VECTOR:
		reply->where = IN_ITEM;
		return finish_vector(feed);
	case IN_ITEM:
		return finish_item(feed);
	case IN_SKIPPED:
		if (reply->depth < reply->skip_depth)
			reply->where = reply->skip_where;
		return true;
	default:
		reply->where = IN_TOP;
		return true;
	}
}

/* ---- Keys and values ------------------------------------------------ */

/* Marks a key as met; false when it was before. */
static bool mark(struct wire_reply *reply, uint8_t bit)
{
	bool is_new = (reply->known & bit) == 0;

	reply->known |= bit;
	return is_new;
}

static bool finish_key(struct feed *feed)
{
	struct wire_reply *reply = feed->reply;
	bool is_new = true;

	reply->role = SKIPPED;
	reply->state = COLON;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (keys[i].where == reply->where && reply->text_len == strlen(keys[i].name) &&
		    memcmp(keys[i].name, reply->text, reply->text_len) == 0)
			reply->role = (uint8_t)keys[i].role;
	}
	if (reply->role == DATA)
		is_new = mark(reply, KNOWN_DATA);
	if (reply->role == INDEX)
		is_new = mark(reply, KNOWN_INDEX);
	if (reply->role == VECTOR) {
		is_new = mark(reply, KNOWN_VECTOR);
		vector_reader_clear(&reply->vector);
	}
	return is_new || fail(feed, "the key \"%.*s\" comes twice", reply->text_len, reply->text);
}

/* Digits only; false for anything else or beyond 18 of them. */
static bool read_count(const char *text, size_t len, uint64_t *value)
{
	if (len == 0 || len > 18)
		return false;
	*value = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*value = *value * 10 + (uint64_t)(text[i] - '0');
	}
	return true;
}

static void take_usage(struct wire_reply *reply, uint64_t tokens)
{
	if (reply->role == PROMPT_TOKENS)
		reply->known |= KNOWN_PROMPT_TOKENS;
	else if ((reply->known & KNOWN_PROMPT_TOKENS) != 0)
		return;
	reply->usage.is_known = true;
	reply->usage.prompt_tokens = tokens;
}

static bool finish_number(struct feed *feed, const char *text, size_t len)
{
	struct wire_reply *reply = feed->reply;
	const char *problem = NULL;
	uint64_t count = 0;
	float value;

	reply->state = COMMA_OR_CLOSE;
	if (float_text_read(text, len, &value) != len)
		return fail(
		    feed, "\"%.*s\" is not a JSON number", (int)(len < 40 ? len : 40), text);
	switch (reply->role) {
	case NUMBER:
		problem = vector_reader_put_float(&reply->vector, value);
		return problem == NULL || fail_vector(feed, problem);
	case INDEX:
		if (!read_count(text, len, &count) || count >= reply->expected)
			return fail(feed, "index %.*s is outside 0..%zu",
			    (int)(len < 40 ? len : 40), text, reply->expected - 1);
		reply->index = (size_t)count;
		return true;
	case PROMPT_TOKENS:
	case TOTAL_TOKENS:
		if (read_count(text, len, &count))
			take_usage(reply, count);
		return true;
	default:
		return refuse_kind(feed);
	}
}

static bool finish_string(struct feed *feed)
{
	struct wire_reply *reply = feed->reply;

	reply->state = COMMA_OR_CLOSE;
	if (reply->role == VECTOR)
		return finish_vector(feed);
	if (reply->role == MODEL) {
		size_t len = reply->text_len < sizeof(reply->model) ? reply->text_len
								    : sizeof(reply->model) - 1;

		memcpy(reply->model, reply->text, len);
		reply->model[len] = '\0';
	}
	return true;
}

static bool finish_name(struct feed *feed)
{
	static const char *const names[] = {"true", "false", "null"};
	struct wire_reply *reply = feed->reply;
	bool is_name = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		is_name = is_name || (reply->text_len == strlen(names[i]) &&
					 memcmp(names[i], reply->text, reply->text_len) == 0);
	if (!is_name)
		return fail(feed, "\"%.*s\" is not JSON", reply->text_len, reply->text);
	reply->state = COMMA_OR_CLOSE;
	return refuse_kind(feed);
}

/* ---- Strings -------------------------------------------------------- */

/* A character of a string, unescaped. */
static bool put_string_char(struct feed *feed, char c)
{
	struct wire_reply *reply = feed->reply;
	const char *problem;

	if (reply->state == IN_STRING && reply->role == VECTOR) {
		problem = vector_reader_put_char(&reply->vector, c);
		return problem == NULL || fail_vector(feed, problem);
	}
	if (reply->state == IN_STRING && (c < ' ' || c > '~'))
		c = '?'; /* a model's name is for logs */
	if (reply->text_len < sizeof(reply->text))
		reply->text[reply->text_len++] = c;
	return true;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_escape(struct feed *feed, char c)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	struct wire_reply *reply = feed->reply;
	const char *found = c == '\0' ? NULL : strchr(from, c);
	int hex = hex_value(c);

	if (reply->escape == ESCAPE_BEGUN && c == 'u') {
		reply->escape = ESCAPE_HEX;
		reply->code_unit = 0;
		return true;
	}
	if (reply->escape == ESCAPE_BEGUN) {
		reply->escape = ESCAPE_NONE;
		if (found == NULL)
			return fail(feed, "a string holds an escape that JSON does not know");
		return put_string_char(feed, to[found - from]);
	}
	if (hex < 0)
		return fail(feed, "a \\u is not followed by four hex digits");
	reply->code_unit = (uint16_t)(reply->code_unit << 4 | hex);
	if (++reply->escape < ESCAPE_HEX + 4)
		return true;
	reply->escape = ESCAPE_NONE;
	/* All that we look for is ASCII. */
	return put_string_char(feed, reply->code_unit < 0x80 ? (char)reply->code_unit : '\x7f');
}

static bool feed_string(struct feed *feed)
{
	struct wire_reply *reply = feed->reply;
	bool is_vector = reply->state == IN_STRING && reply->role == VECTOR;

	while (feed->at < feed->end) {
		const char *problem = NULL;
		char c;

		if (is_vector && reply->escape == ESCAPE_NONE)
			problem = vector_reader_put_run(&reply->vector, &feed->at, feed->end);
		if (problem != NULL)
			return fail_vector(feed, problem);
		if (feed->at == feed->end)
			break;
		c = *feed->at++;
		if (reply->escape != ESCAPE_NONE) {
			if (!take_escape(feed, c))
				return false;
		} else if (c == '"') {
			return reply->state == IN_KEY ? finish_key(feed) : finish_string(feed);
		} else if (c == '\\') {
			reply->escape = ESCAPE_BEGUN;
		} else if ((unsigned char)c < ' ') {
			return fail(feed, "a string holds a raw control character");
		} else if (!put_string_char(feed, c)) {
			return false;
		}
	}
	return true;
}

/* ---- Numbers and names ---------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_in_number(char c)
{
	return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || (c | 0x20) == 'e';
}

static bool is_in_name(char c)
{
	return c >= 'a' && c <= 'z';
}

/* Takes what belongs to the token into `text`, which may hold its beginning already. */
static bool gather(struct feed *feed, bool belongs(char))
{
	struct wire_reply *reply = feed->reply;

	for (; feed->at < feed->end && belongs(*feed->at); feed->at++) {
		if (reply->text_len == sizeof(reply->text))
			return fail(feed, "a number has more than %d characters", WIRE_MAX_NUMBER);
		reply->text[reply->text_len++] = *feed->at;
	}
	return true;
}

static bool feed_number(struct feed *feed)
{
	struct wire_reply *reply = feed->reply;

	if (!gather(feed, is_in_number))
		return false;
	return feed->at == feed->end || finish_number(feed, reply->text, reply->text_len);
}

static bool feed_name(struct feed *feed)
{
	if (!gather(feed, is_in_name))
		return false;
	return feed->at == feed->end || finish_name(feed);
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && is_blank(*at))
		at++;
	return at;
}

/*
 * The numbers of a vector that lie whole in this segment.  Leaves at the first
 * that may be cut, or is not a number, for the careful way.
 */
static bool feed_floats(struct feed *feed)
{
	struct wire_reply *reply = feed->reply;

	for (;;) {
		const char *problem;
		float value;
		size_t len = float_text_read(feed->at, (size_t)(feed->end - feed->at), &value);

		if (len == 0 || len > WIRE_MAX_NUMBER || feed->at + len == feed->end)
			return true;
		problem = vector_reader_put_float(&reply->vector, value);
		if (problem != NULL)
			return fail_vector(feed, problem);
		feed->at = skip_blanks(feed->at + len, feed->end);
		reply->state = COMMA_OR_CLOSE;
		if (feed->at == feed->end || *feed->at != ',')
			return true;
		feed->at = skip_blanks(feed->at + 1, feed->end);
		reply->state = VALUE;
		if (feed->at == feed->end)
			return true;
	}
}

/* ---- Structure ------------------------------------------------------ */

static bool begin_number(struct feed *feed)
{
	struct wire_reply *reply = feed->reply;

	if (reply->role == NUMBER) {
		const char *before = feed->at;

		if (!feed_floats(feed))
			return false;
		if (feed->at != before)
			return true;
	}
	reply->state = IN_NUMBER;
	reply->text_len = 0;
	return feed_number(feed);
}

static bool begin_string(struct feed *feed)
{
	struct wire_reply *reply = feed->reply;

	if (reply->role != VECTOR && !refuse_kind(feed))
		return false;
	feed->at++;
	reply->state = IN_STRING;
	reply->text_len = 0;
	return true;
}

static bool begin_value(struct feed *feed)
{
	struct wire_reply *reply = feed->reply;
	char c = *feed->at;

	/* In a list the place says what a value is; in an object the key said it. */
	if (reply->depth > 0 && (reply->nesting & 1) == 0)
		reply->role = reply->where == IN_DATA     ? ITEM
			      : reply->where == IN_VECTOR ? NUMBER
							  : SKIPPED;
	if (c == '"')
		return begin_string(feed);
	if (c == '-' || (c >= '0' && c <= '9'))
		return begin_number(feed);
	if (is_in_name(c)) {
		reply->state = IN_NAME;
		reply->text_len = 0;
		return true;
	}
	if (c != '{' && c != '[')
		return fail(feed, "a value was due");
	feed->at++;
	return c == '{' ? open_object(feed) : open_array(feed);
}

static bool begin_key(struct feed *feed)
{
	if (*feed->at != '"')
		return fail(feed, "a key was due");
	feed->at++;
	feed->reply->state = IN_KEY;
	feed->reply->text_len = 0;
	return true;
}

static bool take_mark(struct feed *feed, char mark_due, enum state next)
{
	if (*feed->at != mark_due)
		return fail(feed, "'%c' or a closing bracket was due", mark_due);
	feed->at++;
	feed->reply->state = next;
	return true;
}

static bool feed_structure(struct feed *feed)
{
	struct wire_reply *reply = feed->reply;
	char c = *feed->at;

	if ((reply->state == KEY_OR_CLOSE || reply->state == VALUE_OR_CLOSE ||
		reply->state == COMMA_OR_CLOSE) &&
	    (c == '}' || c == ']')) {
		feed->at++;
		return close_container(feed, c);
	}
	switch (reply->state) {
	case VALUE:
	case VALUE_OR_CLOSE:
		return begin_value(feed);
	case KEY:
	case KEY_OR_CLOSE:
		return begin_key(feed);
	case COLON:
		return take_mark(feed, ':', VALUE);
	case COMMA_OR_CLOSE:
		return take_mark(feed, ',', (reply->nesting & 1) != 0 ? KEY : VALUE);
	default:
		return fail(feed, "it goes on after its end");
	}
}

static bool feed_one(struct feed *feed)
{
	switch (feed->reply->state) {
	case IN_KEY:
	case IN_STRING:
		return feed_string(feed);
	case IN_NUMBER:
		return feed_number(feed);
	case IN_NAME:
		return feed_name(feed);
	default:
		break;
	}
	if (is_blank(*feed->at)) {
		feed->at++;
		return true;
	}
	return feed_structure(feed);
}

/* ---- Interface ------------------------------------------------------ */

void wire_reply_init(struct wire_reply *reply)
{
	memset(reply, 0, sizeof(*reply));
	vector_reader_init(&reply->vector);
}

void wire_reply_fini(struct wire_reply *reply)
{
	vector_reader_fini(&reply->vector);
	free(reply->seen);
	wire_reply_init(reply);
}

static bool clear_seen(struct wire_reply *reply, size_t count)
{
	size_t words = count / 64 + 1;
	uint64_t *seen = reply->seen;

	if (words > reply->seen_cap) {
		if (words > SIZE_MAX / sizeof(*seen))
			return false;
		seen = realloc(seen, words * sizeof(*seen));
		if (seen == NULL)
			return false;
		reply->seen = seen;
		reply->seen_cap = words;
	}
	memset(seen, 0, words * sizeof(*seen));
	return true;
}

enum embed_status wire_reply_start(struct wire_reply *reply, size_t count, uint32_t dimensions,
    wire_vector_fn *on_vector, void *context)
{
	enum embed_status status = vector_reader_start(&reply->vector, dimensions);

	if (status == EMBED_OK && !clear_seen(reply, count))
		status = EMBED_NO_MEMORY;
	if (status != EMBED_OK)
		return status;
	reply->on_vector = on_vector;
	reply->context = context;
	reply->expected = count;
	reply->fed = 0;
	reply->status = EMBED_OK;
	reply->state = VALUE;
	reply->where = IN_TOP;
	reply->role = TOP;
	reply->depth = 0;
	reply->nesting = 0;
	reply->escape = ESCAPE_NONE;
	reply->known = 0;
	reply->text_len = 0;
	reply->model[0] = '\0';
	reply->usage = (struct wire_reply_usage){0};
	reply->received = 0;
	reply->dimensions = 0;
	return EMBED_OK;
}

enum embed_status wire_reply_feed(
    struct wire_reply *reply, const char *bytes, size_t len, struct embed_error *error)
{
	struct feed feed = {reply, bytes, bytes, bytes + len, error};

	if (reply->status != EMBED_OK)
		return error_set(error, reply->status, "upstream's reply was wrong before this");
	while (feed.at < feed.end && feed_one(&feed))
		;
	reply->fed += len;
	return reply->status;
}

enum embed_status wire_reply_end(struct wire_reply *reply, struct embed_error *error)
{
	struct feed feed = {.reply = reply, .error = error};

	if (reply->status != EMBED_OK)
		return error_set(error, reply->status, "upstream's reply was wrong before its end");
	if (reply->state != FINISHED)
		fail(&feed, "it ends too early, with %zu of %zu vectors", reply->received,
		    reply->expected);
	else if ((reply->known & KNOWN_DATA) == 0)
		fail(&feed, "it has no `data`");
	else if (reply->received != reply->expected)
		fail(&feed, "it has %zu of %zu vectors", reply->received, reply->expected);
	return reply->status;
}
