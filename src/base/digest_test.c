/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <openssl/sha.h>

#include "base/digest.h"

static void equals_sha256_of_the_length_prefixed_parts(void **state)
{
	const uint8_t joined[] = {1, 0, 0, 0, 0, 0, 0, 0, 'a', 2, 0, 0, 0, 0, 0, 0, 0, 'b', 'c'};
	struct digest ours, reference;

	(void)state;
	SHA256(joined, sizeof(joined), reference.bytes);
	assert_true(digest_parts(&ours, (struct digest_part[]){{"a", 1}, {"bc", 2}}, 2));
	assert_true(digest_equals(&ours, &reference));
}

static void long_parts_are_hashed_as_short_ones_are(void **state)
{
	enum { LONG = 5000 };
	static uint8_t joined[8 + LONG + 8 + 1], part[LONG];
	struct digest ours, reference;

	(void)state;
	for (size_t i = 0; i < LONG; i++)
		part[i] = (uint8_t)(i * 7);
	joined[0] = LONG & 255;
	joined[1] = LONG >> 8;
	memcpy(joined + 8, part, LONG);
	joined[8 + LONG] = 1;
	joined[8 + LONG + 8] = 'z';
	SHA256(joined, sizeof(joined), reference.bytes);
	assert_true(digest_parts(&ours, (struct digest_part[]){{part, LONG}, {"z", 1}}, 2));
	assert_true(digest_equals(&ours, &reference));
}

static void where_a_part_ends_matters(void **state)
{
	struct digest a, b;

	(void)state;
	assert_true(digest_parts(&a, (struct digest_part[]){{"ab", 2}, {"c", 1}}, 2));
	assert_true(digest_parts(&b, (struct digest_part[]){{"a", 1}, {"bc", 2}}, 2));
	assert_false(digest_equals(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equals_sha256_of_the_length_prefixed_parts),
	    cmocka_unit_test(long_parts_are_hashed_as_short_ones_are),
	    cmocka_unit_test(where_a_part_ends_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
