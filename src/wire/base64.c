/* SPDX-License-Identifier: MIT */
#include "wire/base64.h"

#include <endian.h>
#include <string.h>

#if defined(__x86_64__)
#define HAS_AVX2_CODE 1
#include <immintrin.h>
#else
#define HAS_AVX2_CODE 0
#endif

/* ---- By table ------------------------------------------------------- */

/* Two characters for 12 bits: half the lookups of one character for 6. */
#define PAIRS(a)                                                                                   \
	{a, 'A'}, {a, 'B'}, {a, 'C'}, {a, 'D'}, {a, 'E'}, {a, 'F'}, {a, 'G'}, {a, 'H'}, {a, 'I'},  \
	    {a, 'J'}, {a, 'K'}, {a, 'L'}, {a, 'M'}, {a, 'N'}, {a, 'O'}, {a, 'P'}, {a, 'Q'},        \
	    {a, 'R'}, {a, 'S'}, {a, 'T'}, {a, 'U'}, {a, 'V'}, {a, 'W'}, {a, 'X'}, {a, 'Y'},        \
	    {a, 'Z'}, {a, 'a'}, {a, 'b'}, {a, 'c'}, {a, 'd'}, {a, 'e'}, {a, 'f'}, {a, 'g'},        \
	    {a, 'h'}, {a, 'i'}, {a, 'j'}, {a, 'k'}, {a, 'l'}, {a, 'm'}, {a, 'n'}, {a, 'o'},        \
	    {a, 'p'}, {a, 'q'}, {a, 'r'}, {a, 's'}, {a, 't'}, {a, 'u'}, {a, 'v'}, {a, 'w'},        \
	    {a, 'x'}, {a, 'y'}, {a, 'z'}, {a, '0'}, {a, '1'}, {a, '2'}, {a, '3'}, {a, '4'},        \
	    {a, '5'}, {a, '6'}, {a, '7'}, {a, '8'}, {a, '9'}, {a, '+'},                            \
	{                                                                                          \
		a, '/'                                                                             \
	}

static const char pairs[4096][2] = {
    PAIRS('A'),
    PAIRS('B'),
    PAIRS('C'),
    PAIRS('D'),
    PAIRS('E'),
    PAIRS('F'),
    PAIRS('G'),
    PAIRS('H'),
    PAIRS('I'),
    PAIRS('J'),
    PAIRS('K'),
    PAIRS('L'),
    PAIRS('M'),
    PAIRS('N'),
    PAIRS('O'),
    PAIRS('P'),
    PAIRS('Q'),
    PAIRS('R'),
    PAIRS('S'),
    PAIRS('T'),
    PAIRS('U'),
    PAIRS('V'),
    PAIRS('W'),
    PAIRS('X'),
    PAIRS('Y'),
    PAIRS('Z'),
    PAIRS('a'),
    PAIRS('b'),
    PAIRS('c'),
    PAIRS('d'),
    PAIRS('e'),
    PAIRS('f'),
    PAIRS('g'),
    PAIRS('h'),
    PAIRS('i'),
    PAIRS('j'),
    PAIRS('k'),
    PAIRS('l'),
    PAIRS('m'),
    PAIRS('n'),
    PAIRS('o'),
    PAIRS('p'),
    PAIRS('q'),
    PAIRS('r'),
    PAIRS('s'),
    PAIRS('t'),
    PAIRS('u'),
    PAIRS('v'),
    PAIRS('w'),
    PAIRS('x'),
    PAIRS('y'),
    PAIRS('z'),
    PAIRS('0'),
    PAIRS('1'),
    PAIRS('2'),
    PAIRS('3'),
    PAIRS('4'),
    PAIRS('5'),
    PAIRS('6'),
    PAIRS('7'),
    PAIRS('8'),
    PAIRS('9'),
    PAIRS('+'),
    PAIRS('/'),
};
#undef PAIRS

/* 6-bit value of a character with this bit set; 0: not in the alphabet. */
#define VALID 0x40

/* clang-format off */
static const uint8_t values[256] = {
    ['A'] = 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89,
    ['a'] = 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115,
    ['0'] = 116, 117, 118, 119, 120, 121, 122, 123, 124, 125,
    ['+'] = 126, ['/'] = 127,
};
/* clang-format on */

static void encode_three(char *out, const uint8_t *in)
{
	uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];

	memcpy(out, pairs[bits >> 12], 2);
	memcpy(out + 2, pairs[bits & 0xfff], 2);
}

static void encode_six(char *out, const uint8_t *in)
{
	uint64_t bits;

	memcpy(&bits, in, sizeof(bits));
	bits = be64toh(bits);
	memcpy(out, pairs[bits >> 52], 2);
	memcpy(out + 2, pairs[bits >> 40 & 0xfff], 2);
	memcpy(out + 4, pairs[bits >> 28 & 0xfff], 2);
	memcpy(out + 6, pairs[bits >> 16 & 0xfff], 2);
}

size_t base64_encode_scalar(char *out, const void *bytes, size_t len)
{
	const uint8_t *in = bytes;
	uint8_t last[3] = {0};
	char *start = out;

	/* Each step reads 8 bytes and uses 6. */
	for (; len >= 8; len -= 6, in += 6, out += 8)
		encode_six(out, in);
	for (; len >= 3; len -= 3, in += 3, out += 4)
		encode_three(out, in);
	if (len > 0) {
		memcpy(last, in, len);
		encode_three(out, last);
		out[3] = '=';
		if (len == 1)
			out[2] = '=';
		out += 4;
	}
	return (size_t)(out - start);
}

static bool decode_four(uint8_t *out, const char *text)
{
	const uint32_t marks = (VALID << 18) + (VALID << 12) + (VALID << 6) + VALID;
	uint32_t a = values[(uint8_t)text[0]];
	uint32_t b = values[(uint8_t)text[1]];
	uint32_t c = values[(uint8_t)text[2]];
	uint32_t d = values[(uint8_t)text[3]];
	uint32_t bits = (a << 18) + (b << 12) + (c << 6) + d - marks;

	if ((a & b & c & d & VALID) == 0)
		return false;
	out[0] = (uint8_t)(bits >> 16);
	out[1] = (uint8_t)(bits >> 8);
	out[2] = (uint8_t)bits;
	return true;
}

size_t base64_decode_run_scalar(void *out, size_t cap, const char *text, size_t len)
{
	uint8_t *to = out;
	size_t used = 0;

	while (len - used >= 4 && cap >= 3 && decode_four(to, text + used)) {
		used += 4;
		to += 3;
		cap -= 3;
	}
	return used;
}

/* ---- AVX2 ----------------------------------------------------------- */

#if HAS_AVX2_CODE
/*
 * The well-known vector method (W. Mula, D. Lemire: "Faster Base64 Encoding
 * and Decoding using AVX2 Instructions", 2018): spread or gather 6-bit fields
 * by multiplications, translate them by shuffles used as 16-entry tables.
 */
#define TWICE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

__attribute__((target("avx2"))) static __m256i encode_24(const uint8_t *in)
{
	const __m256i spread = TWICE(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
	const __m256i shifts = TWICE('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
	    '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0);
	__m128i low = _mm_loadu_si128((const __m128i *)(const void *)in);
	__m128i high = _mm_loadu_si128((const __m128i *)(const void *)(in + 12));
	__m256i bytes = _mm256_shuffle_epi8(_mm256_set_m128i(high, low), spread);
	__m256i upper = _mm256_mulhi_epu16(
	    _mm256_and_si256(bytes, _mm256_set1_epi32(0x0fc0fc00)), _mm256_set1_epi32(0x04000040));
	__m256i lower = _mm256_mullo_epi16(
	    _mm256_and_si256(bytes, _mm256_set1_epi32(0x003f03f0)), _mm256_set1_epi32(0x01000010));
	__m256i six = _mm256_or_si256(upper, lower);
	/* Class of each value: 0 a-z, 1..10 digits, 11 '+', 12 '/', 13 A-Z. */
	__m256i class = _mm256_subs_epu8(six, _mm256_set1_epi8(51));
	__m256i is_upper_case = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), six);

	class = _mm256_or_si256(class, _mm256_and_si256(is_upper_case, _mm256_set1_epi8(13)));
	return _mm256_add_epi8(_mm256_shuffle_epi8(shifts, class), six);
}

__attribute__((target("avx2"))) static size_t encode_avx2(char *out, const uint8_t *in, size_t len)
{
	size_t done = 0;

	/* Each step reads 28 bytes and uses 24. */
	for (; len - done >= 28; done += 24, out += 32)
		_mm256_storeu_si256((__m256i *)(void *)out, encode_24(in + done));
	return done;
}

__attribute__((target("avx2"))) static bool decode_32(uint8_t *out, const char *text)
{
	/* A character is good when its two entries have no bit in common. */
	const __m256i by_low = TWICE(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
	    0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a);
	const __m256i by_high = TWICE(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10,
	    0x10, 0x10, 0x10, 0x10, 0x10, 0x10);
	const __m256i rolls = TWICE(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
	const __m256i pack = TWICE(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
	const __m256i slash = _mm256_set1_epi8(0x2f);
	__m256i in = _mm256_loadu_si256((const __m256i *)(const void *)text);
	__m256i high = _mm256_and_si256(_mm256_srli_epi32(in, 4), slash);
	__m256i low = _mm256_and_si256(in, slash);
	__m256i roll;

	if (!_mm256_testz_si256(
		_mm256_shuffle_epi8(by_low, low), _mm256_shuffle_epi8(by_high, high)))
		return false;
	roll = _mm256_shuffle_epi8(rolls, _mm256_add_epi8(_mm256_cmpeq_epi8(in, slash), high));
	in = _mm256_add_epi8(in, roll);
	in = _mm256_maddubs_epi16(in, _mm256_set1_epi32(0x01400140));
	in = _mm256_madd_epi16(in, _mm256_set1_epi32(0x00011000));
	in = _mm256_shuffle_epi8(in, pack);
	in = _mm256_permutevar8x32_epi32(in, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7));
	_mm256_storeu_si256((__m256i *)(void *)out, in);
	return true;
}

__attribute__((target("avx2"))) static size_t decode_avx2(
    uint8_t *out, size_t cap, const char *text, size_t len)
{
	size_t used = 0;

	/* Each step writes 32 bytes, of which 24 count. */
	while (len - used >= 32 && cap >= 32 && decode_32(out, text + used)) {
		used += 32;
		out += 24;
		cap -= 24;
	}
	return used;
}
#undef TWICE
#endif

/* ---- Both ----------------------------------------------------------- */

size_t base64_encode(char *out, const void *bytes, size_t len)
{
	size_t done = 0;

#if HAS_AVX2_CODE
	if (__builtin_cpu_supports("avx2"))
		done = encode_avx2(out, bytes, len);
#endif
	return done / 3 * 4 +
	       base64_encode_scalar(out + done / 3 * 4, (const uint8_t *)bytes + done, len - done);
}

size_t base64_decode_run(void *out, size_t cap, const char *text, size_t len)
{
	size_t used = 0;
	size_t written;

#if HAS_AVX2_CODE
	if (__builtin_cpu_supports("avx2"))
		used = decode_avx2(out, cap, text, len);
#endif
	written = used / 4 * 3;
	return used + base64_decode_run_scalar(
			  (uint8_t *)out + written, cap - written, text + used, len - used);
}

/* The quad that holds the padding: one or two bytes. */
static size_t decode_padded(uint8_t *out, const char *text)
{
	char whole[4] = {text[0], text[1], text[2], 'A'};
	size_t count = 2;
	uint8_t bytes[3];

	if (text[3] != '=')
		return 0;
	if (text[2] == '=') {
		whole[2] = 'A';
		count = 1;
	}
	if (!decode_four(bytes, whole))
		return 0;
	/* Unused bits must be 0, or two texts would mean the same bytes. */
	if (bytes[count] != 0 || (count == 1 && bytes[2] != 0))
		return 0;
	memcpy(out, bytes, count);
	return count;
}

bool base64_decode(void *out, size_t *out_len, const char *text, size_t len)
{
	size_t used;
	size_t tail;

	if (len % 4 != 0)
		return false;
	used = base64_decode_run(out, len / 4 * 3, text, len);
	*out_len = used / 4 * 3;
	if (used == len)
		return true;
	if (used != len - 4)
		return false;
	tail = decode_padded((uint8_t *)out + *out_len, text + used);
	*out_len += tail;
	return tail > 0;
}
