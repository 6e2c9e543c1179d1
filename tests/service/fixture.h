/* SPDX-License-Identifier: MIT */
/* Fixture: a service with a home of its own, in front of a stand-in in this process. */
#ifndef SERVICE_FIXTURE_H
#define SERVICE_FIXTURE_H

#include "base/test.h"

#include <math.h>

#include "stand_in.h"

struct fixture {
	struct stand_in *stand_in;
	char *home;
	embed_service *service;
};

static inline void open_service(struct fixture *fixture, const struct embed_options *like)
{
	struct embed_options options = EMBED_OPTIONS_INIT;
	struct embed_error error = {0};

	if (like != NULL)
		options = *like;
	options.home = fixture->home;
	options.base_url = stand_in_base_url(fixture->stand_in);
	if (embed_open(&fixture->service, &options, &error) != EMBED_OK)
		fail_msg("%s", error.message);
}

static inline int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->stand_in = stand_in_start(NULL);
	fixture->home = home_create();
	open_service(fixture, NULL);
	*state = fixture;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *fixture = *state;

	embed_close(fixture->service);
	home_destroy(fixture->home);
	stand_in_stop(fixture->stand_in);
	free(fixture);
	return 0;
}

static inline struct embed_text text_of(const char *bytes)
{
	return (struct embed_text){.bytes = bytes, .len = strlen(bytes)};
}

static inline embed_result *embed(struct fixture *fixture, const struct embed_text *texts,
    size_t count, const struct embed_request *request)
{
	struct embed_error error = {0};
	embed_result *result;

	if (embed_texts(fixture->service, texts, count, request, &result, &error) != EMBED_OK)
		fail_msg("%s", error.message);
	return result;
}

static inline double cosine(const float *a, const float *b, uint32_t dimensions)
{
	double dot = 0, aa = 0, bb = 0;

	for (uint32_t i = 0; i < dimensions; i++) {
		dot += (double)a[i] * b[i];
		aa += (double)a[i] * a[i];
		bb += (double)b[i] * b[i];
	}
	return dot / sqrt(aa * bb);
}

#endif
