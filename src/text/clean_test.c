/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "base/random.h"
#include "text/clean.h"
#include "text/utf8.h"

#define ALL_FLAGS ((EMBED_CLEAN_MARKDOWN << 1) - 1)

static embed_cleaned *clean(const char *bytes, size_t len, uint32_t flags)
{
	embed_cleaned *cleaned;
	struct embed_error error;

	assert_int_equal(clean_text(bytes, len, flags, &cleaned, &error), EMBED_OK);
	return cleaned;
}

static void assert_cleans(uint32_t flags, const char *source, const char *expected)
{
	embed_cleaned *cleaned = clean(source, strlen(source), flags);
	size_t len;
	const char *bytes = clean_bytes(cleaned, &len);
	char *text = strndup(bytes, len);

	assert_string_equal(text, expected);
	free(text);
	clean_destroy(cleaned);
}

static void assert_untouched(uint32_t flags, const char *source)
{
	assert_cleans(flags, source, source);
}

static void without_flags_nothing_changes(void **state)
{
	(void)state;
	assert_untouched(0, "\xef\xbb\xbf"
			    "a  b\r\n\x01\xc2\xad <b>&amp;</b>\n\n\n\n\xef\xac\x81 e\xcc\x81");
}

static void each_flag_changes_what_it_names(void **state)
{
	(void)state;
	assert_cleans(EMBED_CLEAN_UTF8,
	    "a\xff"
	    "b\xe2\x82",
	    "a\xef\xbf\xbd"
	    "b\xef\xbf\xbd");
	assert_cleans(EMBED_CLEAN_BOM,
	    "\xef\xbb\xbf\xef\xbb\xbf"
	    "a\xef\xbb\xbf",
	    "a\xef\xbb\xbf");
	assert_cleans(EMBED_CLEAN_NEWLINES,
	    "a\r\nb\rc\xc2\x85"
	    "d\xe2\x80\xa8"
	    "e\xe2\x80\xa9",
	    "a\nb\nc\nd\ne\n");
	assert_cleans(EMBED_CLEAN_NFC, "e\xcc\x81 \xef\xac\x81", "\xc3\xa9 \xef\xac\x81");
	assert_cleans(EMBED_CLEAN_NFKC, "e\xcc\x81 \xef\xac\x81", "\xc3\xa9 fi");
	assert_cleans(EMBED_CLEAN_CONTROL,
	    "a\x01\x7f"
	    "b\tc\nd\xc2\x9f",
	    "ab\tc\nd");
	assert_cleans(EMBED_CLEAN_ZERO_WIDTH,
	    "a\xe2\x80\x8b"
	    "b\xef\xbb\xbf"
	    "c\xe2\x80\x8d"
	    "d",
	    "abcd");
	assert_cleans(EMBED_CLEAN_SOFT_HYPHEN,
	    "ex\xc2\xad"
	    "ample",
	    "example");
	assert_cleans(
	    EMBED_CLEAN_HYPHENATION, "exam-\nple and exam- \r\n  ple", "example and example");
	assert_cleans(EMBED_CLEAN_LIGATURES, "\xef\xac\x80\xef\xac\x83\xef\xac\x85", "ffffist");
	assert_cleans(EMBED_CLEAN_BLANKS, "a \t b\xc2\xa0\n\n \n\nc  ", "a b\n\nc");
	assert_cleans(EMBED_CLEAN_QUOTES,
	    "\xe2\x80\x9c"
	    "a\xe2\x80\x99s\xe2\x80\x9d \xc2\xab"
	    "b\xc2\xbb",
	    "\"a's\" \"b\"");
	assert_cleans(EMBED_CLEAN_DASHES,
	    "a\xe2\x80\x93"
	    "b \xe2\x80\x94 c\xe2\x88\x92"
	    "1",
	    "a-b - c-1");
	assert_cleans(EMBED_CLEAN_HTML, "<p>a &amp; b</p>", "a & b");
}

static void each_flag_leaves_what_others_name(void **state)
{
	/* One thing for each flag, in the order of the flags. */
	static const char *const samples[] = {NULL,
	    "\xef\xbb\xbf"
	    "a",
	    "a\r\nb", "e\xcc\x81", "\xc2\xb2x", "a\x01z", "a\xe2\x80\x8bz", "a\xc2\xadz",
	    "exam-\nple", "\xef\xac\x81x", "a  b", "\xe2\x80\x9cz", "a\xe2\x80\x93z", "<b>a</b>"};

	(void)state;
	for (size_t sample = 1; sample < sizeof(samples) / sizeof(samples[0]); sample++) {
		for (uint32_t bit = 0; bit < 15; bit++) {
			bool is_named =
			    bit == sample || (bit == 4 && sample == 3) || (bit == 4 && sample == 9);
			embed_cleaned *cleaned = NULL;
			size_t len;
			const char *bytes;

			/* A byte-order mark is a zero-width character, too. */
			is_named |= bit == 6 && sample == 1;
			cleaned = clean(samples[sample], strlen(samples[sample]), 1u << bit);
			bytes = clean_bytes(cleaned, &len);
			if (is_named)
				assert_ptr_not_equal(bytes, samples[sample]);
			else
				assert_ptr_equal(bytes, samples[sample]);
			clean_destroy(cleaned);
		}
	}
}

static void ill_formed_bytes_are_refused_with_their_place(void **state)
{
	embed_cleaned *cleaned = NULL;
	struct embed_error error;

	(void)state;
	assert_int_equal(
	    clean_text("abc\xff", 4, EMBED_CLEAN_NFC, &cleaned, &error), EMBED_BAD_UTF8);
	assert_int_equal(error.offset, 3);
	assert_non_null(strstr(error.message, "byte 3"));
	assert_null(cleaned);
	assert_int_equal(clean_text("abc\xff", 4, 0, &cleaned, NULL), EMBED_BAD_UTF8);
}

static void unknown_flags_are_refused(void **state)
{
	embed_cleaned *cleaned;
	struct embed_error error;

	(void)state;
	assert_int_equal(clean_text("a", 1, 1u << 20, &cleaned, &error), EMBED_BAD_OPTION);
}

static void clean_text_is_not_copied(void **state)
{
	static const char text[] =
	    "Plain text, one line.\n\nAnd a second paragraph - with a dash.\n";
	static const char accents[] = "Schon ge\xc3\xbc"
				      "bt: \xe4\xb8\xad\xe6\x96\x87 na\xc3\xafve";
	size_t len;
	embed_cleaned *cleaned = clean(text, strlen(text), EMBED_CLEAN_STRONG);

	(void)state;
	assert_ptr_equal(clean_bytes(cleaned, &len), text);
	assert_int_equal(len, strlen(text));
	clean_destroy(cleaned);
	cleaned = clean(text, strlen(text) - 1, EMBED_CLEAN_STRONG);
	assert_ptr_equal(clean_bytes(cleaned, &len), text);
	clean_destroy(cleaned);
	cleaned = clean(accents, strlen(accents), EMBED_CLEAN_STRONG);
	assert_ptr_equal(clean_bytes(cleaned, &len), accents);
	clean_destroy(cleaned);
}

static void joiners_stay_where_they_join(void **state)
{
	/* Family emoji, Persian, Devanagari; but not between Latin letters. */
	static const char text[] = "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa6 "
				   "\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae "
				   "\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d\xe0\xa4\xb7";

	(void)state;
	assert_untouched(EMBED_CLEAN_ZERO_WIDTH, text);
	assert_cleans(EMBED_CLEAN_ZERO_WIDTH,
	    "a\xe2\x80\x8d"
	    "b",
	    "ab");
}

static void page_ends_part_lines(void **state)
{
	(void)state;
	assert_cleans(EMBED_CLEAN_CONTROL, "one\ftwo\n\fthree", "one\ntwo\nthree");
}

static void hyphens_before_capitals_and_numbers_stay(void **state)
{
	(void)state;
	assert_untouched(EMBED_CLEAN_HYPHENATION, "Jean-\nPaul, 1990-\n2000, - \nx, a--\nb");
	assert_cleans(
	    EMBED_CLEAN_SOFT_HYPHEN | EMBED_CLEAN_HYPHENATION, "Wort\xc2\xad\n  Teil", "WortTeil");
}

static void code_in_markdown_keeps_its_blanks(void **state)
{
	static const char source[] =
	    "a  b\n\n\n\n```c\nif  (x)\n\n\n\n\ty- \n```\nc  d\n\n    in  dented\n\n\n\n    more  \n\ne  f\n  - item  x\n";
	static const char expected[] =
	    "a b\n\n```c\nif  (x)\n\n\n\n\ty- \n```\nc d\n\n    in  dented\n\n\n\n    more  \n\ne f\n  - item x\n";

	(void)state;
	assert_cleans(
	    EMBED_CLEAN_MARKDOWN | EMBED_CLEAN_BLANKS | EMBED_CLEAN_HYPHENATION, source, expected);
	assert_cleans(EMBED_CLEAN_BLANKS, "```\nif  (x)\n```", "```\nif (x)\n```");
}

static void fences_in_lists_and_quotes_count(void **state)
{
	(void)state;
	assert_untouched(EMBED_CLEAN_MARKDOWN | EMBED_CLEAN_BLANKS,
	    "> ```\n> a  b\n> ```\n- ~~~\n  c  d\n  ~~~\n");
	assert_cleans(EMBED_CLEAN_MARKDOWN | EMBED_CLEAN_BLANKS, "```a`b```  c", "```a`b``` c");
}

static void html_becomes_lines_and_paragraphs(void **state)
{
	(void)state;
	assert_cleans(EMBED_CLEAN_HTML,
	    "<!doctype html><html><head><title>T &lt;</title><style>p{}</style>\n"
	    "<script>if (a<b) x('</p>');</script></head>\n<body><h1>One</h1> <p>a\n  <b>b</b>c"
	    "<br>d</p><!-- gone --><ul><li>x</li> <li>y</li></ul><pre>  k  l\n m</pre>"
	    "<table><tr><td>1</td><td>2</td></tr></table></body></html>",
	    "T <\n\nOne\n\na bc\nd\n\nx\ny\n\n  k  l\n m\n\n1\t2");
}

static void html_reads_references(void **state)
{
	(void)state;
	assert_cleans(EMBED_CLEAN_HTML,
	    "&eacute;&#233;&#xE9;&hellip;&nbsp;&amp &unknown; &#x80;&#0;&copy=1 a&b",
	    "\xc3\xa9\xc3\xa9\xc3\xa9\xe2\x80\xa6\xc2\xa0& &unknown; \xe2\x82\xac\xef\xbf\xbd&copy=1 a&b");
}

static void html_shown_as_text_stays_escaped(void **state)
{
	(void)state;
	assert_cleans(EMBED_CLEAN_HTML, "<p>Use &lt;b&gt; and &amp;lt; here, 1 &lt; 2</p>",
	    "Use &lt;b> and &amp;lt; here, 1 < 2");
}

static void html_that_never_closes_is_text(void **state)
{
	(void)state;
	assert_cleans(EMBED_CLEAN_HTML, "if a <b then", "if a <b then");
	assert_cleans(EMBED_CLEAN_HTML, "<p title=\"x>y</p>", "y");
	assert_cleans(EMBED_CLEAN_HTML, "a <!-- b", "a <!-- b");
}

static void a_text_without_tags_keeps_its_lines(void **state)
{
	(void)state;
	assert_cleans(EMBED_CLEAN_HTML, "a  &amp;\n\n  b", "a  &\n\n  b");
}

/* ---- Properties on random text ------------------------------------------- */

static const char *const atoms[] = {"a", "b", "z", "A", " ", "  ", "\t", "\n", "\n", "\r", "\r\n",
    "-", "-\n", "\xc2\xad", "\xc2\xad\n", "\xe2\x80\x90", "\xe2\x80\x93", "\xe2\x80\x9c",
    "\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d", "\xef\xbb\xbf", "\x01", "\f", "\v", "\xc2\x85",
    "\xe2\x80\xa8", "\xcc\x81", "\xcc\xa7", "\xe3\x82\x99", "\xe3\x81\x8b", "\xe1\x84\x80",
    "\xe1\x85\xa1", "\xef\xac\x81", "\xc2\xb4", "\xef\xbc\x9c", "\xef\xbc\x9e", "\xef\xbd\x80",
    "\xc2\xa0", "\xe3\x80\x80", "<", ">", "&", ";", "&lt;", "&amp;", "&gt;", "&#173;", "&#x300;",
    "&#8203;", "&nbsp;", "lt", "<p>", "</p>", "<pre>", "</pre>", "<br>", "<script>", "</script>",
    "<!--", "-->", "\"", "'", "=", "/", "```", "~~~", "`", "    ", "- ", "1. ", "> ", "#",
    "\xe0\xa4\x95", "\xe0\xa5\x8d", "\xd8\xa7", "\xd9\x93", "\xe2\x84\xa2", "\xf0\x9f\x91\xa9",
    "\xef\xb8\x8f", "\xff", "\xe2\x82", "\xf0", "\x80", "\xef\xbd\xb6\xef\xbe\x9e", "\xef\xb7\xba",
    "\xe2\x84\xab", "\xe1\xbf\xbd", "\xc3\xa9", "w\xc2\xad", "0", "\x00"};

static size_t random_text(struct random *random, char *bytes, size_t cap)
{
	size_t len = 0;
	size_t count = random_below(random, 24);

	while (count-- > 0) {
		const char *atom = atoms[random_below(random, sizeof(atoms) / sizeof(atoms[0]))];
		size_t atom_len = atom[0] == '\0' ? 1 : strlen(atom);

		if (len + atom_len > cap)
			break;
		memcpy(bytes + len, atom, atom_len);
		len += atom_len;
	}
	return len;
}

/* Mostly a few flags, since many hide each other's faults. */
static uint32_t random_flags(struct random *random)
{
	uint32_t flags = (uint32_t)random_next(random) & ALL_FLAGS;

	if (random_below(random, 2))
		flags &= (uint32_t)random_next(random);
	return flags | EMBED_CLEAN_UTF8;
}

static void print_case(const char *bytes, size_t len, uint32_t flags)
{
	print_error("flags 0x%x:", flags);
	for (size_t i = 0; i < len; i++)
		print_error(" %02x", (unsigned char)bytes[i]);
	print_error("\n");
}

static void assert_idempotent(const char *source, size_t source_len, uint32_t flags)
{
	size_t len, again_len;
	embed_cleaned *cleaned = clean(source, source_len, flags);
	const char *bytes = clean_bytes(cleaned, &len);
	embed_cleaned *again = clean(bytes, len, flags);
	const char *again_bytes = clean_bytes(again, &again_len);

	if (len != again_len || memcmp(bytes, again_bytes, len) != 0) {
		print_case(source, source_len, flags);
		print_case(bytes, len, flags);
		print_case(again_bytes, again_len, flags);
		fail_msg("the second cleaning changed the text");
	}
	assert_true(utf8_is_well_formed(bytes, len));
	clean_destroy(again);
	clean_destroy(cleaned);
}

static void cleaning_twice_is_cleaning_once(void **state)
{
	struct random random = {1};

	(void)state;
	for (int round = 0; round < 40000; round++) {
		char bytes[256];
		size_t len = random_text(&random, bytes, sizeof(bytes));

		assert_idempotent(bytes, len, random_flags(&random));
	}
}

static void every_combination_of_flags_is_idempotent(void **state)
{
	struct random random = {2};

	(void)state;
	for (uint32_t flags = 1; flags <= ALL_FLAGS; flags += 2) {
		char bytes[256];
		size_t len = random_text(&random, bytes, sizeof(bytes));

		assert_idempotent(bytes, len, flags);
	}
}

static void assert_spans_hold(const char *source, size_t source_len, uint32_t flags)
{
	embed_cleaned *cleaned = clean(source, source_len, flags);
	size_t len, count;
	const char *bytes = clean_bytes(cleaned, &len);
	const struct embed_clean_span *spans = clean_spans(cleaned, &count);

	assert_true(count >= 1);
	assert_int_equal(spans[0].clean, 0);
	assert_int_equal(spans[0].source, 0);
	assert_int_equal(spans[count - 1].clean, len);
	assert_int_equal(spans[count - 1].source, source_len);
	for (size_t i = 0; i + 1 < count; i++) {
		size_t clean_len = spans[i + 1].clean - spans[i].clean;

		assert_true(spans[i + 1].clean >= spans[i].clean);
		assert_true(spans[i + 1].source >= spans[i].source);
		if (!spans[i].is_verbatim)
			continue;
		assert_int_equal(spans[i + 1].source - spans[i].source, clean_len);
		assert_memory_equal(bytes + spans[i].clean, source + spans[i].source, clean_len);
	}
	clean_destroy(cleaned);
}

static void spans_lead_back_to_the_source(void **state)
{
	struct random random = {3};

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char bytes[256];
		size_t len = random_text(&random, bytes, sizeof(bytes));

		assert_spans_hold(bytes, len, random_flags(&random));
	}
}

static void source_ranges_cover_what_a_slice_came_from(void **state)
{
	static const char source[] = "<p>caf&eacute; &mdash; <b>e\xcc\x81tude</b></p>";
	embed_cleaned *cleaned =
	    clean(source, strlen(source), EMBED_CLEAN_HTML | EMBED_CLEAN_NFC | EMBED_CLEAN_DASHES);
	size_t start, end, len;
	const char *bytes = clean_bytes(cleaned, &len);

	(void)state;
	assert_memory_equal(bytes, "caf\xc3\xa9 - \xc3\xa9tude", len);
	clean_source_range(cleaned, 0, 5, &start, &end);
	assert_int_equal(start, 3);
	assert_memory_equal(source + start, "caf&eacute;", end - start);
	clean_source_range(cleaned, 8, len, &start, &end);
	assert_memory_equal(source + start, "e\xcc\x81tude", end - start);
	clean_source_range(cleaned, 4, 4, &start, &end);
	assert_int_equal(start, end);
	clean_destroy(cleaned);
}

/* ---- Time ------------------------------------------------------------------ */

static void repeat(char *bytes, size_t len, const char *atom)
{
	size_t atom_len = strlen(atom);

	for (size_t i = 0; i < len; i++)
		bytes[i] = atom[i % atom_len];
}

/* Each of these took quadratic time in some cleaner; here the test's own time limit would show it. */
static void hostile_runs_take_linear_time(void **state)
{
	static const char *const atoms_of_runs[] = {"\xcc\x81\xcc\xa3", "\xe2\x80\x8d\xe2\x80\x8c",
	    "\xc2\xad", "-\n", "<a =\"", "<!--", "<script>", "</", "<", "&", "&#0", "a-  ", " ",
	    "\r ", "    \n", "\xcc\x81", "\xc2\xad\n "};
	size_t len = 2 << 20;
	char *bytes = malloc(len);

	(void)state;
	for (size_t i = 0; i < sizeof(atoms_of_runs) / sizeof(atoms_of_runs[0]); i++) {
		repeat(bytes, len, atoms_of_runs[i]);
		clean_destroy(clean(bytes, len, ALL_FLAGS));
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_flags_nothing_changes),
	    cmocka_unit_test(each_flag_changes_what_it_names),
	    cmocka_unit_test(each_flag_leaves_what_others_name),
	    cmocka_unit_test(ill_formed_bytes_are_refused_with_their_place),
	    cmocka_unit_test(unknown_flags_are_refused),
	    cmocka_unit_test(clean_text_is_not_copied),
	    cmocka_unit_test(joiners_stay_where_they_join),
	    cmocka_unit_test(page_ends_part_lines),
	    cmocka_unit_test(hyphens_before_capitals_and_numbers_stay),
	    cmocka_unit_test(code_in_markdown_keeps_its_blanks),
	    cmocka_unit_test(fences_in_lists_and_quotes_count),
	    cmocka_unit_test(html_becomes_lines_and_paragraphs),
	    cmocka_unit_test(html_reads_references),
	    cmocka_unit_test(html_shown_as_text_stays_escaped),
	    cmocka_unit_test(html_that_never_closes_is_text),
	    cmocka_unit_test(a_text_without_tags_keeps_its_lines),
	    cmocka_unit_test(cleaning_twice_is_cleaning_once),
	    cmocka_unit_test(every_combination_of_flags_is_idempotent),
	    cmocka_unit_test(spans_lead_back_to_the_source),
	    cmocka_unit_test(source_ranges_cover_what_a_slice_came_from),
	    cmocka_unit_test(hostile_runs_take_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
