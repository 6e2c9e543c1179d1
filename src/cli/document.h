/* SPDX-License-Identifier: MIT */
/*
 * Document: a file as text.
 *
 * What a file is goes by its name's extension (documents.def).  PDF, DOCX,
 * EPUB and the like go through the system's converters when these are
 * installed; the text is then the converter's, and offsets count in it.
 *
 * Ownership: the caller's struct, the document's bytes.  Threads: none.
 */
#ifndef CLI_DOCUMENT_H
#define CLI_DOCUMENT_H

#include <embed.h>

#define DOCUMENT_MAX_BYTES (256u << 20)

enum document_kind {
	DOCUMENT_UNKNOWN, /* no extension that is known */
	DOCUMENT_PLAIN,
	DOCUMENT_MARKDOWN,
	DOCUMENT_HTML,
	DOCUMENT_CODE,
	DOCUMENT_PDF,    /* by pdftotext, to plain text */
	DOCUMENT_PANDOC, /* by pandoc, to markdown */
};

struct document {
	char *bytes;
	size_t len;
	enum document_kind kind; /* of the bytes: never PDF or PANDOC */
};

/* By extension alone; pure. */
enum document_kind document_kind_of(const char *path);

/*
 * Reads a file, converting it where its kind needs that.  A file of unknown
 * kind is plain text unless it looks binary.  EMBED_IO, EMBED_TOO_LARGE,
 * EMBED_BAD_FORMAT (binary, or the converter failed), EMBED_NOT_FOUND (the converter
 * is not installed; the message names the package).
 */
enum embed_status document_load(
    struct document *document, const char *path, struct embed_error *error);
void document_fini(struct document *document);

/* How a kind is best cut, and what cleaning it needs beside the preset. */
enum embed_chunk_strategy document_strategy(enum document_kind kind);
uint32_t document_clean_flags(enum document_kind kind);

#endif
