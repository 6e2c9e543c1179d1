/* SPDX-License-Identifier: MIT */
#include "gateway/key_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const char *const period_names[] = {"ever", "day", "month"};

const char *key_period_name(enum key_period period)
{
	return period_names[period];
}

static bool read_number(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t number = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || number > (max - (uint64_t)(*text - '0')) / 10)
			return false;
		number = number * 10 + (uint64_t)(*text - '0');
	}
	*out = number;
	return true;
}

static bool read_seconds(const char *text, int64_t *out)
{
	uint64_t number;

	if (!read_number(text, INT64_MAX, &number))
		return false;
	*out = (int64_t)number;
	return true;
}

bool key_name_is_good(const char *name)
{
	size_t len =
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return len > 0 && len <= KEY_NAME_MAX && name[len] == '\0';
}

static bool read_name(struct key *key, const char *text)
{
	if (!key_name_is_good(text))
		return false;
	strcpy(key->name, text);
	return true;
}

static bool read_digest(struct key *key, const char *text)
{
	if (strlen(text) != 2 * DIGEST_BYTES)
		return false;
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		unsigned byte;

		if (strspn(text + 2 * i, "0123456789abcdef") < 2 ||
		    sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		key->digest.bytes[i] = (uint8_t)byte;
	}
	return true;
}

static bool read_period(const char *text, enum key_period *period)
{
	for (size_t i = 0; i < sizeof(period_names) / sizeof(period_names[0]); i++)
		if (strcmp(text, period_names[i]) == 0) {
			*period = (enum key_period)i;
			return true;
		}
	return false;
}

/* "NANO/period" */
static bool read_budget(struct key *key, const char *text)
{
	char number[32];
	const char *slash = strchr(text, '/');

	if (!slash || (size_t)(slash - text) >= sizeof(number))
		return false;
	snprintf(number, sizeof(number), "%.*s", (int)(slash - text), text);
	return read_number(number, INT64_MAX, &key->budget_nano) &&
	       read_period(slash + 1, &key->period);
}

static bool read_lane(struct key *key, const char *text)
{
	key->lane = strcmp(text, "bulk") == 0 ? EMBED_LANE_BULK : EMBED_LANE_INTERACTIVE;
	return key->lane == EMBED_LANE_BULK || strcmp(text, "interactive") == 0;
}

static bool read_weight(struct key *key, const char *text)
{
	uint64_t weight;

	if (!read_number(text, 1000000, &weight) || weight == 0)
		return false;
	key->weight = (uint32_t)weight;
	return true;
}

static bool read_flag(bool *flag, const char *text)
{
	*flag = strcmp(text, "yes") == 0;
	return *flag || strcmp(text, "no") == 0;
}

static bool read_models(struct key *key, const char *text)
{
	if (strlen(text) > KEY_MODELS_MAX)
		return false;
	strcpy(key->models, text);
	return true;
}

static bool read_rpm(struct key *key, const char *text)
{
	return read_number(text, UINT32_MAX, &key->rpm);
}

static bool read_tpm(struct key *key, const char *text)
{
	return read_number(text, UINT32_MAX * 1000ull, &key->tpm);
}

static bool read_created(struct key *key, const char *text)
{
	return read_seconds(text, &key->created_s);
}

static bool read_expires(struct key *key, const char *text)
{
	return read_seconds(text, &key->expires_s);
}

static bool read_admin(struct key *key, const char *text)
{
	return read_flag(&key->is_admin, text);
}

static bool read_partition(struct key *key, const char *text)
{
	return read_flag(&key->is_partitioned, text);
}

static void write_digest(const struct key *key, struct buffer *out)
{
	for (size_t i = 0; i < DIGEST_BYTES; i++)
		buffer_printf(out, "%02x", key->digest.bytes[i]);
}

/* Everything that a line may say.  Write is called with the value wanted only. */
static const struct {
	const char *name;
	bool (*read)(struct key *key, const char *text);
} attributes[] = {
    {"name", read_name},
    {"digest", read_digest},
    {"created", read_created},
    {"expires", read_expires},
    {"rpm", read_rpm},
    {"tpm", read_tpm},
    {"budget", read_budget},
    {"lane", read_lane},
    {"weight", read_weight},
    {"admin", read_admin},
    {"partition", read_partition},
    {"models", read_models},
};

void key_line_write(const struct key *key, struct buffer *out)
{
	buffer_printf(out, "name=%s digest=", key->name);
	write_digest(key, out);
	buffer_printf(out, " created=%lld", (long long)key->created_s);
	if (key->expires_s)
		buffer_printf(out, " expires=%lld", (long long)key->expires_s);
	if (key->rpm)
		buffer_printf(out, " rpm=%llu", (unsigned long long)key->rpm);
	if (key->tpm)
		buffer_printf(out, " tpm=%llu", (unsigned long long)key->tpm);
	if (key->budget_nano)
		buffer_printf(out, " budget=%llu/%s", (unsigned long long)key->budget_nano,
		    period_names[key->period]);
	if (key->lane == EMBED_LANE_BULK)
		buffer_append_text(out, " lane=bulk");
	if (key->weight != 1)
		buffer_printf(out, " weight=%u", key->weight);
	if (key->is_admin)
		buffer_append_text(out, " admin=yes");
	if (key->is_partitioned)
		buffer_append_text(out, " partition=yes");
	if (key->models[0])
		buffer_printf(out, " models=%s", key->models);
	buffer_append_char(out, '\n');
}

/* ---- Whole lines ---------------------------------------------------------- */

static bool read_pair(struct key *key, char *pair)
{
	char *equals = strchr(pair, '=');

	if (!equals)
		return false;
	*equals = '\0';
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (strcmp(pair, attributes[i].name) == 0)
			return attributes[i].read(key, equals + 1);
	return false;
}

enum embed_status key_line_read(
    struct key *key, char *line, const char *path, size_t number, struct embed_error *error)
{
	char *rest = line;
	char *pair;
	bool has_digest = false;

	*key = (struct key){.weight = 1};
	while ((pair = strsep(&rest, " \t"))) {
		if (!*pair)
			continue;
		has_digest |= strncmp(pair, "digest=", 7) == 0;
		if (!read_pair(key, pair))
			return error_set(error, EMBED_BAD_FORMAT,
			    "%.300s, line %zu: cannot read \"%.60s\"", path, number, pair);
	}
	if (!key->name[0] || !has_digest)
		return error_set(error, EMBED_BAD_FORMAT,
		    "%.300s, line %zu: a key needs name= and digest=", path, number);
	return EMBED_OK;
}

bool key_budget_read(const char *text, uint64_t *nano, enum key_period *period)
{
	const char *slash = strchr(text, '/');
	char *end;
	double dollars = strtod(text, &end);

	*period = KEY_PERIOD_EVER;
	if (end == text || (slash ? end != slash : *end) || !(dollars > 0) || dollars > 1e9)
		return false;
	if (slash && !read_period(slash + 1, period))
		return false;
	*nano = (uint64_t)(dollars * 1e9 + 0.5);
	return true;
}
