/* SPDX-License-Identifier: MIT */
/* For tests: texts that have all that cutting can trip over. */
#ifndef TOKENS_SPLIT_TEXTS_H
#define TOKENS_SPLIT_TEXTS_H

#include <string.h>

#include "base/random.h"
#include "tokens/split.h"

#define TEXT_BYTES 400

/* What the patterns tell apart, and what blocks trip over; chosen by chance, often in runs. */
static const char *const parts[] = {" ", " ", "  ", "\t", "\n", "\r\n", "\n\n", "a", "b", "Z", "Q",
    "1", "22", "7", ".", ",", "!", "/", "//", "'", "'s", "'S", "'t", "'ll", "'lL", "'re", "'ve",
    "'m", "'d", "'l", "'r", "\"", "-", "\x01", "word", "Word", "WORD", "camelCase", "\xC3\xA9",
    "\xC5\xBF", "'\xC5\xBF", "\xE6\x97\xA5", "\xE3\x80\x80", "\xC2\xA0", "\xCC\x81",
    "\xF0\x9F\x98\x80", "\xEF\xBC\x91", "\x80", "\xE2\x82", "        ", "\n    ", " \n", "======",
    /* Scripts without case, with it, and with marks; their punctuation, digits and blanks. */
    "\xE4\xB8\xAD\xE6\x96\x87", "\xE3\x80\x82", "\xE3\x81\xAE\xE3\x83\xBC", "\xEF\xBC\x8C",
    "\xED\x95\x9C\xEA\xB5\xAD", "\xD0\xBF\xD1\x80\xD0\xB8", "\xD0\x9F", "\xCE\x91\xCE\xB2",
    "\xE0\xA4\xB9\xE0\xA4\xBF", "\xE0\xB8\x81\xE0\xB8\xB1", "\xD7\xA9\xD7\x9C", "\xD8\xA7\xD9\x84",
    "\xD9\xA1\xD9\xA2", "\xC7\x85", "\xCA\xB0", "\xC3\x89", "\xC3\xA8", "\xE2\x80\x94",
    "\xE2\x80\x99", "\xF0\xA0\x80\x80", "\xF0\x9D\x90\x80", "\xED\xA0\x80", "\xCC\x81\xCC\x82"};

#define PALETTE 6

/* Mostly of a few parts, so that blocks run to their end and pieces grow long; any in between. */
static size_t random_text(struct random *random, char *text)
{
	const size_t count = sizeof(parts) / sizeof(parts[0]);
	size_t len = 0, wanted = random_below(random, TEXT_BYTES - 16);
	size_t strange = 2 + random_below(random, 60);
	const char *palette[PALETTE];

	for (size_t i = 0; i < PALETTE; i++)
		palette[i] = parts[random_below(random, count)];
	while (len < wanted) {
		const char *part = random_below(random, strange) == 0
				       ? parts[random_below(random, count)]
				       : palette[random_below(random, PALETTE)];

		memcpy(text + len, part, strlen(part));
		len += strlen(part);
		/* Stretches of plain words let blocks run to their end. */
		if (random_below(random, 3 * strange) < 3 && len < wanted)
			text[len++] = (char)('a' + random_below(random, 26));
		if (random_below(random, 8 * strange) == 0 && len < wanted)
			text[len++] = (char)random_below(random, 256);
	}
	return len;
}

#endif
