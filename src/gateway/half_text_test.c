/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "base/random.h"
#include "gateway/half_text.h"
#include "wire/reply.h"

/* What wire itself writes is what the table must give. */
static void assert_same(const struct half_text *table, const float *vector, uint32_t dimensions)
{
	struct buffer ours;
	struct buffer theirs;

	buffer_init(&ours, 1 << 24);
	buffer_init(&theirs, 1 << 24);
	assert_true(half_text_append(table, &ours, vector, dimensions));
	wire_reply_vector_text(&theirs, WIRE_LAYOUT_COMPACT, WIRE_FORMAT_FLOAT, vector, dimensions);
	assert_int_equal(ours.len, theirs.len);
	assert_memory_equal(ours.bytes, theirs.bytes, ours.len);
	buffer_fini(&ours);
	buffer_fini(&theirs);
}

static float half_value(uint32_t half)
{
	uint32_t exponent = half >> 10 & 31;
	float value = (float)(half & 1023) * 0x1p-24f;

	if (exponent)
		value = (float)(1024 + (half & 1023)) * 0x1p-25f * (float)(1u << exponent);
	return half & 0x8000 ? -value : value;
}

static void every_16_bit_float_reads_as_wire_writes_it(void **state)
{
	static float vector[1 << 16];
	struct half_text *table = half_text_create();
	uint32_t count = 0;

	(void)state;
	assert_non_null(table);
	for (uint32_t half = 0; half < 1 << 16; half++)
		if ((half & 0x7c00) != 0x7c00)
			vector[count++] = half_value(half);
	assert_int_equal(count, 2 * 31 * 1024);
	assert_same(table, vector, count);
	free(table);
}

static void other_numbers_are_left_to_others(void **state)
{
	static const float others[] = {0.1f, 70000.0f, 0x1p-25f, -1e-9f};
	struct half_text *table = half_text_create();
	struct buffer out;

	(void)state;
	buffer_init(&out, 4096);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		float vector[] = {0.5f, others[i]};

		assert_false(half_text_append(table, &out, vector, 2));
	}
	assert_false(half_text_append(table, &out, others, 0));
	buffer_fini(&out);
	free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_16_bit_float_reads_as_wire_writes_it),
	    cmocka_unit_test(other_numbers_are_left_to_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
