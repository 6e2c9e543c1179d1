/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "wire/json_text.h"
#include "wire/utf8.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* How many bytes from the start go into a string as they are, whatever is beyond ASCII. */
static size_t verbatim_run(const char *text, size_t len)
{
	size_t run = 0;

#if defined(__SSE2__)
	for (; len - run >= 16; run += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + run));
		__m128i is_control =
		    _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
		__m128i special =
		    _mm_or_si128(is_control, _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
						 _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
		unsigned bits = (unsigned)_mm_movemask_epi8(special);

		if (bits != 0)
			return run + (size_t)__builtin_ctz(bits);
	}
#endif
	while (
	    run < len && (unsigned char)text[run] >= ' ' && text[run] != '"' && text[run] != '\\')
		run++;
	return run;
}

static size_t escape(char out[6], char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char letters[128] = {['"'] = '"',
	    ['\\'] = '\\',
	    ['\b'] = 'b',
	    ['\f'] = 'f',
	    ['\n'] = 'n',
	    ['\r'] = 'r',
	    ['\t'] = 't'};

	out[0] = '\\';
	out[1] = letters[(unsigned char)c & 0x7f];
	if (out[1] != '\0')
		return 2;
	memcpy(out + 1, "u00", 3);
	out[4] = hex[(unsigned char)c >> 4];
	out[5] = hex[(unsigned char)c & 0xf];
	return 6;
}

void json_text_append(struct buffer *out, const char *bytes, size_t len)
{
	char escaped[6];

	while (len > 0) {
		size_t run = verbatim_run(bytes, len);

		buffer_append(out, bytes, run);
		if (run == len)
			break;
		buffer_append(out, escaped, escape(escaped, bytes[run]));
		bytes += run + 1;
		len -= run + 1;
	}
}

size_t json_text_bytes(const char *bytes, size_t len)
{
	char escaped[6];
	size_t total = 0;

	while (len > 0) {
		size_t run = verbatim_run(bytes, len);

		total += run;
		if (run == len)
			break;
		total += escape(escaped, bytes[run]);
		bytes += run + 1;
		len -= run + 1;
	}
	return total;
}

static size_t ascii_run(const char *text, size_t len)
{
	size_t run = 0;

	while (run < len && (signed char)text[run] >= 0)
		run++;
	return run;
}

void json_text_append_repaired(struct buffer *out, const char *bytes, size_t len)
{
	while (len > 0) {
		size_t good = ascii_run(bytes, len);

		if (good == 0)
			good = utf8_char_len(bytes, len);
		if (good == 0)
			buffer_append_text(out, "\xef\xbf\xbd");
		else
			json_text_append(out, bytes, good);
		bytes += good == 0 ? 1 : good;
		len -= good == 0 ? 1 : good;
	}
}
