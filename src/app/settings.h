/* SPDX-License-Identifier: MIT */
/*
 * Settings: the option sets that commands share, and what becomes of them: a
 * home folder, an open service, a request.
 *
 * Ownership: what is returned borrows from the loaded options, which must
 * outlive the service.  Threads: none.
 */
#ifndef APP_SETTINGS_H
#define APP_SETTINGS_H

#include "app/log_sink.h"
#include "app/options.h"

/* What every command takes. */
struct general_options {
#define OPTION OPTION_FIELD
#include "app/general.def"
#undef OPTION
};

/* What shapes a service. */
struct service_options {
#define OPTION OPTION_FIELD
#include "app/options.def"
#undef OPTION
};

/* What shapes one embedding request. */
struct request_options {
#define OPTION OPTION_FIELD
#include "app/request.def"
#undef OPTION
};

extern const struct option_set settings_general, settings_service, settings_request;

/* The places of enum values in general.def. */
enum settings_progress { PROGRESS_AUTO, PROGRESS_BAR, PROGRESS_LINES, PROGRESS_NONE };

#define SETTINGS_PATH_MAX 4096

/* Folder of store and ledger: --home, else $XDG_DATA_HOME/embed, else ~/.local/share/embed. */
enum embed_status settings_home(
    char path[SETTINGS_PATH_MAX], const struct options *options, struct embed_error *error);

/* Makes the home folder with those above it, for files beside store and ledger. */
enum embed_status settings_make_home(const char *path, struct embed_error *error);

/* Where the configuration file is looked for, in order; `paths` has room for two. */
size_t settings_files(char paths[2][SETTINGS_PATH_MAX], char **environment);

/* How a service is to be opened, beside the options. */
enum settings_open {
	SETTINGS_ONLINE,  /* an upstream is needed: a missing key is an error */
	SETTINGS_OFFLINE, /* only store and ledger are wanted; nothing is ever sent */
};

/*
 * Opens a service from the general and service sets, creating the home folder.
 * --base-url or a variable for it wins over [upstream] sections, else these
 * are used.  `log` may be NULL.
 */
enum embed_status settings_open_service(embed_service **out, const struct options *options,
    enum settings_open how, struct log_sink *log, struct embed_error *error);

/* Who is told of attempts (embed_span); all NULL: nobody. */
struct settings_spans {
	embed_span_fn *fn;
	void *context;
};

/* The same, online, with spans. */
enum embed_status settings_open_traced(embed_service **out, const struct options *options,
    struct log_sink *log, const struct settings_spans *spans, struct embed_error *error);

/* Options that were loaded again, for a service that was opened with SETTINGS_ONLINE: see embed_reload. */
enum embed_status settings_reload_service(
    embed_service *service, const struct options *options, struct embed_error *error);

/* A request as the request set says. */
struct embed_request settings_request_of(const struct options *options);

#endif
