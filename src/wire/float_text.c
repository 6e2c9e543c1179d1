/* SPDX-License-Identifier: MIT */
/* Writing; reading is in float_read.c. */
#include "wire/float_text.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/float_bits.h"

#define POWER(exponent, bits) bits,
static const uint64_t powers_of_ten[] = {
#include "wire/powers_of_ten.def"
};
#undef POWER
#define POWER_MIN (-31)

#define FRACTION_BITS 23
#define FRACTION_MASK ((UINT32_C(1) << FRACTION_BITS) - 1)

/* digits * 10^exponent, not negative, last digit not 0 (or 0 * 10^0). */
struct decimal {
	uint64_t digits;
	int exponent;
};

/* Logarithms as multiplications; exact for every exponent that a float has. */
static int floor_log2_of_10_to(int e)
{
	return (e * 1741647) >> 19;
}

static int floor_log10_of_2_to(int e)
{
	return (e * 1262611) >> 22;
}

static int floor_log10_of_three_quarters_2_to(int e)
{
	return (e * 1262611 - 524031) >> 22;
}

/* The product's upper 32 bits, with the last bit set when anything below is: keeps comparisons right. */
static uint32_t multiply_to_odd(uint64_t power, uint32_t factor)
{
	unsigned __int128 product = (unsigned __int128)power * factor;
	uint32_t upper = (uint32_t)(product >> 64);
	uint32_t below = (uint32_t)(product >> 32);

	return upper | (below > 1);
}

/*
 * The shortest decimal in the interval that rounds to fraction * 2^exponent.
 * All quantities are scaled by 4 / 10^k, so that the bounds, half a step away,
 * are whole numbers too.
 */
static struct decimal shortest_in(uint32_t fraction, int exponent, bool is_lower_closer)
{
	uint32_t odd = fraction & 1;
	int k = is_lower_closer ? floor_log10_of_three_quarters_2_to(exponent)
				: floor_log10_of_2_to(exponent);
	int shift = exponent + floor_log2_of_10_to(-k) + 1;
	uint64_t power = powers_of_ten[-k - POWER_MIN];
	uint32_t lower =
	    multiply_to_odd(power, (4 * fraction - 2 + is_lower_closer) << shift) + odd;
	uint32_t value = multiply_to_odd(power, (4 * fraction) << shift);
	uint32_t upper = multiply_to_odd(power, (4 * fraction + 2) << shift) - odd;
	uint32_t s = value / 4;
	uint32_t middle = 4 * s + 2;
	bool is_down_inside, is_up_inside, is_rounded_up;

	if (s >= 10) {
		uint32_t tens = s / 10;

		is_down_inside = lower <= 40 * tens;
		is_up_inside = 40 * tens + 40 <= upper;
		if (is_down_inside != is_up_inside)
			return (struct decimal){tens + is_up_inside, k + 1};
	}
	is_down_inside = lower <= 4 * s;
	is_up_inside = 4 * s + 4 <= upper;
	if (is_down_inside != is_up_inside)
		return (struct decimal){s + is_up_inside, k};
	is_rounded_up = value > middle || (value == middle && (s & 1) != 0);
	return (struct decimal){s + is_rounded_up, k};
}

static struct decimal strip_zeros(struct decimal decimal)
{
	while (decimal.digits != 0 && decimal.digits % 10 == 0) {
		decimal.digits /= 10;
		decimal.exponent++;
	}
	return decimal;
}

static struct decimal shortest(uint32_t bits)
{
	uint32_t fraction = bits & FRACTION_MASK;
	int exponent = (int)(bits >> FRACTION_BITS & 0xff);

	if (exponent == 0 && fraction == 0)
		return (struct decimal){0, 0};
	if (exponent == 0)
		return strip_zeros(shortest_in(fraction, -149, false));
	return strip_zeros(shortest_in(
	    fraction | (FRACTION_MASK + 1), exponent - 150, fraction == 0 && exponent > 1));
}

/* ---- Digits to text ------------------------------------------------- */

static int count_digits(uint64_t value)
{
	static const uint64_t first_with[20] = {0, 10, 100, 1000, 10000, 100000, 1000000, 10000000,
	    100000000, 1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000,
	    100000000000000, 1000000000000000, 10000000000000000, 100000000000000000,
	    1000000000000000000, 10000000000000000000u};
	/* log10(2) is a little above 1233 / 4096; the table decides the rest. */
	int about = (64 - __builtin_clzll(value | 1)) * 1233 >> 12;

	return about + (value >= first_with[about]);
}

/*
 * Eight digits, zeros in front, one in each byte, the first in the lowest:
 * halves of four, quarters of two and single digits are split side by side in
 * one word, with multiplications that round as the divisions would.
 */
static uint64_t split_eight(uint32_t value)
{
	uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
	uint64_t hundreds = (fours * 10486 >> 20) & 0x0000007f0000007f;
	uint64_t twos = (fours - 100 * hundreds) << 16 | hundreds;
	uint64_t tens = (twos * 103 >> 10) & 0x000f000f000f000f;

	return ((twos - 10 * tens) << 8 | tens) + 0x3030303030303030;
}

/* Writes whole groups of eight, so up to 7 bytes past the last digit may change. */
static void put_digits(char *text, uint64_t value, int count)
{
	uint64_t digits;

	if (count > 8) {
		put_digits(text, value / 100000000, count - 8);
		text += count - 8;
		value %= 100000000;
		count = 8;
	}
	digits = htole64(split_eight((uint32_t)value) >> (64 - 8 * count));
	memcpy(text, &digits, sizeof(digits));
}

/* d.ddde-7 */
static char *put_scientific(char *text, uint64_t digits, int count, int power)
{
	int shown = abs(power);

	put_digits(text + 1, digits, count);
	text[0] = text[1];
	text[1] = '.';
	text += count == 1 ? 1 : count + 1;
	*text++ = 'e';
	if (power < 0)
		*text++ = '-';
	put_digits(text, (uint64_t)shown, count_digits((uint64_t)shown));
	return text + count_digits((uint64_t)shown);
}

/* `point`: digits before the decimal point; 0 or less gives zeros after it. */
static char *put_positional(
    char *text, uint64_t digits, int count, int point, enum float_style style)
{
	if (point <= 0) {
		memcpy(text, "0.000000", 8);
		put_digits(text + 2 - point, digits, count);
		return text + 2 - point + count;
	}
	if (point < count) {
		put_digits(text + 1, digits, count);
		memmove(text, text + 1, (size_t)point);
		text[point] = '.';
		return text + count + 1;
	}
	put_digits(text, digits, count);
	memset(text + count, '0', (size_t)(point - count));
	text += point;
	if (style == FLOAT_COMPACT) {
		memcpy(text, ".0", 2);
		text += 2;
	}
	return text;
}

static size_t put_decimal(
    char *start, bool is_negative, struct decimal decimal, enum float_style style)
{
	int count = count_digits(decimal.digits);
	int point = count + decimal.exponent;
	int lowest = style == FLOAT_PLAIN ? -5 : -4;
	int highest = style == FLOAT_PLAIN ? 21 : 16;
	char *text = start;

	if (is_negative)
		*text++ = '-';
	if (point < lowest || point > highest)
		text = put_scientific(text, decimal.digits, count, point - 1);
	else
		text = put_positional(text, decimal.digits, count, point, style);
	return (size_t)(text - start);
}

size_t float_text_write(char text[FLOAT_TEXT_CAP], float value, enum float_style style)
{
	uint32_t bits = float_bits(value);

	return put_decimal(text, bits >> 31 != 0, shortest(bits & 0x7fffffff), style);
}

/* ---- 16-bit values -------------------------------------------------- */

#define POWER(exponent, high, low) {high, low},
static const struct {
	uint64_t high, low;
} large_powers_of_ten[] = {
#include "wire/large_powers_of_ten.def"
};
#undef POWER
#define LARGE_POWER_MIN 11

/* Every finite 16-bit float is a whole number of 2^-24ths, below 2^40 of them. */
#define HALF_UNIT_BITS 24

/* As multiply_to_odd, with numbers of twice the size. */
static uint64_t multiply_large_to_odd(int power, uint64_t factor)
{
	unsigned __int128 low =
	    (unsigned __int128)large_powers_of_ten[power - LARGE_POWER_MIN].low * factor;
	unsigned __int128 high =
	    (unsigned __int128)large_powers_of_ten[power - LARGE_POWER_MIN].high * factor +
	    (uint64_t)(low >> 64);

	return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/*
 * As shortest_in, for the double fraction * 2^exponent; its comments hold here.
 * A double that is a 16-bit float has few exponents, so the table is short.
 */
static struct decimal shortest_double_in(uint64_t fraction, int exponent, bool is_lower_closer)
{
	uint64_t odd = fraction & 1;
	int k = is_lower_closer ? floor_log10_of_three_quarters_2_to(exponent)
				: floor_log10_of_2_to(exponent);
	int shift = exponent + floor_log2_of_10_to(-k) + 1;
	uint64_t lower =
	    multiply_large_to_odd(-k, (4 * fraction - 2 + is_lower_closer) << shift) + odd;
	uint64_t value = multiply_large_to_odd(-k, (4 * fraction) << shift);
	uint64_t upper = multiply_large_to_odd(-k, (4 * fraction + 2) << shift) - odd;
	uint64_t s = value / 4;
	uint64_t tens = s / 10;
	uint64_t middle = 4 * s + 2;
	bool is_down_inside = lower <= 40 * tens;
	bool is_up_inside = 40 * tens + 40 <= upper;
	bool is_rounded_up = value > middle || (value == middle && (s & 1) != 0);

	if (is_down_inside != is_up_inside)
		return (struct decimal){tens + is_up_inside, k + 1};
	is_down_inside = lower <= 4 * s;
	is_up_inside = 4 * s + 4 <= upper;
	if (is_down_inside != is_up_inside)
		return (struct decimal){s + is_up_inside, k};
	return (struct decimal){s + is_rounded_up, k};
}

/* The shortest decimal that reads back as the double `units` * 2^-24. */
static struct decimal shortest_double(uint64_t units)
{
	int surplus = __builtin_clzll(units) - 11; /* a double has 53 bits */

	return strip_zeros(shortest_double_in(
	    units << surplus, -HALF_UNIT_BITS - surplus, (units & (units - 1)) == 0));
}

/* As many units of 2^-24 as `bits` is worth if a 16-bit float can hold it, else 0. */
static uint64_t half_units(uint32_t bits)
{
	uint32_t fraction = (bits & FRACTION_MASK) | (FRACTION_MASK + 1);
	int exponent = (int)(bits >> FRACTION_BITS & 0xff) - 127;
	int unused = exponent < -14 ? -1 - exponent : 13;

	if (exponent < -24 || exponent > 15)
		return 0;
	if ((fraction & ((UINT32_C(1) << unused) - 1)) != 0)
		return 0;
	return exponent >= -1 ? (uint64_t)fraction << (exponent + 1)
			      : (uint64_t)fraction >> (-1 - exponent);
}

size_t float_text_write_half(char text[FLOAT_TEXT_CAP], float value)
{
	uint32_t bits = float_bits(value);
	uint64_t units = half_units(bits & 0x7fffffff);

	if (units == 0)
		return float_text_write(text, value, FLOAT_COMPACT);
	return put_decimal(text, bits >> 31 != 0, shortest_double(units), FLOAT_COMPACT);
}
