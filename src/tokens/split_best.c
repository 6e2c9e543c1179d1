/* SPDX-License-Identifier: MIT */
#include "tokens/split.h"

split_fn *split_best(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("bmi2") && __builtin_cpu_supports("avx512bw"))
		return split_avx512;
	if (__builtin_cpu_supports("bmi2") && __builtin_cpu_supports("avx2"))
		return split_avx2;
#endif
	return split_scalar;
}
