/* SPDX-License-Identifier: MIT */
/*
 * Nearest: which of the other texts is nearest in meaning to the first one?
 *
 *	cc nearest.c $(pkg-config --cflags --libs embed) -lm -o nearest
 *	./nearest "a small dog" "a puppy" "a cathedral" "a little hound"
 *
 * Reads OPENAI_API_KEY and OPENAI_BASE_URL itself: the library reads no
 * environment.  Vectors are kept below ./vectors, so the second run costs nothing.
 */
#include <embed.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double cosine(const float *a, const float *b, uint32_t dimensions)
{
	double dot = 0, aa = 0, bb = 0;

	for (uint32_t i = 0; i < dimensions; i++) {
		dot += (double)a[i] * b[i];
		aa += (double)a[i] * a[i];
		bb += (double)b[i] * b[i];
	}
	return dot / sqrt(aa * bb);
}

static int print(const embed_result *result, char **texts)
{
	const struct embed_result_totals *totals = embed_result_totals(result);
	uint32_t dimensions;
	const float *first = embed_result_vector(result, 0, &dimensions);

	for (size_t i = 0; i < embed_result_count(result); i++) {
		const struct embed_answer *answer = embed_result_answer(result, i);

		if (answer->status != EMBED_OK)
			printf("%s: %s\n", texts[i], answer->error->message);
		else if (i > 0 && first != NULL)
			printf("%.3f  %s\n", cosine(first, answer->vector, dimensions), texts[i]);
	}
	fprintf(stderr, "%llu of %llu texts from the store, %llu nano-dollars\n",
	    (unsigned long long)totals->hits, (unsigned long long)totals->texts,
	    (unsigned long long)totals->cost_nano);
	return totals->failed == 0 ? 0 : 1;
}

static int run(embed_service *service, char **words, size_t count)
{
	struct embed_text *texts = calloc(count, sizeof(*texts));
	struct embed_error error;
	embed_result *result;
	int status = 1;

	if (texts == NULL)
		return 1;
	for (size_t i = 0; i < count; i++)
		texts[i] = (struct embed_text){.bytes = words[i], .len = strlen(words[i])};
	if (embed_texts(service, texts, count, NULL, &result, &error) == EMBED_OK) {
		status = print(result, words);
		embed_result_destroy(result);
	} else {
		fprintf(stderr, "nearest: %s\n", error.message);
	}
	free(texts);
	return status;
}

int main(int argc, char **argv)
{
	struct embed_options options = EMBED_OPTIONS_INIT;
	struct embed_error error;
	embed_service *service;
	int status;

	if (argc < 3) {
		fprintf(stderr, "usage: nearest TEXT OTHER...\n");
		return 2;
	}
	options.home = "vectors";
	options.api_key = getenv("OPENAI_API_KEY");
	options.base_url = getenv("OPENAI_BASE_URL");
	if (embed_open(&service, &options, &error) != EMBED_OK) {
		fprintf(stderr, "nearest: %s\n", error.message);
		return 2;
	}
	status = run(service, argv + 1, (size_t)argc - 1);
	embed_close(service);
	return status;
}
