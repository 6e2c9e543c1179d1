/* SPDX-License-Identifier: MIT */
/* Writing; reading is in float_read.c. */
#include "wire/float_text.h"

#include <stdlib.h>
#include <string.h>

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

static const char two_digits[] = "00010203040506070809101112131415161718192021222324"
				 "25262728293031323334353637383940414243444546474849"
				 "50515253545556575859606162636465666768697071727374"
				 "75767778798081828384858687888990919293949596979899";

static int count_digits(uint64_t value)
{
	uint64_t bound = 10;
	int count = 1;

	for (; count < 19 && value >= bound; count++)
		bound *= 10;
	return count;
}

static void put_digits(char *text, uint64_t value, int count)
{
	for (; count >= 2; count -= 2, value /= 100)
		memcpy(text + count - 2, two_digits + 2 * (value % 100), 2);
	if (count == 1)
		text[0] = (char)('0' + value);
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
		memcpy(text, "0.", 2);
		memset(text + 2, '0', (size_t)-point);
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
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return put_decimal(text, bits >> 31 != 0, shortest(bits & 0x7fffffff), style);
}

/* ---- 16-bit values -------------------------------------------------- */

/* Every finite 16-bit float is a whole number of 2^-24ths, below 2^40 of them. */
#define HALF_UNIT_BITS 24
#define FIVE_TO_24     UINT64_C(59604644775390625)

static unsigned __int128 ten_to(int exponent)
{
	unsigned __int128 power = 1;

	for (; exponent > 0; exponent--)
		power *= 10;
	return power;
}

/* Half to even, as every other printer of doubles does. */
static unsigned __int128 divide_rounded(unsigned __int128 value, unsigned __int128 step)
{
	unsigned __int128 whole = value / step;
	unsigned __int128 rest = value % step;

	return whole + (rest > step / 2 || (rest == step / 2 && (whole & 1) != 0));
}

/*
 * Does `near` read back as the double `exact`?  It must lie less than half a
 * step away: 2^(top - 53), `top` being the exponent of the number's highest
 * bit.  Steps below a power of two are half as long.
 */
static bool reads_back(unsigned __int128 near, unsigned __int128 exact, uint64_t units)
{
	int top = 63 - __builtin_clzll(units) - HALF_UNIT_BITS;
	unsigned __int128 away = near > exact ? near - exact : exact - near;

	if (near < exact && (units & (units - 1)) == 0)
		away *= 2;
	return away << (53 - HALF_UNIT_BITS - top) < FIVE_TO_24;
}

/*
 * The shortest decimal that reads back as the double `units` * 2^-24, which is
 * units * 5^24 / 10^24.  15 digits always fit a double and 17 always suffice.
 */
static struct decimal shortest_double(uint64_t units)
{
	unsigned __int128 exact = (unsigned __int128)units * FIVE_TO_24;
	unsigned __int128 step = 1;
	unsigned __int128 rounded = exact;
	int dropped = 0;

	while (exact / step >= ten_to(17)) {
		step *= 10;
		dropped++;
	}
	rounded = divide_rounded(exact, step);
	for (int more = 1; more <= 2 && exact / step >= ten_to(15); more++) {
		unsigned __int128 fewer;

		step *= 10;
		fewer = divide_rounded(exact, step);
		if (!reads_back(fewer * step, exact, units))
			fewer++;
		if (!reads_back(fewer * step, exact, units))
			break;
		rounded = fewer;
		dropped++;
	}
	return strip_zeros((struct decimal){(uint64_t)rounded, dropped - HALF_UNIT_BITS});
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
	uint32_t bits;
	uint64_t units;

	memcpy(&bits, &value, sizeof(bits));
	units = half_units(bits & 0x7fffffff);
	if (units == 0)
		return float_text_write(text, value, FLOAT_COMPACT);
	return put_decimal(text, bits >> 31 != 0, shortest_double(units), FLOAT_COMPACT);
}
