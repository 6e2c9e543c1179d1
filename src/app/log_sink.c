/* SPDX-License-Identifier: MIT */
#include "app/log_sink.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/log_journal.h"

#define LINE_MAX_BYTES 16384

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_sink_init(struct log_sink *sink, FILE *stream, bool is_json, enum embed_log_level level)
{
	*sink = (struct log_sink){.stream = stream, .is_json = is_json};
	atomic_init(&sink->level, (int)level);
	pthread_mutex_init(&sink->lock, NULL);
	sink->journal_fd = -1;
	log_flood_init(&sink->flood, 0);
}

void log_sink_use_journal(struct log_sink *sink, const char *path)
{
	sink->journal_fd = log_journal_open();
	sink->journal_path = path;
}

void log_sink_set_rate(struct log_sink *sink, uint64_t per_second)
{
	sink->flood.per_second = per_second;
}

void log_sink_set_level(struct log_sink *sink, enum embed_log_level level)
{
	atomic_store_explicit(&sink->level, (int)level, memory_order_relaxed);
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

/* `lock` is held. */
static void write_line(
    struct log_sink *sink, enum embed_log_level level, const char *event, int64_t unix_us)
{
	struct buffer line;

	if (sink->journal_fd >= 0 &&
	    log_journal_send(sink->journal_fd, sink->journal_path, level, event))
		return;
	buffer_init(&line, LINE_MAX_BYTES);
	if (sink->has_bar)
		buffer_append_text(&line, "\r\033[K");
	log_sink_format(&line, sink->is_json, unix_us, level, event);
	if (line.status == EMBED_OK)
		fwrite(line.bytes, 1, line.len, sink->stream);
	fflush(sink->stream);
	buffer_fini(&line);
}

/* `lock` is held.  What a flood left out, up to second `now_s`. */
static void write_sums(struct log_sink *sink, int64_t now_s, int64_t unix_us)
{
	char event[LOG_TEXT_MAX + 1];
	enum embed_log_level level;

	while (log_flood_sum(&sink->flood, now_s, event, &level))
		write_line(sink, level, event, unix_us);
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void log_sink_write(enum embed_log_level level, const char *event, void *context)
{
	struct log_sink *sink = context;
	bool is_wanted = (int)level <= atomic_load_explicit(&sink->level, memory_order_relaxed);
	int64_t unix_us;

	/* A fault is remembered even if its line is not wanted; all else costs nothing. */
	if (!is_wanted && strstr(event, " do=") == NULL)
		return;
	unix_us = now_us();
	pthread_mutex_lock(&sink->lock);
	write_sums(sink, unix_us / 1000000, unix_us);
	if (!is_wanted)
		log_flood_note(&sink->flood, level, event, unix_us / 1000000);
	else if (log_flood_admit(&sink->flood, level, event, unix_us / 1000000))
		write_line(sink, level, event, unix_us);
	pthread_mutex_unlock(&sink->lock);
}

size_t log_sink_recent(struct log_sink *sink, struct log_recent *out, size_t cap)
{
	size_t count;

	pthread_mutex_lock(&sink->lock);
	count = log_flood_recent(&sink->flood, out, cap);
	pthread_mutex_unlock(&sink->lock);
	return count;
}

void log_sink_fini(struct log_sink *sink)
{
	write_sums(sink, INT64_MAX, now_us());
	if (sink->journal_fd >= 0)
		close(sink->journal_fd);
	pthread_mutex_destroy(&sink->lock);
}
