/* SPDX-License-Identifier: MIT */
/*
 * Input: one text as the caller gave it, checked and made ready for its key.
 *
 * What cannot be embedded is found here, before anything is asked or sent:
 * empty, ill-formed UTF-8, NUL bytes, unknown token ids.  Too many tokens are
 * found later (length.h), because only what the store does not know need be
 * counted.
 *
 * Token ids that decode to a text which encodes to the same ids become that
 * text, so both share a record.  Others stay ids.
 *
 * Pure but for the calling thread's token encoder; any thread.
 */
#ifndef SERVICE_INPUT_H
#define SERVICE_INPUT_H

#include "base/buffer.h"
#include "service/scope.h"

/*
 * `out` points to the caller's bytes or ids, or into `decoded`, which is
 * filled only for ids (and then must hold nothing else).  `index` is for the
 * error.
 */
enum embed_status input_check(const struct scope *scope, const struct embed_text *text,
    size_t index, struct buffer *decoded, struct embed_text *out, struct embed_error *error);

/* False only when memory runs out. */
bool input_key(const struct scope *scope, const struct embed_text *input, struct digest *key);

static inline bool input_is_ids(const struct embed_text *input)
{
	return input->bytes == NULL && input->ids != NULL;
}

#endif
