/* SPDX-License-Identifier: MIT */
/* Strategy markdown: any bytes keep the promises of chunk.h; see chunk_promises.h. */
#include "chunk_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return check_promises(EMBED_CHUNK_MARKDOWN, data, size);
}
