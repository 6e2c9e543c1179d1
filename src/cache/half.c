/* SPDX-License-Identifier: MIT */
#include "cache/half.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#include "base/float_bits.h"

#define SIGN_32     0x80000000u
#define FRACTION_32 0x007fffffu

/* A half's exponent is biased by 15 and a float's by 127: 112 apart; 13 more fraction bits. */
static float one_to_float(uint16_t half)
{
	uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
	uint32_t exponent = (half >> 10) & 0x1fu;
	uint32_t fraction = half & 0x3ffu;
	float small;

	if (exponent == 0x1f)
		return float_of_bits(sign | 0x7f800000u | fraction << 13);
	if (exponent != 0)
		return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
	small = (float)fraction * 0x1p-24f;
	return float_of_bits(sign | float_bits(small));
}

/* Truncates what does not fit; the caller compares. */
static uint16_t one_from_float(uint32_t bits)
{
	uint16_t sign = (uint16_t)((bits & SIGN_32) >> 16);
	int exponent = (int)((bits >> 23) & 0xff) - 112;
	uint32_t fraction = bits & FRACTION_32;

	if (exponent >= 0x1f)
		return (uint16_t)(sign | 0x7c00u);
	if (exponent > 0)
		return (uint16_t)(sign | (uint32_t)exponent << 10 | fraction >> 13);
	if (exponent < -10)
		return sign;
	return (uint16_t)(sign | (fraction | 0x800000u) >> (14 - exponent));
}

static bool portable_from_float(uint16_t *out, const float *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t bits = float_bits(numbers[i]);

		out[i] = one_from_float(bits);
		if (float_bits(one_to_float(out[i])) != bits)
			return false;
	}
	return true;
}

static void portable_to_float(float *out, const void *halves, size_t count)
{
	const uint8_t *bytes = halves;
	uint16_t half;

	for (size_t i = 0; i < count; i++) {
		memcpy(&half, bytes + i * sizeof(half), sizeof(half));
		out[i] = one_to_float(half);
	}
}

static const struct half portable = {"portable", portable_from_float, portable_to_float};

const struct half *half_portable(void)
{
	return &portable;
}

#if defined(__x86_64__)

__attribute__((target("avx2,f16c"))) static bool f16c_from_float(
    uint16_t *out, const float *numbers, size_t count)
{
	size_t i = 0;

	for (; i + 8 <= count; i += 8) {
		__m256 eight = _mm256_loadu_ps(numbers + i);
		__m128i halves = _mm256_cvtps_ph(eight, _MM_FROUND_TO_NEAREST_INT);
		__m256i lost = _mm256_xor_si256(
		    _mm256_castps_si256(eight), _mm256_castps_si256(_mm256_cvtph_ps(halves)));

		if (!_mm256_testz_si256(lost, lost))
			return false;
		_mm_storeu_si128((__m128i *)(void *)(out + i), halves);
	}
	return portable_from_float(out + i, numbers + i, count - i);
}

__attribute__((target("avx2,f16c"))) static void f16c_to_float(
    float *out, const void *halves, size_t count)
{
	const uint8_t *bytes = halves;
	size_t i = 0;

	for (; i + 8 <= count; i += 8, bytes += 16)
		_mm256_storeu_ps(out + i,
		    _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)bytes)));
	portable_to_float(out + i, bytes, count - i);
}

static const struct half f16c = {"f16c", f16c_from_float, f16c_to_float};

/* gcc knows __builtin_cpu_supports("f16c"), clang 14 does not; AVX2 includes the system's part. */
static bool cpu_has_f16c(void)
{
	unsigned a, b, c, d;

	return __builtin_cpu_supports("avx2") && __get_cpuid(1, &a, &b, &c, &d) &&
	       (c & bit_F16C) != 0;
}

const struct half *half_best(void)
{
	return cpu_has_f16c() ? &f16c : &portable;
}

#else

const struct half *half_best(void)
{
	return &portable;
}

#endif
