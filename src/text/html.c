/* SPDX-License-Identifier: MIT */
#include "text/html.h"

#include <string.h>

#include "text/utf8.h"

struct element {
	const char *name;
	enum html_role role;
};

static const struct element elements[] = {
    {"address", HTML_PARAGRAPH},
    {"article", HTML_PARAGRAPH},
    {"aside", HTML_PARAGRAPH},
    {"blockquote", HTML_PARAGRAPH},
    {"body", HTML_PARAGRAPH},
    {"br", HTML_LINE},
    {"caption", HTML_LINE},
    {"center", HTML_LINE},
    {"dd", HTML_LINE},
    {"details", HTML_PARAGRAPH},
    {"dialog", HTML_PARAGRAPH},
    {"div", HTML_LINE},
    {"dl", HTML_PARAGRAPH},
    {"dt", HTML_LINE},
    {"fieldset", HTML_PARAGRAPH},
    {"figcaption", HTML_LINE},
    {"figure", HTML_PARAGRAPH},
    {"footer", HTML_PARAGRAPH},
    {"form", HTML_PARAGRAPH},
    {"h1", HTML_PARAGRAPH},
    {"h2", HTML_PARAGRAPH},
    {"h3", HTML_PARAGRAPH},
    {"h4", HTML_PARAGRAPH},
    {"h5", HTML_PARAGRAPH},
    {"h6", HTML_PARAGRAPH},
    {"head", HTML_PARAGRAPH},
    {"header", HTML_PARAGRAPH},
    {"hr", HTML_PARAGRAPH},
    {"html", HTML_PARAGRAPH},
    {"iframe", HTML_RAW},
    {"legend", HTML_LINE},
    {"li", HTML_LINE},
    {"main", HTML_PARAGRAPH},
    {"menu", HTML_PARAGRAPH},
    {"nav", HTML_PARAGRAPH},
    {"noembed", HTML_RAW},
    {"noframes", HTML_RAW},
    {"ol", HTML_PARAGRAPH},
    {"optgroup", HTML_LINE},
    {"option", HTML_LINE},
    {"p", HTML_PARAGRAPH},
    {"pre", HTML_PARAGRAPH},
    {"script", HTML_RAW},
    {"section", HTML_PARAGRAPH},
    {"style", HTML_RAW},
    {"summary", HTML_LINE},
    {"table", HTML_PARAGRAPH},
    {"td", HTML_CELL},
    {"template", HTML_RAW},
    {"textarea", HTML_PARAGRAPH},
    {"th", HTML_CELL},
    {"title", HTML_PARAGRAPH},
    {"tr", HTML_LINE},
    {"ul", HTML_PARAGRAPH},
};

#define NAME_MAX_BYTES 16

static bool is_letter(char byte)
{
	return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

bool html_is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' || byte == '\f';
}

bool html_is_markup_start(char next)
{
	return is_letter(next) || next == '/' || next == '!' || next == '?';
}

void html_scanner_init(struct html_scanner *scanner, const char *bytes, size_t len)
{
	*scanner = (struct html_scanner){.bytes = bytes, .len = len};
}

/* Offset after the first `mark` at or after `from`, or 0. */
static size_t after_mark(const struct html_scanner *scanner, size_t from, const char *mark)
{
	size_t mark_len = strlen(mark);
	const char *found;

	if (from >= scanner->len)
		return 0;
	found = memmem(scanner->bytes + from, scanner->len - from, mark, mark_len);
	return found == NULL ? 0 : (size_t)(found - scanner->bytes) + mark_len;
}

static size_t comment_end(const struct html_scanner *scanner, size_t start)
{
	const char *bytes = scanner->bytes + start;
	size_t left = scanner->len - start;

	/* "<!-->" and "<!--->" are whole comments. */
	if (left >= 5 && bytes[4] == '>')
		return start + 5;
	if (left >= 6 && memcmp(bytes + 4, "->", 2) == 0)
		return start + 6;
	return after_mark(scanner, start + 4, "-->");
}

/* Offset after the quoted value that opens at `at`, or at + 1 when the quote is never closed. */
static size_t skip_quoted(struct html_scanner *scanner, size_t at)
{
	char quote = scanner->bytes[at];
	bool *has_none = &scanner->has_no_quote[quote == '"'];
	const char *found = NULL;

	if (!*has_none && at + 1 < scanner->len)
		found = memchr(scanner->bytes + at + 1, quote, scanner->len - at - 1);
	if (found == NULL) {
		*has_none = true;
		return at + 1;
	}
	return (size_t)(found - scanner->bytes) + 1;
}

/* Offset after the `>` that ends a tag; quotes count after `=` only.  0: never closed. */
static size_t tag_end(struct html_scanner *scanner, size_t at)
{
	bool is_value = false;

	while (at < scanner->len) {
		char byte = scanner->bytes[at];

		if (byte == '>')
			return at + 1;
		if (is_value && (byte == '"' || byte == '\'')) {
			at = skip_quoted(scanner, at);
			is_value = false;
			continue;
		}
		if (!html_is_space(byte))
			is_value = byte == '=';
		at++;
	}
	return 0;
}

static size_t markup_end(struct html_scanner *scanner, size_t start)
{
	const char *bytes = scanner->bytes + start;
	size_t left = scanner->len - start;

	if (left >= 4 && memcmp(bytes, "<!--", 4) == 0)
		return comment_end(scanner, start);
	if (is_letter(bytes[1]) || (left > 2 && bytes[1] == '/' && is_letter(bytes[2])))
		return tag_end(scanner, start + 2);
	return after_mark(scanner, start + 1, ">");
}

static size_t read_name(const struct html_scanner *scanner, size_t at, char name[NAME_MAX_BYTES])
{
	size_t len = 0;

	while (at + len < scanner->len && len < NAME_MAX_BYTES - 1 &&
	       (is_letter(scanner->bytes[at + len]) || is_digit(scanner->bytes[at + len]))) {
		char byte = scanner->bytes[at + len];

		name[len++] = (char)(is_digit(byte) ? byte : byte | 0x20);
	}
	name[len] = '\0';
	return len;
}

static enum html_role role_of(const char *name)
{
	size_t low = 0;
	size_t high = sizeof(elements) / sizeof(elements[0]);

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(name, elements[middle].name);

		if (order == 0)
			return elements[middle].role;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return HTML_INLINE;
}

static bool closes(const struct html_scanner *scanner, size_t at, const char *name)
{
	char found[NAME_MAX_BYTES];

	read_name(scanner, at + 2, found);
	return strcmp(found, name) == 0;
}

/* Offset after `</name ...>`, or the end of the document as browsers have it. */
static size_t raw_end(struct html_scanner *scanner, size_t at, const char *name)
{
	while (at < scanner->len) {
		const char *found = memmem(scanner->bytes + at, scanner->len - at, "</", 2);

		if (found == NULL)
			break;
		at = (size_t)(found - scanner->bytes);
		if (closes(scanner, at, name)) {
			size_t end = tag_end(scanner, at + 2);

			return end == 0 ? scanner->len : end;
		}
		at += 2;
	}
	return scanner->len;
}

static void read_tag(struct html_scanner *scanner, struct html_tag *tag)
{
	char name[NAME_MAX_BYTES];

	tag->is_closing = scanner->bytes[tag->start + 1] == '/';
	read_name(scanner, tag->start + 1 + tag->is_closing, name);
	tag->role = role_of(name);
	tag->is_preformatted = strcmp(name, "pre") == 0 || strcmp(name, "textarea") == 0;
	if (name[0] == 'h' && name[1] >= '1' && name[1] <= '6' && name[2] == '\0')
		tag->heading = (uint8_t)(name[1] - '0');
	if (tag->role == HTML_RAW && !tag->is_closing)
		tag->end = raw_end(scanner, tag->end, name);
}

bool html_next(struct html_scanner *scanner, size_t offset, struct html_tag *tag)
{
	while (!scanner->has_no_more && offset + 1 < scanner->len) {
		const char *found = memchr(scanner->bytes + offset, '<', scanner->len - offset - 1);

		if (found == NULL)
			break;
		offset = (size_t)(found - scanner->bytes);
		if (html_is_markup_start(found[1])) {
			*tag = (struct html_tag){.start = offset};
			tag->end = markup_end(scanner, offset);
			if (tag->end == 0)
				break;
			read_tag(scanner, tag);
			return true;
		}
		offset++;
	}
	scanner->has_no_more = true;
	return false;
}
