/* SPDX-License-Identifier: MIT */
/* An encoder for each thread and encoding, for callers that keep none. */
#include <pthread.h>
#include <stdlib.h>

#include "tokens/encoder.h"

/*
 * A thread's encoders, newest first; there are at most as many as encodings.
 * All use the memo of the first that was made, which is destroyed last.
 */
struct thread_encoder {
	struct thread_encoder *next;
	const struct tokens_encoding *encoding;
	struct tokens_encoder *encoder;
};

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

static void destroy_all(void *first)
{
	struct thread_encoder *own = first;

	while (own != NULL) {
		struct thread_encoder *next = own->next;

		tokens_encoder_destroy(own->encoder);
		free(own);
		own = next;
	}
}

static void create_key(void)
{
	has_key = pthread_key_create(&key, destroy_all) == 0;
}

static struct tokens_encoder *add(
    struct thread_encoder *first, const struct tokens_encoding *encoding)
{
	struct thread_encoder *own = malloc(sizeof(*own));

	if (own == NULL)
		return NULL;
	own->next = first;
	own->encoding = encoding;
	own->encoder = encoder_create(encoding, first == NULL ? NULL : first->encoder->memo);
	if (own->encoder == NULL || pthread_setspecific(key, own) != 0) {
		tokens_encoder_destroy(own->encoder);
		free(own);
		return NULL;
	}
	return own->encoder;
}

struct tokens_encoder *tokens_encoder_of_thread(const struct tokens_encoding *encoding)
{
	struct thread_encoder *first;

	pthread_once(&key_once, create_key);
	if (!has_key)
		return NULL;
	first = pthread_getspecific(key);
	for (struct thread_encoder *own = first; own != NULL; own = own->next)
		if (own->encoding == encoding)
			return own->encoder;
	return add(first, encoding);
}
