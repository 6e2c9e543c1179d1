/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <math.h>
#include <string.h>

#include "base/float_bits.h"
#include "wire/float_text.h"

#define POWER(value) value,
static const double scales[] = {
#include "wire/decimal_scales.def"
};
#undef POWER
#define SCALE_MIN (-65)
#define SCALE_MAX 39

/* Above this many digits the rest only decides whether the number is a little more. */
#define KEPT_DIGITS 19  /* fit 64 bits */
#define BIG_DIGITS  200 /* no point halfway between two floats has more than 113 */

/* Exponents beyond this are 0 or infinity, whatever the digits (of a text below 2 GB). */
#define EXPONENT_CAP (INT64_C(1) << 40)

/* The parts of a JSON number; `digits` from the first to after the last, with the point. */
struct number {
	const char *digits;
	const char *digits_end;
	const char *end;
	uint64_t value;   /* of the digits, without the point; wrong if more than 19 */
	size_t count;     /* of digits, without leading zeros where there are many */
	int64_t exponent; /* of ten, for the last digit */
	bool is_negative;
};

static bool is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

static const uint64_t tens[9] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

/* Eight digits, one in each byte, the first in the lowest: their number. */
static uint64_t join_eight(uint64_t digits)
{
	digits = digits * 2561 >> 8;
	digits = (digits & 0x00ff00ff00ff00ff) * 6553601 >> 16;
	return (digits & 0x0000ffff0000ffff) * 42949672960001 >> 32;
}

/*
 * Digits are taken eight at a time.  Bytes that are none show up as a bit above
 * their value; what stands before the first of them is shifted to the end, so
 * that a shorter run is read as eight digits with zeros before it.
 */
static inline __attribute__((always_inline)) const char *read_digits(
    const char *text, const char *end, uint64_t *value)
{
	while (end - text >= 8) {
		uint64_t eight, others;
		unsigned count;

		memcpy(&eight, text, sizeof(eight));
		eight = le64toh(eight) ^ 0x3030303030303030;
		others = ((eight + 0x7676767676767676) | eight) & 0x8080808080808080;
		if (others == 0) {
			*value = *value * 100000000 + join_eight(eight);
			text += 8;
			continue;
		}
		/* A byte only carries into the next one after being no digit itself. */
		count = (unsigned)__builtin_ctzll(others) / 8;
		if (count > 0)
			*value = *value * tens[count] + join_eight(eight << (64 - 8 * count));
		return text + count;
	}
	for (; text < end && is_digit(*text); text++)
		*value = *value * 10 + (uint64_t)(*text - '0');
	return text;
}

/* From the 'e' on; NULL when no digit follows. */
static const char *read_exponent(const char *text, const char *end, int64_t *exponent)
{
	int64_t value = 0;
	bool is_negative = false;

	text++;
	if (text < end && (*text == '+' || *text == '-'))
		is_negative = *text++ == '-';
	if (text == end || !is_digit(*text))
		return NULL;
	for (; text < end && is_digit(*text); text++) {
		if (value < EXPONENT_CAP)
			value = value * 10 + (*text - '0');
	}
	*exponent += is_negative ? -value : value;
	return text;
}

/* 0.00012004375457763672 has more digits than it needs. */
static size_t leading_zeros(const struct number *number)
{
	const char *at = number->digits;
	size_t zeros = 0;
	uint64_t eight;

	if (number->digits_end - at >= 10 && at[0] == '0') {
		memcpy(&eight, at + 2, sizeof(eight));
		eight = le64toh(eight) ^ 0x3030303030303030;
		if (eight != 0)
			return 1 + (size_t)__builtin_ctzll(eight) / 8;
	}
	for (; at < number->digits_end && (*at == '0' || *at == '.'); at++)
		zeros += *at == '0';
	return zeros;
}

/* Most numbers of a vector have one digit before the point. */
static const char *read_whole(const char *text, const char *end, uint64_t *value)
{
	if (end - text < 2 || is_digit(text[1]) || !is_digit(text[0]))
		return read_digits(text, end, value);
	*value = (uint64_t)(*text - '0');
	return text + 1;
}

static bool read_number(struct number *number, const char *text, const char *end)
{
	const char *whole;
	const char *point;

	number->is_negative = text < end && *text == '-';
	text += number->is_negative;
	number->value = 0;
	number->exponent = 0;
	number->digits = whole = text;
	text = read_whole(text, end, &number->value);
	number->count = (size_t)(text - whole);
	if (number->count == 0 || (number->count > 1 && *whole == '0'))
		return false;
	if (text < end && *text == '.') {
		point = ++text;
		text = read_digits(text, end, &number->value);
		if (text == point)
			return false;
		number->count += (size_t)(text - point);
		number->exponent = point - text;
	}
	number->digits_end = text;
	if (number->count > KEPT_DIGITS)
		number->count -= leading_zeros(number);
	if (text < end && (*text | 0x20) == 'e')
		text = read_exponent(text, end, &number->exponent);
	number->end = text;
	return text != NULL;
}

/* ---- Exactly, when the quick way cannot decide ----------------------- */

/* 48 words hold 200 digits times 2^150, and 25 bits times 10^247. */
#define BIG_WORDS 48

struct big {
	uint32_t words[BIG_WORDS];
	int count;
};

static void big_multiply_add(struct big *big, uint32_t factor, uint32_t carry)
{
	for (int i = 0; i < big->count; i++) {
		uint64_t product = (uint64_t)big->words[i] * factor + carry;

		big->words[i] = (uint32_t)product;
		carry = (uint32_t)(product >> 32);
	}
	if (carry != 0)
		big->words[big->count++] = carry;
}

static void big_times_ten_to(struct big *big, int64_t exponent)
{
	for (; exponent >= 9; exponent -= 9)
		big_multiply_add(big, 1000000000, 0);
	for (; exponent > 0; exponent--)
		big_multiply_add(big, 10, 0);
}

static void big_times_two_to(struct big *big, int exponent)
{
	for (; exponent >= 24; exponent -= 24)
		big_multiply_add(big, UINT32_C(1) << 24, 0);
	big_multiply_add(big, UINT32_C(1) << exponent, 0);
}

static int big_compare(const struct big *a, const struct big *b)
{
	if (a->count != b->count)
		return a->count < b->count ? -1 : 1;
	for (int i = a->count - 1; i >= 0; i--) {
		if (a->words[i] != b->words[i])
			return a->words[i] < b->words[i] ? -1 : 1;
	}
	return 0;
}

/* Up to BIG_DIGITS significant digits and, if anything but zeros follows, a last 1. */
struct exact {
	struct big digits;
	int64_t exponent;
	uint64_t first; /* the first KEPT_DIGITS digits */
	int64_t first_exponent;
};

static void read_exact(struct exact *exact, const struct number *number)
{
	bool is_more = false;
	int64_t dropped = 0;
	int kept = 0;

	memset(exact, 0, sizeof(*exact));
	for (const char *p = number->digits; p < number->digits_end; p++) {
		uint32_t digit = (uint32_t)(*p - '0');

		if (*p == '.' || (kept == 0 && digit == 0))
			continue;
		if (kept == BIG_DIGITS) {
			is_more = is_more || digit != 0;
			dropped++;
			continue;
		}
		if (kept++ < KEPT_DIGITS)
			exact->first = exact->first * 10 + digit;
		big_multiply_add(&exact->digits, 10, digit);
	}
	exact->exponent = number->exponent + dropped;
	exact->first_exponent = exact->exponent + (kept > KEPT_DIGITS ? kept - KEPT_DIGITS : 0);
	if (is_more) {
		big_multiply_add(&exact->digits, 10, 1);
		exact->exponent--;
	}
}

/* Compares the decimal with the point halfway between the floats `bits` and `bits` + 1. */
static int compare_with_halfway(const struct exact *exact, uint32_t bits)
{
	uint32_t fraction = bits & 0x7fffff;
	int exponent = (int)(bits >> 23);
	struct big left = exact->digits;
	struct big right = {.count = 1};

	if (exponent == 0)
		exponent = 1;
	else
		fraction |= 0x800000;
	right.words[0] = 2 * fraction + 1;
	exponent -= 151;
	if (exact->exponent >= 0)
		big_times_ten_to(&left, exact->exponent);
	else
		big_times_ten_to(&right, -exact->exponent);
	if (exponent >= 0)
		big_times_two_to(&right, exponent);
	else
		big_times_two_to(&left, -exponent);
	return big_compare(&left, &right);
}

#define INFINITY_BITS UINT32_C(0x7f800000)

/* Starts at the double's float and steps until the decimal lies within half a step. */
static uint32_t nearest_float(const struct exact *exact)
{
	double guess = (double)exact->first * scales[exact->first_exponent - SCALE_MIN];
	float rounded = guess < 0x1p128 ? (float)guess : INFINITY;
	uint32_t bits = float_bits(rounded);
	int order;

	for (; bits < INFINITY_BITS; bits++) {
		order = compare_with_halfway(exact, bits);
		if (order < 0 || (order == 0 && (bits & 1) == 0))
			break;
	}
	for (; bits > 0; bits--) {
		order = compare_with_halfway(exact, bits - 1);
		if (order > 0 || (order == 0 && (bits & 1) == 0))
			break;
	}
	return bits;
}

/* Kept apart, so that its arrays cost the quick way nothing. */
__attribute__((noinline)) static float read_slowly(const struct number *number)
{
	struct exact exact;

	read_exact(&exact, number);
	/* 10^-65 and 10^39 with 1 to 19 digits are far outside what a float can hold. */
	if (exact.first == 0 || exact.first_exponent < SCALE_MIN)
		return 0;
	if (exact.first_exponent > SCALE_MAX)
		return INFINITY;
	return float_of_bits(nearest_float(&exact));
}

/* ---- The quick way -------------------------------------------------- */

/*
 * One double multiplication is wrong by at most a few of its last bits.  The
 * cast to float then rounds as the exact number would, unless the double's 29
 * surplus bits lie within 8 of halfway.  Only normal floats lose just those.
 */
static bool read_quickly(const struct number *number, float *value)
{
	double nearly;
	uint64_t bits;

	if (number->count > KEPT_DIGITS || number->exponent < SCALE_MIN ||
	    number->exponent > SCALE_MAX)
		return false;
	nearly = (double)number->value * scales[number->exponent - SCALE_MIN];
	memcpy(&bits, &nearly, sizeof(bits));
	if ((bits & 0x1fffffff) - 0x0ffffff8 <= 16)
		return false;
	if (nearly < 0x1p-125 || nearly >= 0x1p127) {
		*value = 0;
		return number->value == 0;
	}
	*value = (float)nearly;
	return true;
}

/* Sets the sign without a branch: in a vector it is a toss of a coin. */
static float with_sign(float magnitude, bool is_negative)
{
	return float_of_bits(float_bits(magnitude) | (uint32_t)is_negative << 31);
}

size_t float_text_read(const char *text, size_t len, float *value)
{
	struct number number;
	float magnitude;

	if (!read_number(&number, text, text + len))
		return 0;
	if (!read_quickly(&number, &magnitude))
		magnitude = read_slowly(&number);
	*value = with_sign(magnitude, number.is_negative);
	return (size_t)(number.end - text);
}
