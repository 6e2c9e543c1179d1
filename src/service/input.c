/* SPDX-License-Identifier: MIT */
#include "service/input.h"

#include <string.h>

#include "base/error.h"
#include "text/utf8.h"

/* A request of OpenAI's holds at most 300,000 tokens, of at most 128 bytes each. */
#define INPUT_MAX_BYTES ((size_t)64 << 20)

static enum embed_status check_bytes(
    const struct embed_text *text, size_t index, struct embed_error *error)
{
	const char *nul;
	size_t fault;

	if (text->len == 0)
		return error_set_at(error, EMBED_EMPTY_TEXT, index, EMBED_NO_INDEX,
		    "text %zu is empty; leave it out (a single space would be accepted)", index);
	if (text->len > INPUT_MAX_BYTES)
		return error_set_at(error, EMBED_TEXT_TOO_LONG, index, EMBED_NO_INDEX,
		    "text %zu has %zu bytes; at most %zu can be taken, cut it into chunks first",
		    index, text->len, INPUT_MAX_BYTES);
	fault = utf8_first_fault(text->bytes, text->len);
	if (fault < text->len)
		return error_set_at(error, EMBED_BAD_UTF8, index, fault,
		    "text %zu is not well-formed UTF-8 at byte %zu (0x%02x); convert or clean it",
		    index, fault, (unsigned char)text->bytes[fault]);
	nul = memchr(text->bytes, '\0', text->len);
	if (nul != NULL)
		return error_set_at(error, EMBED_NUL_IN_TEXT, index, (size_t)(nul - text->bytes),
		    "text %zu holds a NUL byte at byte %zu; remove it", index,
		    (size_t)(nul - text->bytes));
	return EMBED_OK;
}

/* Whether the decoded bytes are a text that encodes to exactly these ids. */
static bool is_text_of(const struct scope *scope, const struct embed_text *text,
    const struct buffer *decoded, enum embed_status *status)
{
	struct buffer ids;
	bool is_same;

	if (decoded->len == 0 || !utf8_is_well_formed(decoded->bytes, decoded->len) ||
	    memchr(decoded->bytes, '\0', decoded->len) != NULL)
		return false;
	buffer_init(&ids, (decoded->len + 1) * sizeof(uint32_t));
	*status = tokens_encode(
	    tokens_encoder_of_thread(scope->encoding), decoded->bytes, decoded->len, &ids);
	is_same = *status == EMBED_OK && ids.len == text->id_count * sizeof(uint32_t) &&
		  memcmp(ids.bytes, text->ids, ids.len) == 0;
	buffer_fini(&ids);
	return is_same;
}

static enum embed_status check_ids(const struct scope *scope, const struct embed_text *text,
    size_t index, struct buffer *decoded, struct embed_text *out, struct embed_error *error)
{
	enum embed_status status;
	size_t bad = 0;

	if (text->id_count == 0)
		return error_set_at(error, EMBED_EMPTY_TEXT, index, EMBED_NO_INDEX,
		    "text %zu is an empty list of token ids; leave it out", index);
	/* Ids of a model that the table does not know mean nothing here. */
	if (scope->model == NULL)
		return EMBED_OK;
	status = tokens_decode(scope->encoding, text->ids, text->id_count, decoded, &bad);
	if (status == EMBED_BAD_TOKEN)
		return error_set_at(error, status, index, bad,
		    "text %zu: token id %u at position %zu is not in %s", index, text->ids[bad],
		    bad, tokens_encoding_name(scope->encoding));
	if (status == EMBED_OK && is_text_of(scope, text, decoded, &status))
		*out = (struct embed_text){.bytes = decoded->bytes, .len = decoded->len};
	if (status != EMBED_OK)
		return error_set_at(error, status, index, EMBED_NO_INDEX, "text %zu: %s", index,
		    embed_status_meaning(status));
	return EMBED_OK;
}

enum embed_status input_check(const struct scope *scope, const struct embed_text *text,
    size_t index, struct buffer *decoded, struct embed_text *out, struct embed_error *error)
{
	*out = *text;
	if (input_is_ids(text))
		return check_ids(scope, text, index, decoded, out, error);
	return check_bytes(text, index, error);
}

bool input_key(const struct scope *scope, const struct embed_text *input, struct digest *key)
{
	if (input_is_ids(input))
		return cache_key_ids(key, &scope->key, input->ids, input->id_count);
	return cache_key_text(key, &scope->key, input->bytes, input->len);
}
