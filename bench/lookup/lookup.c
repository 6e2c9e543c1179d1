/* SPDX-License-Identifier: MIT */
/*
 * What a hit costs: 20,000 texts of 400 bytes are fetched from the stand-in
 * once, then asked for again by embed_lookup (one at a time, as the gateway
 * does) and by embed_texts (2,048 at a time, as the command line does).
 * CPU time of this process, microseconds a text.
 */
#include "base/test.h"

#include <time.h>

#include "base/random.h"
#include "stand_in.h"

#define TEXTS      20000
#define TEXT_BYTES 400
#define CALL       2048
#define DIMENSIONS 1536

static double cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static struct embed_text *make_texts(void)
{
	struct embed_text *texts = calloc(TEXTS, sizeof(*texts));
	struct random random = {1};

	for (size_t i = 0; i < TEXTS; i++) {
		char *bytes = malloc(TEXT_BYTES + 16);
		size_t len = 0;

		while (len < TEXT_BYTES)
			len += (size_t)sprintf(
			    bytes + len, "w%llx ", (unsigned long long)random_below(&random, 5000));
		texts[i] = (struct embed_text){.bytes = bytes, .len = len};
	}
	return texts;
}

static void embed_all(embed_service *service, const struct embed_text *texts)
{
	embed_result *result;

	for (size_t i = 0; i < TEXTS; i += CALL) {
		if (embed_texts(service, texts + i, TEXTS - i < CALL ? TEXTS - i : CALL, NULL,
			&result, NULL) != EMBED_OK ||
		    embed_result_totals(result)->failed > 0)
			exit(1);
		embed_result_destroy(result);
	}
}

static void lookup_all(embed_service *service, const struct embed_text *texts)
{
	struct embed_answer answer;
	float vector[DIMENSIONS];

	for (size_t i = 0; i < TEXTS; i++)
		if (embed_lookup(service, &texts[i], NULL, vector, DIMENSIONS, &answer) != EMBED_OK)
			exit(1);
}

int main(void)
{
	struct stand_in *stand_in = stand_in_start(NULL);
	struct embed_options options = EMBED_OPTIONS_INIT;
	struct embed_text *texts = make_texts();
	char *home = home_create();
	embed_service *service;
	double start;

	options.home = home;
	options.base_url = stand_in_base_url(stand_in);
	if (embed_open(&service, &options, NULL) != EMBED_OK)
		return 1;
	embed_all(service, texts);
	embed_close(service);
	if (embed_open(&service, &options, NULL) != EMBED_OK)
		return 1;
	lookup_all(service, texts);
	start = cpu_us();
	lookup_all(service, texts);
	printf("embed_lookup, one text   %.2f us\n", (cpu_us() - start) / TEXTS);
	start = cpu_us();
	embed_all(service, texts);
	printf("embed_texts, %d a call %.2f us a text\n", CALL, (cpu_us() - start) / TEXTS);
	embed_close(service);
	home_destroy(home);
	stand_in_stop(stand_in);
	return 0;
}
