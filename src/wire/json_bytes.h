/* SPDX-License-Identifier: MIT */
/* JSON bytes: which bytes a JSON string cannot hold as they are.  Threads: any. */
#ifndef WIRE_JSON_BYTES_H
#define WIRE_JSON_BYTES_H

#include <stdbool.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static inline bool json_is_verbatim(char c)
{
	return (unsigned char)c >= ' ' && c != '"' && c != '\\';
}

#if defined(__SSE2__)
/* One bit for each byte that is a control, a quote or a backslash. */
static inline unsigned json_special_bits(__m128i bytes)
{
	__m128i is_control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
	__m128i special =
	    _mm_or_si128(is_control, _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
					 _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));

	return (unsigned)_mm_movemask_epi8(special);
}
#endif

#endif
