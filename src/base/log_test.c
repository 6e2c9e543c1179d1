/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "base/log.h"

static char seen[8192];

static void remember(enum embed_log_level level, const char *event, void *context)
{
	(void)level;
	(void)context;
	snprintf(seen, sizeof(seen), "%s", event);
}

static atomic_int level = EMBED_LOG_INFO;
static const struct log log_to_memory = {.sink = remember, .level = &level};

static void an_event_is_one_line_whatever_it_holds(void **state)
{
	(void)state;
	log_event(&log_to_memory, EMBED_LOG_WARN, "retry", "why", "a \"bad\"\nminute", "wait_ms",
	    "20", "empty", "", "none", NULL, NULL);
	assert_string_equal(
	    seen, "event=retry why=\"a \\\"bad\\\"\\nminute\" wait_ms=20 empty=\"\"");
}

static void events_above_the_level_are_dropped(void **state)
{
	(void)state;
	seen[0] = '\0';
	log_event(&log_to_memory, EMBED_LOG_DEBUG, "attempt", NULL);
	assert_string_equal(seen, "");
	assert_false(log_wants(&log_to_memory, EMBED_LOG_DEBUG));
}

static void the_level_may_change_at_any_time(void **state)
{
	(void)state;
	atomic_store(&level, EMBED_LOG_DEBUG);
	assert_true(log_wants(&log_to_memory, EMBED_LOG_DEBUG));
	log_event(&log_to_memory, EMBED_LOG_DEBUG, "attempt", NULL);
	assert_string_equal(seen, "event=attempt");
	atomic_store(&level, EMBED_LOG_INFO);
}

static void an_event_that_is_too_long_still_arrives(void **state)
{
	char value[6000];

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	log_event(&log_to_memory, EMBED_LOG_ERROR, "long", "value", value, NULL);
	assert_int_equal(strncmp(seen, "event=long", 10), 0);
	assert_true(strlen(seen) < 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_event_is_one_line_whatever_it_holds),
	    cmocka_unit_test(events_above_the_level_are_dropped),
	    cmocka_unit_test(the_level_may_change_at_any_time),
	    cmocka_unit_test(an_event_that_is_too_long_still_arrives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
