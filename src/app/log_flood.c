/* SPDX-License-Identifier: MIT */
#include "app/log_flood.h"

#include <stdio.h>
#include <string.h>

void log_flood_init(struct log_flood *flood, uint64_t per_second)
{
	*flood = (struct log_flood){.per_second = per_second};
}

/* ---- Kinds ------------------------------------------------------------ */

static void name_of(const char *event, char name[LOG_KIND_MAX + 1])
{
	const char *start = strncmp(event, "event=", 6) == 0 ? event + 6 : event;

	snprintf(name, LOG_KIND_MAX + 1, "%.*s", (int)strcspn(start, " "), start);
}

/* The kind with nothing to tell that was seen longest ago gives way. */
static struct log_kind *make_room(struct log_flood *flood)
{
	struct log_kind *oldest = &flood->kinds[0];

	if (flood->count < LOG_KINDS_MAX)
		return &flood->kinds[flood->count++];
	for (size_t i = 1; i < LOG_KINDS_MAX; i++)
		if (flood->kinds[i].recent.last_s < oldest->recent.last_s)
			oldest = &flood->kinds[i];
	return oldest;
}

static struct log_kind *kind_of(
    struct log_flood *flood, enum embed_log_level level, const char *event, int64_t now_s)
{
	char name[LOG_KIND_MAX + 1];
	struct log_kind *kind;

	name_of(event, name);
	for (size_t i = 0; i < flood->count; i++)
		if (flood->kinds[i].recent.level == level &&
		    strcmp(flood->kinds[i].recent.event, name) == 0)
			return &flood->kinds[i];
	kind = make_room(flood);
	*kind = (struct log_kind){.recent = {.level = level, .first_s = now_s}, .second = now_s};
	memcpy(kind->recent.event, name, sizeof(name));
	return kind;
}

/* The value of the pair do=.., without its quotes. */
static bool find_advice(const char *event, char advice[LOG_TEXT_MAX + 1])
{
	const char *start = strstr(event, " do=");
	size_t len = 0;

	if (start == NULL)
		return false;
	start += 4;
	if (*start != '"') {
		snprintf(advice, LOG_TEXT_MAX + 1, "%.*s", (int)strcspn(start, " "), start);
		return true;
	}
	for (start++; *start != '\0' && *start != '"' && len < LOG_TEXT_MAX; start++) {
		if (*start == '\\' && start[1] != '\0')
			start++;
		advice[len++] = *start;
	}
	advice[len] = '\0';
	return true;
}

/* What stands between an event's name and its advice. */
static void copy_pairs(const char *event, char text[LOG_TEXT_MAX + 1])
{
	const char *start = event + strcspn(event, " ");
	const char *end = strstr(event, " do=");

	if (*start == ' ' && start != end)
		start++;
	snprintf(text, LOG_TEXT_MAX + 1, "%.*s", (int)(end - start), start);
}

/* ---- Events ----------------------------------------------------------- */

static struct log_kind *note(
    struct log_flood *flood, enum embed_log_level level, const char *event, int64_t now_s)
{
	struct log_kind *kind = kind_of(flood, level, event, now_s);

	kind->recent.count++;
	kind->recent.last_s = now_s;
	kind->is_fault = find_advice(event, kind->recent.advice);
	if (kind->is_fault)
		copy_pairs(event, kind->recent.text);
	return kind;
}

void log_flood_note(
    struct log_flood *flood, enum embed_log_level level, const char *event, int64_t now_s)
{
	note(flood, level, event, now_s);
}

bool log_flood_admit(
    struct log_flood *flood, enum embed_log_level level, const char *event, int64_t now_s)
{
	struct log_kind *kind = note(flood, level, event, now_s);

	if (kind->second != now_s) {
		kind->second = now_s;
		kind->passed = 0;
	}
	if (flood->per_second == 0 || kind->passed < flood->per_second) {
		kind->passed++;
		return true;
	}
	kind->dropped++;
	return false;
}

bool log_flood_sum(struct log_flood *flood, int64_t now_s, char event[LOG_TEXT_MAX + 1],
    enum embed_log_level *level)
{
	for (size_t i = 0; i < flood->count; i++) {
		struct log_kind *kind = &flood->kinds[i];

		if (kind->dropped == 0 || kind->second >= now_s)
			continue;
		snprintf(event, LOG_TEXT_MAX + 1,
		    "event=lines_left_out of=%s count=%llu do=\"raise --log-rate to see them all\"",
		    kind->recent.event, (unsigned long long)kind->dropped);
		*level = kind->recent.level;
		kind->dropped = 0;
		return true;
	}
	return false;
}

size_t log_flood_recent(const struct log_flood *flood, struct log_recent *out, size_t cap)
{
	size_t count = 0;

	for (size_t i = 0; i < flood->count; i++) {
		const struct log_kind *kind = &flood->kinds[i];
		size_t at = count < cap ? count : cap;

		if (!kind->is_fault)
			continue;
		while (at > 0 && out[at - 1].last_s < kind->recent.last_s)
			at--;
		if (at == cap)
			continue;
		if (count < cap)
			count++;
		memmove(&out[at + 1], &out[at], (count - 1 - at) * sizeof(*out));
		out[at] = kind->recent;
	}
	return count;
}
