/* SPDX-License-Identifier: MIT */
#include "engine/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

/* FNV-1a: the strings are short and the tables small. */
static uint32_t hash_text(uint32_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return (hash ^ 0xff) * 16777619u;
}

#define HASH_START 2166136261u

static size_t key_chain(const char *name)
{
	return hash_text(HASH_START, name) % NAMES_CHAINS;
}

static size_t kind_chain(
    const char *model, const char *user, const char *extra, const char *authorization)
{
	uint32_t hash = hash_text(hash_text(HASH_START, model), user);

	return hash_text(hash_text(hash, extra), authorization) % NAMES_CHAINS;
}

struct queue_key *names_key(struct names *names, const char *name, uint32_t weight)
{
	size_t chain = key_chain(name);
	struct queue_key *key;

	for (key = names->keys[chain]; key; key = key->chain) {
		if (strcmp(key->name, name) == 0) {
			key->weight = weight;
			return key_ref(key);
		}
	}
	key = calloc(1, sizeof(*key) + strlen(name) + 1);
	if (!key)
		return NULL;
	strcpy(key->name, name);
	key->weight = weight;
	key->refs = 1;
	key->chain = names->keys[chain];
	names->keys[chain] = key;
	return key;
}

static bool is_same(const struct kind *kind, const struct engine_job_spec *spec, bool is_ids)
{
	return kind->is_ids == is_ids && kind->dimensions == spec->dimensions &&
	       kind->model_dimensions == spec->model_dimensions &&
	       kind->can_shorten == spec->can_shorten && strcmp(kind->model, spec->model) == 0 &&
	       strcmp(kind->user, spec->user) == 0 && strcmp(kind->extra, spec->extra) == 0 &&
	       strcmp(kind->authorization, spec->authorization) == 0;
}

static const char *place(char **at, const char *text)
{
	char *start = *at;

	*at = stpcpy(start, text) + 1;
	return start;
}

static struct kind *make_kind(const struct engine_job_spec *spec, bool is_ids)
{
	size_t strings = strlen(spec->model) + strlen(spec->user) + strlen(spec->extra) +
			 strlen(spec->authorization) + 4;
	struct kind *kind = calloc(1, sizeof(*kind) + strings);
	char *at;

	if (!kind)
		return NULL;
	at = (char *)(kind + 1);
	kind->refs = 1;
	kind->model = place(&at, spec->model);
	kind->user = place(&at, spec->user);
	kind->extra = place(&at, spec->extra);
	kind->authorization = place(&at, spec->authorization);
	kind->dimensions = spec->dimensions;
	kind->model_dimensions = spec->model_dimensions;
	kind->can_shorten = spec->can_shorten;
	kind->is_ids = is_ids;
	return kind;
}

struct kind *names_kind(struct names *names, const struct engine_job_spec *spec, bool is_ids)
{
	size_t chain = kind_chain(spec->model, spec->user, spec->extra, spec->authorization);
	struct kind *kind;

	for (kind = names->kinds[chain]; kind; kind = kind->chain)
		if (is_same(kind, spec, is_ids))
			return kind_ref(kind);
	kind = make_kind(spec, is_ids);
	if (!kind)
		return NULL;
	kind->chain = names->kinds[chain];
	names->kinds[chain] = kind;
	return kind;
}

struct queue_key *key_ref(struct queue_key *key)
{
	key->refs++;
	return key;
}

struct kind *kind_ref(struct kind *kind)
{
	kind->refs++;
	return kind;
}

void names_key_unref(struct names *names, struct queue_key *key)
{
	struct queue_key **at;

	if (!key || --key->refs > 0)
		return;
	for (at = &names->keys[key_chain(key->name)]; *at != key; at = &(*at)->chain)
		;
	*at = key->chain;
	free(key);
}

void names_kind_unref(struct names *names, struct kind *kind)
{
	struct kind **at;

	if (!kind || --kind->refs > 0)
		return;
	at = &names->kinds[kind_chain(kind->model, kind->user, kind->extra, kind->authorization)];
	while (*at != kind)
		at = &(*at)->chain;
	*at = kind->chain;
	secret_forget(kind->authorization);
	free(kind);
}

/* What `kind` asks for is a cut of what `flying` brings. */
static bool is_covered(const struct kind *kind, const struct kind *flying)
{
	if (flying->dimensions == 0)
		return true;
	return kind->dimensions != 0 && kind->dimensions <= flying->dimensions;
}

bool kind_may_join(const struct kind *kind, const struct kind *flying)
{
	if (kind == flying)
		return true;
	if (strcmp(kind->model, flying->model) != 0 || strcmp(kind->user, flying->user) != 0 ||
	    strcmp(kind->extra, flying->extra) != 0 ||
	    strcmp(kind->authorization, flying->authorization) != 0)
		return false;
	if (kind->dimensions == flying->dimensions)
		return true;
	return kind->can_shorten && is_covered(kind, flying);
}
