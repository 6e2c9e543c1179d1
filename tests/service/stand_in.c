/* SPDX-License-Identifier: MIT */
#include "base/test.h"

#include "stand_in.h"

#include <curl/curl.h>
#include <ftw.h>
#include <jansson.h>
#include <unistd.h>

#include "base/buffer.h"
#include "emulator/emulator.h"

#define FLAGS_MAX 32

struct stand_in {
	struct options *options;
	struct emulator *emulator;
	char root[128];
	char base_url[160];
};

struct stand_in *stand_in_start(const char *const *flags)
{
	static const struct option_set *const sets[] = {&emulator_option_set};
	char listen[] = "--listen", address[] = "127.0.0.1:0";
	char *argv[FLAGS_MAX] = {listen, address}, *environment[] = {NULL};
	struct options_input input = {.active = sets,
	    .active_count = 1,
	    .known = sets,
	    .known_count = 1,
	    .argc = 2,
	    .argv = argv,
	    .environment = environment};
	struct stand_in *stand_in = calloc(1, sizeof(*stand_in));
	struct embed_error error = {0};

	assert_non_null(stand_in);
	for (; flags != NULL && *flags != NULL; flags++)
		argv[input.argc++] = (char *)*flags;
	if (options_load(&stand_in->options, &input, &error) != EMBED_OK)
		fail_msg("%s", error.message);
	if (emulator_open(&stand_in->emulator,
		options_values(stand_in->options, &emulator_option_set), &error) != EMBED_OK)
		fail_msg("%s", error.message);
	snprintf(stand_in->root, sizeof(stand_in->root), "http://%s",
	    emulator_address(stand_in->emulator));
	snprintf(stand_in->base_url, sizeof(stand_in->base_url), "%s/v1", stand_in->root);
	return stand_in;
}

void stand_in_stop(struct stand_in *stand_in)
{
	emulator_close(stand_in->emulator);
	options_destroy(stand_in->options);
	free(stand_in);
}

const char *stand_in_base_url(const struct stand_in *stand_in)
{
	return stand_in->base_url;
}

static size_t collect(char *bytes, size_t size, size_t count, void *context)
{
	buffer_append(context, bytes, size * count);
	return size * count;
}

static json_t *ask(
    const struct stand_in *stand_in, const char *method, const char *path, const char *body)
{
	CURL *curl = curl_easy_init();
	struct buffer answer;
	char url[256];
	json_t *json;

	buffer_init(&answer, 1 << 20);
	snprintf(url, sizeof(url), "%s%s", stand_in->root, path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
	if (body != NULL)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	assert_int_equal(curl_easy_perform(curl), CURLE_OK);
	curl_easy_cleanup(curl);
	json = json_loadb(answer.bytes, answer.len, 0, NULL);
	buffer_fini(&answer);
	assert_non_null(json);
	return json;
}

uint64_t stand_in_count(const struct stand_in *stand_in, const char *name)
{
	json_t *stats = ask(stand_in, "GET", "/emulator/stats", NULL);
	json_t *number = json_object_get(stats, name);
	uint64_t count;

	if (!json_is_integer(number))
		fail_msg("the stand-in does not count \"%s\"", name);
	count = (uint64_t)json_integer_value(number);
	json_decref(stats);
	return count;
}

uint64_t stand_in_status(const struct stand_in *stand_in, int status)
{
	json_t *stats = ask(stand_in, "GET", "/emulator/stats", NULL);
	char name[16];
	uint64_t count;

	snprintf(name, sizeof(name), "%d", status);
	/* A status that never occurred is not listed. */
	count =
	    (uint64_t)json_integer_value(json_object_get(json_object_get(stats, "statuses"), name));
	json_decref(stats);
	return count;
}

void stand_in_fault(const struct stand_in *stand_in, const char *rule)
{
	char body[256];
	json_t *answer;

	snprintf(body, sizeof(body), "\"%s\"", rule);
	answer = ask(stand_in, "POST", "/emulator/faults", body);
	if (!json_is_array(answer))
		fail_msg("the stand-in refuses the fault \"%s\"", rule);
	json_decref(answer);
}

void stand_in_calm(const struct stand_in *stand_in)
{
	json_decref(ask(stand_in, "DELETE", "/emulator/faults", NULL));
}

void stand_in_reset(const struct stand_in *stand_in)
{
	json_decref(ask(stand_in, "POST", "/emulator/reset", ""));
}

char *home_create(void)
{
	char *home = strdup("/tmp/embed-test-XXXXXX");

	assert_non_null(mkdtemp(home));
	return home;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

void home_destroy(char *home)
{
	nftw(home, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(home);
}
