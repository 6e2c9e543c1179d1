/* SPDX-License-Identifier: MIT */
#include "cli/top_view.h"

#include <string.h>
#include <time.h>

#include "cli/progress.h"
#include "cli/top_lines.h"
#include "cli/top_tables.h"

#define LINE_MAX_BYTES 4096
#define RATE_SECONDS   5
#define MINUTE_SECONDS 60

/* ---- Trend ---------------------------------------------------------------------- */

static void push(struct top_trend *trend, uint64_t texts, uint64_t billed, uint64_t free_texts)
{
	if (trend->count == TOP_TREND_MAX) {
		size_t bytes = (TOP_TREND_MAX - 1) * sizeof(uint64_t);

		memmove(trend->texts, trend->texts + 1, bytes);
		memmove(trend->billed_tokens, trend->billed_tokens + 1, bytes);
		memmove(trend->free_texts, trend->free_texts + 1, bytes);
		trend->count--;
	}
	trend->texts[trend->count] = texts;
	trend->billed_tokens[trend->count] = billed;
	trend->free_texts[trend->count++] = free_texts;
}

void top_trend_add(struct top_trend *trend, const json_t *second)
{
	push(trend, top_number(second, "texts"), top_number(second, "billed_tokens"),
	    top_number(second, "hits") + top_number(second, "joined"));
}

static uint64_t at(const json_t *history, const char *name, size_t index)
{
	return (uint64_t)json_integer_value(json_array_get(json_object_get(history, name), index));
}

void top_trend_fill(struct top_trend *trend, const json_t *history)
{
	size_t count = json_array_size(json_object_get(history, "time"));

	trend->count = 0;
	for (size_t i = count > TOP_TREND_MAX ? count - TOP_TREND_MAX : 0; i < count; i++)
		push(trend, at(history, "texts", i), at(history, "billed_tokens", i),
		    at(history, "hits", i) + at(history, "joined", i));
}

static uint64_t recent(const struct top_trend *trend, const uint64_t *values, size_t seconds)
{
	uint64_t sum = 0;

	for (size_t i = trend->count > seconds ? trend->count - seconds : 0; i < trend->count; i++)
		sum += values[i];
	return sum;
}

/* ---- The lines above the tables ---------------------------------------------------- */

static void draw_title(struct top_lines *lines, struct buffer *line, const struct top_view *view)
{
	const json_t *snapshot = view->snapshot;
	int64_t now_s = json_integer_value(json_object_get(snapshot, "time_ms")) / 1000;
	int64_t up_s = now_s - json_integer_value(json_object_get(snapshot, "started"));
	time_t now = (time_t)now_s;
	struct tm utc;

	gmtime_r(&now, &utc);
	buffer_printf(line, "embed %s  up %lld:%02d:%02d  %llu connections  %02d:%02d:%02d UTC",
	    top_text(snapshot, "version"), (long long)(up_s / 3600), (int)(up_s / 60 % 60),
	    (int)(up_s % 60), (unsigned long long)top_number_in(snapshot, "gateway", "connections"),
	    utc.tm_hour, utc.tm_min, utc.tm_sec);
	if (json_is_true(json_object_get(snapshot, "is_draining")))
		buffer_append_text(line, "  draining");
	top_line_take(lines, TOP_STRONG, line);
	if (view->notice) {
		buffer_append_text(line, view->notice);
		top_line_wrap(lines, TOP_BAD, line);
	}
}

static void draw_alarms(struct top_lines *lines, struct buffer *line, const struct top_view *view)
{
	const json_t *raised = json_object_get(json_object_get(view->snapshot, "alarms"), "raised");

	for (size_t i = 0; i < json_array_size(raised); i++) {
		const json_t *alarm = json_array_get(raised, i);

		buffer_printf(line, "ALARM   %s", top_text(alarm, "meaning"));
		if (*top_text(alarm, "subject"))
			buffer_printf(line, " (%s)", top_text(alarm, "subject"));
		buffer_printf(line, "; %s", top_text(alarm, "do"));
		top_line_wrap(lines, TOP_BAD, line);
	}
}

static void draw_texts(struct top_lines *lines, struct buffer *line, const struct top_view *view)
{
	const struct top_trend *trend = view->trend;
	size_t seconds = trend->count < RATE_SECONDS ? trend->count : RATE_SECONDS;
	uint64_t texts = recent(trend, trend->texts, MINUTE_SECONDS);

	buffer_append_text(line, "texts   ");
	progress_append_short(
	    line, seconds ? recent(trend, trend->texts, RATE_SECONDS) / seconds : 0);
	buffer_append_text(line, "/s, not paid for ");
	top_append_percent(line, recent(trend, trend->free_texts, MINUTE_SECONDS), texts);
	buffer_append_text(line, ", since the start ");
	top_append_percent(line,
	    top_number_in(view->snapshot, "stats", "hits") +
		top_number_in(view->snapshot, "stats", "joined"),
	    top_number_in(view->snapshot, "stats", "texts"));
	buffer_append_text(line, "  ");
	if (view->width > line->len + 12)
		top_append_trend(line, trend->texts, trend->count, view->width - line->len);
	top_line_take(lines, TOP_PLAIN, line);
}

static void append_rate(
    struct buffer *line, const json_t *stats, const char *name, const char *word)
{
	buffer_printf(line, ", %s ", word);
	progress_append_short(line, top_number(stats, name));
}

/* Since the start. */
static void draw_trouble(struct top_lines *lines, struct buffer *line, const struct top_view *view)
{
	const json_t *stats = json_object_get(view->snapshot, "stats");

	buffer_append_text(line, "faults  failed ");
	progress_append_short(line, top_number(stats, "failed"));
	append_rate(line, stats, "retries", "retries");
	append_rate(line, stats, "rate_limited", "429s");
	append_rate(line, stats, "timeouts", "timeouts");
	append_rate(line, stats, "splits", "splits");
	append_rate(line, stats, "failovers", "failovers");
	append_rate(line, stats, "breakers_open", "avoided upstreams");
	top_line_wrap(lines, TOP_PLAIN, line);
}

static void append_lane(struct buffer *line, const json_t *lanes, const char *name)
{
	const json_t *lane = json_object_get(lanes, name);

	buffer_printf(line, "; %s ", name);
	progress_append_short(line, top_number(lane, "texts"));
	if (top_number(lane, "oldest_us") > 0) {
		buffer_append_text(line, " for ");
		top_append_time(line, top_number(lane, "oldest_us"));
	}
}

static double account_limit(const json_t *snapshot)
{
	const json_t *upstreams = json_object_get(snapshot, "upstreams");
	double limit = 0;

	for (size_t i = 0; i < json_array_size(upstreams); i++)
		limit += json_number_value(
		    json_object_get(json_array_get(upstreams, i), "tokens_per_minute"));
	return limit;
}

static void draw_queue(struct top_lines *lines, struct buffer *line, const struct top_view *view)
{
	const json_t *lanes = json_object_get(view->snapshot, "lanes");

	buffer_append_text(line, "queue   ");
	progress_append_short(line, top_number_in(view->snapshot, "stats", "queued_texts"));
	buffer_append_text(line, " texts, ");
	progress_append_short(line, top_number_in(view->snapshot, "stats", "queued_tokens"));
	buffer_printf(line, " tokens; %llu of %llu requests under way",
	    (unsigned long long)top_number_in(view->snapshot, "stats", "in_flight"),
	    (unsigned long long)top_number_in(view->snapshot, "stats", "slots"));
	append_lane(line, lanes, "interactive");
	append_lane(line, lanes, "bulk");
	top_line_wrap(lines, TOP_PLAIN, line);
}

static void draw_tokens(struct top_lines *lines, struct buffer *line, const struct top_view *view)
{
	uint64_t tokens = recent(view->trend, view->trend->billed_tokens, MINUTE_SECONDS);
	double limit = account_limit(view->snapshot);

	buffer_append_text(line, "tokens  ");
	progress_append_short(line, tokens);
	buffer_append_text(line, " billed in a minute");
	if (limit > 0) {
		buffer_append_text(line, " of ");
		progress_append_short(line, (uint64_t)limit);
		buffer_append_char(line, ' ');
		top_append_bar(line, (double)tokens / limit, 20);
	}
	top_line_wrap(lines, TOP_PLAIN, line);
	draw_queue(lines, line, view);
}

static void append_sums(struct buffer *line, const json_t *usage, const char *field)
{
	progress_append_dollars(line, top_number_in(usage, "today", field));
	buffer_append_text(line, " today, ");
	progress_append_dollars(line, top_number_in(usage, "month", field));
	buffer_append_text(line, " this month");
}

static void draw_money(struct top_lines *lines, struct buffer *line, const struct top_view *view)
{
	const json_t *usage = json_object_get(view->snapshot, "usage");

	buffer_append_text(line, "cost    ");
	append_sums(line, usage, "cost_nano");
	buffer_append_text(line, "; saved ");
	append_sums(line, usage, "saved_nano");
	top_line_wrap(lines, TOP_PLAIN, line);
}

static void draw_store(struct top_lines *lines, struct buffer *line, const struct top_view *view)
{
	uint64_t records = top_number_in(view->snapshot, "stats", "store_records");

	buffer_append_text(line, "store   ");
	progress_append_short(line, records);
	buffer_append_text(line, records == 1 ? " record, " : " records, ");
	top_append_bytes(line, top_number_in(view->snapshot, "stats", "store_used_bytes"));
	buffer_append_text(line, " of ");
	top_append_bytes(line, top_number_in(view->snapshot, "store", "cap_bytes"));
	append_rate(line, json_object_get(view->snapshot, "stats"), "evicted", "evicted");
	top_line_wrap(lines, TOP_PLAIN, line);
}

static void draw_process(struct top_lines *lines, struct buffer *line, const struct top_view *view)
{
	const json_t *process = json_object_get(view->snapshot, "process");

	buffer_append_text(line, "process ");
	top_append_bytes(line, top_number(process, "resident_bytes"));
	buffer_printf(line, ", %.1fs of CPU, %llu threads, %llu open files",
	    json_number_value(json_object_get(process, "cpu_s")),
	    (unsigned long long)top_number(process, "threads"),
	    (unsigned long long)top_number(process, "open_fds"));
	top_line_wrap(lines, TOP_PLAIN, line);
}

void top_view_draw(struct top_lines *lines, const struct top_view *view)
{
	struct buffer line;

	buffer_init(&line, LINE_MAX_BYTES);
	buffer_reset(&lines->text);
	lines->count = 0;
	lines->width = view->width;
	draw_title(lines, &line, view);
	draw_alarms(lines, &line, view);
	draw_texts(lines, &line, view);
	draw_tokens(lines, &line, view);
	draw_money(lines, &line, view);
	draw_store(lines, &line, view);
	draw_trouble(lines, &line, view);
	draw_process(lines, &line, view);
	top_draw_times(lines, &line, view);
	top_draw_upstreams(lines, &line, view);
	top_draw_keys(lines, &line, view);
	top_draw_errors(lines, &line, view);
	buffer_fini(&line);
}
