/* SPDX-License-Identifier: MIT */
#include "text/html.h"

#include <string.h>

#include "text/utf8.h"

struct reference {
	const char *name;
	const char *text;
};

static const struct reference references[] = {
#define REFERENCE(name, text) {name, text},
#include "text/html_references.def"
#undef REFERENCE
};

#define NAME_MAX_BYTES (HTML_REFERENCE_MAX - 2)

/* These are common enough without their semicolon. */
static const char *const bare_names[] = {"amp", "copy", "gt", "lt", "nbsp", "quot", "reg"};

/* 0x80 to 0x9f mean what Windows-1252 has there (HTML standard, 13.2.5.80). */
static const uint16_t windows_1252[32] = {0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020,
    0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c,
    0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178};

static bool is_alphanumeric(char byte)
{
	return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

static const char *text_of(const char *name)
{
	size_t low = 0;
	size_t high = sizeof(references) / sizeof(references[0]);

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(name, references[middle].name);

		if (order == 0)
			return references[middle].text;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static bool can_be_bare(const char *name)
{
	for (size_t i = 0; i < sizeof(bare_names) / sizeof(bare_names[0]); i++)
		if (strcmp(name, bare_names[i]) == 0)
			return true;
	return false;
}

static size_t named(const char *bytes, size_t len, char out[6], size_t *out_len)
{
	char name[NAME_MAX_BYTES + 1];
	size_t name_len = 0;
	bool is_closed;
	const char *text;

	while (1 + name_len < len && name_len < NAME_MAX_BYTES &&
	       is_alphanumeric(bytes[1 + name_len])) {
		name[name_len] = bytes[1 + name_len];
		name_len++;
	}
	name[name_len] = '\0';
	is_closed = 1 + name_len < len && bytes[1 + name_len] == ';';
	if (!is_closed &&
	    (!can_be_bare(name) || (1 + name_len < len && bytes[1 + name_len] == '=')))
		return 0;
	text = text_of(name);
	if (text == NULL)
		return 0;
	*out_len = strlen(text);
	memcpy(out, text, *out_len);
	return 1 + name_len + is_closed;
}

static uint32_t meant(uint32_t code)
{
	if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return UTF8_REPLACEMENT;
	if (code >= 0x80 && code < 0xa0)
		return windows_1252[code - 0x80];
	return code;
}

static int digit_of(char byte, int base)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (base == 16 && (byte | 0x20) >= 'a' && (byte | 0x20) <= 'f')
		return (byte | 0x20) - 'a' + 10;
	return -1;
}

static size_t numeric(const char *bytes, size_t len, char out[6], size_t *out_len)
{
	int base = len > 2 && (bytes[2] | 0x20) == 'x' ? 16 : 10;
	size_t first = base == 16 ? 3 : 2;
	size_t at = first;
	uint32_t code = 0;

	while (at < len && at < HTML_REFERENCE_MAX - 1 && digit_of(bytes[at], base) >= 0) {
		if (code <= 0x10ffff)
			code = code * (uint32_t)base + (uint32_t)digit_of(bytes[at], base);
		at++;
	}
	if (at == first || (at < len && bytes[at] != ';' && is_alphanumeric(bytes[at])))
		return 0;
	*out_len = utf8_encode(meant(code), out);
	return at + (at < len && bytes[at] == ';');
}

size_t html_reference(const char *bytes, size_t len, char out[6], size_t *out_len)
{
	if (len < 3 || bytes[0] != '&')
		return 0;
	if (bytes[1] == '#')
		return numeric(bytes, len, out, out_len);
	return named(bytes, len, out, out_len);
}
