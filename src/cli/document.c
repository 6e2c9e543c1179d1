/* SPDX-License-Identifier: MIT */
#include "cli/document.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "cli/converter.h"

/* A file with a NUL in its first bytes is no text. */
#define BINARY_LOOK_BYTES 8192

static const struct {
	const char *extension;
	enum document_kind kind;
} extensions[] = {
#define DOCUMENT(extension, kind) {#extension, DOCUMENT_##kind},
#include "cli/documents.def"
#undef DOCUMENT
};

enum document_kind document_kind_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
	const char *dot = strrchr(name, '.');

	if (dot == NULL || dot == name)
		return DOCUMENT_UNKNOWN;
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
		if (strcasecmp(dot + 1, extensions[i].extension) == 0)
			return extensions[i].kind;
	return DOCUMENT_UNKNOWN;
}

enum embed_chunk_strategy document_strategy(enum document_kind kind)
{
	return kind == DOCUMENT_MARKDOWN ? EMBED_CHUNK_MARKDOWN
	       : kind == DOCUMENT_CODE   ? EMBED_CHUNK_CODE
					 : EMBED_CHUNK_RECURSIVE;
}

uint32_t document_clean_flags(enum document_kind kind)
{
	return kind == DOCUMENT_MARKDOWN || kind == DOCUMENT_CODE ? EMBED_CLEAN_MARKDOWN
	       : kind == DOCUMENT_HTML                            ? EMBED_CLEAN_HTML
								  : 0;
}

static enum embed_status read_bytes(
    int fd, struct buffer *bytes, const char *path, struct embed_error *error)
{
	while (true) {
		char *room = buffer_reserve(bytes, 256u << 10);
		ssize_t len;

		if (room == NULL && bytes->status == EMBED_TOO_LARGE)
			return error_set(error, EMBED_TOO_LARGE,
			    "%.300s is larger than 256 MiB; cut it in parts, or use \"embed rows\"",
			    path);
		if (room == NULL)
			return error_set(error, EMBED_NO_MEMORY, "out of memory for %.300s", path);
		len = read(fd, room, 256u << 10);
		if (len == 0)
			return EMBED_OK;
		if (len < 0 && errno == EISDIR)
			return error_set(error, EMBED_IO,
			    "%.300s is a folder; \"embed files\" reads folders", path);
		if (len < 0 && errno != EINTR)
			return error_set(
			    error, EMBED_IO, "cannot read %.300s: %s", path, strerror(errno));
		bytes->len += len > 0 ? (size_t)len : 0;
	}
}

static enum embed_status read_file(
    struct buffer *bytes, const char *path, struct embed_error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum embed_status status;
	size_t look;

	if (fd < 0)
		return error_set(error, EMBED_IO, "cannot open %.300s: %s", path, strerror(errno));
	status = read_bytes(fd, bytes, path, error);
	close(fd);
	look = bytes->len < BINARY_LOOK_BYTES ? bytes->len : BINARY_LOOK_BYTES;
	if (status == EMBED_OK && look > 0 && memchr(bytes->bytes, '\0', look) != NULL)
		return error_set(error, EMBED_BAD_FORMAT, "%.300s is not a text file", path);
	return status;
}

/*
 * Markdown without HTML: pandoc's gfm keeps an EPUB's <div>s and a document's anchors as tags, which are tokens
 * without meaning.  Tables that need more than rows of text become grids, which no cell is lost in.
 */
#define PANDOC_FORMAT                                                                              \
	"--to=markdown_strict+pipe_tables+grid_tables+backtick_code_blocks+fenced_code_blocks"     \
	"+strikeout+footnotes+task_lists+tex_math_dollars+intraword_underscores-raw_html"

static enum embed_status load(
    struct document *document, struct buffer *bytes, const char *path, struct embed_error *error)
{
	static const char *const pdf[] = {
	    "pdftotext", "-q", "-enc", "UTF-8", "--", NULL, "-", NULL};
	static const char *const pandoc[] = {
	    "pandoc", PANDOC_FORMAT, "--wrap=none", "--", NULL, NULL};

	document->kind = document_kind_of(path);
	switch (document->kind) {
	case DOCUMENT_PDF:
		document->kind = DOCUMENT_PLAIN;
		return converter_run(pdf, "poppler-utils", path, bytes, error);
	case DOCUMENT_PANDOC:
		document->kind = DOCUMENT_MARKDOWN;
		return converter_run(pandoc, "pandoc", path, bytes, error);
	case DOCUMENT_UNKNOWN:
		document->kind = DOCUMENT_PLAIN;
		return read_file(bytes, path, error);
	default:
		return read_file(bytes, path, error);
	}
}

enum embed_status document_load(
    struct document *document, const char *path, struct embed_error *error)
{
	struct document loaded = {0};
	struct buffer bytes;
	enum embed_status status;

	buffer_init(&bytes, DOCUMENT_MAX_BYTES);
	status = load(&loaded, &bytes, path, error);
	if (status != EMBED_OK) {
		buffer_fini(&bytes);
		return status;
	}
	loaded.len = bytes.len;
	loaded.bytes = buffer_take(&bytes, &loaded.len);
	if (loaded.bytes == NULL)
		return error_set(error, EMBED_NO_MEMORY, "out of memory for %.300s", path);
	*document = loaded;
	return EMBED_OK;
}

void document_fini(struct document *document)
{
	free(document->bytes);
	*document = (struct document){0};
}
