/* SPDX-License-Identifier: MIT */
/* HTTP dates (RFC 9110 5.6.7), without the C library's locale and time zone. */
#include <string.h>

#include "wire/header.h"

/* The parts as they stand in the text. */
struct date {
	int year, month, day, hour, minute, second;
};

/* Two or four digits at `text`, or -1. */
static int digits(const char *text, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

static int month_of(const char *text)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int month = 0; month < 12; month++) {
		if (memcmp(names + 3 * month, text, 3) == 0)
			return month + 1;
	}
	return -1;
}

static bool read_time(const char *text, struct date *date)
{
	date->hour = digits(text, 2);
	date->minute = digits(text + 3, 2);
	date->second = digits(text + 6, 2);
	return text[2] == ':' && text[5] == ':';
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool read_usual(const char *text, struct date *date)
{
	date->day = digits(text + 5, 2);
	date->month = month_of(text + 8);
	date->year = digits(text + 12, 4);
	return text[3] == ',' && read_time(text + 17, date) && memcmp(text + 25, " GMT", 4) == 0;
}

/* "Sunday, 06-Nov-94 08:49:37 GMT", from the blank on */
static bool read_obsolete(const char *text, struct date *date)
{
	int year = digits(text + 8, 2);

	date->day = digits(text + 1, 2);
	date->month = month_of(text + 4);
	date->year = year < 0 ? -1 : year + (year < 70 ? 2000 : 1900);
	return read_time(text + 11, date) && memcmp(text + 19, " GMT", 4) == 0;
}

/* "Sun Nov  6 08:49:37 1994" */
static bool read_asctime(const char *text, struct date *date)
{
	date->month = month_of(text + 4);
	date->day = text[8] == ' ' ? digits(text + 9, 1) : digits(text + 8, 2);
	date->year = digits(text + 20, 4);
	return read_time(text + 11, date);
}

static bool is_possible(const struct date *date)
{
	return date->year >= 1970 && date->month >= 1 && date->day >= 1 && date->day <= 31 &&
	       date->hour >= 0 && date->hour <= 23 && date->minute >= 0 && date->minute <= 59 &&
	       date->second >= 0 && date->second <= 60;
}

/* Days since 1970-01-01 in the Gregorian calendar, counting years from March. */
static int64_t days_of(const struct date *date)
{
	int64_t year = date->month <= 2 ? date->year - 1 : date->year;
	int64_t month = (date->month + 9) % 12;
	int64_t day_of_year = (153 * month + 2) / 5 + date->day - 1;

	return 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

bool wire_date_read(const char *text, size_t len, int64_t *unix_s)
{
	struct date date = {0};
	const char *blank = len == 0 ? NULL : memchr(text, ' ', len);
	bool is_read = false;

	if (len == 29)
		is_read = read_usual(text, &date);
	else if (len == 24)
		is_read = read_asctime(text, &date);
	if (!is_read && blank != NULL && text + len - blank == 23)
		is_read = read_obsolete(blank, &date);
	if (!is_read || !is_possible(&date))
		return false;
	*unix_s = days_of(&date) * 86400 + date.hour * 3600 + date.minute * 60 + date.second;
	return true;
}
