/* SPDX-License-Identifier: MIT */
/* Reading; writing is in json_text_write.c. */
#include "wire/json_text.h"

#include <string.h>

#include "base/error.h"
#include "wire/json_bytes.h"
#include "wire/utf8.h"

/* ---- Runs of bytes that need no thought ------------------------------ */

/*
 * Bytes beyond ASCII need none either once the rest of the body is known to be
 * well-formed UTF-8; before that, or where the machine cannot tell quickly,
 * runs end at them.
 */
static bool is_plain(char c, bool is_utf8_known)
{
	return (is_utf8_known || (signed char)c >= 0) && json_is_verbatim(c);
}

#if defined(__SSE2__)
static unsigned special_bits(__m128i bytes, bool is_utf8_known)
{
	unsigned beyond_ascii = is_utf8_known ? 0 : (unsigned)_mm_movemask_epi8(bytes);

	return json_special_bits(bytes) | beyond_ascii;
}
#endif

/* How many bytes from `text` on are plain. */
static size_t plain_run(const struct json_cursor *cursor, const char *text)
{
	size_t len = (size_t)(cursor->end - text);
	bool is_utf8_known = cursor->utf8 == JSON_UTF8_GOOD;
	size_t run = 0;

#if defined(__SSE2__)
	for (; len - run >= 16; run += 16) {
		unsigned bits = special_bits(
		    _mm_loadu_si128((const __m128i *)(const void *)(text + run)), is_utf8_known);

		if (bits != 0)
			return run + (size_t)__builtin_ctz(bits);
	}
#endif
	while (run < len && is_plain(text[run], is_utf8_known))
		run++;
	return run;
}

#if defined(__SSE2__)
/* Up to 15 bytes; the places may overlap, so everything is loaded first. */
static void copy_few(char *to, const char *from, size_t len)
{
	uint64_t first, last;

	if (len >= 8) {
		memcpy(&first, from, 8);
		memcpy(&last, from + len - 8, 8);
		memcpy(to, &first, 8);
		memcpy(to + len - 8, &last, 8);
		return;
	}
	for (size_t i = 0; i < len; i++)
		to[i] = from[i];
}
#endif

/*
 * The run at the cursor, moved down to `to` on the way.  Sixteen bytes are stored
 * only when all sixteen were plain and thus are read: nothing unread is
 * overwritten.
 */
static size_t move_plain_run(const struct json_cursor *cursor, char *to)
{
	const char *from = cursor->at;
	size_t len = (size_t)(cursor->end - from);
	bool is_utf8_known = cursor->utf8 == JSON_UTF8_GOOD;
	size_t run = 0;

#if defined(__SSE2__)
	for (; len - run >= 16; run += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(from + run));
		unsigned bits = special_bits(bytes, is_utf8_known);

		if (bits != 0) {
			copy_few(to + run, from + run, (size_t)__builtin_ctz(bits));
			return run + (size_t)__builtin_ctz(bits);
		}
		_mm_storeu_si128((__m128i *)(void *)(to + run), bytes);
	}
#endif
	for (; run < len && is_plain(from[run], is_utf8_known); run++)
		to[run] = from[run];
	return run;
}

/* ---- Faults --------------------------------------------------------- */

bool json_fail(struct json_cursor *cursor, enum embed_status status, const char *problem)
{
	cursor->status = status;
	cursor->problem = problem;
	return false;
}

static bool bad_format(struct json_cursor *cursor, const char *problem)
{
	return json_fail(cursor, EMBED_BAD_FORMAT, problem);
}

enum embed_status json_error(const struct json_cursor *cursor, const char *begin, size_t index,
    const char *what, struct embed_error *error)
{
	size_t offset = (size_t)(cursor->at - begin);

	if (index == EMBED_NO_INDEX)
		return error_set_at(error, cursor->status, index, offset, "%s, byte %zu: %s", what,
		    offset, cursor->problem);
	return error_set_at(error, cursor->status, index, offset, "%s, input[%zu], byte %zu: %s",
	    what, index, offset, cursor->problem);
}

/* ---- Strings -------------------------------------------------------- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits at `at`, or -1. */
static int32_t read_hex(const struct json_cursor *cursor, const char *at)
{
	int32_t unit = 0;

	if (cursor->end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(at[i]);

		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

/* After "\u": one code unit, or both halves of a surrogate pair. */
static bool read_unicode_escape(struct json_cursor *cursor, uint32_t *character)
{
	int32_t unit = read_hex(cursor, cursor->at + 2);
	int32_t low;

	if (unit < 0)
		return bad_format(cursor, "\\u is not followed by four hex digits");
	if (unit < 0xd800 || unit > 0xdfff) {
		*character = (uint32_t)unit;
		cursor->at += 6;
		return true;
	}
	low = cursor->end - cursor->at >= 12 && cursor->at[6] == '\\' && cursor->at[7] == 'u'
		  ? read_hex(cursor, cursor->at + 8)
		  : -1;
	if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return json_fail(cursor, EMBED_BAD_UTF8, "half of a surrogate pair");
	*character = 0x10000 + ((uint32_t)(unit - 0xd800) << 10 | (uint32_t)(low - 0xdc00));
	cursor->at += 12;
	return true;
}

/* At a backslash; moves behind the escape. */
static bool read_escape(struct json_cursor *cursor, uint32_t *character)
{
	static const char meanings[128] = {['"'] = '"',
	    ['\\'] = '\\',
	    ['/'] = '/',
	    ['b'] = '\b',
	    ['f'] = '\f',
	    ['n'] = '\n',
	    ['r'] = '\r',
	    ['t'] = '\t'};
	unsigned char c;

	if (cursor->end - cursor->at < 2)
		return bad_format(cursor, "the string does not end");
	c = (unsigned char)cursor->at[1];
	if (c == 'u')
		return read_unicode_escape(cursor, character);
	if (c >= sizeof(meanings) || meanings[c] == '\0')
		return bad_format(cursor, "an escape that JSON does not know");
	*character = (unsigned char)meanings[c];
	cursor->at += 2;
	return true;
}

/* At something that is neither plain nor a backslash nor the closing quote. */
static size_t other_char_len(struct json_cursor *cursor)
{
	size_t len;

	if (cursor->at == cursor->end) {
		bad_format(cursor, "the string does not end");
		return 0;
	}
	if ((signed char)*cursor->at >= 0) {
		bad_format(cursor, "a raw control character in a string");
		return 0;
	}
	/* The first of its kind: everything before was ASCII, so this is a character's start. */
	if (cursor->utf8 == JSON_UTF8_UNKNOWN)
		cursor->utf8 =
		    utf8_is_surely_well_formed(cursor->at, (size_t)(cursor->end - cursor->at))
			? JSON_UTF8_GOOD
			: JSON_UTF8_BY_CHARACTER;
	len = utf8_char_len(cursor->at, (size_t)(cursor->end - cursor->at));
	if (len == 0)
		json_fail(cursor, EMBED_BAD_UTF8, "ill-formed UTF-8");
	return len;
}

static bool take_escape(struct json_cursor *cursor, char **to)
{
	uint32_t character;

	if (!read_escape(cursor, &character))
		return false;
	/* An escape is at least as long as what it stands for. */
	*to += utf8_put(*to, character);
	return true;
}

/* The characters beyond ASCII that follow each other from here. */
static bool take_others(struct json_cursor *cursor, char **to)
{
	do {
		size_t len = other_char_len(cursor);

		if (len == 0)
			return false;
		for (size_t i = 0; i < len; i++)
			(*to)[i] = cursor->at[i];
		*to += len;
		cursor->at += len;
	} while (cursor->utf8 != JSON_UTF8_GOOD && cursor->at < cursor->end &&
		 (signed char)*cursor->at < 0);
	return true;
}

bool json_read_string(struct json_cursor *cursor, struct wire_string *string)
{
	char *begin = ++cursor->at;
	char *to;
	size_t run = plain_run(cursor, begin);

	to = cursor->at += run;
	for (;;) {
		char c = cursor->at < cursor->end ? *cursor->at : '\0';

		if (c == '"')
			break;
		if (c == '\\' ? !take_escape(cursor, &to) : !take_others(cursor, &to))
			return false;
		run = move_plain_run(cursor, to);
		to += run;
		cursor->at += run;
	}
	cursor->at++;
	*to = '\0';
	*string = (struct wire_string){WIRE_STRING, begin, (size_t)(to - begin)};
	return true;
}

static bool skip_string(struct json_cursor *cursor)
{
	uint32_t character;
	size_t len;

	for (cursor->at++;; cursor->at += len) {
		cursor->at += plain_run(cursor, cursor->at);
		len = 0;
		if (cursor->at < cursor->end && *cursor->at == '"')
			break;
		if (cursor->at < cursor->end && *cursor->at == '\\') {
			if (!read_escape(cursor, &character))
				return false;
			continue;
		}
		len = other_char_len(cursor);
		if (len == 0)
			return false;
	}
	cursor->at++;
	return true;
}

/* ---- Numbers and names ---------------------------------------------- */

static bool is_digit_at(const struct json_cursor *cursor)
{
	return cursor->at < cursor->end && (unsigned char)(*cursor->at - '0') < 10;
}

static bool skip_digits(struct json_cursor *cursor)
{
	if (!is_digit_at(cursor))
		return bad_format(cursor, "not a JSON number");
	while (is_digit_at(cursor))
		cursor->at++;
	return true;
}

static bool skip_fraction_and_exponent(struct json_cursor *cursor)
{
	if (cursor->at < cursor->end && *cursor->at == '.') {
		cursor->at++;
		if (!skip_digits(cursor))
			return false;
	}
	if (cursor->at < cursor->end && (*cursor->at | 0x20) == 'e') {
		cursor->at++;
		if (cursor->at < cursor->end && (*cursor->at == '+' || *cursor->at == '-'))
			cursor->at++;
		return skip_digits(cursor);
	}
	return true;
}

static bool whole_number(const char *digits, size_t len, bool is_negative, int64_t *integer)
{
	uint64_t value = 0;

	if (len > 19)
		return false;
	for (size_t i = 0; i < len; i++)
		value = value * 10 + (uint64_t)(digits[i] - '0');
	if (value > (uint64_t)INT64_MAX + is_negative)
		return false;
	*integer = (int64_t)(is_negative ? 0 - value : value);
	return true;
}

bool json_read_number(struct json_cursor *cursor, enum wire_kind *kind, int64_t *integer)
{
	bool is_negative = *cursor->at == '-';
	const char *digits = cursor->at += is_negative;
	size_t len;

	if (!skip_digits(cursor))
		return false;
	len = (size_t)(cursor->at - digits);
	if (len > 1 && *digits == '0')
		return bad_format(cursor, "a number starts with a superfluous 0");
	*kind = WIRE_NUMBER;
	if (cursor->at < cursor->end && (*cursor->at == '.' || (*cursor->at | 0x20) == 'e'))
		return skip_fraction_and_exponent(cursor);
	if (whole_number(digits, len, is_negative, integer))
		*kind = WIRE_INTEGER;
	return true;
}

bool json_read_name(struct json_cursor *cursor, enum wire_kind *kind)
{
	static const struct {
		const char *name;
		enum wire_kind kind;
	} names[] = {{"null", WIRE_NULL}, {"true", WIRE_BOOL}, {"false", WIRE_BOOL}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i].name);

		if ((size_t)(cursor->end - cursor->at) >= len &&
		    memcmp(cursor->at, names[i].name, len) == 0) {
			cursor->at += len;
			*kind = names[i].kind;
			return true;
		}
	}
	return bad_format(cursor, "not a JSON value");
}

/* ---- Values --------------------------------------------------------- */

enum wire_kind json_kind_ahead(struct json_cursor *cursor)
{
	char c = json_peek(cursor);

	switch (c) {
	case '"':
		return WIRE_STRING;
	case '[':
		return WIRE_ARRAY;
	case '{':
		return WIRE_OBJECT;
	case 'n':
		return WIRE_NULL;
	case 't':
	case 'f':
		return WIRE_BOOL;
	default:
		return c == '-' || (c >= '0' && c <= '9') ? WIRE_NUMBER : WIRE_ABSENT;
	}
}

static bool skip_key(struct json_cursor *cursor)
{
	if (json_peek(cursor) != '"')
		return bad_format(cursor, "a field name was due");
	if (!skip_string(cursor))
		return false;
	return json_take(cursor, ':') || bad_format(cursor, "a colon was due");
}

static bool skip_container(struct json_cursor *cursor, unsigned depth)
{
	bool is_object = *cursor->at == '{';
	char close = is_object ? '}' : ']';
	enum wire_kind kind;

	if (depth >= WIRE_MAX_DEPTH)
		return json_fail(cursor, EMBED_TOO_LARGE, "nested too deeply");
	cursor->at++;
	if (json_take(cursor, close))
		return true;
	do {
		if (is_object && !skip_key(cursor))
			return false;
		if (!json_skip_value(cursor, depth + 1, &kind))
			return false;
	} while (json_take(cursor, ','));
	return json_take(cursor, close) || bad_format(cursor, "a comma or closing bracket was due");
}

bool json_skip_value(struct json_cursor *cursor, unsigned depth, enum wire_kind *kind)
{
	int64_t integer;

	*kind = json_kind_ahead(cursor);
	switch (*kind) {
	case WIRE_STRING:
		return skip_string(cursor);
	case WIRE_ARRAY:
	case WIRE_OBJECT:
		return skip_container(cursor, depth);
	case WIRE_NUMBER:
		return json_read_number(cursor, kind, &integer);
	case WIRE_NULL:
	case WIRE_BOOL:
		return json_read_name(cursor, kind);
	default:
		return bad_format(cursor, "a value was due");
	}
}
