/* SPDX-License-Identifier: MIT */
#include "wire/model.h"

#include <string.h>

#define MODEL(                                                                                     \
    name, encoding, dimensions, text_tokens, can_shorten, price, batch_price, created, owned_by)   \
	{name, encoding, dimensions, text_tokens, can_shorten, price, created, owned_by},
static const struct embed_model models[] = {
#include "wire/models.def"
};
#undef MODEL

#define MODEL(                                                                                     \
    name, encoding, dimensions, text_tokens, can_shorten, price, batch_price, created, owned_by)   \
	batch_price,
static const uint64_t batch_prices[] = {
#include "wire/models.def"
};
#undef MODEL

#define MODEL_COUNT (sizeof(models) / sizeof(models[0]))

const struct embed_model *model_at(size_t index)
{
	return index < MODEL_COUNT ? &models[index] : NULL;
}

const struct embed_model *model_find(const char *name)
{
	for (size_t i = 0; i < MODEL_COUNT; i++) {
		if (strcmp(models[i].name, name) == 0)
			return &models[i];
	}
	return NULL;
}

uint64_t model_batch_nano_per_token(const struct embed_model *model)
{
	return batch_prices[model - models];
}
