/* SPDX-License-Identifier: MIT */
/*
 * Times the tokenizer on one file, one JSON line on stdout.
 *
 *	bench_tokens ENCODING MODE RUNS FILE
 *
 * MODE: encode, count, threads (encode on two threads), ids (SHA-256 of all
 * ids as little-endian 32-bit numbers, not timed), or growing: how long 1 KB,
 * 2 KB, ... 64 MB of the file, repeated where it is shorter, take an encoder
 * that has seen much, but nothing of this.  The file is cut into
 * documents of at most 65,536 bytes, after their last newline where they have
 * one, as the peers get it; with MODE whole it is one document.  "first" is
 * the median pass of encoders that have seen nothing, "again" that of passes
 * over the same text after it.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/random.h"
#include "tokens/tokens.h"

#define DOCUMENT_BYTES 65536
#define RUNS_MAX       99

struct document {
	const char *bytes;
	size_t len;
};

struct corpus {
	char *bytes;
	size_t len;
	struct document *documents;
	size_t count;
};

static void fail(const char *what)
{
	fprintf(stderr, "bench_tokens: %s\n", what);
	exit(2);
}

static size_t document_end(const struct corpus *corpus, size_t start)
{
	size_t end = start + DOCUMENT_BYTES;
	const char *newline;

	if (end >= corpus->len)
		return corpus->len;
	newline = memrchr(corpus->bytes + start, '\n', DOCUMENT_BYTES);
	if (newline != NULL)
		return (size_t)(newline - corpus->bytes) + 1;
	while (end > start && (corpus->bytes[end] & 0xC0) == 0x80)
		end--;
	return end;
}

static void read_corpus(struct corpus *corpus, const char *path, bool is_whole)
{
	FILE *file = fopen(path, "rb");
	long len;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (len = ftell(file)) < 0)
		fail("cannot open the file");
	rewind(file);
	*corpus = (struct corpus){.len = (size_t)len, .bytes = malloc((size_t)len + 1)};
	if (corpus->bytes == NULL || fread(corpus->bytes, 1, corpus->len, file) != corpus->len)
		fail("cannot read the file");
	fclose(file);
	corpus->documents = malloc((corpus->len / 1000 + 2) * sizeof(*corpus->documents));
	if (corpus->documents == NULL)
		fail("out of memory");
	for (size_t at = 0; at < corpus->len;) {
		size_t end = is_whole ? corpus->len : document_end(corpus, at);

		if (corpus->count > corpus->len / 1000)
			fail("lines are too long for documents of 65,536 bytes");
		corpus->documents[corpus->count++] =
		    (struct document){corpus->bytes + at, end - at};
		at = end;
	}
}

struct pass {
	const struct corpus *corpus;
	struct tokens_encoder *encoder;
	bool counts_only;
	struct buffer ids;
	size_t tokens;
	EVP_MD_CTX *digest; /* NULL: not wanted */
};

static void run_pass(struct pass *pass)
{
	pass->tokens = 0;
	for (size_t i = 0; i < pass->corpus->count; i++) {
		const struct document *document = &pass->corpus->documents[i];
		size_t tokens;
		enum embed_status status;

		buffer_reset(&pass->ids);
		if (pass->counts_only)
			status =
			    tokens_count(pass->encoder, document->bytes, document->len, &tokens);
		else
			status = tokens_encode(
			    pass->encoder, document->bytes, document->len, &pass->ids);
		if (status != EMBED_OK)
			fail(embed_status_code(status));
		pass->tokens += pass->counts_only ? tokens : pass->ids.len / sizeof(uint32_t);
		if (pass->digest != NULL)
			EVP_DigestUpdate(pass->digest, pass->ids.bytes, pass->ids.len);
	}
}

static void pass_init(struct pass *pass, const struct corpus *corpus,
    const struct tokens_encoding *encoding, bool counts_only)
{
	*pass = (struct pass){.corpus = corpus, .counts_only = counts_only};
	pass->encoder = tokens_encoder_create(encoding);
	if (pass->encoder == NULL)
		fail("out of memory");
	buffer_init(&pass->ids, SIZE_MAX / 2);
}

static void pass_fini(struct pass *pass)
{
	tokens_encoder_destroy(pass->encoder);
	buffer_fini(&pass->ids);
}

static int by_value(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

static double median_mbps(int64_t *times_ns, int runs, size_t bytes)
{
	qsort(times_ns, (size_t)runs, sizeof(*times_ns), by_value);
	return (double)bytes * 1000 / (double)times_ns[runs / 2];
}

/* Time that this thread had a processor: other work on the machine counts less. */
static int64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t timed_pass(struct pass *pass)
{
	int64_t start_ns = cpu_ns();

	run_pass(pass);
	return cpu_ns() - start_ns;
}

static void time_alone(
    const struct corpus *corpus, const struct tokens_encoding *encoding, const char *mode, int runs)
{
	int64_t first_ns[RUNS_MAX], again_ns[RUNS_MAX];
	size_t tokens = 0;

	for (int run = 0; run < runs; run++) {
		struct pass pass;

		pass_init(&pass, corpus, encoding, strcmp(mode, "count") == 0);
		first_ns[run] = timed_pass(&pass);
		again_ns[run] = timed_pass(&pass);
		tokens = pass.tokens;
		pass_fini(&pass);
	}
	printf("\"tokens\":%zu,\"first_mbps\":%.2f,\"again_mbps\":%.2f", tokens,
	    median_mbps(first_ns, runs, corpus->len), median_mbps(again_ns, runs, corpus->len));
}

/* The time goes where the thread's result is looked for. */
struct thread_pass {
	struct pass pass;
	int64_t took_ns;
};

static void *run_thread(void *context)
{
	struct thread_pass *thread = context;

	thread->took_ns = timed_pass(&thread->pass);
	return NULL;
}

/* Each thread encodes the whole corpus: twice the bytes, in the time of the slower one. */
static void time_two_threads(
    const struct corpus *corpus, const struct tokens_encoding *encoding, int runs)
{
	int64_t alone_ns[RUNS_MAX], both_ns[RUNS_MAX];
	struct thread_pass both[2];
	pthread_t threads[2];

	for (int i = 0; i < 2; i++) {
		pass_init(&both[i].pass, corpus, encoding, false);
		run_pass(&both[i].pass);
	}
	for (int run = 0; run < runs; run++) {
		alone_ns[run] = timed_pass(&both[0].pass);
		for (int i = 0; i < 2; i++)
			if (pthread_create(&threads[i], NULL, run_thread, &both[i]) != 0)
				fail("no thread");
		for (int i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
		both_ns[run] =
		    both[0].took_ns > both[1].took_ns ? both[0].took_ns : both[1].took_ns;
	}
	printf("\"one_mbps\":%.2f,\"two_mbps\":%.2f", median_mbps(alone_ns, runs, corpus->len),
	    median_mbps(both_ns, runs, 2 * corpus->len));
	for (int i = 0; i < 2; i++)
		pass_fini(&both[i].pass);
}

static void digest_ids(const struct corpus *corpus, const struct tokens_encoding *encoding)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len;
	struct pass pass;

	pass_init(&pass, corpus, encoding, false);
	pass.digest = EVP_MD_CTX_new();
	if (pass.digest == NULL || !EVP_DigestInit_ex(pass.digest, EVP_sha256(), NULL))
		fail("no SHA-256");
	run_pass(&pass);
	EVP_DigestFinal_ex(pass.digest, digest, &len);
	printf("\"tokens\":%zu,\"sha256_ids\":\"", pass.tokens);
	for (unsigned int i = 0; i < len; i++)
		printf("%02x", digest[i]);
	printf("\"");
	EVP_MD_CTX_free(pass.digest);
	pass_fini(&pass);
}

/* ---- Growing ---------------------------------------------------------- */

#define FILLER_BYTES  (1u << 20)
#define PARTS_MAX     15
#define GROWING_BYTES (64u << 20)

/* Words that are in no text, enough to touch all memory of an encoder. */
static char *make_filler(void)
{
	struct random random = {7};
	char *filler = malloc(FILLER_BYTES);

	if (filler == NULL)
		fail("out of memory");
	for (size_t i = 0; i < FILLER_BYTES; i++)
		filler[i] = i % 9 == 0 ? ' ' : (char)('a' + random_below(&random, 26));
	return filler;
}

/* Time that an encoder needs which has seen the filler and nothing of the text; the ids' memory is not its cost. */
static int64_t text_ns(const struct tokens_encoding *encoding, const char *filler, const char *text,
    size_t bytes, struct buffer *ids)
{
	struct tokens_encoder *encoder = tokens_encoder_create(encoding);
	int64_t start_ns;
	size_t tokens;

	buffer_reset(ids);
	if (tokens_count(encoder, filler, FILLER_BYTES, &tokens) != EMBED_OK ||
	    tokens_encode(encoder, filler, FILLER_BYTES, ids) != EMBED_OK)
		fail("cannot encode");
	buffer_reset(ids);
	if (buffer_reserve(ids, 4 * bytes) == NULL)
		fail("out of memory");
	memset(ids->bytes, 0, 4 * bytes);
	start_ns = cpu_ns();
	if (tokens_encode(encoder, text, bytes, ids) != EMBED_OK)
		fail("cannot encode");
	start_ns = cpu_ns() - start_ns;
	tokens_encoder_destroy(encoder);
	return start_ns;
}

/* Median over parts of the file with `bytes` bytes, or over runs of the file repeated. */
static double part_ns(const struct corpus *corpus, const struct tokens_encoding *encoding,
    const char *filler, const char *text, size_t bytes)
{
	size_t parts = corpus->len / bytes, runs = bytes > 4u << 20 ? 3 : PARTS_MAX;
	int64_t times_ns[PARTS_MAX];
	struct buffer ids;

	buffer_init(&ids, SIZE_MAX / 2);
	for (size_t run = 0; run < runs; run++)
		times_ns[run] = text_ns(
		    encoding, filler, text + (parts < 2 ? 0 : run % parts * bytes), bytes, &ids);
	buffer_fini(&ids);
	qsort(times_ns, runs, sizeof(*times_ns), by_value);
	return (double)times_ns[runs / 2];
}

static void time_growing(const struct corpus *corpus, const struct tokens_encoding *encoding)
{
	char *text = malloc(GROWING_BYTES), *filler = make_filler();

	if (text == NULL || corpus->len == 0)
		fail("out of memory");
	for (size_t at = 0; at < GROWING_BYTES; at++)
		text[at] = corpus->bytes[at % corpus->len];
	printf("\"ns\":{");
	for (size_t bytes = 1024; bytes <= GROWING_BYTES; bytes *= 2)
		printf("%s\"%zu\":%.0f", bytes == 1024 ? "" : ",", bytes,
		    part_ns(corpus, encoding, filler, text, bytes));
	printf("}");
	free(text);
	free(filler);
}

int main(int argc, char **argv)
{
	const struct tokens_encoding *encoding = argc == 5 ? tokens_encoding_find(argv[1]) : NULL;
	int runs = argc == 5 ? atoi(argv[3]) : 0;
	struct corpus corpus;

	if (encoding == NULL || runs < 1 || runs > RUNS_MAX)
		fail("ENCODING encode|count|whole|growing|threads|ids RUNS(1-99) FILE are needed");
	read_corpus(
	    &corpus, argv[4], strcmp(argv[2], "whole") == 0 || strcmp(argv[2], "growing") == 0);
	printf("{\"encoding\":\"%s\",\"mode\":\"%s\",\"bytes\":%zu,", argv[1], argv[2], corpus.len);
	if (strcmp(argv[2], "threads") == 0)
		time_two_threads(&corpus, encoding, runs);
	else if (strcmp(argv[2], "ids") == 0)
		digest_ids(&corpus, encoding);
	else if (strcmp(argv[2], "growing") == 0)
		time_growing(&corpus, encoding);
	else
		time_alone(&corpus, encoding, argv[2], runs);
	printf("}\n");
	free(corpus.documents);
	free(corpus.bytes);
	return 0;
}
