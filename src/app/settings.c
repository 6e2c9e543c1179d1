/* SPDX-License-Identifier: MIT */
#include "app/settings.h"

#include <string.h>
#include <unistd.h>

#include "app/option_name.h"
#include "base/error.h"

static const struct option_row general_rows[] = {
#define OPTION(...) OPTION_ROW(struct general_options, __VA_ARGS__)
#include "app/general.def"
#undef OPTION
};
static const struct option_row service_rows[] = {
#define OPTION(...) OPTION_ROW(struct service_options, __VA_ARGS__)
#include "app/options.def"
#undef OPTION
};
static const struct option_row request_rows[] = {
#define OPTION(...) OPTION_ROW(struct request_options, __VA_ARGS__)
#include "app/request.def"
#undef OPTION
};

const struct option_set settings_general =
    OPTION_SET("", "General options", struct general_options, general_rows);
const struct option_set settings_service =
    OPTION_SET("", "Model, upstream and store", struct service_options, service_rows);
const struct option_set settings_request =
    OPTION_SET("", "Embedding options", struct request_options, request_rows);

/* ---- Paths ------------------------------------------------------------ */

/* A path below an XDG folder, or below $HOME when that is not set; false: neither is. */
static bool xdg_path(char path[SETTINGS_PATH_MAX], char **environment, const char *name,
    const char *below_home, const char *rest)
{
	const char *base = option_name_value(environment, name),
		   *home = option_name_value(environment, "HOME");
	int len;

	if (base != NULL && *base == '/')
		len = snprintf(path, SETTINGS_PATH_MAX, "%s/%s", base, rest);
	else if (home != NULL)
		len = snprintf(path, SETTINGS_PATH_MAX, "%s/%s/%s", home, below_home, rest);
	else
		return false;
	return len > 0 && len < SETTINGS_PATH_MAX;
}

size_t settings_files(char paths[2][SETTINGS_PATH_MAX], char **environment)
{
	size_t count = 0;

	if (xdg_path(paths[0], environment, "XDG_CONFIG_HOME", ".config", "embed/embed.conf"))
		count++;
	snprintf(paths[count], SETTINGS_PATH_MAX, "/etc/embed/embed.conf");
	return count + 1;
}

enum embed_status settings_home(
    char path[SETTINGS_PATH_MAX], const struct options *options, struct embed_error *error)
{
	const struct general_options *general = options_values(options, &settings_general);

	if (general->home != NULL) {
		if ((size_t)snprintf(path, SETTINGS_PATH_MAX, "%s", general->home) >=
		    SETTINGS_PATH_MAX)
			return error_set(error, EMBED_BAD_OPTION, "%s: the path is too long",
			    options_origin(options, &settings_general, "home"));
		return EMBED_OK;
	}
	if (!xdg_path(path, environ, "XDG_DATA_HOME", ".local/share", "embed"))
		return error_set(error, EMBED_BAD_OPTION,
		    "no folder for the store: neither --home, EMBED_HOME nor HOME is set");
	return EMBED_OK;
}

struct embed_request settings_request_of(const struct options *options)
{
	const struct request_options *values = options_values(options, &settings_request);
	struct embed_request request = EMBED_REQUEST_INIT;

	request.dimensions =
	    values->dimensions > UINT32_MAX ? UINT32_MAX : (uint32_t)values->dimensions;
	request.lane = values->lane == 0 ? EMBED_LANE_INTERACTIVE : EMBED_LANE_BULK;
	request.too_long = (enum embed_too_long)values->too_long;
	request.timeout_ms = values->timeout_us / 1000 > UINT32_MAX
				 ? UINT32_MAX
				 : (uint32_t)(values->timeout_us / 1000);
	return request;
}
