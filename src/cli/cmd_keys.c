/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/command.h"
#include "gateway/keys.h"

#define OUTPUT_MAX (64u << 20)

struct keys_options {
#define OPTION OPTION_FIELD
#include "cli/keys.def"
#undef OPTION
};

static const struct option_row keys_rows[] = {
#define OPTION(...) OPTION_ROW(struct keys_options, __VA_ARGS__)
#include "cli/keys.def"
#undef OPTION
};

static const struct option_set keys_set =
    OPTION_SET("keys", "Keys", struct keys_options, keys_rows);

/* One change, on its way through key_file_edit. */
struct change {
	const struct keys_options *options;
	const char *name;
	char secret[KEY_SECRET_LEN + 1];
	struct key key;
};

/* ---- What an edit does ---------------------------------------------------- */

static size_t find(const struct key *keys, size_t count, const char *name)
{
	size_t i = 0;

	while (i < count && strcmp(keys[i].name, name) != 0)
		i++;
	return i;
}

static enum embed_status no_such_key(struct embed_error *error, const char *name)
{
	return error_set(error, EMBED_NOT_FOUND,
	    "there is no key \"%.63s\"; \"embed keys list\" shows them", name);
}

static enum embed_status add(
    struct key *keys, size_t *count, void *context, struct embed_error *error)
{
	struct change *change = context;

	if (find(keys, *count, change->name) < *count)
		return error_set(error, EMBED_BAD_OPTION,
		    "there is a key \"%s\" already; \"embed keys rotate %s\" replaces it, \"revoke\" "
		    "removes it",
		    change->name, change->name);
	if (*count >= KEYS_MAX)
		return error_set(error, EMBED_TOO_LARGE, "there are %d keys already", KEYS_MAX);
	keys[(*count)++] = change->key;
	return EMBED_OK;
}

static void remove_named(struct key *keys, size_t *count, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++)
		if (strcmp(keys[i].name, name) != 0)
			keys[kept++] = keys[i];
	*count = kept;
}

static enum embed_status revoke(
    struct key *keys, size_t *count, void *context, struct embed_error *error)
{
	struct change *change = context;

	if (find(keys, *count, change->name) == *count)
		return no_such_key(error, change->name);
	remove_named(keys, count, change->name);
	return EMBED_OK;
}

/* The newest of the name keeps its limits and gets the new secret; with grace it stays as well. */
static enum embed_status rotate(
    struct key *keys, size_t *count, void *context, struct embed_error *error)
{
	struct change *change = context;
	size_t at = *count;
	struct key old;

	for (size_t i = 0; i < *count; i++)
		if (strcmp(keys[i].name, change->name) == 0)
			at = i;
	if (at == *count)
		return no_such_key(error, change->name);
	old = keys[at];
	remove_named(keys, count, change->name);
	if (change->options->grace_us > 0) {
		keys[*count] = old;
		keys[(*count)++].expires_s = clock_unix_s() + change->options->grace_us / 1000000;
	}
	old.digest = change->key.digest;
	old.created_s = change->key.created_s;
	keys[(*count)++] = old;
	return EMBED_OK;
}

/* ---- Subcommands ------------------------------------------------------------ */

static enum embed_status take_models(
    struct key *key, const struct option_list *models, struct embed_error *error)
{
	size_t len = 0;

	for (size_t i = 0; i < models->count; i++) {
		size_t name_len = strlen(models->items[i]);

		if (strpbrk(models->items[i], " \t\n,") || len + name_len + 1 > KEY_MODELS_MAX)
			return error_set(error, EMBED_BAD_OPTION,
			    "--models \"%.60s\": not a model's name, or too many",
			    models->items[i]);
		len += (size_t)sprintf(key->models + len, "%s%s", i ? "," : "", models->items[i]);
	}
	return EMBED_OK;
}

static enum embed_status take_limits(
    struct key *key, const struct keys_options *options, struct embed_error *error)
{
	key->rpm = options->rpm;
	key->tpm = options->tpm;
	key->lane = options->lane ? EMBED_LANE_BULK : EMBED_LANE_INTERACTIVE;
	key->is_admin = options->admin;
	key->is_partitioned = options->partition;
	if (options->weight < 1 || options->weight > 1000000)
		return error_set(error, EMBED_BAD_OPTION, "--weight is 1 to 1000000");
	key->weight = (uint32_t)options->weight;
	if (options->expires_us)
		key->expires_s = key->created_s + options->expires_us / 1000000;
	if (options->budget && *options->budget &&
	    !key_budget_read(options->budget, &key->budget_nano, &key->period))
		return error_set(error, EMBED_BAD_OPTION,
		    "--budget \"%.40s\": write dollars and maybe a period, as 5/month, 0.50/day or 20",
		    options->budget);
	return take_models(key, &options->models, error);
}

static enum embed_status make_secret(struct change *change, struct embed_error *error)
{
	change->key.created_s = clock_unix_s();
	if (!key_make_secret(change->secret, &change->key.digest))
		return error_set(error, EMBED_IO, "the system gives no random bytes");
	return EMBED_OK;
}

/* The secret is data, and shown this once. */
static int show_secret(struct change *change)
{
	char line[KEY_SECRET_LEN + 2];
	bool is_printed, is_unread = false;

	snprintf(line, sizeof(line), "%s\n", change->secret);
	is_printed = command_print(line, strlen(line), &is_unread) && !is_unread;
	explicit_bzero(line, sizeof(line));
	explicit_bzero(change->secret, sizeof(change->secret));
	if (!is_printed) {
		fprintf(stderr,
		    "embed: nobody saw the key, and only its digest is kept: \"embed keys rotate %s\"\n",
		    change->name);
		return COMMAND_SOME_FAILED;
	}
	fprintf(stderr,
	    "embed: this is the only time that the key is shown; only its digest is kept\n");
	return COMMAND_GOOD;
}

static int run_add(const char *path, struct change *change)
{
	struct embed_error error;

	error_clear(&error);
	strcpy(change->key.name, change->name);
	if (make_secret(change, &error) != EMBED_OK ||
	    take_limits(&change->key, change->options, &error) != EMBED_OK ||
	    key_file_edit(path, add, change, &error) != EMBED_OK)
		return command_fail(&error);
	return show_secret(change);
}

static int run_rotate(const char *path, struct change *change)
{
	struct embed_error error;

	error_clear(&error);
	if (make_secret(change, &error) != EMBED_OK ||
	    key_file_edit(path, rotate, change, &error) != EMBED_OK)
		return command_fail(&error);
	return show_secret(change);
}

static int run_revoke(const char *path, struct change *change)
{
	struct embed_error error;

	error_clear(&error);
	if (key_file_edit(path, revoke, change, &error) != EMBED_OK)
		return command_fail(&error);
	fprintf(stderr, "embed: %s is revoked; a running gateway knows within a second\n",
	    change->name);
	return COMMAND_GOOD;
}

static void write_time(struct buffer *out, int64_t unix_s)
{
	time_t time = (time_t)unix_s;
	char text[32] = "-";
	struct tm utc;

	if (unix_s && gmtime_r(&time, &utc))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	buffer_printf(out, " %-20s", text);
}

static void write_limit(struct buffer *out, uint64_t limit)
{
	if (limit)
		buffer_printf(out, " %10" PRIu64, limit);
	else
		buffer_printf(out, " %10s", "-");
}

static void write_key(struct buffer *out, const struct key *key)
{
	char budget[48] = "-";

	if (key->budget_nano)
		snprintf(budget, sizeof(budget), "%.2f/%s", (double)key->budget_nano * 1e-9,
		    key_period_name(key->period));
	buffer_printf(out, "%-20s", key->name);
	write_limit(out, key->rpm);
	write_limit(out, key->tpm);
	buffer_printf(out, " %-14s %-11s %6u", budget,
	    key->lane == EMBED_LANE_BULK ? "bulk" : "interactive", key->weight);
	write_time(out, key->created_s);
	write_time(out, key->expires_s);
	buffer_printf(out, " %s%s%s\n", key->models[0] ? key->models : "all",
	    key->is_admin ? " admin" : "", key->is_partitioned ? " partition" : "");
}

static int run_list(const char *path)
{
	struct key_table *table;
	struct embed_error error;
	struct buffer out;

	error_clear(&error);
	if (key_table_load(&table, path, &error) != EMBED_OK)
		return command_fail(&error);
	buffer_init(&out, OUTPUT_MAX);
	buffer_printf(&out, "%-20s %10s %10s %-14s %-11s %6s %-20s %-20s %s\n", "NAME", "RPM",
	    "TPM", "BUDGET", "LANE", "WEIGHT", "CREATED", "EXPIRES", "MODELS");
	for (size_t i = 0; i < table->count; i++)
		write_key(&out, &table->keys[i]);
	key_table_unref(table);
	return command_print_all(&out);
}

/* ---- The command -------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*run)(const char *path, struct change *change);
} changes[] = {{"add", run_add}, {"rotate", run_rotate}, {"revoke", run_revoke}};

static enum embed_status find_file(
    char path[SETTINGS_PATH_MAX + 8], const struct command_input *input, struct embed_error *error)
{
	const struct keys_options *own = input->own;
	enum embed_status status;

	if (own->file && *own->file) {
		snprintf(path, SETTINGS_PATH_MAX + 8, "%s", own->file);
		return EMBED_OK;
	}
	status = settings_home(path, input->options, error);
	if (status != EMBED_OK)
		return status;
	status = settings_make_home(path, error);
	strcat(path, "/keys");
	return status;
}

static int run(const struct command_input *input)
{
	struct change change = {.options = input->own};
	char path[SETTINGS_PATH_MAX + 8];
	struct embed_error error;
	const char *verb = input->argument_count ? input->arguments[0] : "";

	error_clear(&error);
	if (find_file(path, input, &error) != EMBED_OK)
		return command_fail(&error);
	if (strcmp(verb, "list") == 0 && input->argument_count == 1)
		return run_list(path);
	if (strcmp(verb, "list") == 0)
		return command_misuse("keys list takes no name: it lists all keys");
	if (input->argument_count != 2)
		return command_misuse(
		    "write: keys add NAME, keys rotate NAME, keys revoke NAME or keys list");
	change.name = input->arguments[1];
	if (!key_name_is_good(change.name))
		return command_misuse(
		    "a key's name has 1 to %d letters, digits, \".\", \"_\" or \"-\"",
		    KEY_NAME_MAX);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		if (strcmp(verb, changes[i].name) == 0)
			return changes[i].run(path, &change);
	return command_misuse("keys cannot \"%.20s\": it can add, list, rotate and revoke", verb);
}

const struct command command_keys = {
    .name = "keys",
    .arguments = "add|rotate|revoke NAME, or list",
    .summary = "Make and manage the gateway's keys",
    .details = "A key is printed once, when it is made; the file holds its digest. A running\n"
	       "\"embed serve\" takes changes up within a second.",
    .own = &keys_set,
    .run = run,
};
