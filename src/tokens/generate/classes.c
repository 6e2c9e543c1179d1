/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "tokens/generate/generate.h"
#include "tokens/tables.h"

static const struct {
	const char *name;
	uint8_t bits;
} classes[] = {
    {"N", CLASS_NUMBER},
    {"S", CLASS_BLANK},
    {"Lu", CLASS_LETTER | CLASS_UPPER},
    {"Lt", CLASS_LETTER | CLASS_UPPER},
    {"Ll", CLASS_LETTER | CLASS_LOWER},
    {"Lm", CLASS_LETTER | CLASS_UPPER | CLASS_LOWER},
    {"Lo", CLASS_LETTER | CLASS_UPPER | CLASS_LOWER},
    {"M", CLASS_UPPER | CLASS_LOWER},
};

static uint8_t bits_of(const char *name)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strcmp(classes[i].name, name) == 0)
			return classes[i].bits;
	fail("unknown class", name);
}

static uint8_t *read_classes(const char *directory)
{
	FILE *file = open_file(directory, "unicode-16.0", ".txt", "r");
	uint8_t *bits = allocate(0x110000, 1);
	unsigned int first, last;
	char line[256], name[8];

	while (fgets(line, sizeof(line), file) != NULL) {
		if (line[0] == '#')
			continue;
		if (sscanf(line, "%7s %x-%x", name, &first, &last) != 3 || first > last ||
		    last > 0x10FFFF)
			fail("a line is not CLASS FIRST-LAST", "unicode-16.0.txt");
		for (unsigned int c = first; c <= last; c++)
			bits[c] |= bits_of(name);
	}
	fclose(file);
	bits['\r'] |= CLASS_NEWLINE;
	bits['\n'] |= CLASS_NEWLINE;
	return bits;
}

void put_classes(struct output *output, const char *directory)
{
	uint8_t *bits = read_classes(directory);
	uint8_t *distinct = allocate(256, 256);
	uint8_t index[TABLES_CLASS_BLOCKS];
	uint32_t count = 0;

	for (uint32_t block = 0; block < TABLES_CLASS_BLOCKS; block++) {
		uint32_t same = 0;

		while (same < count && memcmp(distinct + same * 256, bits + block * 256, 256) != 0)
			same++;
		if (same == 256)
			fail("more than 256 distinct blocks", "unicode-16.0.txt");
		memcpy(distinct + same * 256, bits + block * 256, 256);
		count = same == count ? count + 1 : count;
		index[block] = (uint8_t)same;
	}
	put_section(output, "INDEX", index, sizeof(index));
	put_section(output, "BLOCKS", distinct, count * 256);
	free(distinct);
	free(bits);
}
