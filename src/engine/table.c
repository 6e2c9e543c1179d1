/* SPDX-License-Identifier: MIT */
#include "engine/table.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 1024

enum embed_status table_init(struct table *table)
{
	*table = (struct table){.size = FIRST_SIZE};
	table->chains = calloc(FIRST_SIZE, sizeof(*table->chains));
	return table->chains ? EMBED_OK : EMBED_NO_MEMORY;
}

void table_fini(struct table *table)
{
	free(table->chains);
	*table = (struct table){0};
}

const struct digest *flight_digest(const struct flight *flight)
{
	return &HEAP_ITEM((char *)flight, const struct entry, flight)->digest;
}

/* Digests are uniform already: any eight bytes are a hash. */
static struct flight **chain_of(const struct table *table, const struct digest *digest)
{
	uint64_t hash;

	memcpy(&hash, digest->bytes, sizeof(hash));
	return &table->chains[hash & (table->size - 1)];
}

static void grow(struct table *table)
{
	struct table larger = {.size = table->size * 2, .count = table->count};

	larger.chains = calloc(larger.size, sizeof(*larger.chains));
	if (!larger.chains)
		return;
	for (size_t i = 0; i < table->size; i++) {
		struct flight *flight = table->chains[i];

		while (flight) {
			struct flight *next = flight->table_next;
			struct flight **chain = chain_of(&larger, flight_digest(flight));

			flight->table_next = *chain;
			*chain = flight;
			flight = next;
		}
	}
	free(table->chains);
	*table = larger;
}

void table_add(struct table *table, struct flight *flight)
{
	struct flight **chain;

	if (table->count >= table->size)
		grow(table);
	chain = chain_of(table, flight_digest(flight));
	flight->table_next = *chain;
	*chain = flight;
	table->count++;
}

void table_remove(struct table *table, struct flight *flight)
{
	struct flight **at = chain_of(table, flight_digest(flight));

	while (*at != flight)
		at = &(*at)->table_next;
	*at = flight->table_next;
	table->count--;
}

struct flight *table_find(
    const struct table *table, const struct digest *digest, struct flight *after)
{
	struct flight *flight = after ? after->table_next : *chain_of(table, digest);

	while (flight && memcmp(flight_digest(flight), digest, sizeof(*digest)) != 0)
		flight = flight->table_next;
	return flight;
}
