/* SPDX-License-Identifier: MIT */
#include "text/sentence.h"

#include <string.h>

#include <unicode/uchar.h>

#include "text/utf8.h"

static const char *const abbreviations[] = {
#define ABBREVIATION(word) word,
#include "text/abbreviations.def"
#undef ABBREVIATION
};

#define LONGEST 8

/* A line this long without an end of sentence was wrapped, not ended. */
#define WRAPPED_LINE_BYTES 50

static bool is_abbreviation(const char *word, size_t len)
{
	size_t low = 0;
	size_t high = sizeof(abbreviations) / sizeof(abbreviations[0]);

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strncmp(word, abbreviations[middle], len);

		if (order == 0 && abbreviations[middle][len] == '\0')
			return true;
		if (order <= 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static bool is_letter(char byte)
{
	return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
}

/* `stop` is the offset of a full stop in a sentence from `start`. */
static bool is_inner_stop(const char *bytes, size_t start, size_t stop)
{
	size_t word = stop;

	while (word > start && stop - word <= LONGEST && is_letter(bytes[word - 1]))
		word--;
	if (word == stop || stop - word > LONGEST)
		return false;
	if (word > start && (unsigned char)bytes[word - 1] >= 0x80)
		return false;
	/* An initial ("J. Smith"), or the end of "e.g." and "U.S." */
	if (stop - word == 1)
		return bytes[word] != 'I' || (word > start && bytes[word - 1] == '.');
	return is_abbreviation(bytes + word, stop - word);
}

static bool ends_sentence(char byte)
{
	return byte == '.' || byte == '!' || byte == '?' || byte == ':' || byte == ';' ||
	       byte == '"' || byte == '\'' || byte == ')' || byte == ']' ||
	       (unsigned char)byte >= 0x80;
}

/* [start, found) ends with one line end: was the line wrapped there? */
static bool is_wrapped(const char *bytes, size_t len, size_t start, size_t text_end, size_t found)
{
	const char *line;
	size_t line_start = start;
	size_t size;

	if (text_end == start || found == len || ends_sentence(bytes[text_end - 1]))
		return false;
	if (bytes[found] == '\n' || bytes[found] == '\r')
		return false;
	if (u_charType((UChar32)utf8_decode(bytes + found, len - found, &size)) ==
	    U_LOWERCASE_LETTER)
		return true;
	line = memrchr(bytes + start, '\n', text_end - start);
	if (line != NULL)
		line_start = (size_t)(line - bytes) + 1;
	return text_end - line_start >= WRAPPED_LINE_BYTES && is_letter(bytes[found]);
}

static bool begins_with(const char *bytes, size_t len, const char *word)
{
	size_t word_len = strlen(word);

	return len >= word_len && memcmp(bytes, word, word_len) == 0;
}

/* Japanese: who said what stands in quotes, stops included, follows with a particle. */
static bool is_quoted(const char *bytes, size_t len, size_t start, size_t found)
{
	static const char *const closing[] = {"\u300d", "\u300f"};         /* corner brackets */
	static const char *const particles[] = {"\u3068", "\u3063\u3066"}; /* to, tte */
	bool is_closed = false, is_said = false;

	for (size_t i = 0; i < 2; i++) {
		is_closed |= found - start >= 3 && begins_with(bytes + found - 3, 3, closing[i]);
		is_said |= begins_with(bytes + found, len - found, particles[i]);
	}
	return is_closed && is_said;
}

bool sentence_goes_on(const char *bytes, size_t len, size_t start, size_t found)
{
	size_t end = found;
	size_t newlines = 0;

	while (end > start && (bytes[end - 1] == ' ' || bytes[end - 1] == '\n' ||
				  bytes[end - 1] == '\r' || bytes[end - 1] == '\t'))
		newlines += bytes[--end] == '\n';
	if (newlines > 1 || end == start)
		return false;
	if (end == found && is_quoted(bytes, len, start, found))
		return true;
	if (end < found && bytes[end - 1] == '.' && is_inner_stop(bytes, start, end - 1))
		return true;
	return newlines == 1 && is_wrapped(bytes, len, start, end, found);
}

size_t sentence_without_opening(const char *bytes, size_t start, size_t found)
{
	size_t end = found;

	while (end > start) {
		size_t last = utf8_floor(bytes, end, end - 1);
		size_t size;
		uint32_t code = utf8_decode(bytes + last, end - last, &size);

		if (code < 0x80 || u_charType((UChar32)code) != U_START_PUNCTUATION)
			break;
		end = last;
	}
	return end;
}

/* Thai letters and signs are U+0E01 to U+0E4E: E0 B8 81 to E0 B9 8E. */
static bool is_thai(const char *bytes)
{
	return bytes[0] == '\xe0' && (bytes[1] == '\xb8' || bytes[1] == '\xb9');
}

size_t sentence_thai_clause(const char *bytes, size_t start, size_t end)
{
	size_t at = start;

	if (end - start < 7)
		return 0;
	while (at + 7 <= end) {
		const char *lead = memchr(bytes + at, '\xe0', end - at - 6);

		if (lead == NULL)
			return 0;
		at = (size_t)(lead - bytes);
		if (is_thai(lead) && lead[3] == ' ' && is_thai(lead + 4))
			return at + 4;
		at++;
	}
	return 0;
}

size_t sentence_forced_end(const char *bytes, size_t start, size_t end)
{
	const char *blank = memrchr(bytes + start, ' ', end - start);

	return blank == NULL || blank == bytes + start ? end : (size_t)(blank - bytes) + 1;
}
