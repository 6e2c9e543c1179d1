/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define LENGTH_BYTES 8

/* Up to here one update of joined parts costs less than one for each part and length. */
#define JOINED_MAX 2048

/* Fetched once for the process: a fetch costs as much as hashing 400 bytes.  What finds no memory is tried again. */
static pthread_mutex_t fetch_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(EVP_MD *) sha256;
static _Bool has_key;
static pthread_key_t context_key;

static void free_context(void *context)
{
	EVP_MD_CTX_free(context);
}

static EVP_MD *fetch(void)
{
	if (!has_key)
		has_key = pthread_key_create(&context_key, free_context) == 0;
	/* Without memory for its own beginnings OpenSSL 3.0 would crash in the fetch. */
	if (!has_key || OPENSSL_init_crypto(0, NULL) != 1 ||
	    OSSL_LIB_CTX_get0_global_default() == NULL)
		return NULL;
	return EVP_MD_fetch(NULL, "SHA256", NULL);
}

static EVP_MD *fetched(void)
{
	EVP_MD *hash = atomic_load_explicit(&sha256, memory_order_acquire);

	if (hash != NULL)
		return hash;
	pthread_mutex_lock(&fetch_lock);
	hash = atomic_load_explicit(&sha256, memory_order_relaxed);
	if (hash == NULL) {
		hash = fetch();
		atomic_store_explicit(&sha256, hash, memory_order_release);
	}
	pthread_mutex_unlock(&fetch_lock);
	return hash;
}

/* Owned by the calling thread. */
static EVP_MD_CTX *thread_context(void)
{
	EVP_MD_CTX *context;

	if (fetched() == NULL)
		return NULL;
	context = pthread_getspecific(context_key);
	if (context != NULL)
		return context;
	context = EVP_MD_CTX_new();
	if (context != NULL && pthread_setspecific(context_key, context) != 0) {
		EVP_MD_CTX_free(context);
		return NULL;
	}
	return context;
}

static void put_length(uint8_t out[LENGTH_BYTES], size_t len)
{
	for (int i = 0; i < LENGTH_BYTES; i++)
		out[i] = (uint8_t)((uint64_t)len >> (8 * i));
}

/* Each part with its length into one piece of memory; 0 when it has no room for all. */
static size_t join(uint8_t *out, size_t cap, const struct digest_part *parts, size_t count)
{
	size_t len = 0;

	for (size_t i = 0; i < count; i++) {
		if (parts[i].len > cap || len + LENGTH_BYTES + parts[i].len > cap)
			return 0;
		put_length(out + len, parts[i].len);
		if (parts[i].len > 0)
			memcpy(out + len + LENGTH_BYTES, parts[i].bytes, parts[i].len);
		len += LENGTH_BYTES + parts[i].len;
	}
	return len;
}

static _Bool hash_each(EVP_MD_CTX *context, const struct digest_part *parts, size_t count)
{
	uint8_t length[LENGTH_BYTES];

	for (size_t i = 0; i < count; i++) {
		put_length(length, parts[i].len);
		if (!EVP_DigestUpdate(context, length, sizeof(length)) ||
		    !EVP_DigestUpdate(context, parts[i].bytes, parts[i].len))
			return 0;
	}
	return 1;
}

_Bool digest_parts(struct digest *digest, const struct digest_part *parts, size_t count)
{
	EVP_MD_CTX *context = thread_context();
	uint8_t joined[JOINED_MAX];
	size_t len;

	if (context == NULL || !EVP_DigestInit_ex2(context, fetched(), NULL))
		return 0;
	len = join(joined, sizeof(joined), parts, count);
	if (len > 0 ? !EVP_DigestUpdate(context, joined, len) : !hash_each(context, parts, count))
		return 0;
	return EVP_DigestFinal_ex(context, digest->bytes, NULL) == 1;
}

_Bool digest_equals(const struct digest *a, const struct digest *b)
{
	return CRYPTO_memcmp(a->bytes, b->bytes, DIGEST_BYTES) == 0;
}
