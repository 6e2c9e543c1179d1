/* SPDX-License-Identifier: MIT */
/*
 * Emulator: a local stand-in for OpenAI's embeddings API (PROTOCOL 14), for
 * trials and tests.  It is no model: see pseudo.h for what its vectors are,
 * and it says so in its banner and in the header x-embed-emulator.
 *
 * Beside the API it has doors of its own, which need no key:
 *	GET    /emulator/stats    counters (books.h), faults, limits
 *	POST   /emulator/reset    counters and buckets to nothing, faults of POST gone
 *	GET    /emulator/faults   rules with their counts
 *	POST   /emulator/faults   adds rules: a JSON string or array of strings (fault.h)
 *	DELETE /emulator/faults   drops all rules
 *	GET    /emulator/clock    the time that files, batches and limits see
 *	POST   /emulator/clock    {"advance_s": 3600} moves it
 *	GET    /health
 *
 * Threads: the server's workers; what they share lies behind one lock.
 */
#ifndef EMULATOR_EMULATOR_H
#define EMULATOR_EMULATOR_H

#include <embed.h>

#include "app/options.h"
#include "base/buffer.h"

struct emulator_options {
#define OPTION OPTION_FIELD
#include "emulator/emulator.def"
#undef OPTION
};

extern const struct option_set emulator_option_set;

struct emulator;

/*
 * Listens and serves until emulator_close.  The options are kept, not copied:
 * they outlive the emulator.  EMBED_BAD_OPTION or EMBED_IO with a sentence.
 */
enum embed_status emulator_open(
    struct emulator **out, const struct emulator_options *options, struct embed_error *error);
void emulator_close(struct emulator *emulator);

/* HOST:PORT with the port really bound, or unix:PATH; lives as long as the emulator. */
const char *emulator_address(const struct emulator *emulator);

/* Every kind of fault, one a line, for --list-faults. */
void emulator_list_faults(struct buffer *out);

#endif
