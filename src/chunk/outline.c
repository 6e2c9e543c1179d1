/* SPDX-License-Identifier: MIT */
#include "chunk/outline.h"

#include <string.h>

#include "text/utf8.h"

static void set_title(char *out, const char *title, size_t len)
{
	size_t cut = utf8_floor(title, len, len < OUTLINE_TITLE_BYTES ? len : OUTLINE_TITLE_BYTES);

	memcpy(out, title, cut);
	out[cut] = '\0';
}

void outline_enter(struct outline *outline, struct chunker *chunker, size_t offset, unsigned level,
    const char *title, size_t len)
{
	struct buffer path;
	size_t path_len;
	char *text;

	set_title(outline->titles[level - 1], title, len);
	for (unsigned i = level; i < 6; i++)
		outline->titles[i][0] = '\0';
	buffer_init(&path, sizeof(outline->titles) + 6 * 3);
	for (unsigned i = 0; i < 6; i++)
		if (outline->titles[i][0] != '\0') {
			buffer_append_text(&path, path.len > 0 ? " > " : "");
			buffer_append_text(&path, outline->titles[i]);
		}
	if (path.len == 0 && path.status == EMBED_OK) {
		packer_add_heading(chunker, offset, NULL);
		return;
	}
	text = buffer_take(&path, &path_len);
	if (text == NULL)
		chunker->status = EMBED_NO_MEMORY;
	else
		packer_add_heading(chunker, offset, text);
	buffer_fini(&path);
}
