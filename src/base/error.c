/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *code;
	const char *meaning;
	const char *advice;
} status_rows[] = {
#define ROW(name, code, meaning, advice) {code, meaning, advice},
    EMBED_STATUS_TABLE(ROW)
#undef ROW
};

const char *embed_status_code(enum embed_status status)
{
	if ((unsigned)status >= EMBED_STATUS_COUNT)
		return "unknown";
	return status_rows[status].code;
}

const char *embed_status_meaning(enum embed_status status)
{
	if ((unsigned)status >= EMBED_STATUS_COUNT)
		return "an unknown status";
	return status_rows[status].meaning;
}

const char *embed_status_advice(enum embed_status status)
{
	if ((unsigned)status >= EMBED_STATUS_COUNT)
		return "update the program: it is older than what it talks to";
	return status_rows[status].advice;
}

void error_clear(struct embed_error *error)
{
	if (error == NULL)
		return;
	memset(error, 0, sizeof(*error));
	error->index = EMBED_NO_INDEX;
	error->offset = EMBED_NO_INDEX;
}

/* vsnprintf may have cut a UTF-8 character in two: drop its rest. */
static void drop_cut_character(char *text, size_t len)
{
	size_t start = len;

	while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start > 0 && (unsigned char)text[start - 1] >= 0xc0)
		text[start - 1] = '\0';
}

__attribute__((format(printf, 2, 0))) static void write_message(
    struct embed_error *error, const char *format, va_list args)
{
	int len = vsnprintf(error->message, sizeof(error->message), format, args);

	if (len >= (int)sizeof(error->message))
		drop_cut_character(error->message, sizeof(error->message) - 1);
}

enum embed_status error_set(
    struct embed_error *error, enum embed_status status, const char *format, ...)
{
	va_list args;

	if (error == NULL)
		return status;
	error_clear(error);
	error->status = status;
	va_start(args, format);
	write_message(error, format, args);
	va_end(args);
	return status;
}

enum embed_status error_set_at(struct embed_error *error, enum embed_status status, size_t index,
    size_t offset, const char *format, ...)
{
	va_list args;

	if (error == NULL)
		return status;
	error_clear(error);
	error->status = status;
	error->index = index;
	error->offset = offset;
	va_start(args, format);
	write_message(error, format, args);
	va_end(args);
	return status;
}

enum embed_status error_copy(struct embed_error *error, const struct embed_error *from)
{
	if (error != NULL && error != from)
		*error = *from;
	return from->status;
}

enum embed_status error_check_size(size_t size, const char *macro, struct embed_error *error)
{
	if (size > 0)
		return EMBED_OK;
	return error_set(
	    error, EMBED_BAD_OPTION, "the struct's size is 0: initialise it with %s", macro);
}
