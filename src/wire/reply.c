/* SPDX-License-Identifier: MIT */
/* What a reply's values mean; the bytes are reply_scan.c's, writing is in reply_write.c. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "wire/float_text.h"
#include "wire/reply_parts.h"

/* Bits of `known`. */
#define KNOWN_DATA          1
#define KNOWN_INDEX         2
#define KNOWN_VECTOR        4
#define KNOWN_PROMPT_TOKENS 8

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

bool reply_fail(struct reply_feed *feed, const char *format, ...)
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
	    (unsigned long long)reply->fed + (size_t)(feed->at - feed->begin), what);
	return false;
}

bool reply_fail_vector(struct reply_feed *feed, const char *problem)
{
	struct wire_reply *reply = feed->reply;

	if ((reply->known & KNOWN_INDEX) != 0) {
		reply_fail(feed, "the vector with index %zu %s", reply->index, problem);
		if (feed->error != NULL)
			feed->error->index = reply->index;
		return false;
	}
	return reply_fail(feed, "vector number %zu %s", reply->received + 1, problem);
}

/* ---- Containers ----------------------------------------------------- */

static bool open_container(struct reply_feed *feed, bool is_object)
{
	struct wire_reply *reply = feed->reply;

	if (reply->depth >= WIRE_MAX_DEPTH)
		return reply_fail(feed, "nested more than %d deep", WIRE_MAX_DEPTH);
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

bool reply_refuse_kind(struct reply_feed *feed)
{
	switch (feed->reply->role) {
	case TOP:
		return reply_fail(feed, "it is not an object");
	case DATA:
		return reply_fail(feed, "`data` is not a list");
	case ITEM:
		return reply_fail(feed, "an item of `data` is not an object");
	case INDEX:
		return reply_fail(feed, "an `index` is not a number");
	case VECTOR:
		return reply_fail_vector(feed, "is neither base64 nor a list of numbers");
	case NUMBER:
		return reply_fail_vector(feed, "holds something that is not a number");
	default:
		return true;
	}
}

static bool skip_container(struct reply_feed *feed)
{
	struct wire_reply *reply = feed->reply;

	if (!reply_refuse_kind(feed))
		return false;
	if (reply->where != IN_SKIPPED) {
		reply->skip_where = reply->where;
		reply->skip_depth = reply->depth;
		reply->where = IN_SKIPPED;
	}
	return true;
}

bool reply_open_object(struct reply_feed *feed)
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

bool reply_open_array(struct reply_feed *feed)
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

static bool finish_vector(struct reply_feed *feed)
{
	uint32_t dimensions;
	const char *problem = vector_reader_finish(&feed->reply->vector, &dimensions);

	return problem == NULL || reply_fail_vector(feed, problem);
}

/* An item is complete: only now its index is certain. */
static bool finish_item(struct reply_feed *feed)
{
	struct wire_reply *reply = feed->reply;
	uint64_t bit = UINT64_C(1) << (reply->index % 64);

	if ((reply->known & KNOWN_VECTOR) == 0)
		return reply_fail(feed, "item %zu has no `embedding`", reply->received);
	if ((reply->known & KNOWN_INDEX) == 0)
		return reply_fail(feed, "item %zu has no `index`", reply->received);
	if ((reply->seen[reply->index / 64] & bit) != 0)
		return reply_fail(feed, "index %zu came twice", reply->index);
	reply->seen[reply->index / 64] |= bit;
	reply->received++;
	reply->dimensions = reply->vector.dimensions;
	reply->on_vector(
	    reply->context, reply->index, reply->vector.floats, reply->vector.dimensions);
	reply->where = IN_DATA;
	return true;
}

bool reply_close(struct reply_feed *feed, char c)
{
	struct wire_reply *reply = feed->reply;
	bool is_object = (reply->nesting & 1) != 0;

	if (reply->depth == 0 || is_object != (c == '}'))
		return reply_fail(feed, "'%c' closes nothing", c);
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

bool reply_finish_key(struct reply_feed *feed)
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
	return is_new ||
	       reply_fail(feed, "the key \"%.*s\" comes twice", reply->text_len, reply->text);
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

bool reply_finish_number(struct reply_feed *feed, const char *text, size_t len)
{
	struct wire_reply *reply = feed->reply;
	const char *problem = NULL;
	uint64_t count = 0;
	float value;

	reply->state = COMMA_OR_CLOSE;
	if (float_text_read(text, len, &value) != len)
		return reply_fail(
		    feed, "\"%.*s\" is not a JSON number", (int)(len < 40 ? len : 40), text);
	switch (reply->role) {
	case NUMBER:
		problem = vector_reader_put_float(&reply->vector, value);
		return problem == NULL || reply_fail_vector(feed, problem);
	case INDEX:
		if (!read_count(text, len, &count) || count >= reply->expected)
			return reply_fail(feed, "index %.*s is outside 0..%zu",
			    (int)(len < 40 ? len : 40), text, reply->expected - 1);
		reply->index = (size_t)count;
		return true;
	case PROMPT_TOKENS:
	case TOTAL_TOKENS:
		if (read_count(text, len, &count))
			take_usage(reply, count);
		return true;
	default:
		return reply_refuse_kind(feed);
	}
}

bool reply_finish_string(struct reply_feed *feed)
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

bool reply_finish_name(struct reply_feed *feed)
{
	static const char *const names[] = {"true", "false", "null"};
	struct wire_reply *reply = feed->reply;
	bool is_name = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		is_name = is_name || (reply->text_len == strlen(names[i]) &&
					 memcmp(names[i], reply->text, reply->text_len) == 0);
	if (!is_name)
		return reply_fail(feed, "\"%.*s\" is not JSON", reply->text_len, reply->text);
	reply->state = COMMA_OR_CLOSE;
	return reply_refuse_kind(feed);
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
	struct reply_feed feed = {reply, bytes, bytes, bytes + len, error};

	if (reply->status != EMBED_OK)
		return error_set(error, reply->status, "upstream's reply was wrong before this");
	while (feed.at < feed.end && reply_scan(&feed))
		;
	reply->fed += len;
	return reply->status;
}

enum embed_status wire_reply_end(struct wire_reply *reply, struct embed_error *error)
{
	struct reply_feed feed = {.reply = reply, .error = error};

	if (reply->status != EMBED_OK)
		return error_set(error, reply->status, "upstream's reply was wrong before its end");
	if (reply->state != FINISHED)
		reply_fail(&feed, "it ends too early, with %zu of %zu vectors", reply->received,
		    reply->expected);
	else if ((reply->known & KNOWN_DATA) == 0)
		reply_fail(&feed, "it has no `data`");
	else if (reply->received != reply->expected)
		reply_fail(&feed, "it has %zu of %zu vectors", reply->received, reply->expected);
	return reply->status;
}
