/* SPDX-License-Identifier: MIT */
#include "gateway/alarm.h"

#include "base/random.h"
#include "base/test.h"

#define SECOND INT64_C(1000000)

struct rig {
	struct alarm_set set;
	int64_t now_us;
	struct alarm_event event;
};

static void set_up(struct rig *rig)
{
	*rig = (struct rig){.now_us = SECOND};
	alarm_set_init(&rig->set);
}

static bool tell(struct rig *rig, enum alarm_kind kind, const char *subject, double value)
{
	rig->now_us += SECOND;
	return alarm_set_tell(
	    &rig->set, kind, subject, value, rig->now_us, rig->now_us / SECOND, &rig->event);
}

static void a_budget_is_told_at_each_threshold_once(void **state)
{
	static const enum alarm_kind budgets[] = {
	    ALARM_BUDGET_50, ALARM_BUDGET_80, ALARM_BUDGET_100};
	struct rig rig;
	size_t told = 0;

	(void)state;
	set_up(&rig);
	for (int cent = 0; cent <= 130; cent++)
		for (size_t i = 0; i < 3; i++)
			if (tell(&rig, budgets[i], "team", cent / 100.0)) {
				assert_int_equal(rig.event.kind, budgets[told++]);
				assert_true(rig.event.is_raised);
				assert_string_equal(rig.event.subject, "team");
			}
	assert_int_equal(told, 3);
	/* The next period begins at nothing. */
	for (size_t i = 0; i < 3; i++) {
		assert_true(tell(&rig, budgets[i], "team", 0));
		assert_false(rig.event.is_raised);
	}
	assert_true(tell(&rig, ALARM_BUDGET_50, "team", 0.5));
	alarm_set_fini(&rig.set);
}

static void what_flutters_stays_raised(void **state)
{
	struct rig rig;
	size_t told = 0;

	(void)state;
	set_up(&rig);
	for (int i = 0; i < 1000; i++)
		told += tell(&rig, ALARM_BREAKER_OPEN, "main", i % 30 == 0);
	assert_int_equal(told, 1);
	for (int i = 0; i < 120; i++)
		told += tell(&rig, ALARM_BREAKER_OPEN, "main", 0);
	assert_int_equal(told, 2);
	assert_false(rig.event.is_raised);
	alarm_set_fini(&rig.set);
}

static void between_the_thresholds_nothing_is_told(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig);
	assert_false(tell(&rig, ALARM_ERROR_RATE, "", 0.04));
	assert_true(tell(&rig, ALARM_ERROR_RATE, "", 0.06));
	for (int i = 0; i < 200; i++)
		assert_false(tell(&rig, ALARM_ERROR_RATE, "", i % 2 ? 0.03 : 0.09));
	alarm_set_fini(&rig.set);
}

static void subjects_have_alarms_of_their_own(void **state)
{
	struct alarm_event raised[4];
	struct rig rig;

	(void)state;
	set_up(&rig);
	assert_true(tell(&rig, ALARM_BREAKER_OPEN, "a", 1));
	assert_true(tell(&rig, ALARM_BREAKER_OPEN, "b", 1));
	assert_true(tell(&rig, ALARM_ACCOUNT_BARRED, "a", 1));
	assert_true(tell(&rig, ALARM_ACCOUNT_BARRED, "a", 0));
	assert_int_equal(alarm_set_raised(&rig.set, raised, 4), 2);
	assert_int_equal(alarm_set_events(&rig.set, raised, 4), 4);
	assert_false(raised[0].is_raised); /* the newest first */
	assert_string_equal(raised[3].subject, "a");
	alarm_set_fini(&rig.set);
}

static void more_subjects_than_there_is_room_for_do_no_harm(void **state)
{
	struct alarm_event events[2 * ALARM_EVENTS_MAX];
	struct rig rig;
	char name[32];
	size_t told = 0;

	(void)state;
	set_up(&rig);
	for (int i = 0; i < 2 * ALARMS_MAX; i++) {
		snprintf(name, sizeof(name), "key%d", i);
		told += tell(&rig, ALARM_BUDGET_100, name, 2);
	}
	assert_int_equal(told, ALARMS_MAX);
	assert_int_equal(
	    alarm_set_events(&rig.set, events, 2 * ALARM_EVENTS_MAX), ALARM_EVENTS_MAX);
	alarm_set_fini(&rig.set);
}

static void what_is_not_told_any_more_is_over(void **state)
{
	struct alarm_event raised[4];
	struct rig rig;

	(void)state;
	set_up(&rig);
	assert_true(tell(&rig, ALARM_BUDGET_50, "removed", 0.6));
	assert_true(tell(&rig, ALARM_BUDGET_50, "stays", 0.6));
	assert_true(alarm_set_sweep(&rig.set, rig.now_us, 9, &rig.event));
	assert_string_equal(rig.event.subject, "removed");
	assert_false(rig.event.is_raised);
	assert_int_equal(rig.event.time_s, 9);
	assert_false(alarm_set_sweep(&rig.set, rig.now_us, 9, &rig.event));
	assert_int_equal(alarm_set_raised(&rig.set, raised, 4), 1);
	assert_string_equal(raised[0].subject, "stays");
	alarm_set_fini(&rig.set);
}

static void what_is_over_makes_room(void **state)
{
	struct rig rig;
	char name[32];

	(void)state;
	set_up(&rig);
	for (int i = 0; i < 3 * ALARMS_MAX; i++) {
		snprintf(name, sizeof(name), "key%d", i);
		assert_true(tell(&rig, ALARM_BUDGET_100, name, 2));
		assert_true(tell(&rig, ALARM_BUDGET_100, name, 0));
	}
	assert_int_equal(rig.set.count, 1);
	alarm_set_fini(&rig.set);
}

/*
 * Whatever the values: raised and cleared take turns, an alarm is raised only
 * at or above `on`, and cleared only after a minute below `off`.
 */
static void any_course_of_values_is_told_in_turns(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct random random = {seed};
		struct rig rig;
		bool is_raised = false;
		double value = 0;
		int below = 0;

		set_up(&rig);
		for (int i = 0; i < 2000; i++) {
			if (random_next(&random) % (1 + seed % 40) == 0)
				value = (double)(random_next(&random) % 100) / 1000;
			below = value < 0.025 ? below + 1 : 0;
			if (tell(&rig, ALARM_ERROR_RATE, "", value)) {
				assert_true(rig.event.is_raised != is_raised);
				is_raised = rig.event.is_raised;
				if (is_raised)
					assert_true(value >= 0.05);
				else
					assert_int_equal(below, 61);
			}
			if (value >= 0.05)
				assert_true(is_raised);
		}
		alarm_set_fini(&rig.set);
	}
}

static void a_window_tells_what_a_minute_brought(void **state)
{
	struct alarm_window window = {0};
	struct alarm_growth growth = {0};

	(void)state;
	for (int64_t second = 0; second < 300; second++)
		growth = alarm_window_add(
		    &window, (uint64_t)second, (uint64_t)second * 10, second * SECOND);
	assert_int_equal(growth.part, 60);
	assert_int_equal(growth.whole, 600);
	growth = alarm_window_add(&window, 299, 2990, 299 * SECOND + ALARM_WINDOW_US + SECOND);
	assert_int_equal(growth.part, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_budget_is_told_at_each_threshold_once),
	    cmocka_unit_test(what_flutters_stays_raised),
	    cmocka_unit_test(between_the_thresholds_nothing_is_told),
	    cmocka_unit_test(subjects_have_alarms_of_their_own),
	    cmocka_unit_test(more_subjects_than_there_is_room_for_do_no_harm),
	    cmocka_unit_test(what_is_not_told_any_more_is_over),
	    cmocka_unit_test(what_is_over_makes_room),
	    cmocka_unit_test(any_course_of_values_is_told_in_turns),
	    cmocka_unit_test(a_window_tells_what_a_minute_brought),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
