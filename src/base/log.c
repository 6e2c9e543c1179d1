/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <string.h>

#define LOG_MAX_BYTES 4096

static bool needs_quotes(const char *value)
{
	if (*value == '\0')
		return true;
	for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++)
		if (*p <= ' ' || *p == '"' || *p == '=' || *p == '\\' || *p == 0x7f)
			return true;
	return false;
}

static void append_quoted(struct buffer *line, const char *value)
{
	buffer_append_char(line, '"');
	for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			buffer_printf(line, "\\%c", *p);
		else if (*p == '\n')
			buffer_append_text(line, "\\n");
		else if (*p < ' ' || *p == 0x7f)
			buffer_printf(line, "\\x%02x", *p);
		else
			buffer_append_char(line, (char)*p);
	}
	buffer_append_char(line, '"');
}

void log_append_pair(struct buffer *line, const char *key, const char *value)
{
	if (line->len > 0)
		buffer_append_char(line, ' ');
	buffer_append_text(line, key);
	buffer_append_char(line, '=');
	if (needs_quotes(value))
		append_quoted(line, value);
	else
		buffer_append_text(line, value);
}

bool log_wants(const struct log *log, enum embed_log_level level)
{
	return log != NULL && log->sink != NULL &&
	       (log->level == NULL ||
		   (int)level <= atomic_load_explicit(log->level, memory_order_relaxed));
}

void log_event(const struct log *log, enum embed_log_level level, const char *name, ...)
{
	struct buffer line;
	const char *key, *value;
	va_list args;

	if (!log_wants(log, level))
		return;
	buffer_init(&line, LOG_MAX_BYTES);
	log_append_pair(&line, "event", name);
	va_start(args, name);
	while ((key = va_arg(args, const char *)) != NULL) {
		value = va_arg(args, const char *);
		if (value != NULL)
			log_append_pair(&line, key, value);
	}
	va_end(args);
	/* What no longer fitted is missing at the end; the event itself is never lost. */
	line.status = EMBED_OK;
	if (line.len == line.max_bytes)
		line.len--;
	buffer_append(&line, "", 1);
	if (line.status == EMBED_OK)
		log->sink(level, line.bytes, log->context);
	buffer_fini(&line);
}
