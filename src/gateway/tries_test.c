/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "gateway/tries.h"

#define SECOND 1000000
#define START  (1000ll * SECOND)

static int set_up(void **state)
{
	*state = tries_create();
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	tries_destroy(*state);
	return 0;
}

/* How many of `count` failed tries at once were let through as such. */
static int fail_often(struct tries *tries, const char *peer, int count, int64_t now_us)
{
	int good = 0;

	for (int i = 0; i < count; i++)
		good += tries_fail(tries, peer, 10, now_us).wait_us == 0;
	return good;
}

static void an_address_may_fail_as_often_as_the_limit_says_and_again_in_time(void **state)
{
	struct tries *tries = *state;

	assert_int_equal(tries_wait_us(tries, "192.0.2.1:80", 10, START), 0);
	assert_int_equal(fail_often(tries, "192.0.2.1:1000", 10, START), 10);
	assert_int_equal(tries_fail(tries, "192.0.2.1:1001", 10, START).wait_us, 6 * SECOND);
	assert_int_equal(tries_wait_us(tries, "192.0.2.1:1002", 10, START), 6 * SECOND);
	assert_int_equal(tries_wait_us(tries, "192.0.2.1:1002", 10, START + 6 * SECOND), 0);
	assert_int_equal(fail_often(tries, "192.0.2.1:1003", 5, START + 12 * SECOND), 2);
}

static void tries_that_came_too_soon_make_the_wait_no_longer(void **state)
{
	struct tries *tries = *state;

	fail_often(tries, "192.0.2.1:1000", 1000, START);
	assert_int_equal(tries_wait_us(tries, "192.0.2.1:1000", 10, START), 6 * SECOND);
}

static void only_the_first_in_a_minute_is_news(void **state)
{
	struct tries *tries = *state;

	fail_often(tries, "192.0.2.1:1000", 10, START);
	assert_true(tries_fail(tries, "192.0.2.1:1000", 10, START).is_news);
	assert_false(tries_fail(tries, "192.0.2.1:1000", 10, START + SECOND).is_news);
	fail_often(tries, "192.0.2.1:1000", 100, START + 61 * SECOND);
	assert_false(tries_fail(tries, "192.0.2.1:1000", 10, START + 61 * SECOND).is_news);
}

static void an_ipv6_network_counts_as_one_address_and_others_for_themselves(void **state)
{
	struct tries *tries = *state;

	assert_int_equal(fail_often(tries, "[2001:db8::1]:1", 10, START), 10);
	assert_int_equal(fail_often(tries, "[2001:db8::ffff:2]:1", 10, START), 0);
	assert_int_equal(fail_often(tries, "[2001:db8:0:1::1]:1", 10, START), 10);
	assert_int_equal(fail_often(tries, "[::ffff:192.0.2.1]:1", 10, START), 10);
	assert_int_equal(fail_often(tries, "192.0.2.1:1", 10, START), 0);
	assert_int_equal(fail_often(tries, "192.0.2.2:1", 10, START), 10);
	assert_int_equal(fail_often(tries, "unix", 12, START), 10);
}

static void no_limit_counts_nothing(void **state)
{
	for (int i = 0; i < 1000; i++)
		assert_int_equal(tries_fail(*state, "unix", 0, START).wait_us, 0);
	assert_int_equal(tries_wait_us(*state, "unix", 0, START), 0);
	assert_int_equal(tries_wait_us(*state, "unix", 10, START), 0);
}

/* Many addresses push out those that failed less, not the one that fails on and on. */
static void a_crowd_of_addresses_does_not_make_one_forgotten(void **state)
{
	char peer[32];

	fail_often(*state, "192.0.2.1:1", 10, START);
	for (int i = 0; i < 50000; i++) {
		snprintf(peer, sizeof(peer), "10.%d.%d.%d:1", i >> 16, i >> 8 & 255, i & 255);
		tries_fail(*state, peer, 10, START);
	}
	assert_true(tries_wait_us(*state, "192.0.2.1:1", 10, START) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(an_address_may_fail_as_often_as_the_limit_says_and_again_in_time),
	    TEST(tries_that_came_too_soon_make_the_wait_no_longer),
	    TEST(only_the_first_in_a_minute_is_news),
	    TEST(an_ipv6_network_counts_as_one_address_and_others_for_themselves),
	    TEST(no_limit_counts_nothing),
	    TEST(a_crowd_of_addresses_does_not_make_one_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
