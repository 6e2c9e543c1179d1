/* SPDX-License-Identifier: MIT */
#include "gateway/exposition.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kinds[] = {"counter", "gauge", "summary", "histogram"};

/* ---- Which format --------------------------------------------------- */

/* A weight in thousandths, from 0 to 1 (RFC 9110 12.4.2); 0 for what is none. */
static unsigned read_weight(const char *text)
{
	unsigned weight, place = 100;

	if (*text != '0' && *text != '1')
		return 0;
	weight = *text++ == '1' ? 1000 : 0;
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++, place /= 10)
			weight += place * (unsigned)(*text - '0');
	return strchr("; \t", *text) && weight <= 1000 ? weight : 0;
}

/* The weight of the list's element that names `type`; 0: none does. */
static unsigned weight_of(const char *accept, size_t len, const char *type)
{
	unsigned best = 0;

	while (len > 0) {
		const char *comma = memchr(accept, ',', len);
		size_t element = comma ? (size_t)(comma - accept) : len;
		char text[256];
		char *quality;
		unsigned weight = 1000;

		snprintf(text, sizeof(text), "%.*s", (int)(element < 255 ? element : 255), accept);
		quality = strstr(text, "q=");
		if (quality)
			weight = read_weight(quality + 2);
		if (strstr(text, type) && weight > best)
			best = weight;
		accept += element;
		len -= element;
		if (len > 0) { /* the comma */
			accept++;
			len--;
		}
	}
	return best;
}

bool exposition_wants_open(const char *accept, size_t len)
{
	unsigned open = weight_of(accept, len, "application/openmetrics-text");

	return open > 0 && open >= weight_of(accept, len, "text/plain");
}

/* ---- Lines ---------------------------------------------------------- */

void exposition_init(struct exposition *exposition, struct buffer *out, bool is_open)
{
	*exposition = (struct exposition){.out = out, .is_open = is_open};
}

void exposition_begin(
    struct exposition *exposition, const char *name, enum exposition_kind kind, const char *help)
{
	const char *suffix = kind == EXPOSITION_COUNTER && !exposition->is_open ? "_total" : "";

	exposition->name = name;
	exposition->kind = kind;
	buffer_printf(exposition->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name,
	    suffix, kinds[kind]);
}

static void append_label(struct buffer *out, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			buffer_printf(out, "\\%c", *value);
		else if (*value == '\n')
			buffer_append_text(out, "\\n");
		else
			buffer_append_char(out, *value);
	}
}

static void append_head(struct exposition *exposition, const char *suffix, va_list labels)
{
	struct buffer *out = exposition->out;
	const char *name;
	bool is_first = true;

	buffer_append_text(out, exposition->name);
	buffer_append_text(out, exposition->kind == EXPOSITION_COUNTER ? "_total" : suffix);
	while ((name = va_arg(labels, const char *)) != NULL) {
		buffer_printf(out, "%s%s=\"", is_first ? "{" : ",", name);
		append_label(out, va_arg(labels, const char *));
		buffer_append_char(out, '"');
		is_first = false;
	}
	buffer_append_text(out, is_first ? " " : "} ");
}

void exposition_count(struct exposition *exposition, const char *suffix, uint64_t value, ...)
{
	va_list labels;

	va_start(labels, value);
	append_head(exposition, suffix, labels);
	va_end(labels);
	buffer_printf(exposition->out, "%llu\n", (unsigned long long)value);
}

void exposition_number(struct exposition *exposition, const char *suffix, double value, ...)
{
	va_list labels;

	va_start(labels, value);
	append_head(exposition, suffix, labels);
	va_end(labels);
	buffer_printf(exposition->out, "%.6f\n", value);
}

void exposition_bound(char text[32], double bound)
{
	snprintf(text, 32, "%g", bound);
	if (strpbrk(text, ".e") == NULL)
		strcat(text, ".0");
}

void exposition_end(struct exposition *exposition)
{
	if (exposition->is_open)
		buffer_append_text(exposition->out, "# EOF\n");
}
