/* SPDX-License-Identifier: MIT */
/*
 * chunk_bench STRATEGY UNIT SIZE OVERLAP CORPUS [RUNS] [uncounted]: cuts the corpus as
 * documents of at most 64 KiB (ended after a newline, as peers.mjs does) and
 * prints one JSON line: MB/s of CPU time (median of RUNS; it holds on a busy machine), chunks, how many are above the
 * limit by a fresh count.
 * chunk_bench clean PRESET CORPUS [RUNS]: the same for cleaning.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <embed.h>

#define DOCUMENT_BYTES 65536
#define MAX_RUNS       101

struct slice {
	const char *bytes;
	size_t len;
};

struct bench {
	struct slice *documents;
	size_t count;
	size_t bytes;
	struct embed_chunk_options options;
	uint32_t clean_flags;
	bool is_clean;
	size_t chunks, over_limit, largest;
};

static void die(const char *what)
{
	fprintf(stderr, "chunk_bench: %s\n", what);
	exit(1);
}

static char *read_all(const char *path, size_t *len)
{
	FILE *file = fopen(path, "rb");
	char *bytes;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0)
		die(path);
	*len = (size_t)ftell(file);
	rewind(file);
	bytes = malloc(*len + 1);
	if (bytes == NULL || fread(bytes, 1, *len, file) != *len)
		die(path);
	fclose(file);
	return bytes;
}

/* Where the document that starts at `start` ends. */
static size_t document_end(const char *bytes, size_t len, size_t start)
{
	size_t end = start + DOCUMENT_BYTES;
	const char *newline;

	if (end >= len)
		return len;
	newline = memrchr(bytes + start, '\n', DOCUMENT_BYTES);
	if (newline != NULL)
		return (size_t)(newline - bytes) + 1;
	while (end > start && ((unsigned char)bytes[end] & 0xc0) == 0x80)
		end--;
	return end;
}

static void split(struct bench *bench, const char *path)
{
	char *bytes = read_all(path, &bench->bytes);

	bench->documents = calloc(bench->bytes / 1024 + 2, sizeof(*bench->documents));
	if (bench->documents == NULL)
		die("out of memory");
	for (size_t at = 0; at < bench->bytes;) {
		size_t end = document_end(bytes, bench->bytes, at);

		bench->documents[bench->count++] = (struct slice){bytes + at, end - at};
		at = end;
	}
}

static void cut(struct bench *bench, const struct slice *document)
{
	embed_chunks *chunks;

	if (embed_chunk(document->bytes, document->len, &bench->options, &chunks, NULL) != EMBED_OK)
		die("chunking failed");
	bench->chunks += embed_chunks_count(chunks);
	embed_chunks_destroy(chunks);
}

static void clean(const struct bench *bench, const struct slice *document)
{
	embed_cleaned *cleaned;

	if (embed_clean(document->bytes, document->len, bench->clean_flags, &cleaned, NULL) !=
	    EMBED_OK)
		die("cleaning failed");
	embed_cleaned_destroy(cleaned);
}

static double pass(struct bench *bench)
{
	struct timespec start, end;

	bench->chunks = 0;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	for (size_t i = 0; i < bench->count; i++) {
		if (bench->is_clean)
			clean(bench, &bench->documents[i]);
		else
			cut(bench, &bench->documents[i]);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
}

static size_t fresh_size(const char *bytes, size_t len, enum embed_chunk_unit unit)
{
	size_t tokens = len;

	if (unit == EMBED_UNIT_TOKENS && embed_count_tokens(NULL, bytes, len, &tokens) != EMBED_OK)
		die("counting failed");
	if (unit == EMBED_UNIT_CHARS)
		for (size_t i = tokens = 0; i < len; i++)
			tokens += ((unsigned char)bytes[i] & 0xc0) != 0x80;
	return tokens;
}

static void check(struct bench *bench)
{
	for (size_t i = 0; i < bench->count && !bench->is_clean; i++) {
		const struct slice *document = &bench->documents[i];
		embed_chunks *chunks;

		if (embed_chunk(document->bytes, document->len, &bench->options, &chunks, NULL) !=
		    EMBED_OK)
			die("chunking failed");
		for (size_t j = 0; j < embed_chunks_count(chunks); j++) {
			const struct embed_chunk *chunk = embed_chunks_at(chunks, j);
			size_t size = fresh_size(document->bytes + chunk->start,
			    chunk->end - chunk->start, bench->options.unit);

			bench->over_limit += size > bench->options.max;
			bench->largest = size > bench->largest ? size : bench->largest;
		}
		embed_chunks_destroy(chunks);
	}
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static int choice(const char *word, const char *const *words)
{
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(word, words[i]) == 0)
			return i;
	die(word);
	return 0;
}

static int read_arguments(struct bench *bench, int argc, char **argv)
{
	static const char *const strategies[] = {"fixed", "tokens", "sentences", "paragraphs",
	    "recursive", "markdown", "code", "html", NULL};
	static const char *const units[] = {"tokens", "chars", "bytes", NULL};
	static const char *const presets[] = {"none", "light", "strong", NULL};
	static const uint32_t flags[] = {EMBED_CLEAN_NONE, EMBED_CLEAN_LIGHT, EMBED_CLEAN_STRONG};

	if (argc > 3 && strcmp(argv[1], "clean") == 0) {
		bench->is_clean = true;
		bench->clean_flags = flags[choice(argv[2], presets)];
		return 3;
	}
	if (argc < 6)
		die("usage: chunk_bench STRATEGY UNIT SIZE OVERLAP CORPUS [RUNS] [uncounted]");
	bench->options.strategy = (enum embed_chunk_strategy)choice(argv[1], strategies);
	bench->options.unit = (enum embed_chunk_unit)choice(argv[2], units);
	bench->options.max = strtoul(argv[3], NULL, 10);
	bench->options.overlap = strtoul(argv[4], NULL, 10);
	bench->options.uncounted = argc > 7 && strcmp(argv[7], "uncounted") == 0;
	return 5;
}

int main(int argc, char **argv)
{
	struct bench bench = {.options = EMBED_CHUNK_OPTIONS_INIT};
	int corpus = read_arguments(&bench, argc, argv);
	int runs = argc > corpus + 1 ? atoi(argv[corpus + 1]) : 5;
	double seconds[MAX_RUNS], first;

	if (runs < 1 || runs > MAX_RUNS)
		die("RUNS is 1 to 101");
	split(&bench, argv[corpus]);
	first = pass(&bench);
	for (int i = 0; i < runs; i++)
		seconds[i] = pass(&bench);
	qsort(seconds, (size_t)runs, sizeof(double), compare);
	check(&bench);
	printf(
	    "{\"peer\":\"embed %s %s %s/%s%s\",\"corpus\":\"%s\",\"bytes\":%zu,\"docs\":%zu,\"chunks\":%zu,"
	    "\"mbps\":%.2f,\"first_pass_mbps\":%.2f,\"over_limit\":%zu,\"max\":%zu}\n",
	    argv[1], argv[2], bench.is_clean ? "" : argv[3], bench.is_clean ? "" : argv[4],
	    bench.options.uncounted ? " uncounted" : "", strrchr(argv[corpus], '/') + 1,
	    bench.bytes, bench.count, bench.chunks, (double)bench.bytes / 1e6 / seconds[runs / 2],
	    (double)bench.bytes / 1e6 / first, bench.over_limit, bench.largest);
	return 0;
}
