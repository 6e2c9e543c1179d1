/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "cli/top_lines.h"
#include "cli/top_view.h"

static const char snapshot_text[] =
    "{\"version\":\"0.1.0\",\"time_ms\":1700003661000,\"started\":1700000000,"
    "\"stats\":{\"failed\":3,\"queued_texts\":12,\"queued_tokens\":80,\"in_flight\":2,\"slots\":8,"
    "\"store_records\":1500,\"store_used_bytes\":3145728},"
    "\"store\":{\"cap_bytes\":68719476736},\"gateway\":{\"connections\":5},"
    "\"latency\":{\"miss\":{\"p50_us\":31000,\"p90_us\":35000,\"p99_us\":1200000,\"p999_us\":"
    "2000000,\"max_us\":3000000},"
    "\"hit\":{\"p50_us\":5,\"p90_us\":18,\"p99_us\":1500},\"attempt\":{}},"
    "\"sizes\":{\"batch_texts\":{\"p50\":7,\"p90\":90,\"p99\":1800,\"p999\":2048,\"max\":2048}},"
    "\"lanes\":{\"bulk\":{\"texts\":12,\"oldest_us\":1500000}},"
    "\"process\":{\"resident_bytes\":33554432,\"threads\":9,\"open_fds\":31,\"cpu_s\":12.34},"
    "\"usage\":{\"today\":{\"cost_nano\":2500000000},\"month\":{\"cost_nano\":17000000000}},"
    "\"upstreams\":[{\"name\":\"openai\",\"breaker\":\"open\",\"in_flight\":1,\"slots\":4,"
    "\"tokens_per_minute\":1000000.0,\"tokens_left\":250000.0,\"last_error\":\"no answer\"}],"
    "\"alarms\":{\"raised\":[{\"meaning\":\"half is spent\",\"subject\":\"alice\","
    "\"do\":\"look\"}]},"
    "\"errors\":[{\"event\":\"breaker_open\",\"count\":2,\"text\":\"failed\",\"do\":\"wait\"}],"
    "\"keys\":[{\"name\":\"small\",\"today\":{\"cost_nano\":1},\"month\":{\"cost_nano\":9}},"
    "{\"name\":\"große-schlüssel\",\"budget_nano\":4000,\"spent_nano\":1000,\"period\":\"day\","
    "\"today\":{\"cost_nano\":5},\"month\":{\"cost_nano\":7}}]}";

struct rig {
	json_t *snapshot;
	struct top_trend trend;
	struct top_view view;
	struct top_lines lines;
	char text[16384];
};

static void set_up(struct rig *rig, const char *snapshot)
{
	rig->snapshot = json_loads(snapshot, 0, NULL);
	assert_non_null(rig->snapshot);
	memset(&rig->trend, 0, sizeof(rig->trend));
	rig->view = (struct top_view){
	    .snapshot = rig->snapshot, .trend = &rig->trend, .sort = TOP_BY_COST, .width = 140};
	top_lines_init(&rig->lines);
}

static void tear_down(struct rig *rig)
{
	json_decref(rig->snapshot);
	top_lines_fini(&rig->lines);
}

/* All lines as one text. */
static const char *drawn(struct rig *rig)
{
	size_t len = 0;

	top_view_draw(&rig->lines, &rig->view);
	for (size_t i = 0; i < rig->lines.count; i++)
		len += (size_t)snprintf(rig->text + len, sizeof(rig->text) - len, "%.*s\n",
		    (int)rig->lines.lines[i].len,
		    rig->lines.text.bytes + rig->lines.lines[i].start);
	return rig->text;
}

static void the_numbers_of_the_snapshot_are_on_the_screen(void **state)
{
	static const char *const parts[] = {"embed 0.1.0  up 1:01:01  5 connections",
	    "failed 3, retries 0", "misses            31ms    35ms    1.2s    2.0s    3.0s",
	    "hits               5us    18us   1.5ms", "batch, texts         7      90   1,800",
	    "12 texts, 80 tokens; 2 of 8 requests", "interactive 0; bulk 12 for 1.5s",
	    "32MiB, 12.3s of CPU, 9 threads, 31 open files", "$2.5000 today, $17.00 this month",
	    "1,500 records, 3.0MiB of 64GiB", "250k of 1.0M", "avoided", "no answer",
	    "breaker_open", "failed; wait", "ALARM   half is spent (alice); look"};
	struct rig rig;

	(void)state;
	set_up(&rig, snapshot_text);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!strstr(drawn(&rig), parts[i]))
			fail_msg("\"%s\" is not in:\n%s", parts[i], rig.text);
	tear_down(&rig);
}

static void no_line_is_wider_than_asked(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig, snapshot_text);
	for (uint64_t i = 0; i < 100; i++)
		top_trend_add(&rig.trend, json_object_get(rig.snapshot, "stats"));
	for (rig.view.width = TOP_WIDTH_MIN; rig.view.width <= 200; rig.view.width++) {
		drawn(&rig);
		for (size_t i = 0; i < rig.lines.count; i++)
			assert_true(top_columns(rig.lines.text.bytes + rig.lines.lines[i].start,
					rig.lines.lines[i].len) <= rig.view.width);
	}
	tear_down(&rig);
}

static bool is_before(const char *text, const char *first, const char *second)
{
	return strstr(text, first) < strstr(text, second);
}

static void keys_are_in_the_order_asked_for(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig, snapshot_text);
	assert_true(is_before(drawn(&rig), "große", "small"));
	rig.view.is_rising = true;
	assert_true(is_before(drawn(&rig), "small", "große"));
	rig.view.is_rising = false;
	rig.view.sort = TOP_BY_MONTH;
	assert_true(is_before(drawn(&rig), "small", "große"));
	rig.view.sort = TOP_BY_NAME;
	assert_true(is_before(drawn(&rig), "große", "small"));
	tear_down(&rig);
}

static void a_budget_is_a_bar_with_its_share(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig, snapshot_text);
	assert_non_null(strstr(drawn(&rig), "[###       ] 25%"));
	tear_down(&rig);
}

static void an_older_gateways_missing_members_are_nothing(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig, "{}");
	assert_non_null(strstr(drawn(&rig), "cost    $0 today, $0 this month"));
	tear_down(&rig);
}

static void what_is_wrong_is_said_at_the_top(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig, snapshot_text);
	rig.view.notice = "nobody answers";
	drawn(&rig);
	assert_int_equal(rig.lines.lines[1].style, TOP_BAD);
	assert_non_null(strstr(rig.text, "\nnobody answers\n"));
	tear_down(&rig);
}

static void what_is_too_long_for_a_line_goes_on_in_the_next(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig, snapshot_text);
	rig.view.width = TOP_WIDTH_MIN;
	rig.view.notice =
	    "http://host: nobody answered in all that time; "
	    "is \"embed serve\" running there? averyveryveryveryverylongwordwithoutanyblank";
	assert_non_null(strstr(drawn(&rig), "\nhttp://host: nobody answered in all that\n"
					    "        time; is \"embed serve\" running\n"
					    "        there?\n"
					    "        averyveryveryveryverylongwordwit\n"
					    "        houtanyblank\n"));
	assert_non_null(strstr(rig.text, "; saved"));
	tear_down(&rig);
}

static void rates_come_from_the_history_and_the_seconds_after_it(void **state)
{
	json_t *history = json_loads("{\"time\":[1,2,3],\"texts\":[10,20,30],\"hits\":[5,10,15],"
				     "\"joined\":[0,0,0],\"billed_tokens\":[7,8,9]}",
	    0, NULL);
	json_t *second = json_loads("{\"texts\":40,\"hits\":20,\"billed_tokens\":6}", 0, NULL);
	struct rig rig;

	(void)state;
	set_up(&rig, snapshot_text);
	top_trend_fill(&rig.trend, history);
	top_trend_add(&rig.trend, second);
	assert_non_null(strstr(drawn(&rig), "texts   25/s, not paid for 50%"));
	assert_non_null(strstr(rig.text, "30 billed in a minute of 1.0M"));
	assert_non_null(strstr(rig.text, "▂▄▆█"));
	json_decref(history);
	json_decref(second);
	tear_down(&rig);
}

static void the_trend_keeps_the_newest_seconds(void **state)
{
	struct top_trend trend = {0};
	json_t *second = json_object();

	(void)state;
	for (json_int_t i = 1; i <= TOP_TREND_MAX + 5; i++) {
		json_object_set_new(second, "texts", json_integer(i));
		top_trend_add(&trend, second);
	}
	assert_int_equal(trend.count, TOP_TREND_MAX);
	assert_int_equal(trend.texts[0], 6);
	assert_int_equal(trend.texts[TOP_TREND_MAX - 1], TOP_TREND_MAX + 5);
	json_decref(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_numbers_of_the_snapshot_are_on_the_screen),
	    cmocka_unit_test(no_line_is_wider_than_asked),
	    cmocka_unit_test(keys_are_in_the_order_asked_for),
	    cmocka_unit_test(a_budget_is_a_bar_with_its_share),
	    cmocka_unit_test(an_older_gateways_missing_members_are_nothing),
	    cmocka_unit_test(what_is_wrong_is_said_at_the_top),
	    cmocka_unit_test(what_is_too_long_for_a_line_goes_on_in_the_next),
	    cmocka_unit_test(rates_come_from_the_history_and_the_seconds_after_it),
	    cmocka_unit_test(the_trend_keeps_the_newest_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
