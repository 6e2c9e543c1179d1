/* SPDX-License-Identifier: MIT */
/*
 * text.linear: hostile texts, cleaned and cut by every strategy.
 * Four times the bytes take four times the steps (sixteen would be quadratic),
 * steps being counted (steps.h), not timed, for sizes in bytes and in tokens;
 * the promises hold; and all of it runs on a small stack, so that nothing can
 * recurse as deep as a text nests.
 */
#include "base/test.h"

#include <pthread.h>

#include "chunk/promises.h"
#include "steps.h"
#include "text/clean.h"

#define STRATEGIES EMBED_CHUNK_SEMANTIC /* all below it */
#define SMALL      ((size_t)32 << 10)
#define LARGEST    (64 * SMALL)
#define CHECKED    ((size_t)16 << 10) /* what every promise is checked on */
/* 4 is linear, and what sorting, binary searches and the last window of 16 KiB add; 16 would be quadratic. */
#define MOST_TIMES  5.5
#define STACK_BYTES ((size_t)256 << 10)

/* `head` once, then `first` up to the middle and `second` from there on. */
struct shape {
	const char *name, *head, *first, *second;
};

#define SAME(name, head, unit)                                                                     \
	{                                                                                          \
		name, head, unit, unit                                                             \
	}

static const struct shape shapes[] = {
    SAME("prose", "", "Ships sail on the sea. Wax seals letters, says Dr. Bell.\n\n"),
    SAME("one line", "", "Ships sail on the sea. Wax seals letters, says Dr. Bell. "),
    SAME("one word", "", "a"),
    SAME("one blank", "", " "),
    SAME("Chinese without stops", "", "\xe4\xb8\xad\xe6\x96\x87\xe5\xad\x97"),
    SAME("Thai without blanks", "", "\xe0\xb8\xa0\xe0\xb8\xb2\xe0\xb8\xa9\xe0\xb8\xb2"),
    SAME("#", "", "#"),
    SAME("headings", "", "# a\n"),
    SAME("empty headings", "", "#\n"),
    SAME("underlined", "", "a\n===\n"),
    SAME(">", "", ">"),
    SAME("quotes in quotes", "", "> "),
    SAME("lines of quotes", "", "> a\n"),
    SAME("[", "", "["),
    SAME("links in links", "", "![a]("),
    SAME("items in items", "", "- "),
    SAME("numbered items in items", "", "1. "),
    SAME("items", "", "- a\n"),
    SAME("table", "", "| ship | 12 |\n"),
    SAME("table of one row", "", "| a "),
    SAME("open fence", "```c\n", "a = b;\n"),
    SAME("fences", "", "```\n"),
    SAME("fences of fences", "", "~~~~ `` ~~\n"),
    SAME("backquotes", "", "`"),
    SAME("empty lines", "", "\n"),
    SAME("indented empty lines", "", "    \n"),
    SAME("brackets", "", "([{ <a "),
    SAME("closing brackets", "", ")]}"),
    SAME("quotation marks", "", "\"\\"),
    SAME("tags in tags", "", "<div>"),
    SAME("tables in tables", "", "<table><tr><td>"),
    SAME("preformatted", "", "<pre>"),
    SAME("closing tags", "", "</p>"),
    SAME("tags without an end", "", "<b "),
    SAME("attributes without an end", "", "<a b=\""),
    SAME("attributes in one quote", "", "<a b='\">"),
    SAME("comments without an end", "", "<!--"),
    SAME("scripts without an end", "", "<script>"),
    SAME("ends of other tags in a script", "<script>", "</b>"),
    SAME("headings without an end", "", "<h1>"),
    SAME("references", "", "&amp;"),
    SAME("references without an end", "", "&#0"),
    SAME("combining marks", "a", "\xcc\x81"),
    SAME("combining marks out of order", "a", "\xcc\x81\xcc\xa3"),
    SAME("Hangul", "", "\xe1\x84\x80\xe1\x85\xa1"),
    SAME("joined emoji", "", "\xf0\x9f\x91\xa9\xe2\x80\x8d"),
    SAME("flags", "", "\xf0\x9f\x87\xa9"),
    SAME("CR", "", "\r"),
    SAME("CR LF", "", "\r\n"),
    SAME("soft hyphens", "", "\xc2\xad"),
    SAME("soft hyphens and blanks", "a", "\xc2\xad "),
    SAME("soft hyphens and lines", "", "a\xc2\xad\n "),
    SAME("hyphens at line ends", "", "a-\n"),
    SAME("zero width", "", "\xe2\x80\x8b"),
    SAME("joiners", "", "\xe2\x80\x8d\xe2\x80\x8c"),
    SAME("full stops", "", "."),
    SAME("initials", "", "A. "),
    SAME("abbreviations", "", "e.g. "),
    SAME("opening brackets after stops", "", "\xe3\x80\x82\xe3\x80\x8c"),
    SAME("control characters", "", "\x01\f"),
    SAME("bytes that are no UTF-8", "", "\xf0\x9f\xff"),
    SAME("continuation bytes", "", "\x80"),
    {"blanks between a heading and tags", "<h1>a</h1>", " ", "<b>"},
    {"blanks, then hyphens", "", " ", "a-"},
    {"hyphens, then blanks", "", "a-", " "},
    {"empty lines after indented code", "    a\n", "\n", "    a\n\n"},
    {"one line, then short ones", "", "a", "\n"},
    {"marks, then letters", "a", "\xcc\x81", "a "},
    {"quotation marks that one closes", "", "<a b=\"", "\">"},
};

#define SHAPE_COUNT (sizeof(shapes) / sizeof(shapes[0]))

/* At most `len` bytes; ends with a whole unit, so that short and long texts end alike. */
static size_t fill(char *bytes, size_t len, const struct shape *shape)
{
	size_t head = strlen(shape->head), first = strlen(shape->first);
	size_t second = strlen(shape->second), middle = head + (len / 2 - head) / first * first;

	len = middle + (len - middle) / second * second;
	memcpy(bytes, shape->head, head);
	for (size_t i = head; i < len; i++)
		bytes[i] = i < middle ? shape->first[(i - head) % first]
				      : shape->second[(i - middle) % second];
	return len;
}

/* ---- Growth -------------------------------------------------------------- */

/* What it takes to do something to a text in the way that `how` says. */
typedef uint64_t steps_fn(const char *bytes, size_t len, const void *how);

/* Steps for four times `len` bytes, as a multiple of those for `len`. */
static double growth(
    char *bytes, size_t len, const struct shape *shape, steps_fn *take, const void *how)
{
	uint64_t small = take(bytes, fill(bytes, len, shape), how);
	uint64_t large = take(bytes, fill(bytes, 4 * len, shape), how);

	if (getenv("TEXT_LINEAR_SHOW") != NULL)
		printf("%8.1f steps a byte, %5.2f times: ", (double)large / (double)(4 * len),
		    (double)large / (double)(small + 1));
	return (double)large / (double)(small + 1);
}

/*
 * How many grow faster than the text there are, 0 or 1; said, so that one run
 * shows them all.  What grows so only as long as one window of the tokenizer
 * or one chunk holds all of it grows with the text from then on.
 */
static int is_more_than_linear(char *bytes, const struct shape *shape, const char *what,
    size_t which, steps_fn *take, const void *how)
{
	double times = MOST_TIMES + 1;

	for (size_t len = SMALL; times > MOST_TIMES && len <= LARGEST / 4; len *= 4)
		times = growth(bytes, len, shape, take, how);
	if (getenv("TEXT_LINEAR_SHOW") != NULL)
		printf("%s, %s %zu\n", shape->name, what, which);
	if (times <= MOST_TIMES)
		return 0;
	print_error("%s, %s %zu: %.1f times the steps for 4 times the bytes\n", shape->name, what,
	    which, times);
	return 1;
}

/* `take` on every shape in each of `count` ways, `size` bytes each. */
static void assert_linear(
    const char *what, steps_fn *take, const void *hows, size_t count, size_t size)
{
	char *bytes = malloc(LARGEST);
	int failures = 0;

	assert_non_null(bytes);
	for (size_t i = 0; i < SHAPE_COUNT; i++)
		for (size_t j = 0; j < count; j++)
			failures += is_more_than_linear(
			    bytes, &shapes[i], what, j, take, (const char *)hows + j * size);
	free(bytes);
	assert_int_equal(failures, 0);
}

/* ---- Cutting ------------------------------------------------------------- */

static struct embed_chunk_options options_of(
    size_t strategy, enum embed_chunk_unit unit, size_t max, size_t overlap)
{
	struct embed_chunk_options options = EMBED_CHUNK_OPTIONS_INIT;

	options.strategy = (enum embed_chunk_strategy)strategy;
	options.unit = unit;
	options.max = max;
	options.overlap = overlap;
	options.uncounted = unit == EMBED_UNIT_BYTES;
	return options;
}

/* What of the promises can be told quickly, of any length. */
static void assert_in_order(
    const embed_chunks *chunks, size_t len, const struct embed_chunk_options *options)
{
	size_t start = 0, end = 0;

	for (size_t i = 0; i < chunk_count(chunks); i++) {
		const struct embed_chunk *chunk = chunk_at(chunks, i);

		assert_true(chunk->start <= end && chunk->end > end);
		assert_true(i == 0 || chunk->start > start);
		if (options->unit == EMBED_UNIT_BYTES) {
			assert_true(chunk->end - chunk->start <= options->max);
			assert_true(end - chunk->start <= options->overlap);
		} else {
			assert_true(chunk->tokens <= options->max);
		}
		start = chunk->start;
		end = chunk->end;
	}
	assert_int_equal(end, len);
}

static uint64_t steps_to_cut(const char *bytes, size_t len, const void *how)
{
	const struct embed_chunk_options *options = how;
	uint64_t before = steps_taken();
	embed_chunks *chunks;
	uint64_t steps;

	assert_int_equal(chunk_text(bytes, len, options, &chunks, NULL), EMBED_OK);
	steps = steps_taken() - before;
	assert_in_order(chunks, len, options);
	chunk_destroy(chunks);
	return steps;
}

static void check_cut(const struct shape *shape, const struct promises_text *text,
    const struct embed_chunk_options *options)
{
	embed_chunks *chunks;
	const char *broken;
	size_t at;

	assert_int_equal(chunk_text(text->bytes, text->len, options, &chunks, NULL), EMBED_OK);
	broken = promises_broken(text, options, chunks, &at);
	if (broken != NULL)
		fail_msg("%s, strategy %d, unit %d, chunk %zu: %s", shape->name,
		    (int)options->strategy, (int)options->unit, at, broken);
	chunk_destroy(chunks);
}

static void check_promises(const struct shape *shape, const char *bytes, size_t len)
{
	static uint8_t ends[CHECKED + 1];
	struct boundary *finder;
	struct promises_text text;

	assert_int_equal(boundary_create(&finder, BOUNDARY_GRAPHEME, NULL, NULL), EMBED_OK);
	text = promises_look_at(finder, bytes, len, ends);
	for (size_t strategy = 0; strategy < STRATEGIES; strategy++) {
		struct embed_chunk_options by_chars =
		    options_of(strategy, EMBED_UNIT_CHARS, 300, 40);
		struct embed_chunk_options by_tokens =
		    options_of(strategy, EMBED_UNIT_TOKENS, 60, 9);

		check_cut(shape, &text, &by_chars);
		check_cut(shape, &text, &by_tokens);
	}
	boundary_destroy(finder);
}

static void assert_cutting_linear(
    const char *what, enum embed_chunk_unit unit, size_t max, size_t overlap)
{
	struct embed_chunk_options options[STRATEGIES];

	for (size_t strategy = 0; strategy < STRATEGIES; strategy++)
		options[strategy] = options_of(strategy, unit, max, overlap);
	assert_linear(what, steps_to_cut, options, STRATEGIES, sizeof(options[0]));
}

static void cutting_by_bytes_takes_linear_time(void **state)
{
	(void)state;
	assert_cutting_linear("bytes, strategy", EMBED_UNIT_BYTES, 1000, 100);
}

static void cutting_by_tokens_takes_linear_time(void **state)
{
	(void)state;
	assert_cutting_linear("tokens, strategy", EMBED_UNIT_TOKENS, 200, 20);
}

static void promises_hold_for_hostile_shapes(void **state)
{
	char *bytes = malloc(CHECKED);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < SHAPE_COUNT; i++)
		check_promises(&shapes[i], bytes, fill(bytes, CHECKED, &shapes[i]));
	free(bytes);
}

/* ---- Cleaning -------------------------------------------------------------- */

static uint64_t steps_to_clean(const char *bytes, size_t len, const void *how)
{
	const uint32_t *flags = how;
	uint64_t before = steps_taken();
	const struct embed_clean_span *spans;
	embed_cleaned *cleaned;
	size_t count, cleaned_len;
	uint64_t steps;

	assert_int_equal(clean_text(bytes, len, *flags, &cleaned, NULL), EMBED_OK);
	steps = steps_taken() - before;
	clean_bytes(cleaned, &cleaned_len);
	spans = clean_spans(cleaned, &count);
	for (size_t i = 1; i < count; i++)
		assert_true(
		    spans[i].clean >= spans[i - 1].clean && spans[i].source >= spans[i - 1].source);
	assert_int_equal(spans[count - 1].clean, cleaned_len);
	assert_int_equal(spans[count - 1].source, len);
	clean_destroy(cleaned);
	return steps;
}

static void cleaning_takes_linear_time(void **state)
{
	static const uint32_t flags[] = {EMBED_CLEAN_LIGHT, EMBED_CLEAN_STRONG | EMBED_CLEAN_HTML,
	    EMBED_CLEAN_STRONG | EMBED_CLEAN_NFKC | EMBED_CLEAN_MARKDOWN};

	(void)state;
	assert_linear(
	    "flags", steps_to_clean, flags, sizeof(flags) / sizeof(flags[0]), sizeof(flags[0]));
}

static void *run_all(void *failed)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cleaning_takes_linear_time),
	    cmocka_unit_test(promises_hold_for_hostile_shapes),
	    cmocka_unit_test(cutting_by_bytes_takes_linear_time),
	    cmocka_unit_test(cutting_by_tokens_takes_linear_time),
	};

	*(int *)failed = cmocka_run_group_tests(tests, NULL, NULL);
	return NULL;
}

int main(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int failed = 1;

	if (pthread_attr_init(&attributes) != 0 ||
	    pthread_attr_setstacksize(&attributes, STACK_BYTES) != 0 ||
	    pthread_create(&thread, &attributes, run_all, &failed) != 0)
		return 2;
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
	return failed;
}
