/* SPDX-License-Identifier: MIT */
#include "engine/spares.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MIB ((size_t)1 << 20)

static void *take(struct spares *spares, size_t bytes, size_t *got)
{
	void *block;

	*got = bytes;
	block = spares_take(spares, got);
	assert_non_null(block);
	assert_true(*got >= bytes);
	memset(block, 0x5a, *got);
	return block;
}

static void a_block_given_back_is_given_out_again(void **state)
{
	struct spares spares;
	size_t bytes, again;
	void *block;

	(void)state;
	spares_init(&spares);
	block = take(&spares, 2 * MIB, &bytes);
	spares_give(&spares, block, bytes);
	assert_ptr_equal(take(&spares, 2 * MIB - 100, &again), block);
	assert_int_equal(again, bytes);
	assert_int_equal(spares.bytes, 0);
	spares_give(&spares, block, again);
	spares_fini(&spares);
}

static void a_block_far_too_large_or_too_small_is_left_for_others(void **state)
{
	struct spares spares;
	size_t large_bytes, small_bytes, bytes;
	void *large, *small, *block;

	(void)state;
	spares_init(&spares);
	large = take(&spares, 8 * MIB, &large_bytes);
	small = take(&spares, MIB, &small_bytes);
	spares_give(&spares, large, large_bytes);
	spares_give(&spares, small, small_bytes);
	block = take(&spares, 2 * MIB, &bytes);
	assert_ptr_not_equal(block, large);
	assert_ptr_not_equal(block, small);
	assert_int_equal(spares.bytes, large_bytes + small_bytes);
	spares_give(&spares, block, bytes);
	spares_fini(&spares);
}

static void what_is_kept_is_bounded(void **state)
{
	struct spares spares;
	void *blocks[20];
	size_t bytes[20];

	(void)state;
	spares_init(&spares);
	for (size_t i = 0; i < 20; i++)
		blocks[i] = take(&spares, 2 * MIB, &bytes[i]);
	for (size_t i = 0; i < 20; i++) {
		spares_give(&spares, blocks[i], bytes[i]);
		assert_true(spares.bytes <= SPARES_MAX_BYTES);
	}
	assert_int_equal(spares.bytes, SPARES_MAX_BYTES);
	assert_ptr_equal(take(&spares, 2 * MIB, &bytes[0]), blocks[19]);
	spares_give(&spares, blocks[19], bytes[0]);
	spares_fini(&spares);
}

static void a_block_above_the_bound_is_not_kept(void **state)
{
	struct spares spares;
	size_t bytes;
	void *block;

	(void)state;
	spares_init(&spares);
	block = take(&spares, SPARES_MAX_BYTES + 1, &bytes);
	spares_give(&spares, block, bytes);
	assert_int_equal(spares.bytes, 0);
	spares_fini(&spares);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_block_given_back_is_given_out_again),
	    cmocka_unit_test(a_block_far_too_large_or_too_small_is_left_for_others),
	    cmocka_unit_test(what_is_kept_is_bounded),
	    cmocka_unit_test(a_block_above_the_bound_is_not_kept),
	};

	return cmocka_run_group_tests_name("engine.spares", tests, NULL, NULL);
}
