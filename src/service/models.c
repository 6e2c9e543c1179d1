/* SPDX-License-Identifier: MIT */
#include <embed.h>

#include "engine/engine.h"

#include "wire/model.h"

const struct embed_model *embed_model_at(size_t index)
{
	return model_at(index);
}

const struct embed_model *embed_model_find(const char *name)
{
	return model_find(name);
}

const char *embed_network_library(void)
{
	return engine_library();
}

const char *embed_network_library_lack(void)
{
	return engine_library_lack();
}

const char *embed_version(void)
{
	return EMBED_VERSION_TEXT;
}
