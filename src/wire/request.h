/* SPDX-License-Identifier: MIT */
/*
 * Request: the body of POST /v1/embeddings, written and read (PROTOCOL.md 1.1).
 *
 * Writing is one pass into a buffer: begin, one call for each input, end.
 *
 *	wire_request_begin(&writer, &buffer, "text-embedding-3-small");
 *	for (...)
 *		wire_request_add_text(&writer, bytes, len);
 *	status = wire_request_end(&writer, &tail);
 *
 * Reading is strict JSON (RFC 8259) in one pass over bytes that the caller
 * owns and lets the reader change: strings are unescaped where they lie, so a
 * text costs no copy.  Reading (is it JSON? what is in it?) and judging (would
 * OpenAI take it?) are two calls, because a gateway and an emulator judge
 * differently, and in a certain order.
 *
 * Decided, and tested, one by one:
 *   - the body is one object, with nothing but blanks after it;
 *   - ill-formed UTF-8 (overlong, surrogates, above U+10FFFF, cut) is refused
 *     anywhere in the body, and so is half of a surrogate pair as \uXXXX:
 *     either would make two different texts equal further on;
 *   - \u0000 becomes a NUL byte in a text, which goes on with its length (and
 *     is refused by the library with a clear answer); in `model`, `user` and
 *     `encoding_format` it is a value that no rule allows;
 *   - raw control characters in strings are refused, as JSON demands;
 *   - a known field that appears twice is refused (readers disagree on which
 *     one counts); field names are compared unescaped;
 *   - more than WIRE_MAX_DEPTH nested brackets are refused;
 *   - null counts as absent for optional fields;
 *   - unknown fields are checked as JSON, listed, and left as they are.
 *
 * Threads: none; one owner each.
 */
#ifndef WIRE_REQUEST_H
#define WIRE_REQUEST_H

#include <embed.h>

#include "base/buffer.h"
#include "wire/refusal.h"

#define WIRE_MAX_DEPTH 64

/* How vectors are written. */
enum wire_format {
	WIRE_FORMAT_FLOAT,  /* decimal text; what OpenAI answers when nothing is asked */
	WIRE_FORMAT_BASE64, /* little-endian 32-bit floats in base64 */
};

/* ---- Writing (client side) ------------------------------------------ */

/* What follows the inputs. */
struct wire_request_tail {
	enum wire_format format; /* WIRE_FORMAT_FLOAT writes no encoding_format */
	uint32_t dimensions;     /* 0: not written */
	const char *user;        /* NULL: not written */
	const char *extra;       /* raw members `"a":1,"b":2` to pass on, or NULL */
	size_t extra_len;
};

struct wire_request_writer {
	struct buffer *out;
	size_t count;
};

/*
 * Starts a body at the end of `out`.  model NULL: not written (Azure classic).
 * Strings given to the writer are well-formed UTF-8; ill-formed bytes would be
 * sent as they are and refused upstream.
 */
void wire_request_begin(struct wire_request_writer *writer, struct buffer *out, const char *model);

/* Texts and token ids cannot be mixed in one request. */
void wire_request_add_text(struct wire_request_writer *writer, const char *bytes, size_t len);
void wire_request_add_ids(struct wire_request_writer *writer, const uint32_t *ids, size_t count);

/* The buffer's status: everything was written, or nothing counts. */
enum embed_status wire_request_end(
    struct wire_request_writer *writer, const struct wire_request_tail *tail);

/* Bytes that the input takes in a body, with quotes and a comma: for byte caps. */
size_t wire_request_text_bytes(const char *bytes, size_t len);
size_t wire_request_ids_bytes(const uint32_t *ids, size_t count);

/* ---- Reading (server side) ------------------------------------------ */

/* What kind of value a field holds. */
enum wire_kind {
	WIRE_ABSENT,
	WIRE_NULL,
	WIRE_BOOL,
	WIRE_NUMBER,  /* with a fraction or exponent, or beyond 64 bits */
	WIRE_INTEGER, /* fits int64_t */
	WIRE_STRING,
	WIRE_ARRAY,
	WIRE_OBJECT,
};

/* A string in the body, unescaped; ends with a NUL byte that `len` does not count. */
struct wire_string {
	enum wire_kind kind; /* bytes and len are set for WIRE_STRING only */
	const char *bytes;
	size_t len;
};

/* Fields outside the table in one body: each takes more memory than the bytes that make it. */
#define WIRE_MAX_EXTRAS 1024

/* A field outside the table; `value` is its JSON as it came. */
struct wire_extra {
	const char *name; /* unescaped, NUL-terminated */
	size_t name_len;
	const char *value;
	size_t value_len;
};

/* The four forms of `input`, and what it may be instead. */
enum wire_input_form {
	WIRE_INPUT_NONE,     /* absent or null */
	WIRE_INPUT_TEXT,     /* "a" */
	WIRE_INPUT_TEXTS,    /* ["a","b"] */
	WIRE_INPUT_IDS,      /* [1,2]: one text as token ids */
	WIRE_INPUT_IDS_LIST, /* [[1],[2,3]] */
	WIRE_INPUT_EMPTY,    /* [] */
	WIRE_INPUT_BAD,      /* something else; bad_index and bad_offset say where */
};

/*
 * One read body, and the storage for it, which is kept from body to body:
 * after the first few requests a worker's reader allocates nothing more.
 * Pointers are into the body or into this struct; they last until either is
 * used again.
 */
struct wire_request {
	struct wire_string model;
	struct wire_string user;
	struct wire_string encoding_format;
	enum wire_kind dimensions_kind;
	int64_t dimensions; /* for WIRE_INTEGER */
	enum wire_input_form form;
	struct embed_text *texts; /* `count` inputs; ids set for the two id forms */
	size_t count;
	size_t bad_index;  /* element of `input` at fault, or EMBED_NO_INDEX */
	size_t bad_offset; /* byte in the body, for WIRE_INPUT_BAD */
	struct wire_extra *extras;
	size_t extra_count;

	/* private */
	size_t text_cap;
	size_t extra_cap;
	uint32_t *ids;
	size_t id_count;
	size_t id_cap;
};

void wire_request_init(struct wire_request *request);
void wire_request_fini(struct wire_request *request);

/*
 * Reads a body of `len` bytes, which it changes.  EMBED_OK: it is a JSON
 * object and the fields are filled in, whatever they hold.  Otherwise `error`
 * (may be NULL) says what is wrong; its index is that of the input being read
 * (or EMBED_NO_INDEX), its offset the byte in the body:
 *   EMBED_BAD_FORMAT  not JSON, a known field twice, or more than
 *                     WIRE_MAX_EXTRAS fields outside the table
 *   EMBED_BAD_UTF8    ill-formed bytes or half of a surrogate pair
 *   EMBED_TOO_LARGE   more than max_inputs inputs (0: as many as fit the body),
 *                     or nested too deeply
 *   EMBED_NO_MEMORY
 */
enum embed_status wire_request_read(struct wire_request *request, char *body, size_t len,
    size_t max_inputs, struct embed_error *error);

/* What a server allows beyond the wire's own rules. */
struct wire_request_policy {
	bool refuse_unknown;   /* fields outside the table are errors (OpenAI); else they pass */
	bool needs_model;      /* a missing model is an error (it may come from the path) */
	size_t max_inputs;     /* 0: no limit; OpenAI: 2048 */
	size_t max_text_bytes; /* 0: no limit */
};

/*
 * The first thing that OpenAI would refuse, checked in the order of PROTOCOL.md
 * 14 (model, fields, shape of input, empty text, count, dimensions), or
 * WIRE_REFUSAL_NONE.  `model` may be NULL (unknown: dimensions are only checked
 * to be above 0).  The refusal's body is appended to `out`, its details go to
 * `error` (may be NULL).  Token counts are not looked at: that takes a tokenizer.
 */
enum wire_refusal_id wire_request_check(const struct wire_request *request,
    const struct wire_request_policy *policy, const struct embed_model *model, struct buffer *out,
    struct embed_error *error);

/* For a checked request: WIRE_FORMAT_FLOAT unless base64 was asked. */
enum wire_format wire_request_format(const struct wire_request *request);

/* For a checked request: 0 when none were asked. */
uint32_t wire_request_dimensions(const struct wire_request *request);

/*
 * Raw members `"a":1,"b":2` of all extras, for wire_request_tail.extra, by
 * name whatever order they came in (it sorts request->extras), so that equal
 * ones look equal.  Of two with one name the earlier comes first.
 */
void wire_request_write_extras(struct wire_request *request, struct buffer *out);

#endif
