/* SPDX-License-Identifier: MIT */
#include "gateway/tries.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "gateway/meter.h"

#define SETS      1024
#define PLACES    4 /* in a set */
#define HOST_MAX  64
#define MINUTE_US 60000000

struct address {
	uint8_t bytes[16]; /* all 0: "unix", or nothing that we know */
};

struct place {
	struct address address;
	atomic_int_fast64_t full_us; /* as a meter's: when no try is missing; 0: never used */
	int64_t told_us;
};

struct tries {
	pthread_mutex_t lock;
	uint64_t seed;
	struct place places[SETS][PLACES];
};

struct tries *tries_create(void)
{
	struct tries *tries = calloc(1, sizeof(*tries));

	if (!tries)
		return NULL;
	pthread_mutex_init(&tries->lock, NULL);
	if (getrandom(&tries->seed, sizeof(tries->seed), 0) < 0)
		tries->seed = (uintptr_t)tries;
	return tries;
}

void tries_destroy(struct tries *tries)
{
	if (!tries)
		return;
	pthread_mutex_destroy(&tries->lock);
	free(tries);
}

/* The host of "HOST:PORT", without brackets. */
static void take_host(const char *peer, char host[HOST_MAX])
{
	const char *colon = strrchr(peer, ':');
	size_t len = colon ? (size_t)(colon - peer) : strlen(peer);

	if (len >= 2 && peer[0] == '[' && peer[len - 1] == ']')
		peer++, len -= 2;
	if (len >= HOST_MAX)
		len = 0;
	memcpy(host, peer, len);
	host[len] = '\0';
}

static struct address address_of(const char *peer)
{
	struct address address = {0};
	char host[HOST_MAX];

	take_host(peer, host);
	if (inet_pton(AF_INET, host, address.bytes + 12) == 1) {
		memset(address.bytes + 10, 0xff, 2); /* as IPv6 writes IPv4 */
		return address;
	}
	if (inet_pton(AF_INET6, host, address.bytes) != 1)
		memset(&address, 0, sizeof(address));
	else if (!IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)address.bytes))
		memset(address.bytes + 8, 0, 8);
	return address;
}

static struct place *set_of(struct tries *tries, const struct address *address)
{
	uint64_t halves[2];
	uint64_t hash = tries->seed;

	memcpy(halves, address->bytes, sizeof(halves));
	for (int i = 0; i < 2; i++) {
		hash = (hash ^ halves[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	return tries->places[hash >> 32 & (SETS - 1)];
}

static struct place *find(struct place *set, const struct address *address)
{
	for (int i = 0; i < PLACES; i++)
		if (set[i].full_us && memcmp(&set[i].address, address, sizeof(*address)) == 0)
			return &set[i];
	return NULL;
}

/* The address's own place, or that of whoever failed least. */
static struct place *take(struct place *set, const struct address *address)
{
	struct place *place = find(set, address);

	if (place)
		return place;
	place = &set[0];
	for (int i = 1; i < PLACES; i++)
		if (set[i].full_us < place->full_us)
			place = &set[i];
	place->address = *address;
	place->full_us = 0;
	place->told_us = 0;
	return place;
}

struct tries_verdict tries_fail(
    struct tries *tries, const char *peer, uint64_t limit, int64_t now_us)
{
	struct tries_verdict verdict = {0, false};
	struct address address = address_of(peer);
	struct place *place;

	if (!limit)
		return verdict;
	pthread_mutex_lock(&tries->lock);
	place = take(set_of(tries, &address), &address);
	verdict.wait_us = meter_take(&place->full_us, limit, 1, now_us);
	if (verdict.wait_us && (!place->told_us || now_us - place->told_us > MINUTE_US)) {
		verdict.is_news = true;
		place->told_us = now_us;
	}
	pthread_mutex_unlock(&tries->lock);
	return verdict;
}

int64_t tries_wait_us(struct tries *tries, const char *peer, uint64_t limit, int64_t now_us)
{
	struct address address = address_of(peer);
	struct place *place;
	struct meter_left left;
	int64_t wait_us = 0;

	if (!limit)
		return 0;
	pthread_mutex_lock(&tries->lock);
	place = find(set_of(tries, &address), &address);
	if (place) {
		left = meter_look(&place->full_us, limit, now_us);
		if (!left.remaining)
			wait_us = place->full_us - now_us - MINUTE_US + MINUTE_US / (int64_t)limit;
	}
	pthread_mutex_unlock(&tries->lock);
	return wait_us > 0 ? wait_us : 0;
}
