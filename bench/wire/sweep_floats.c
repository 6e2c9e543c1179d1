/* SPDX-License-Identifier: MIT */
/*
 * Every float there is: written, read back by us and by strtof, same bits.
 * Takes some minutes a core.  usage: sweep_floats [STRIDE]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/float_bits.h"
#include "wire/float_text.h"

int main(int argc, char **argv)
{
	uint64_t stride = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	uint64_t wrong = 0;
	uint64_t done = 0;

	for (uint64_t i = 0; i < 0x7f800000; i += stride == 0 ? 1 : stride, done++) {
		uint32_t bits = (uint32_t)i;
		char text[FLOAT_TEXT_CAP + 1];
		float value = float_of_bits(bits), back;
		size_t len;

		len = float_text_write(text, value, FLOAT_PLAIN);
		text[len] = '\0';
		if (float_text_read(text, len, &back) != len || float_bits(back) != bits ||
		    float_bits(strtof(text, NULL)) != bits) {
			wrong++;
			printf("%08x %s\n", bits, text);
		}
	}
	printf("%llu floats, %llu wrong\n", (unsigned long long)done, (unsigned long long)wrong);
	return wrong == 0 ? 0 : 1;
}
