/* SPDX-License-Identifier: MIT */
#include "cli/moment.h"

#include <string.h>
#include <time.h>

#include "app/option_value.h"

bool moment_parse(const char *text, int64_t now_s, int64_t *unix_s)
{
	static const char *const forms[] = {
	    "%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m"};
	int64_t ago_us;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = {.tm_mday = 1};
		const char *end = strptime(text, forms[i], &tm);

		if (end != NULL && (*end == '\0' || strcmp(end, "Z") == 0)) {
			*unix_s = timegm(&tm);
			return *unix_s >= 0;
		}
	}
	if (!option_parse_duration(text, &ago_us))
		return false;
	*unix_s = now_s - ago_us / 1000000;
	return *unix_s >= 0;
}

void moment_format(char text[24], int64_t unix_s, bool is_hour, bool is_month)
{
	time_t seconds = (time_t)unix_s;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, 24, is_hour ? "%Y-%m-%d %H:00" : is_month ? "%Y-%m" : "%Y-%m-%d", &tm);
}
