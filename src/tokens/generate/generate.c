/* SPDX-License-Identifier: MIT */
/*
 * Build-time program: vocabularies and Unicode classes in, tables out.
 *
 *	generate OUT-DIRECTORY DATA-DIRECTORY
 *
 * Writes OUT/NAME.bin for each encoding, OUT/classes.bin, and
 * OUT/tables_layout.h with where each table stands in them.  It refuses a
 * vocabulary whose SHA-256 is not the published one, and one with a token
 * that merging cannot reach: the encoder takes "the piece is a token" for its
 * encoding, which is wrong for such vocabularies.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "tokens/generate/generate.h"

static const struct {
	const char *name;
	const char *symbol;
	const char *sha256;
} sources[] = {
    {"cl100k_base", "CL100K", "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"},
    {"o200k_base", "O200K", "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"},
};

void fail(const char *what, const char *which)
{
	fprintf(stderr, "generate: %s: %s\n", which, what);
	exit(1);
}

void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size);

	if (memory == NULL)
		fail("out of memory", "allocate");
	return memory;
}

FILE *open_file(const char *directory, const char *name, const char *extension, const char *mode)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s%s", directory, name, extension);
	file = fopen(path, mode);
	if (file == NULL)
		fail("cannot be opened", path);
	return file;
}

void put_section(struct output *output, const char *section, const void *bytes, size_t len)
{
	static const char zeros[64];
	size_t padding = -output->len % 64;

	if (fwrite(zeros, 1, padding, output->file) != padding ||
	    fwrite(bytes, 1, len, output->file) != len)
		fail("cannot be written", output->symbol);
	fprintf(output->layout, "#define %s_%s_AT %zu\n", output->symbol, section,
	    output->len + padding);
	output->len += padding + len;
}

void put_number(struct output *output, const char *name, size_t number)
{
	fprintf(output->layout, "#define %s_%s %zu\n", output->symbol, name, number);
}

int main(int argc, char **argv)
{
	struct output output = {0};

	if (argc != 3)
		fail("OUT-DIRECTORY DATA-DIRECTORY are needed", "usage");
	output.layout = open_file(argv[1], "tables_layout", ".h", "w");
	fprintf(output.layout, "/* Written by src/tokens/generate; do not edit. */\n");
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		struct vocabulary vocabulary;

		output.file = open_file(argv[1], sources[i].name, ".bin", "wb");
		output.symbol = sources[i].symbol;
		output.len = 0;
		vocabulary_read(&vocabulary, argv[2], sources[i].name, sources[i].sha256);
		vocabulary_find_merges(&vocabulary);
		put_vocabulary(&output, &vocabulary);
		if (fclose(output.file) != 0)
			fail("cannot be written", sources[i].name);
		vocabulary_free(&vocabulary);
	}
	output.file = open_file(argv[1], "classes", ".bin", "wb");
	output.symbol = "CLASSES";
	output.len = 0;
	put_classes(&output, argv[2]);
	if (fclose(output.file) != 0 || fclose(output.layout) != 0)
		fail("cannot be written", "classes");
	return 0;
}
