/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "service/service.h"

struct rig {
	struct embed_service service;
	embed_latency_watch *watch;
	struct embed_latency seen;
};

static void set_up(struct rig *rig)
{
	*rig = (struct rig){.service.latency = latency_create()};
	latency_add(rig->service.latency, EMBED_LATENCY_miss, 5000);
	rig->watch = embed_latency_watch_create(&rig->service, EMBED_LATENCY_miss);
	assert_non_null(rig->watch);
}

static void tear_down(struct rig *rig)
{
	embed_latency_watch_destroy(rig->watch);
	latency_destroy(rig->service.latency);
}

static void a_watch_sees_what_came_since_its_last_look_only(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig);
	embed_latency_watch_look(rig.watch, &rig.seen);
	assert_int_equal(rig.seen.count, 0);
	assert_int_equal(rig.seen.p99_us, 0);
	for (int i = 0; i < 99; i++)
		latency_add(rig.service.latency, EMBED_LATENCY_miss, 40);
	latency_add(rig.service.latency, EMBED_LATENCY_miss, 1000000);
	latency_add(rig.service.latency, EMBED_LATENCY_hit, 7);
	embed_latency_watch_look(rig.watch, &rig.seen);
	assert_int_equal(rig.seen.count, 100);
	assert_int_equal(rig.seen.sum_us, 99 * 40 + 1000000);
	assert_int_equal(rig.seen.p50_us, 40);
	assert_in_range(rig.seen.p999_us, 990000, 1010000);
	assert_in_range(rig.seen.max_us, 990000, 1010000);
	embed_latency_watch_look(rig.watch, &rig.seen);
	assert_int_equal(rig.seen.count + rig.seen.sum_us + rig.seen.max_us, 0);
	tear_down(&rig);
}

static void two_watches_do_not_take_from_each_other(void **state)
{
	struct rig rig;
	embed_latency_watch *other;

	(void)state;
	set_up(&rig);
	other = embed_latency_watch_create(&rig.service, EMBED_LATENCY_miss);
	latency_add(rig.service.latency, EMBED_LATENCY_miss, 40);
	embed_latency_watch_look(other, &rig.seen);
	assert_int_equal(rig.seen.count, 1);
	latency_add(rig.service.latency, EMBED_LATENCY_miss, 40);
	embed_latency_watch_look(rig.watch, &rig.seen);
	assert_int_equal(rig.seen.count, 2);
	embed_latency_watch_destroy(other);
	tear_down(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_watch_sees_what_came_since_its_last_look_only),
	    cmocka_unit_test(two_watches_do_not_take_from_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
