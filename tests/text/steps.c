/* SPDX-License-Identifier: MIT */
#include "steps.h"

#include <string.h>

#include <unicode/ubrk.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "tokens/tokens.h"

static _Thread_local uint64_t steps;

uint64_t steps_taken(void)
{
	return steps;
}

static void pass_bytes(size_t len)
{
	steps += len / 16 + 1;
}

/* The compiler calls it on each edge. */
void __sanitizer_cov_trace_pc(void);

void __sanitizer_cov_trace_pc(void)
{
	steps++;
}

/* The linker sends calls of `name` to WRAP(name), and those of REAL(name) to `name`. */
#define WRAP_NAME(name) __wrap_##name
#define REAL_NAME(name) __real_##name
#define WRAP(name)      WRAP_NAME(name)
#define REAL(name)      REAL_NAME(name)

/* ---- Memory ------------------------------------------------------------- */

void *WRAP(memchr)(const void *bytes, int byte, size_t len);
void *REAL(memchr)(const void *bytes, int byte, size_t len);
void *WRAP(memrchr)(const void *bytes, int byte, size_t len);
void *REAL(memrchr)(const void *bytes, int byte, size_t len);
void *WRAP(memmem)(const void *bytes, size_t len, const void *find, size_t find_len);
void *REAL(memmem)(const void *bytes, size_t len, const void *find, size_t find_len);
void *WRAP(memcpy)(void *to, const void *from, size_t len);
void *REAL(memcpy)(void *to, const void *from, size_t len);
void *WRAP(memmove)(void *to, const void *from, size_t len);
void *REAL(memmove)(void *to, const void *from, size_t len);
int WRAP(memcmp)(const void *left, const void *right, size_t len);
int REAL(memcmp)(const void *left, const void *right, size_t len);

void *WRAP(memchr)(const void *bytes, int byte, size_t len)
{
	const char *found = REAL(memchr)(bytes, byte, len);

	pass_bytes(found == NULL ? len : (size_t)(found - (const char *)bytes));
	return (void *)found;
}

void *WRAP(memrchr)(const void *bytes, int byte, size_t len)
{
	const char *found = REAL(memrchr)(bytes, byte, len);

	pass_bytes(found == NULL ? len : len - (size_t)(found - (const char *)bytes));
	return (void *)found;
}

void *WRAP(memmem)(const void *bytes, size_t len, const void *find, size_t find_len)
{
	const char *found = REAL(memmem)(bytes, len, find, find_len);

	pass_bytes(found == NULL ? len : (size_t)(found - (const char *)bytes));
	return (void *)found;
}

void *WRAP(memcpy)(void *to, const void *from, size_t len)
{
	pass_bytes(len);
	return REAL(memcpy)(to, from, len);
}

void *WRAP(memmove)(void *to, const void *from, size_t len)
{
	pass_bytes(len);
	return REAL(memmove)(to, from, len);
}

int WRAP(memcmp)(const void *left, const void *right, size_t len)
{
	pass_bytes(len);
	return REAL(memcmp)(left, right, len);
}

/* ---- ICU, whose names carry its version ------------------------------------ */

int32_t WRAP(ubrk_following)(UBreakIterator *icu, int32_t offset);
int32_t REAL(ubrk_following)(UBreakIterator *icu, int32_t offset);
int32_t WRAP(ubrk_preceding)(UBreakIterator *icu, int32_t offset);
int32_t REAL(ubrk_preceding)(UBreakIterator *icu, int32_t offset);
UBool WRAP(ubrk_isBoundary)(UBreakIterator *icu, int32_t offset);
UBool REAL(ubrk_isBoundary)(UBreakIterator *icu, int32_t offset);
int32_t WRAP(unorm2_normalize)(const UNormalizer2 *form, const UChar *from, int32_t len, UChar *to,
    int32_t cap, UErrorCode *code);
int32_t REAL(unorm2_normalize)(const UNormalizer2 *form, const UChar *from, int32_t len, UChar *to,
    int32_t cap, UErrorCode *code);
int32_t WRAP(unorm2_spanQuickCheckYes)(
    const UNormalizer2 *form, const UChar *units, int32_t len, UErrorCode *code);
int32_t REAL(unorm2_spanQuickCheckYes)(
    const UNormalizer2 *form, const UChar *units, int32_t len, UErrorCode *code);
UChar *WRAP(u_strFromUTF8)(
    UChar *to, int32_t cap, int32_t *len, const char *from, int32_t from_len, UErrorCode *code);
UChar *REAL(u_strFromUTF8)(
    UChar *to, int32_t cap, int32_t *len, const char *from, int32_t from_len, UErrorCode *code);

int32_t WRAP(ubrk_following)(UBreakIterator *icu, int32_t offset)
{
	int32_t found = REAL(ubrk_following)(icu, offset);

	steps += found > offset ? (uint64_t)(found - offset) : 1;
	return found;
}

int32_t WRAP(ubrk_preceding)(UBreakIterator *icu, int32_t offset)
{
	int32_t found = REAL(ubrk_preceding)(icu, offset);

	steps += found >= 0 ? (uint64_t)(offset - found) : (uint64_t)offset;
	return found;
}

/* It looks back to a safe place, at most to the window's start. */
UBool WRAP(ubrk_isBoundary)(UBreakIterator *icu, int32_t offset)
{
	steps += (uint64_t)offset;
	return REAL(ubrk_isBoundary)(icu, offset);
}

int32_t WRAP(unorm2_normalize)(const UNormalizer2 *form, const UChar *from, int32_t len, UChar *to,
    int32_t cap, UErrorCode *code)
{
	steps += (uint64_t)len;
	return REAL(unorm2_normalize)(form, from, len, to, cap, code);
}

int32_t WRAP(unorm2_spanQuickCheckYes)(
    const UNormalizer2 *form, const UChar *units, int32_t len, UErrorCode *code)
{
	int32_t found = REAL(unorm2_spanQuickCheckYes)(form, units, len, code);

	steps += (uint64_t)found + 1;
	return found;
}

UChar *WRAP(u_strFromUTF8)(
    UChar *to, int32_t cap, int32_t *len, const char *from, int32_t from_len, UErrorCode *code)
{
	steps += (uint64_t)from_len;
	return REAL(u_strFromUTF8)(to, cap, len, from, from_len, code);
}

/* ---- The tokenizer, at most what it is asked about ---------------------------- */

enum embed_status WRAP(tokens_more_cuts)(
    struct tokens_encoder *encoder, const char *bytes, size_t len, size_t end, struct buffer *cuts);
enum embed_status REAL(tokens_more_cuts)(
    struct tokens_encoder *encoder, const char *bytes, size_t len, size_t end, struct buffer *cuts);
enum embed_status WRAP(tokens_count_slice)(struct tokens_encoder *encoder, const char *bytes,
    const struct tokens_cut *cuts, size_t count, size_t start, size_t end, size_t *tokens);
enum embed_status REAL(tokens_count_slice)(struct tokens_encoder *encoder, const char *bytes,
    const struct tokens_cut *cuts, size_t count, size_t start, size_t end, size_t *tokens);
enum embed_status WRAP(tokens_count_up_to)(
    struct tokens_encoder *encoder, const char *bytes, size_t len, size_t limit, size_t *tokens);
enum embed_status REAL(tokens_count_up_to)(
    struct tokens_encoder *encoder, const char *bytes, size_t len, size_t limit, size_t *tokens);
enum embed_status WRAP(tokens_prefix)(struct tokens_encoder *encoder, const char *bytes, size_t len,
    size_t limit, size_t *prefix_len, size_t *tokens);
enum embed_status REAL(tokens_prefix)(struct tokens_encoder *encoder, const char *bytes, size_t len,
    size_t limit, size_t *prefix_len, size_t *tokens);

/* It goes on from the last cut there is. */
enum embed_status WRAP(tokens_more_cuts)(
    struct tokens_encoder *encoder, const char *bytes, size_t len, size_t end, struct buffer *cuts)
{
	size_t count = cuts->len / sizeof(struct tokens_cut);
	const struct tokens_cut *known = (const struct tokens_cut *)(const void *)cuts->bytes;

	steps += end - (count == 0 ? 0 : known[count - 1].offset);
	return REAL(tokens_more_cuts)(encoder, bytes, len, end, cuts);
}

enum embed_status WRAP(tokens_count_slice)(struct tokens_encoder *encoder, const char *bytes,
    const struct tokens_cut *cuts, size_t count, size_t start, size_t end, size_t *tokens)
{
	steps += end - start;
	return REAL(tokens_count_slice)(encoder, bytes, cuts, count, start, end, tokens);
}

enum embed_status WRAP(tokens_count_up_to)(
    struct tokens_encoder *encoder, const char *bytes, size_t len, size_t limit, size_t *tokens)
{
	steps += len;
	return REAL(tokens_count_up_to)(encoder, bytes, len, limit, tokens);
}

enum embed_status WRAP(tokens_prefix)(struct tokens_encoder *encoder, const char *bytes, size_t len,
    size_t limit, size_t *prefix_len, size_t *tokens)
{
	steps += len;
	return REAL(tokens_prefix)(encoder, bytes, len, limit, prefix_len, tokens);
}
