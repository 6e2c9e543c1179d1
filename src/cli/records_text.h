/* SPDX-License-Identifier: MIT */
/* Writer's formats that are text: one record appended to a buffer.  Pure. */
#ifndef CLI_RECORDS_TEXT_H
#define CLI_RECORDS_TEXT_H

#include "cli/records.h"

void records_json_append(struct buffer *out, const struct record *record,
    enum records_embedding embedding, bool has_documents);

void records_csv_append_names(
    struct buffer *out, enum records_embedding embedding, bool has_documents);
void records_csv_append(struct buffer *out, const struct record *record,
    enum records_embedding embedding, bool has_documents);

/* "[0.1,-0.2]" with the shortest decimals that read back as the same float32. */
void records_append_floats(struct buffer *out, const float *vector, uint32_t dimensions);

#endif
