/* SPDX-License-Identifier: MIT */
#include "cli/json_row.h"

#include <string.h>

#define DEPTH_MAX 100

struct scan {
	const char *at, *end, *start;
	struct json_row *row;
	struct buffer *buffer;
	const struct json_row_fields *fields;
	enum embed_status status;
};

static bool fail(struct scan *scan, enum embed_status status, const char *why)
{
	if (scan->status == EMBED_OK) {
		scan->status = status;
		scan->row->why = why;
		scan->row->offset = (size_t)(scan->at - scan->start);
	}
	return false;
}

static void skip_blanks(struct scan *scan)
{
	while (scan->at < scan->end &&
	       (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r'))
		scan->at++;
}

static bool take(struct scan *scan, char c, const char *why)
{
	skip_blanks(scan);
	if (scan->at == scan->end || *scan->at != c)
		return fail(scan, EMBED_BAD_FORMAT, why);
	scan->at++;
	return true;
}

/* ---- Strings ---------------------------------------------------------- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

static bool read_hex4(struct scan *scan, uint32_t *unit)
{
	*unit = 0;
	if (scan->end - scan->at < 4)
		return fail(scan, EMBED_BAD_FORMAT, "a \\u escape is cut short");
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(*scan->at);

		if (digit < 0)
			return fail(scan, EMBED_BAD_FORMAT, "a \\u escape needs four hex digits");
		*unit = *unit << 4 | (uint32_t)digit;
		scan->at++;
	}
	return true;
}

static void append_utf8(struct buffer *out, uint32_t c)
{
	char bytes[4];
	size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char leads[] = {0, 0x00, 0xc0, 0xe0, 0xf0};

	for (size_t i = len - 1; i > 0; i--) {
		bytes[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	bytes[0] = (char)(leads[len] | c);
	buffer_append(out, bytes, len);
}

static bool read_unicode(struct scan *scan, struct buffer *out)
{
	uint32_t unit, low;

	if (!read_hex4(scan, &unit))
		return false;
	if (unit >= 0xdc00 && unit <= 0xdfff)
		return fail(scan, EMBED_BAD_UTF8, "a lone surrogate is no character");
	if (unit >= 0xd800 && unit <= 0xdbff) {
		if (scan->end - scan->at < 2 || scan->at[0] != '\\' || scan->at[1] != 'u')
			return fail(scan, EMBED_BAD_UTF8, "a lone surrogate is no character");
		scan->at += 2;
		if (!read_hex4(scan, &low))
			return false;
		if (low < 0xdc00 || low > 0xdfff)
			return fail(scan, EMBED_BAD_UTF8, "a lone surrogate is no character");
		unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
	}
	if (out != NULL)
		append_utf8(out, unit);
	return true;
}

static bool read_escape(struct scan *scan, struct buffer *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (scan->at == scan->end)
		return fail(scan, EMBED_BAD_FORMAT, "a string is not closed");
	if (*scan->at == 'u') {
		scan->at++;
		return read_unicode(scan, out);
	}
	found = *scan->at == '\0' ? NULL : strchr(from, *scan->at);
	if (found == NULL)
		return fail(scan, EMBED_BAD_FORMAT, "there is no such escape");
	if (out != NULL)
		buffer_append_char(out, to[found - from]);
	scan->at++;
	return true;
}

/* A string behind its opening quote; unescaped into `out`, if any. */
static bool read_string(struct scan *scan, struct buffer *out)
{
	while (true) {
		const char *run = scan->at;

		while (scan->at < scan->end && *scan->at != '"' && *scan->at != '\\' &&
		       (unsigned char)*scan->at >= 0x20)
			scan->at++;
		if (out != NULL)
			buffer_append(out, run, (size_t)(scan->at - run));
		if (scan->at == scan->end)
			return fail(scan, EMBED_BAD_FORMAT, "a string is not closed");
		if (*scan->at == '"') {
			scan->at++;
			return true;
		}
		if (*scan->at != '\\')
			return fail(scan, EMBED_BAD_FORMAT,
			    "a control character in a string must be escaped");
		scan->at++;
		if (!read_escape(scan, out))
			return false;
	}
}

/* ---- Values ----------------------------------------------------------- */

static bool skip_digits(struct scan *scan)
{
	const char *start = scan->at;

	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	return scan->at > start ? true : fail(scan, EMBED_BAD_FORMAT, "a number lacks digits");
}

static bool skip_number(struct scan *scan)
{
	if (*scan->at == '-')
		scan->at++;
	if (scan->at < scan->end && *scan->at == '0')
		scan->at++;
	else if (!skip_digits(scan))
		return false;
	if (scan->at < scan->end && *scan->at == '.') {
		scan->at++;
		if (!skip_digits(scan))
			return false;
	}
	if (scan->at < scan->end && (*scan->at | 0x20) == 'e') {
		scan->at++;
		if (scan->at < scan->end && (*scan->at == '+' || *scan->at == '-'))
			scan->at++;
		return skip_digits(scan);
	}
	return true;
}

static bool skip_word(struct scan *scan)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < 3; i++) {
		size_t len = strlen(words[i]);

		if ((size_t)(scan->end - scan->at) >= len && memcmp(scan->at, words[i], len) == 0) {
			scan->at += len;
			return true;
		}
	}
	return fail(scan, EMBED_BAD_FORMAT, "a value was expected");
}

static bool skip_scalar(struct scan *scan)
{
	if (*scan->at == '"') {
		scan->at++;
		return read_string(scan, NULL);
	}
	if (*scan->at == '-' || (*scan->at >= '0' && *scan->at <= '9'))
		return skip_number(scan);
	return skip_word(scan);
}

static bool skip_key(struct scan *scan)
{
	return take(scan, '"', "a member's name was expected") && read_string(scan, NULL) &&
	       take(scan, ':', "a colon was expected");
}

/* What follows a finished value inside `open` brackets, closing as many as do. */
static bool skip_closers(struct scan *scan, const char *closers, int *depth, bool *is_done)
{
	while (*depth > 0) {
		skip_blanks(scan);
		if (scan->at < scan->end && *scan->at == closers[*depth - 1]) {
			scan->at++;
			(*depth)--;
			continue;
		}
		if (!take(scan, ',', "a comma or a closing bracket was expected"))
			return false;
		return closers[*depth - 1] == ']' || skip_key(scan);
	}
	*is_done = true;
	return true;
}

/* Opens brackets as long as there are some; an empty one counts as a finished value. */
static bool skip_openers(struct scan *scan, char *closers, int *depth, bool *is_finished)
{
	while (true) {
		skip_blanks(scan);
		if (scan->at == scan->end)
			return fail(scan, EMBED_BAD_FORMAT, "the value is cut short");
		if (*scan->at != '{' && *scan->at != '[')
			return true;
		if (*depth == DEPTH_MAX)
			return fail(scan, EMBED_BAD_FORMAT, "nested too deeply");
		closers[(*depth)++] = *scan->at == '{' ? '}' : ']';
		scan->at++;
		skip_blanks(scan);
		if (scan->at < scan->end && *scan->at == closers[*depth - 1]) {
			scan->at++;
			(*depth)--;
			*is_finished = true;
			return true;
		}
		if (closers[*depth - 1] == '}' && !skip_key(scan))
			return false;
	}
}

static bool skip_value(struct scan *scan)
{
	char closers[DEPTH_MAX];
	int depth = 0;
	bool is_done = false;

	while (!is_done) {
		bool is_finished = false;

		if (!skip_openers(scan, closers, &depth, &is_finished))
			return false;
		if (!is_finished && !skip_scalar(scan))
			return false;
		if (!skip_closers(scan, closers, &depth, &is_done))
			return false;
	}
	return true;
}

/* ---- Members ---------------------------------------------------------- */

static bool read_text(struct scan *scan)
{
	struct json_row *row = scan->row;

	if (row->has_text)
		return fail(scan, EMBED_BAD_FORMAT, "the text is there twice");
	skip_blanks(scan);
	if (scan->at == scan->end || *scan->at != '"')
		return fail(scan, EMBED_BAD_FORMAT, "the text is not a string");
	scan->at++;
	row->has_text = true;
	row->text.start = scan->buffer->len;
	if (!read_string(scan, scan->buffer))
		return false;
	row->text.len = scan->buffer->len - row->text.start;
	return true;
}

static bool read_id(struct scan *scan)
{
	struct json_row *row = scan->row;
	const char *start;

	if (row->has_id)
		return fail(scan, EMBED_BAD_FORMAT, "the id is there twice");
	skip_blanks(scan);
	start = scan->at;
	if (start == scan->end || *start == '{' || *start == '[')
		return fail(scan, EMBED_BAD_FORMAT, "the id is neither a string nor a number");
	if (!skip_scalar(scan))
		return false;
	row->has_id = true;
	row->id.start = scan->buffer->len;
	buffer_append(scan->buffer, start, (size_t)(scan->at - start));
	row->id.len = scan->buffer->len - row->id.start;
	return true;
}

static bool is_key(const char *key, size_t len, const char *name)
{
	return strlen(name) == len && memcmp(key, name, len) == 0;
}

/* A key without escapes is compared where it stands; one with them is unescaped first. */
static bool read_member(struct scan *scan)
{
	size_t mark = scan->buffer->len, len;
	const char *key, *start;
	bool is_text, is_id;

	if (!take(scan, '"', "a member's name was expected"))
		return false;
	start = scan->at;
	if (!read_string(scan, NULL))
		return false;
	key = start;
	len = (size_t)(scan->at - 1 - start);
	if (memchr(start, '\\', len) != NULL) {
		scan->at = start;
		read_string(scan, scan->buffer);
		key = scan->buffer->bytes == NULL ? "" : scan->buffer->bytes + mark;
		len = scan->buffer->len - mark;
	}
	is_text = is_key(key, len, scan->fields->text);
	is_id = is_key(key, len, scan->fields->id);
	scan->buffer->len = mark;
	if (!take(scan, ':', "a colon was expected"))
		return false;
	return is_text ? read_text(scan) : is_id ? read_id(scan) : skip_value(scan);
}

static bool read_object(struct scan *scan)
{
	if (!take(scan, '{', "a JSON object was expected"))
		return false;
	skip_blanks(scan);
	if (scan->at < scan->end && *scan->at == '}') {
		scan->at++;
	} else {
		do
			if (!read_member(scan))
				return false;
		while (skip_blanks(scan), scan->at < scan->end && *scan->at == ',' && scan->at++);
		if (!take(scan, '}', "a comma or a closing brace was expected"))
			return false;
	}
	skip_blanks(scan);
	return scan->at == scan->end ? true
				     : fail(scan, EMBED_BAD_FORMAT, "something follows the object");
}

enum embed_status json_row_read(const char *line, size_t len, const struct json_row_fields *fields,
    struct buffer *buffer, struct json_row *row)
{
	struct scan scan = {
	    .at = line,
	    .end = line + len,
	    .start = line,
	    .row = row,
	    .buffer = buffer,
	    .fields = fields,
	};

	*row = (struct json_row){0};
	read_object(&scan);
	return scan.status;
}

/* ---- Writing ---------------------------------------------------------- */

/* Length of the well-formed character at `at` (Unicode, table 3-7), or 0. */
static size_t character_len(const unsigned char *at, size_t left)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (at[0] < 0x80)
		return 1;
	if (at[0] < 0xc2 || at[0] > 0xf4)
		return 0;
	len = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	if (at[0] == 0xe0)
		low = 0xa0;
	else if (at[0] == 0xed)
		high = 0x9f;
	else if (at[0] == 0xf0)
		low = 0x90;
	else if (at[0] == 0xf4)
		high = 0x8f;
	if (left < len || at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static void append_special(struct buffer *out, unsigned char c)
{
	static const char from[] = "\b\f\n\r\t", to[] = "bfnrt";
	const char *found = c == 0 ? NULL : strchr(from, c);

	if (c == '"' || c == '\\')
		buffer_printf(out, "\\%c", c);
	else if (found != NULL)
		buffer_printf(out, "\\%c", to[found - from]);
	else if (c < 0x20)
		buffer_printf(out, "\\u%04x", c);
	else
		buffer_append_text(out, "\xef\xbf\xbd");
}

void json_append_string(struct buffer *out, const char *bytes, size_t len)
{
	const unsigned char *at = (const unsigned char *)bytes, *end = at + len;

	buffer_append_char(out, '"');
	while (at < end) {
		const unsigned char *run = at;
		size_t width = 1;

		while (at < end && *at >= 0x20 && *at != '"' && *at != '\\' && width > 0) {
			width = character_len(at, (size_t)(end - at));
			at += width;
		}
		buffer_append(out, run, (size_t)(at - run));
		if (at < end && (width == 0 || *at < 0x20 || *at == '"' || *at == '\\'))
			append_special(out, *at++);
	}
	buffer_append_char(out, '"');
}

void json_append_sanitized(struct buffer *out, const char *bytes, size_t len)
{
	const unsigned char *at = (const unsigned char *)bytes, *end = at + len;

	while (at < end) {
		const unsigned char *run = at;
		size_t width = 1;

		while (at < end && width > 0) {
			width = character_len(at, (size_t)(end - at));
			at += width;
		}
		buffer_append(out, run, (size_t)(at - run));
		if (width == 0) {
			buffer_append_text(out, "\xef\xbf\xbd");
			at++;
		}
	}
}
