/* SPDX-License-Identifier: MIT */
#include "app/log_sink.h"

#include <string.h>
#include <time.h>

#define LINE_MAX_BYTES 16384

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_sink_init(struct log_sink *sink, FILE *stream, bool is_json, enum embed_log_level level)
{
	*sink = (struct log_sink){.stream = stream, .is_json = is_json};
	atomic_init(&sink->level, (int)level);
	pthread_mutex_init(&sink->lock, NULL);
}

void log_sink_set_level(struct log_sink *sink, enum embed_log_level level)
{
	atomic_store_explicit(&sink->level, (int)level, memory_order_relaxed);
}

void log_sink_fini(struct log_sink *sink)
{
	pthread_mutex_destroy(&sink->lock);
}

static void append_time(struct buffer *line, int64_t unix_us)
{
	time_t seconds = (time_t)(unix_us / 1000000);
	struct tm tm;
	char text[32];

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	buffer_printf(line, "%s.%03dZ", text, (int)(unix_us % 1000000 / 1000));
}

static void append_json_char(struct buffer *line, unsigned char c)
{
	if (c == '"' || c == '\\')
		buffer_printf(line, "\\%c", c);
	else if (c < ' ')
		buffer_printf(line, "\\u%04x", c);
	else
		buffer_append_char(line, (char)c);
}

/* One value of an event, quoted or bare; returns what follows it. */
static const char *append_json_value(struct buffer *line, const char *value)
{
	bool is_quoted = *value == '"';

	if (is_quoted)
		value++;
	buffer_append_char(line, '"');
	while (*value != '\0' && *value != (is_quoted ? '"' : ' ')) {
		if (is_quoted && *value == '\\' && value[1] != '\0')
			value++;
		append_json_char(line, (unsigned char)*value++);
	}
	buffer_append_char(line, '"');
	return is_quoted && *value == '"' ? value + 1 : value;
}

static void append_json_pairs(struct buffer *line, const char *event)
{
	while (*event != '\0') {
		size_t len = strcspn(event, "= ");

		buffer_append_text(line, ",\"");
		for (size_t i = 0; i < len; i++)
			append_json_char(line, (unsigned char)event[i]);
		buffer_append_text(line, "\":");
		event += len;
		event = append_json_value(line, *event == '=' ? event + 1 : event);
		event += strspn(event, " ");
	}
}

void log_sink_format(struct buffer *line, bool is_json, int64_t unix_us, enum embed_log_level level,
    const char *event)
{
	if (is_json) {
		buffer_append_text(line, "{\"time\":\"");
		append_time(line, unix_us);
		buffer_printf(line, "\",\"level\":\"%s\"", level_names[level]);
		append_json_pairs(line, event);
		buffer_append_text(line, "}\n");
		return;
	}
	append_time(line, unix_us);
	buffer_printf(line, " %s %s\n", level_names[level], event);
}

void log_sink_write(enum embed_log_level level, const char *event, void *context)
{
	struct log_sink *sink = context;
	struct timespec now;
	struct buffer line;

	if ((int)level > atomic_load_explicit(&sink->level, memory_order_relaxed))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	buffer_init(&line, LINE_MAX_BYTES);
	if (sink->has_bar)
		buffer_append_text(&line, "\r\033[K");
	log_sink_format(
	    &line, sink->is_json, (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000, level, event);
	pthread_mutex_lock(&sink->lock);
	if (line.status == EMBED_OK)
		fwrite(line.bytes, 1, line.len, sink->stream);
	fflush(sink->stream);
	pthread_mutex_unlock(&sink->lock);
	buffer_fini(&line);
}
