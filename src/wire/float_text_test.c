/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <math.h>

#include "base/float_bits.h"
#include "base/random.h"
#include "wire/float_text.h"

/* Under sanitizers and in debug builds fewer; the full sweep is bench/wire's. */
#define ROUNDS 300000

static const char *written(float value, enum float_style style)
{
	static char text[FLOAT_TEXT_CAP + 1];

	text[float_text_write(text, value, style)] = '\0';
	return text;
}

static const char *written_half(float value)
{
	static char text[FLOAT_TEXT_CAP + 1];

	text[float_text_write_half(text, value)] = '\0';
	return text;
}

static float read_all(const char *text)
{
	float value = NAN;

	assert_int_equal(float_text_read(text, strlen(text), &value), strlen(text));
	return value;
}

static void assert_reads_as_strtof(const char *text)
{
	float ours = read_all(text);
	float theirs = strtof(text, NULL);

	if (float_bits(ours) != float_bits(theirs))
		fail_msg("%s: %a, strtof %a", text, (double)ours, (double)theirs);
}

static float random_finite(struct random *random)
{
	for (;;) {
		float value = float_of_bits((uint32_t)random_next(random));

		if (isfinite(value))
			return value;
	}
}

static void writes_what_openai_writes(void **state)
{
	(void)state;
	assert_string_equal(written(-0.00009923338f, FLOAT_PLAIN), "-0.00009923338");
	assert_string_equal(written(0.0000011222661f, FLOAT_PLAIN), "0.0000011222661");
	assert_string_equal(written(0.0f, FLOAT_PLAIN), "0");
	assert_string_equal(written(-0.0f, FLOAT_COMPACT), "-0.0");
	assert_string_equal(written(1.0f, FLOAT_PLAIN), "1");
	assert_string_equal(written(1.0f, FLOAT_COMPACT), "1.0");
	assert_string_equal(written(123456.78f, FLOAT_PLAIN), "123456.78");
	assert_string_equal(written(1e-7f, FLOAT_PLAIN), "1e-7");
	assert_string_equal(written(1.5e-7f, FLOAT_PLAIN), "1.5e-7");
	assert_string_equal(written(1e20f, FLOAT_PLAIN), "100000000000000000000");
	assert_string_equal(written(3.4028235e38f, FLOAT_PLAIN), "3.4028235e38");
	assert_string_equal(written(float_of_bits(1), FLOAT_PLAIN), "1e-45");
}

static void writes_16_bit_values_in_full(void **state)
{
	(void)state;
	assert_string_equal(written_half(0.0209503173828125f), "0.0209503173828125");
	assert_string_equal(written_half(8.761882781982422e-6f), "8.761882781982422e-6");
	assert_string_equal(written_half(-0.048309326171875f), "-0.048309326171875");
	assert_string_equal(written_half(65504.0f), "65504.0");
	assert_string_equal(written_half(0x1p-24f), "5.960464477539063e-8");
	assert_string_equal(written_half(0.1f), "0.1");
}

/* The shortest text of a double, found by trying; what layout B prints. */
static int shortest_double_digits(double value, char *text, size_t cap)
{
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, cap, "%.*e", digits - 1, value);
		if (strtod(text, NULL) == value)
			return digits;
	}
	return 0;
}

static void every_16_bit_value_is_the_shortest_double(void **state)
{
	char theirs[64];
	char digits[FLOAT_TEXT_CAP + 1];
	const char *ours;
	int exponent;
	size_t len;

	(void)state;
	for (uint32_t half = 1; half < 0x7c00; half++) {
		float value = ldexpf((float)((half & 0x3ff) | (half >= 0x400 ? 0x400 : 0)),
		    (int)(half >= 0x400 ? half >> 10 : 1) - 25);

		ours = written_half(value);
		assert_true(strtod(ours, NULL) == (double)value);
		shortest_double_digits((double)value, theirs, sizeof(theirs));
		/* The same digits, wherever the point stands. */
		len = 0;
		for (const char *p = ours; *p != '\0' && *p != 'e'; p++) {
			if (*p != '.' && (len > 0 || *p != '0'))
				digits[len++] = *p;
		}
		while (len > 1 && digits[len - 1] == '0')
			len--;
		digits[len] = '\0';
		memmove(theirs + 1, theirs + (theirs[1] == '.' ? 2 : 1), strlen(theirs));
		*strchr(theirs, 'e') = '\0';
		/* printf's rounding may fall below a power of two, where the steps are finer. */
		if (frexp((double)value, &exponent) == 0.5 ? strlen(digits) > strlen(theirs)
							   : strcmp(digits, theirs) != 0)
			fail_msg("%a: %s, shortest %s", (double)value, ours, theirs);
	}
}

/* No text with fewer digits reads back, and none with as many is nearer. */
static void assert_is_shortest(float value)
{
	char shorter[64];
	const char *ours = written(value, FLOAT_PLAIN);
	int digits = 0;
	bool is_leading = true;
	char *end;

	if (float_bits(strtof(ours, &end)) != float_bits(value) || *end != '\0')
		fail_msg("%a written as %s", (double)value, ours);
	for (const char *p = ours; *p != '\0' && *p != 'e'; p++) {
		if (*p >= '1' && *p <= '9')
			is_leading = false;
		digits += *p >= '0' && *p <= '9' && !is_leading;
	}
	for (const char *p = ours + strlen(ours); strchr(ours, '.') == NULL && p > ours; p--) {
		if (p[-1] != '0' || digits <= 1)
			break;
		digits--;
	}
	if (digits > 1) {
		snprintf(shorter, sizeof(shorter), "%.*e", digits - 2, (double)value);
		if (strtof(shorter, NULL) == value)
			fail_msg("%s is longer than %s", ours, shorter);
	}
	snprintf(shorter, sizeof(shorter), "%.*e", digits > 0 ? digits - 1 : 0, (double)value);
	if (strtof(shorter, NULL) == value && strtod(shorter, NULL) != strtod(ours, NULL))
		fail_msg("%s is nearer than %s", shorter, ours);
}

static void what_is_written_is_shortest_and_reads_back(void **state)
{
	struct random random = {1};

	(void)state;
	for (int i = 0; i < ROUNDS / 10; i++) {
		assert_is_shortest(random_finite(&random));
		assert_is_shortest((float)(random_unit(&random) - 0.5));
	}
	for (uint32_t exponent = 1; exponent < 255; exponent++) {
		assert_is_shortest(float_of_bits(exponent << 23));
		assert_is_shortest(float_of_bits((exponent << 23) + 1));
		assert_is_shortest(float_of_bits((exponent << 23) - 1));
	}
}

static void what_is_written_reads_back_in_both_styles(void **state)
{
	struct random random = {2};

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		float value = random_finite(&random);

		assert_int_equal(
		    float_bits(read_all(written(value, FLOAT_PLAIN))), float_bits(value));
		assert_int_equal(
		    float_bits(read_all(written(value, FLOAT_COMPACT))), float_bits(value));
		assert_int_equal(float_bits(read_all(written_half(value))), float_bits(value));
	}
}

static void reads_random_decimals_as_strtof_does(void **state)
{
	struct random random = {3};
	char text[128];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		float value = random_finite(&random);
		double wide = (double)value * (1 + random_unit(&random) * 1e-7);

		snprintf(text, sizeof(text), "%.*g", (int)random_below(&random, 25) + 1, wide);
		assert_reads_as_strtof(text);
		snprintf(text, sizeof(text), "%s%u.%ue%d", i % 2 ? "-" : "",
		    (unsigned)random_below(&random, 1000000), (unsigned)random_next(&random),
		    (int)random_below(&random, 110) - 60);
		assert_reads_as_strtof(text);
	}
}

/* Points exactly between two floats, and a hair to either side: what doubles get wrong. */
static void reads_halfway_points_as_strtof_does(void **state)
{
	struct random random = {4};
	char text[512];

	(void)state;
	for (int i = 0; i < ROUNDS / 10; i++) {
		uint32_t bits = (uint32_t)random_below(&random, 0x7f7fffff);
		double middle = ((double)float_of_bits(bits) + (double)float_of_bits(bits + 1)) / 2;
		size_t len;

		snprintf(text, sizeof(text), "%.160e", middle);
		assert_reads_as_strtof(text);
		snprintf(text, sizeof(text), "%.60f", middle);
		assert_reads_as_strtof(text);
		/* The last of many digits decides. */
		len = (size_t)snprintf(text, sizeof(text), "%.200f", middle);
		snprintf(
		    text + len, sizeof(text) - len, "%0*d1", (int)random_below(&random, 150), 0);
		assert_reads_as_strtof(text);
	}
}

static void reads_the_edges(void **state)
{
	static const char *const texts[] = {"0", "-0", "0.0", "0e99999", "0.000e-5", "1e-46",
	    "7.006492321624085e-46", "7.0064923216240853e-46", "7.0064923216240854e-46", "1e-45",
	    "1.1754943508222875e-38", "1.17549435e-38", "3.4028234e38", "3.4028235677973366e38",
	    "3.4028235677973365e38", "1e39", "1e400", "1e-400", "123456789012345678901234567890",
	    "0.000000000000000000000000000000000000000000000000000000000000001e60", "16777217",
	    "16777219", "9007199254740993", "1e99999999999999999999", "1e-99999999999999999999",
	    "1.00000017881393432617187499", "1.00000017881393432617187500",
	    "1.00000017881393432617187501"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_reads_as_strtof(texts[i]);
}

static void takes_json_numbers_only(void **state)
{
	static const char *const texts[] = {"", "-", "+1", ".5", "1.", "1.e5", "01", "-01", "1e",
	    "1e+", "NaN", "Infinity", "-x", "e5"};
	float value;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(float_text_read(texts[i], strlen(texts[i]), &value), 0);
	assert_int_equal(float_text_read("1.5,2", 5, &value), 3);
	assert_int_equal(float_text_read("12345678]", 9, &value), 8);
	assert_int_equal(float_text_read("1.5e3x", 6, &value), 5);
	assert_int_equal(float_text_read("0x10", 4, &value), 1);
}

/* Each row is ten times the one before, but for the rounding of either. */
static void the_powers_of_ten_are_right(void **state)
{
	static const struct {
		int exponent;
		uint64_t bits;
	} rows[] = {
#define POWER(exponent, bits) {exponent, bits},
#include "wire/powers_of_ten.def"
#undef POWER
	};

	(void)state;
	for (size_t i = 1; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned __int128 ten_times = (unsigned __int128)rows[i - 1].bits * 10;
		int shift = ten_times >> 67 != 0 ? 4 : 3;
		uint64_t expected = (uint64_t)(ten_times >> shift);

		assert_int_equal(rows[i].exponent, rows[i - 1].exponent + 1);
		assert_true(rows[i].bits >> 63 == 1);
		assert_true(rows[i].bits - expected + 2 <= 4);
		if (rows[i].exponent == 0)
			assert_true(rows[i].bits == UINT64_C(1) << 63);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(writes_what_openai_writes),
	    cmocka_unit_test(writes_16_bit_values_in_full),
	    cmocka_unit_test(every_16_bit_value_is_the_shortest_double),
	    cmocka_unit_test(what_is_written_is_shortest_and_reads_back),
	    cmocka_unit_test(what_is_written_reads_back_in_both_styles),
	    cmocka_unit_test(reads_random_decimals_as_strtof_does),
	    cmocka_unit_test(reads_halfway_points_as_strtof_does),
	    cmocka_unit_test(reads_the_edges),
	    cmocka_unit_test(takes_json_numbers_only),
	    cmocka_unit_test(the_powers_of_ten_are_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
