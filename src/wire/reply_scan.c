/* SPDX-License-Identifier: MIT */
/* JSON in segments: strings, numbers, names and the marks between them. */
#include <string.h>

#include "wire/float_text.h"
#include "wire/reply_parts.h"

/* ---- Strings -------------------------------------------------------- */

/* A character of a string, unescaped. */
static bool put_string_char(struct reply_feed *feed, char c)
{
	struct wire_reply *reply = feed->reply;
	const char *problem;

	if (reply->state == IN_STRING && reply->role == VECTOR) {
		problem = vector_reader_put_char(&reply->vector, c);
		return problem == NULL || reply_fail_vector(feed, problem);
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

static bool take_escape(struct reply_feed *feed, char c)
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
			return reply_fail(feed, "a string holds an escape that JSON does not know");
		return put_string_char(feed, to[found - from]);
	}
	if (hex < 0)
		return reply_fail(feed, "a \\u is not followed by four hex digits");
	reply->code_unit = (uint16_t)(reply->code_unit << 4 | hex);
	if (++reply->escape < ESCAPE_HEX + 4)
		return true;
	reply->escape = ESCAPE_NONE;
	/* All that we look for is ASCII. */
	return put_string_char(feed, reply->code_unit < 0x80 ? (char)reply->code_unit : '\x7f');
}

static bool feed_string(struct reply_feed *feed)
{
	struct wire_reply *reply = feed->reply;
	bool is_vector = reply->state == IN_STRING && reply->role == VECTOR;

	while (feed->at < feed->end) {
		const char *problem = NULL;
		char c;

		if (is_vector && reply->escape == ESCAPE_NONE)
			problem = vector_reader_put_run(&reply->vector, &feed->at, feed->end);
		if (problem != NULL)
			return reply_fail_vector(feed, problem);
		if (feed->at == feed->end)
			break;
		c = *feed->at++;
		if (reply->escape != ESCAPE_NONE) {
			if (!take_escape(feed, c))
				return false;
		} else if (c == '"') {
			return reply->state == IN_KEY ? reply_finish_key(feed)
						      : reply_finish_string(feed);
		} else if (c == '\\') {
			reply->escape = ESCAPE_BEGUN;
		} else if ((unsigned char)c < ' ') {
			return reply_fail(feed, "a string holds a raw control character");
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
static bool gather(struct reply_feed *feed, bool belongs(char))
{
	struct wire_reply *reply = feed->reply;

	for (; feed->at < feed->end && belongs(*feed->at); feed->at++) {
		if (reply->text_len == sizeof(reply->text))
			return reply_fail(
			    feed, "a number has more than %d characters", WIRE_MAX_NUMBER);
		reply->text[reply->text_len++] = *feed->at;
	}
	return true;
}

static bool feed_number(struct reply_feed *feed)
{
	struct wire_reply *reply = feed->reply;

	if (!gather(feed, is_in_number))
		return false;
	return feed->at == feed->end || reply_finish_number(feed, reply->text, reply->text_len);
}

static bool feed_name(struct reply_feed *feed)
{
	if (!gather(feed, is_in_name))
		return false;
	return feed->at == feed->end || reply_finish_name(feed);
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
static bool feed_floats(struct reply_feed *feed)
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
			return reply_fail_vector(feed, problem);
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

static bool begin_number(struct reply_feed *feed)
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

static bool begin_string(struct reply_feed *feed)
{
	struct wire_reply *reply = feed->reply;

	if (reply->role != VECTOR && !reply_refuse_kind(feed))
		return false;
	feed->at++;
	reply->state = IN_STRING;
	reply->text_len = 0;
	return true;
}

static bool begin_value(struct reply_feed *feed)
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
		return reply_fail(feed, "a value was due");
	feed->at++;
	return c == '{' ? reply_open_object(feed) : reply_open_array(feed);
}

static bool begin_key(struct reply_feed *feed)
{
	if (*feed->at != '"')
		return reply_fail(feed, "a key was due");
	feed->at++;
	feed->reply->state = IN_KEY;
	feed->reply->text_len = 0;
	return true;
}

static bool take_mark(struct reply_feed *feed, char mark_due, enum state next)
{
	if (*feed->at != mark_due)
		return reply_fail(feed, "'%c' or a closing bracket was due", mark_due);
	feed->at++;
	feed->reply->state = next;
	return true;
}

static bool feed_structure(struct reply_feed *feed)
{
	struct wire_reply *reply = feed->reply;
	char c = *feed->at;

	if ((reply->state == KEY_OR_CLOSE || reply->state == VALUE_OR_CLOSE ||
		reply->state == COMMA_OR_CLOSE) &&
	    (c == '}' || c == ']')) {
		feed->at++;
		return reply_close(feed, c);
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
		return reply_fail(feed, "it goes on after its end");
	}
}

bool reply_scan(struct reply_feed *feed)
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
