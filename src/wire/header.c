/* SPDX-License-Identifier: MIT */
#include "wire/header.h"

#include <string.h>
#include <strings.h>

/* Longest header name that means something to us. */
#define NAME_CAP 48

/* ---- Numbers -------------------------------------------------------- */

static void trim(const char **text, size_t *len)
{
	while (*len > 0 && ((*text)[0] == ' ' || (*text)[0] == '\t')) {
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && strchr(" \t\r\n", (*text)[*len - 1]) != NULL)
		(*len)--;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Whole digits only, cut to 10^15; -1 for anything else. */
static int64_t read_count(const char *text, size_t len)
{
	const int64_t most = INT64_C(1000000000000000);
	int64_t value = 0;

	if (len == 0)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text[i]))
			return -1;
		value = value * 10 + (text[i] - '0');
		if (value > most)
			value = most;
	}
	return value;
}

/* ---- Durations ------------------------------------------------------ */

/* Whole nanoseconds would overflow for a year in a factor; picoseconds are cut. */
#define NANO INT64_C(1000000000)

static const struct {
	const char *name;
	size_t len;
	int64_t nanoseconds;
} units[] = {
    /* Longer names first: "ms" is not minutes. */
    {"ms", 2, 1000000},
    {"us", 2, 1000},
    {"ns", 2, 1},
    {"\xc2\xb5s", 3, 1000}, /* micro sign */
    {"\xce\xbcs", 3, 1000}, /* Greek mu */
    {"h", 1, 3600 * NANO},
    {"m", 1, 60 * NANO},
    {"s", 1, NANO},
};

/* The unit at the start of `text`: its nanoseconds, or 0. */
static int64_t read_unit(const char *text, size_t len, size_t *used)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].len <= len && memcmp(text, units[i].name, units[i].len) == 0) {
			*used = units[i].len;
			return units[i].nanoseconds;
		}
	}
	return 0;
}

/* A number with an optional fraction: whole part, and the fraction in 10^-9. */
struct fixed {
	int64_t whole;
	int64_t nano;
	bool is_more; /* digits beyond the ninth that are not 0 */
};

static size_t read_fixed(const char *text, size_t len, struct fixed *fixed)
{
	size_t used = 0;
	size_t digits = 0;

	*fixed = (struct fixed){0};
	for (; used < len && is_digit(text[used]); used++, digits++) {
		if (fixed->whole <= WIRE_MAX_WAIT_MS)
			fixed->whole = fixed->whole * 10 + (text[used] - '0');
	}
	if (used < len && text[used] == '.') {
		int64_t place = NANO / 10;

		for (used++; used < len && is_digit(text[used]); used++, digits++) {
			fixed->nano += place * (text[used] - '0');
			fixed->is_more = fixed->is_more || (place == 0 && text[used] != '0');
			place /= 10;
		}
	}
	return digits == 0 ? 0 : used;
}

/* Adds fixed * unit to *total_ns; false above the longest wait. */
static bool add_scaled(int64_t *total_ns, const struct fixed *fixed, int64_t unit)
{
	const int64_t most = WIRE_MAX_WAIT_MS * 1000000;
	unsigned __int128 part = (unsigned __int128)fixed->nano * (uint64_t)unit;

	if (fixed->whole > most / unit)
		return false;
	*total_ns += fixed->whole * unit + (int64_t)(part / NANO);
	*total_ns += part % NANO != 0 || fixed->is_more;
	return *total_ns <= most;
}

bool wire_duration_read(const char *text, size_t len, int64_t *ms)
{
	int64_t total_ns = 0;
	struct fixed fixed;
	size_t whole;

	trim(&text, &len);
	whole = len;
	if (len == 0)
		return false;
	while (len > 0) {
		size_t used = read_fixed(text, len, &fixed);
		size_t unit_len = 0;
		int64_t unit;

		if (used == 0)
			return false;
		/* A bare number, alone, is seconds. */
		unit = used == whole ? NANO : read_unit(text + used, len - used, &unit_len);
		if (unit == 0 || !add_scaled(&total_ns, &fixed, unit))
			return false;
		text += used + unit_len;
		len -= used + unit_len;
	}
	*ms = (total_ns + 999999) / 1000000;
	return true;
}

static char *put_count(char *at, int64_t value)
{
	char digits[20];
	size_t len = 0;

	do {
		digits[sizeof(digits) - ++len] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	memcpy(at, digits + sizeof(digits) - len, len);
	return at + len;
}

size_t wire_duration_write(char text[WIRE_DURATION_CAP], int64_t ms)
{
	char *at = text;
	int64_t below = ms % 1000;

	if (ms > 0 && ms < 1000) {
		at = put_count(at, ms);
		memcpy(at, "ms", 3);
		return (size_t)(at + 2 - text);
	}
	if (ms >= 3600000) {
		at = put_count(at, ms / 3600000);
		*at++ = 'h';
	}
	if (ms >= 60000) {
		at = put_count(at, ms / 60000 % 60);
		*at++ = 'm';
	}
	at = put_count(at, ms / 1000 % 60);
	if (below > 0) {
		*at++ = '.';
		for (int64_t place = 100; below > 0; place /= 10) {
			*at++ = (char)('0' + below / place);
			below %= place;
		}
	}
	*at++ = 's';
	*at = '\0';
	return (size_t)(at - text);
}

/* ---- Quotas --------------------------------------------------------- */

static void take_count(int64_t *field, const char *value, size_t len)
{
	int64_t count = read_count(value, len);

	if (count >= 0)
		*field = count;
}

static void take_duration(int64_t *field, const char *value, size_t len)
{
	int64_t ms;

	if (wire_duration_read(value, len, &ms))
		*field = ms;
}

/* Seconds or a date. */
static void take_retry_after(struct wire_headers *headers, const char *value, size_t len)
{
	int64_t ms;

	if (len > 0 && (is_digit(value[len - 1]) || value[len - 1] == '.')) {
		if (wire_duration_read(value, len, &ms))
			headers->retry_after_s_as_ms = ms;
		else if (is_digit(value[0]) && read_count(value, len) > 0)
			headers->retry_after_s_as_ms = WIRE_MAX_WAIT_MS;
	} else {
		(void)wire_date_read(value, len, &headers->retry_after_date_s);
	}
}

/* A number of milliseconds, fraction allowed: rounded up. */
static void take_retry_after_ms(struct wire_headers *headers, const char *value, size_t len)
{
	struct fixed fixed;

	if (len == 0 || read_fixed(value, len, &fixed) != len)
		return;
	headers->retry_after_ms = fixed.whole + (fixed.nano > 0 || fixed.is_more);
	if (headers->retry_after_ms > WIRE_MAX_WAIT_MS)
		headers->retry_after_ms = WIRE_MAX_WAIT_MS;
}

static void take_should_retry(struct wire_headers *headers, const char *value, size_t len)
{
	if (len == 4 && strncasecmp(value, "true", 4) == 0)
		headers->should_retry = WIRE_RETRY_YES;
	else if (len == 5 && strncasecmp(value, "false", 5) == 0)
		headers->should_retry = WIRE_RETRY_NO;
}

static void take_request_id(struct wire_headers *headers, const char *value, size_t len)
{
	size_t kept = len < sizeof(headers->request_id) ? len : sizeof(headers->request_id) - 1;

	for (size_t i = 0; i < kept; i++)
		headers->request_id[i] = value[i] > ' ' && value[i] <= '~' ? value[i] : '?';
	headers->request_id[kept] = '\0';
}

static void take_date(struct wire_headers *headers, const char *value, size_t len)
{
	(void)wire_date_read(value, len, &headers->date_s);
}

enum form { COUNT, DURATION, OTHER };

/* Every header that is read: name in lower case, form, and the field or function. */
static const struct {
	const char *name;
	enum form form;
	size_t field;
	void (*take)(struct wire_headers *headers, const char *value, size_t len);
} readers[] = {
#define FIELD(member) offsetof(struct wire_headers, member), NULL
    {"x-ratelimit-limit-requests", COUNT, FIELD(requests.limit)},
    {"x-ratelimit-limit-tokens", COUNT, FIELD(tokens.limit)},
    {"x-ratelimit-limit-project-tokens", COUNT, FIELD(project_tokens.limit)},
    {"x-ratelimit-remaining-requests", COUNT, FIELD(requests.remaining)},
    {"x-ratelimit-remaining-tokens", COUNT, FIELD(tokens.remaining)},
    {"x-ratelimit-remaining-project-tokens", COUNT, FIELD(project_tokens.remaining)},
    {"x-ratelimit-reset-requests", DURATION, FIELD(requests.reset_ms)},
    {"x-ratelimit-reset-tokens", DURATION, FIELD(tokens.reset_ms)},
    {"x-ratelimit-reset-project-tokens", DURATION, FIELD(project_tokens.reset_ms)},
    {"openai-processing-ms", COUNT, FIELD(processing_ms)},
#undef FIELD
    {"retry-after", OTHER, 0, take_retry_after},
    {"retry-after-ms", OTHER, 0, take_retry_after_ms},
    {"x-should-retry", OTHER, 0, take_should_retry},
    {"x-request-id", OTHER, 0, take_request_id},
    {"apim-request-id", OTHER, 0, take_request_id},
    {"date", OTHER, 0, take_date},
};

void wire_headers_init(struct wire_headers *headers)
{
	const struct wire_quota unknown = {-1, -1, -1};

	*headers = (struct wire_headers){
	    .requests = unknown,
	    .tokens = unknown,
	    .project_tokens = unknown,
	    .processing_ms = -1,
	    .retry_after_ms = -1,
	    .retry_after_s_as_ms = -1,
	    .retry_after_date_s = -1,
	    .date_s = -1,
	};
}

void wire_headers_read(struct wire_headers *headers, const char *name, size_t name_len,
    const char *value, size_t value_len)
{
	char lower[NAME_CAP];

	if (name_len >= sizeof(lower))
		return;
	for (size_t i = 0; i < name_len; i++)
		lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
	lower[name_len] = '\0';
	trim(&value, &value_len);
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		int64_t *field = (int64_t *)(void *)((char *)headers + readers[i].field);

		if (strcmp(readers[i].name, lower) != 0)
			continue;
		if (readers[i].form == COUNT)
			take_count(field, value, value_len);
		else if (readers[i].form == DURATION)
			take_duration(field, value, value_len);
		else
			readers[i].take(headers, value, value_len);
		return;
	}
}

void wire_headers_read_line(struct wire_headers *headers, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);

	if (colon == NULL)
		return;
	wire_headers_read(
	    headers, line, (size_t)(colon - line), colon + 1, len - (size_t)(colon - line) - 1);
}

int64_t wire_headers_wait_ms(const struct wire_headers *headers, int64_t unix_s)
{
	int64_t from = headers->date_s >= 0 ? headers->date_s : unix_s;
	int64_t seconds;

	if (headers->retry_after_ms >= 0)
		return headers->retry_after_ms;
	if (headers->retry_after_s_as_ms >= 0)
		return headers->retry_after_s_as_ms;
	if (headers->retry_after_date_s < 0)
		return -1;
	seconds = headers->retry_after_date_s - from;
	if (seconds < 0)
		return 0;
	return seconds > WIRE_MAX_WAIT_MS / 1000 ? WIRE_MAX_WAIT_MS : seconds * 1000;
}
