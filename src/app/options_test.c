/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/options.h"
#include "app/settings.h"

struct own_options {
	struct option_list key;
	uint64_t port;
	bool is_loud;
};

static const struct option_row own_rows[] = {
    OPTION_ROW(struct own_options, key, LIST, 'k', "", START, "NAME", "Names")
	OPTION_ROW(struct own_options, port, COUNT, 'p', "80", START, "N", "Port")
	    OPTION_ROW(struct own_options, is_loud, FLAG, 'l', "no", START, "", "Loud")};
static const struct option_set own = OPTION_SET("serve", "serve", struct own_options, own_rows);

static const struct option_set *const sets[] = {
    &own, &settings_request, &settings_service, &settings_general};

/* A file of its own for each test, and what was loaded. */
struct fixture {
	char path[64];
	struct options *options;
	struct embed_error error;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int fd;

	assert_non_null(fixture);
	strcpy(fixture->path, "/tmp/embed_options_XXXXXX");
	fd = mkstemp(fixture->path);
	assert_true(fd >= 0);
	close(fd);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	options_destroy(fixture->options);
	unlink(fixture->path);
	free(fixture);
	return 0;
}

static void write_file(const struct fixture *fixture, const char *text, mode_t mode)
{
	FILE *file = fopen(fixture->path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(fixture->path, mode), 0);
}

static enum embed_status load(struct fixture *fixture, const char **argv, const char **environment)
{
	const char *files[] = {fixture->path};
	struct options_input input = {
	    .active = sets,
	    .active_count = 4,
	    .known = sets,
	    .known_count = 4,
	    .argv = (char **)(uintptr_t)argv,
	    .environment = (char **)(uintptr_t)environment,
	    .files = files,
	    .file_count = 1,
	};

	while (argv[input.argc] != NULL)
		input.argc++;
	options_destroy(fixture->options);
	fixture->options = NULL;
	return options_load(&fixture->options, &input, &fixture->error);
}

#define WORDS(...)                                                                                 \
	(const char *[])                                                                           \
	{                                                                                          \
		__VA_ARGS__ __VA_OPT__(, ) NULL                                                    \
	}

static const struct service_options *service(const struct fixture *fixture)
{
	return options_values(fixture->options, &settings_service);
}

static void defaults_hold_when_nothing_is_said(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(load(fixture, WORDS(), WORDS()), EMBED_OK);
	assert_string_equal(service(fixture)->model, "text-embedding-3-small");
	assert_int_equal(service(fixture)->store_size_bytes, (uint64_t)64 << 30);
	assert_int_equal(service(fixture)->retry_deadline_us, 120000000);
	assert_null(service(fixture)->api_key);
	assert_string_equal(
	    options_origin(fixture->options, &settings_service, "model"), "default");
}

static void a_flag_wins_over_a_variable_and_that_over_the_file(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "model = of-file\n", 0644);
	assert_int_equal(load(fixture, WORDS(), WORDS()), EMBED_OK);
	assert_string_equal(service(fixture)->model, "of-file");
	assert_int_equal(load(fixture, WORDS(), WORDS("EMBED_MODEL=of-variable")), EMBED_OK);
	assert_string_equal(service(fixture)->model, "of-variable");
	assert_int_equal(
	    load(fixture, WORDS("--model", "of-flag"), WORDS("EMBED_MODEL=of-variable")), EMBED_OK);
	assert_string_equal(service(fixture)->model, "of-flag");
	assert_int_equal(
	    options_source(fixture->options, &settings_service, "model"), OPTION_FROM_FLAG);
}

static void openais_variables_are_read_and_ours_come_first(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(load(fixture, WORDS(),
			     WORDS("OPENAI_API_KEY=sk-1", "OPENAI_BASE_URL=http://a/v1",
				 "OPENAI_ORG_ID=org", "OPENAI_PROJECT_ID=proj")),
	    EMBED_OK);
	assert_string_equal(service(fixture)->api_key, "sk-1");
	assert_string_equal(service(fixture)->base_url, "http://a/v1");
	assert_string_equal(service(fixture)->organization, "org");
	assert_string_equal(service(fixture)->project, "proj");
	assert_int_equal(
	    load(fixture, WORDS(), WORDS("OPENAI_API_KEY=sk-1", "EMBED_API_KEY=sk-2")), EMBED_OK);
	assert_string_equal(service(fixture)->api_key, "sk-2");
}

static void an_empty_variable_counts_as_unset(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(load(fixture, WORDS(), WORDS("EMBED_MODEL=")), EMBED_OK);
	assert_string_equal(service(fixture)->model, "text-embedding-3-small");
}

static void a_commands_own_options_have_a_section_and_a_prefix(void **state)
{
	struct fixture *fixture = *state;
	const struct own_options *values;

	write_file(fixture, "[serve]\nport = 81\nis_loud = yes\n", 0644);
	assert_int_equal(load(fixture, WORDS(), WORDS()), EMBED_OK);
	values = options_values(fixture->options, &own);
	assert_int_equal(values->port, 81);
	assert_true(values->is_loud);
	assert_int_equal(
	    load(fixture, WORDS("--is-loud=no"), WORDS("EMBED_SERVE_PORT=82")), EMBED_OK);
	values = options_values(fixture->options, &own);
	assert_int_equal(values->port, 82);
	assert_false(values->is_loud);
}

static void lists_gather_repeated_flags_and_forget_weaker_sources(void **state)
{
	struct fixture *fixture = *state;
	const struct own_options *values;

	assert_int_equal(
	    load(fixture, WORDS("-k", "a, b", "--key=c"), WORDS("EMBED_SERVE_KEY=x,y")), EMBED_OK);
	values = options_values(fixture->options, &own);
	assert_int_equal(values->key.count, 3);
	assert_string_equal(values->key.items[1], "b");
	assert_string_equal(values->key.items[2], "c");
}

static void arguments_may_stand_between_flags_and_behind_a_double_dash(void **state)
{
	struct fixture *fixture = *state;
	const char *const *arguments;
	size_t count;

	assert_int_equal(
	    load(fixture, WORDS("one", "-lp8", "two", "-", "--", "--model"), WORDS()), EMBED_OK);
	arguments = options_arguments(fixture->options, &count);
	assert_int_equal(count, 4);
	assert_string_equal(arguments[2], "-");
	assert_string_equal(arguments[3], "--model");
	assert_int_equal(
	    ((const struct own_options *)options_values(fixture->options, &own))->port, 8);
}

static void assert_refused(
    struct fixture *fixture, const char **argv, const char **environment, const char *part)
{
	assert_int_not_equal(load(fixture, argv, environment), EMBED_OK);
	if (strstr(fixture->error.message, part) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", fixture->error.message, part);
}

static void errors_name_their_source(void **state)
{
	struct fixture *fixture = *state;
	char line[100];

	assert_refused(fixture, WORDS("--modle", "x"), WORDS(), "did you mean --model?");
	assert_refused(fixture, WORDS("--dimensions", "many"), WORDS(), "--dimensions: \"many\"");
	assert_refused(fixture, WORDS("--dimensions"), WORDS(), "needs a value");
	assert_refused(fixture, WORDS("--too-long=cut"), WORDS(), "error|truncate|average");
	assert_refused(fixture, WORDS(), WORDS("EMBED_TIMEOUT=5"), "EMBED_TIMEOUT: \"5\"");
	assert_refused(fixture, WORDS("-Z"), WORDS(), "no option -Z");
	write_file(fixture, "model = x\n\ndimensions = y\n", 0644);
	snprintf(line, sizeof(line), "%s:3: dimensions: \"y\"", fixture->path);
	assert_refused(fixture, WORDS(), WORDS(), line);
	write_file(fixture, "modell = x\n", 0644);
	assert_refused(fixture, WORDS(), WORDS(),
	    ":1: there is no setting \"modell\"; did you mean \"model\"?");
	write_file(fixture, "[surve]\nport = 1\n", 0644);
	assert_refused(fixture, WORDS(), WORDS(), "did you mean [serve]?");
	write_file(fixture, "\nwhat is this\n", 0644);
	assert_refused(fixture, WORDS(), WORDS(), ":2: neither");
	assert_refused(
	    fixture, WORDS("--config", "/no/such/file"), WORDS(), "no such configuration file");
}

static void a_setting_in_the_wrong_place_is_told_where_it_belongs(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "[serve]\nport = 1\nmodel = x\n", 0644);
	assert_refused(fixture, WORDS(), WORDS(),
	    ":3: \"model\" is no setting of [serve]; put it before the first [section]");
	write_file(fixture, "port = 1\n", 0644);
	assert_refused(fixture, WORDS(), WORDS(),
	    ":1: \"port\" is no setting for all commands; it is one of [serve]");
	write_file(fixture, "[upstream]\nbase_url = x\n", 0644);
	assert_refused(fixture, WORDS(), WORDS(), ":2: give the upstream a name: [upstream NAME]");
}

static void a_setting_that_is_there_twice_is_refused(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "max_in_flight = 1\n[serve]\n\nport = 2\n[serve]\nport = 3\n", 0644);
	assert_refused(
	    fixture, WORDS(), WORDS(), ":6: port: line 4 sets it, too; keep one of them");
	write_file(fixture, "max-in-flight = 1\nmax_in_flight = 1\n", 0644);
	assert_refused(fixture, WORDS(), WORDS(), ":2: max_in_flight: line 1 sets it, too");
	write_file(fixture, "[upstream a]\nshare = 1\n[upstream b]\nshare = 1\nshare = 2\n", 0644);
	assert_refused(fixture, WORDS(), WORDS(), ":5: share: line 4 sets it, too");
	write_file(fixture, "[serve]\nkey = a\nkey = b\n", 0644);
	assert_int_equal(load(fixture, WORDS(), WORDS()), EMBED_OK);
}

static void a_file_that_cannot_be_read_is_a_mistake_of_configuration(void **state)
{
	struct fixture *fixture = *state;

	assert_refused(fixture, WORDS("--config", "/tmp"), WORDS(),
	    "/tmp is a folder; name a configuration file");
	assert_int_equal(fixture->error.status, EMBED_BAD_OPTION);
	write_file(fixture, "[upstream a]\nshare = 1\nca_file = /no/such/file\n", 0644);
	assert_refused(fixture, WORDS(), WORDS(), ":3: ca_file: cannot open /no/such/file: ");
	write_file(fixture, "[upstream a]\napi_key_file = /tmp\n", 0644);
	assert_refused(fixture, WORDS(), WORDS(), "/tmp is no file that can hold a key");
}

static void a_secret_is_never_a_flag(void **state)
{
	struct fixture *fixture = *state;

	assert_refused(fixture, WORDS("--api-key", "sk-1"), WORDS(), "OPENAI_API_KEY");
	assert_null(strstr(fixture->error.message, "sk-1"));
}

static void a_secret_in_a_file_needs_a_private_file(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "api_key = sk-1\n", 0644);
	assert_refused(fixture, WORDS(), WORDS(), "chmod 600");
	write_file(fixture, "api_key = sk-1\n", 0600);
	assert_int_equal(load(fixture, WORDS(), WORDS()), EMBED_OK);
	assert_string_equal(service(fixture)->api_key, "sk-1");
}

/* Folder "" means that there are no credentials. */
static enum embed_status load_key_file(struct fixture *fixture, mode_t mode, const char *folder)
{
	char key[256], text[512];
	FILE *file;
	enum embed_status status;

	snprintf(key, sizeof(key), "%s.key", fixture->path);
	file = fopen(key, "w");
	assert_non_null(file);
	fputs("sk-1\n", file);
	fclose(file);
	assert_int_equal(chmod(key, mode), 0);
	snprintf(text, sizeof(text), "[upstream first]\napi_key_file = %s\n", key);
	write_file(fixture, text, 0644);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
	status = load(fixture, WORDS(), WORDS());
	unsetenv("CREDENTIALS_DIRECTORY");
	unlink(key);
	return status;
}

static void a_credential_of_systemd_may_show_its_groups_bits(void **state)
{
	struct fixture *fixture = *state;
	char folder[256];
	size_t count;

	snprintf(folder, sizeof(folder), "%s", fixture->path);
	*strrchr(folder, '/') = '\0';
	assert_int_equal(load_key_file(fixture, 0400, ""), EMBED_OK);
	assert_int_equal(load_key_file(fixture, 0440, ""), EMBED_BAD_OPTION);
	assert_int_equal(load_key_file(fixture, 0440, "/elsewhere"), EMBED_BAD_OPTION);
	assert_int_equal(load_key_file(fixture, 0444, folder), EMBED_BAD_OPTION);
	assert_int_equal(load_key_file(fixture, 0460, folder), EMBED_BAD_OPTION);
	assert_int_equal(load_key_file(fixture, 0440, folder), EMBED_OK);
	assert_string_equal(options_upstreams(fixture->options, &count)[0].api_key, "sk-1");
}

static void upstream_sections_become_upstreams(void **state)
{
	struct fixture *fixture = *state;
	const struct embed_upstream *upstreams;
	const struct embed_price *prices;
	size_t count;

	write_file(fixture,
	    "[upstream first]\nbase_url = http://a/v1\napi_key_env = FIRST\nshare = 3\n"
	    "[upstream second]\nkind = azure\nno_base64 = yes\nbase_url = http://b\n"
	    "[prices]\nmine = 0.02\n",
	    0644);
	assert_int_equal(load(fixture, WORDS(), WORDS("FIRST=sk-1")), EMBED_OK);
	upstreams = options_upstreams(fixture->options, &count);
	assert_int_equal(count, 2);
	assert_string_equal(upstreams[0].name, "first");
	assert_string_equal(upstreams[0].api_key, "sk-1");
	assert_int_equal(upstreams[0].share, 3);
	assert_int_equal(upstreams[1].kind, EMBED_UPSTREAM_AZURE);
	assert_true(upstreams[1].no_base64);
	prices = options_prices(fixture->options, &count);
	assert_int_equal(count, 1);
	assert_string_equal(prices[0].model, "mine");
	assert_int_equal(prices[0].nano_per_token, 20);
}

static void a_key_that_an_upstream_names_has_to_be_there(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "[upstream first]\nshare = 2\napi-key-env = FIRST\n", 0644);
	assert_refused(fixture, WORDS(), WORDS(),
	    ":3: api_key_env: the environment variable FIRST is not set");
	write_file(fixture, "[upstream first]\nbse_url = x\n", 0644);
	assert_refused(fixture, WORDS(), WORDS(), "did you mean \"base_url\"?");
}

static void help_is_asked_for_without_reading_anything(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "broken", 0644);
	assert_int_equal(load(fixture, WORDS("--help"), WORDS("EMBED_TIMEOUT=x")), EMBED_OK);
	assert_string_equal(options_help_form(fixture->options), "");
	assert_int_equal(load(fixture, WORDS("-h"), WORDS()), EMBED_OK);
	assert_non_null(options_help_form(fixture->options));
}

static void help_names_every_flag_and_keeps_to_the_width(void **state)
{
	struct buffer out;
	char *line;

	(void)state;
	buffer_init(&out, 1 << 20);
	options_write_help(&out, &settings_service, 80);
	buffer_append_char(&out, '\0');
	assert_non_null(strstr(out.bytes, "--max-in-flight N"));
	assert_null(strstr(out.bytes, "--api-key "));
	for (line = strtok(out.bytes, "\n"); line != NULL; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 80);
	buffer_fini(&out);
}

struct seen {
	char names[1024];
};

static void note(const char *name, enum option_change change, void *context)
{
	struct seen *seen = context;
	size_t len = strlen(seen->names);

	snprintf(seen->names + len, sizeof(seen->names) - len, "%s%s;", name,
	    change == OPTION_RELOAD ? "" : "!");
}

static void what_changed_between_two_readings_is_told_by_name(void **state)
{
	struct fixture *fixture = *state;
	struct options *before;
	struct seen seen = {""};

	write_file(fixture,
	    "model = m\nlog_level = warn\n[serve]\nkey = a,b\n[upstream x]\nbase_url = http://h/v1\n"
	    "[prices]\nm = 0.5\n",
	    0600);
	assert_int_equal(load(fixture, WORDS("--port", "5"), WORDS()), EMBED_OK);
	before = fixture->options;
	fixture->options = NULL;
	assert_int_equal(load(fixture, WORDS("--port", "5"), WORDS()), EMBED_OK);
	options_compare(before, fixture->options, note, &seen);
	assert_string_equal(seen.names, "");
	write_file(fixture,
	    "model = n\nlog_level = info\n[serve]\nkey = a,c\nport = 6\n[upstream x]\n"
	    "base_url = http://i/v1\nrequests_per_minute = 9\n[upstream y]\nbase_url = http://j/v1\n",
	    0600);
	assert_int_equal(load(fixture, WORDS("--port", "5"), WORDS()), EMBED_OK);
	options_compare(before, fixture->options, note, &seen);
	assert_string_equal(seen.names, "key!;model!;log_level;[prices];[upstream x] base_url!;"
					"[upstream x] requests_per_minute;[upstream y]!;");
	options_destroy(before);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(defaults_hold_when_nothing_is_said),
	    TEST(a_flag_wins_over_a_variable_and_that_over_the_file),
	    TEST(openais_variables_are_read_and_ours_come_first),
	    TEST(an_empty_variable_counts_as_unset),
	    TEST(a_commands_own_options_have_a_section_and_a_prefix),
	    TEST(lists_gather_repeated_flags_and_forget_weaker_sources),
	    TEST(arguments_may_stand_between_flags_and_behind_a_double_dash),
	    TEST(errors_name_their_source),
	    TEST(a_setting_in_the_wrong_place_is_told_where_it_belongs),
	    TEST(a_setting_that_is_there_twice_is_refused),
	    TEST(a_file_that_cannot_be_read_is_a_mistake_of_configuration),
	    TEST(a_secret_is_never_a_flag),
	    TEST(a_secret_in_a_file_needs_a_private_file),
	    TEST(a_credential_of_systemd_may_show_its_groups_bits),
	    TEST(upstream_sections_become_upstreams),
	    TEST(a_key_that_an_upstream_names_has_to_be_there),
	    TEST(what_changed_between_two_readings_is_told_by_name),
	    TEST(help_is_asked_for_without_reading_anything),
	    TEST(help_names_every_flag_and_keeps_to_the_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
