/* SPDX-License-Identifier: MIT */
/*
 * libembed: texts in, vectors out, each paid for once.
 *
 * A service holds one store, one ledger and the engine that speaks to
 * OpenAI's embeddings API (or any compatible upstream).  Callers hand it
 * texts; what the store knows comes back at once, the rest goes upstream in
 * batches, equal texts once, within the account's limits.
 *
 * Threads.  Any number of threads may use one service at the same time; every
 * function here is safe to call from any thread unless it says otherwise.  A
 * result, a job handle and an error belong to one caller at a time.
 *
 * Texts are (pointer, length) and hold UTF-8 bytes.  No function keeps a
 * pointer that it was passed after it returned, unless it says so.
 *
 * Errors.  What can fail returns an enum embed_status and, where the caller
 * passes one, fills an embed_error with a sentence for people.  Out-parameters
 * are written on EMBED_OK only.  The library never prints, exits, reads the
 * environment or installs signal handlers.
 *
 * Structs that the caller fills start with their size (set by the _INIT
 * macro; 0 is EMBED_BAD_OPTION) and grow only at the end, so an older caller
 * works with a newer library.
 */
#ifndef EMBED_H
#define EMBED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define EMBED_API __attribute__((visibility("default")))
#else
#define EMBED_API
#endif

/* ---- Statuses ------------------------------------------------------- */

/*
 * Every status once: name, the code that output records and logs show, what
 * it means, what to do about it.  Values are stable; new rows go to the end.
 */
#define EMBED_STATUS_TABLE(ROW)                                                                    \
	ROW(OK, "ok", "done", "nothing")                                                           \
	ROW(NO_MEMORY, "no_memory", "out of memory",                                               \
	    "give the process more memory, or send fewer texts at a time")                         \
	ROW(BAD_OPTION, "bad_option", "an option has a value that cannot work",                    \
	    "change the option that the message names")                                            \
	ROW(BAD_FORMAT, "bad_format", "bytes from outside do not have the form they should have",  \
	    "look at the place that the message names")                                            \
	ROW(TOO_LARGE, "too_large", "more than the configured maximum",                            \
	    "send less at a time, or raise the maximum")                                           \
	ROW(IO, "io_error", "a file could not be read or written",                                 \
	    "look at the file's path, permissions and free space")                                 \
	ROW(NOT_FOUND, "not_found", "no such thing", "check the name")                             \
	ROW(CLOSED, "closed", "the service is closing", "send it again when the service is back")  \
	ROW(CANCELLED, "cancelled", "the caller gave up", "send it again if it is still wanted")   \
	ROW(DEADLINE, "deadline_exceeded", "not finished before the caller's deadline",            \
	    "allow more time, or look at what waits (embed top)")                                  \
	ROW(QUEUE_FULL, "queue_full", "too much waits already",                                    \
	    "send slower, or raise the queue's cap")                                               \
	ROW(NO_MODEL, "no_model", "no model was named", "name a model")                            \
	ROW(BAD_DIMENSIONS, "bad_dimensions", "the model cannot give that many dimensions",        \
	    "ask for as many as the model has, or fewer")                                          \
	ROW(EMPTY_TEXT, "empty_text", "the text is empty", "leave out empty texts")                \
	ROW(BAD_UTF8, "bad_utf8", "the text is not well-formed UTF-8",                             \
	    "convert it to UTF-8 (embed clean)")                                                   \
	ROW(NUL_IN_TEXT, "nul_in_text", "the text holds a NUL byte", "remove it (embed clean)")    \
	ROW(TEXT_TOO_LONG, "text_too_long", "the text has more tokens than the model reads",       \
	    "cut it into chunks, or choose truncate or average")                                   \
	ROW(BAD_TOKEN, "bad_token", "a token id is not in the model's vocabulary",                 \
	    "make the ids with the model's own encoding")                                          \
	ROW(NOT_STORED, "not_stored", "not in the store, and offline",                             \
	    "allow sending, or fill the store first")                                              \
	ROW(REFUSED, "refused", "upstream refused this input",                                     \
	    "read upstream's message, and change the text")                                        \
	ROW(UNAUTHORIZED, "unauthorized", "upstream refused the API key",                          \
	    "check the API key, and what it may do")                                               \
	ROW(NO_SUCH_MODEL, "no_such_model", "upstream does not know the model",                    \
	    "check the model's name, and whether the account may use it")                          \
	ROW(QUOTA, "quota_exhausted", "the upstream account has no credit left",                   \
	    "add credit, or raise the account's spend limit")                                      \
	ROW(BUDGET, "budget_exceeded", "the configured budget is spent",                           \
	    "raise the budget, or wait for its next period")                                       \
	ROW(RATE_LIMITED, "rate_limited", "upstream's rate limit held until the deadline",         \
	    "send slower, allow more time, or ask for higher limits")                              \
	ROW(UPSTREAM, "upstream_failed", "upstream failed, and retrying did not help",             \
	    "look at its status page and at the network; embed doctor tries it")                   \
	ROW(BAD_REPLY, "bad_reply", "upstream's answer was not what was asked for",                \
	    "check that base_url and model are an embeddings API's")                               \
	ROW(STORE, "store_failed", "the store could not be read or written",                       \
	    "free space, then run embed cache verify")                                             \
	ROW(LEDGER, "ledger_failed", "the ledger could not be read or written",                    \
	    "free space, or look at the permissions of ledger.db")

enum embed_status {
#define ROW(name, code, meaning, advice) EMBED_##name,
	EMBED_STATUS_TABLE(ROW)
#undef ROW
	    EMBED_STATUS_COUNT
};

/* The code of a status ("text_too_long"); never NULL. */
EMBED_API const char *embed_status_code(enum embed_status status);

/* What it means, as a phrase ("the text has more tokens ..."); never NULL. */
EMBED_API const char *embed_status_meaning(enum embed_status status);

/* What to do about it ("cut it into chunks, or ..."); never NULL. */
EMBED_API const char *embed_status_advice(enum embed_status status);

#define EMBED_NO_INDEX SIZE_MAX

/* Detail for people; a caller may pass NULL wherever one is asked for. */
struct embed_error {
	enum embed_status status;
	int http_status;   /* upstream's, or 0 */
	size_t index;      /* of the text at fault, or EMBED_NO_INDEX */
	size_t offset;     /* byte in that text, or EMBED_NO_INDEX */
	char code[64];     /* upstream's error code, or "" */
	char message[512]; /* one or two sentences: what was wrong, what to do */
	int64_t wait_ms;   /* that upstream asked for before another try; 0: it did not say */
};

/* ---- Options -------------------------------------------------------- */

enum embed_upstream_kind {
	EMBED_UPSTREAM_OPENAI, /* OpenAI, or anything that answers like it */
	EMBED_UPSTREAM_AZURE,  /* Azure OpenAI: the deployment in the path, and an api-version */
};

/*
 * One account to send to.  NULL and 0 mean the default.  Strings are copied
 * at embed_open.  Several upstreams serve the same models: traffic is shared
 * by `share`, and what one cannot take goes to the others.
 */
struct embed_upstream {
	const char *name; /* in ledger, logs, metrics; default: the host */
	enum embed_upstream_kind kind;
	const char *base_url; /* default https://api.openai.com/v1 */
	const char *api_key;  /* sent as Bearer (OpenAI) or api-key (Azure) */
	const char *organization;
	const char *project;
	const char *api_version; /* Azure only; default 2024-10-21 */
	const char *model;       /* its name for the model, if it differs (deployment) */
	/*
	 * Vector space of its answers, in the store's keys.  Default: the model's name on OpenAI's
	 * own and Azure's hosts, elsewhere the model's name with the base URL's origin.
	 */
	const char *space;
	const char *ca_file;          /* PEM bundle to trust instead of the system's */
	uint32_t share;               /* default 1 */
	uint32_t batch_texts;         /* texts in a request, default 2048 */
	uint32_t batch_tokens;        /* tokens in a request, default 295000 */
	uint32_t batch_bytes;         /* body bytes, default 8 MiB */
	uint32_t text_tokens;         /* tokens in a text, default 8192 */
	uint32_t requests_per_minute; /* 0: learnt from the answers */
	uint32_t tokens_per_minute;   /* 0: learnt from the answers */
	uint32_t max_in_flight;       /* requests at a time, default 16 */
	bool no_token_ids;            /* refuses token-array input */
	bool no_base64;               /* cannot answer base64: do not ask for it */
	bool no_dimensions;           /* refuses or ignores `dimensions` */
	bool http2_prior_knowledge;   /* h2c without upgrade, for upstreams on a trusted network */
};

/* A price that replaces or adds to the built-in table, in nano-dollars a token. */
struct embed_price {
	const char *model;
	uint64_t nano_per_token;
};

enum embed_log_level { EMBED_LOG_ERROR, EMBED_LOG_WARN, EMBED_LOG_INFO, EMBED_LOG_DEBUG };

/*
 * One event as "key=value" pairs, already formatted, without time or level and
 * without a newline; never holds a text, a vector or a key.  May be called on
 * any thread of the service; must not block long and must not call the service.
 */
typedef void embed_log_fn(enum embed_log_level level, const char *event, void *context);

/*
 * An attempt upstream that ended, for tracing.  Told of those whose first text
 * came with a trace_parent; upstream was given the same trace with `span_id` as
 * the parent.  Strings are valid during the call only.
 */
struct embed_span {
	const char *trace_parent; /* as the request had it */
	uint64_t span_id;         /* of the attempt */
	int64_t start_us, end_us; /* Unix, microseconds */
	const char *upstream;     /* its name */
	const char *base_url;
	const char *model;
	enum embed_status status; /* EMBED_OK: answered with vectors */
	int http_status;          /* 0: no answer */
	uint64_t texts, billed_tokens;
	uint32_t retry; /* 0: the first attempt of its batch */
};

/* On the engine's thread: must not block and must not call the service. */
typedef void embed_span_fn(const struct embed_span *span, void *context);

struct embed_options {
	size_t size;
	const char *home;  /* folder of store and ledger; NULL: keep nothing */
	const char *model; /* when a request names none; default text-embedding-3-small */
	const struct embed_upstream *upstreams; /* none: one, all defaults but the next four */
	size_t upstream_count;
	const char *base_url;
	const char *api_key;
	const char *organization;
	const char *project;
	const struct embed_price *prices;
	size_t price_count;
	bool offline;  /* store only; nothing is ever sent */
	bool no_store; /* neither read nor write vectors (the ledger stays) */
	bool no_ledger;
	uint32_t max_in_flight; /* for upstreams that set none; default 16 */
	uint32_t batch_texts;   /* for upstreams that set none; default 2048 */
	uint64_t store_bytes;   /* cap of the store's file, default 64 GiB */
	uint64_t store_ttl_s;   /* records older than this are misses; 0: never */
	uint64_t queue_tokens;  /* tokens that may wait in all, default 0: no cap */
	uint32_t max_attempts;  /* of one batch, default 8 */
	uint32_t
	    retry_deadline_ms; /* give up on a text this long after it was first sent, default 120000 */
	uint32_t retry_budget_percent;  /* retries as a share of traffic, default 20 */
	uint32_t connect_timeout_ms;    /* default 5000 */
	uint32_t first_byte_timeout_ms; /* default 30000 */
	uint32_t idle_timeout_ms;       /* no byte for this long mid-reply, default 10000 */
	bool renormalize;               /* scale every returned vector to length 1 */
	embed_log_fn *log;
	void *log_context;
	enum embed_log_level log_level;
	embed_span_fn *span; /* NULL: a trace_parent goes upstream as it came */
	void *span_context;
};

#define EMBED_OPTIONS_INIT                                                                         \
	{                                                                                          \
		.size = sizeof(struct embed_options), .log_level = EMBED_LOG_INFO                  \
	}

typedef struct embed_service embed_service;

/*
 * Opens store and ledger under `home` (created if missing), starts the engine
 * and the writer.  `options` NULL: all defaults, and nothing is kept.  The
 * caller closes the service.  Do not open the same home
 * twice in one process, and do not use a service after fork.
 */
EMBED_API enum embed_status embed_open(
    embed_service **out, const struct embed_options *options, struct embed_error *error);

/*
 * Another course for a running service: takes from `options` each upstream's
 * api_key, requests_per_minute and tokens_per_minute, the prices, and
 * log_level.  What was sent before ends as it began; an upstream that refused
 * its old key is asked again.  Upstreams are told by name, base_url and kind:
 * those that `options` does not have stay as they are, and new ones need
 * another service, as does whatever else is different.  One caller at a time.
 */
EMBED_API enum embed_status embed_reload(
    embed_service *service, const struct embed_options *options, struct embed_error *error);

/*
 * Ends every unfinished job with EMBED_CLOSED, waits for what is being
 * written, frees everything.  No other thread may be inside the service.
 * NULL is fine.
 */
EMBED_API void embed_close(embed_service *service);

/* ---- Texts in, vectors out ------------------------------------------ */

/* One input: text bytes, or token ids (then `bytes` is NULL). */
struct embed_text {
	const char *bytes;
	size_t len;
	const uint32_t *ids;
	size_t id_count;
};

enum embed_lane { EMBED_LANE_INTERACTIVE, EMBED_LANE_BULK };

/* What happens to a text with more tokens than the model reads. */
enum embed_too_long {
	EMBED_TOO_LONG_ERROR,    /* it fails with EMBED_TEXT_TOO_LONG */
	EMBED_TOO_LONG_TRUNCATE, /* its beginning is embedded, cut at a piece's end */
	EMBED_TOO_LONG_AVERAGE, /* cut into chunks, mean of their vectors by tokens, renormalised */
};

struct embed_request {
	size_t size;
	const char *model;   /* NULL: the service's */
	uint32_t dimensions; /* 0: the model's own */
	enum embed_lane lane;
	enum embed_too_long too_long;
	uint32_t timeout_ms;   /* whole job; 0: none.  Unfinished texts end with EMBED_DEADLINE */
	bool offline;          /* this request only: store, no upstream */
	bool no_store;         /* this request only */
	const char *key_name;  /* whose it is, for ledger and fairness; NULL: "" */
	uint32_t key_weight;   /* share among keys, default 1 */
	const char *partition; /* keeps this request's records apart from others'; NULL: shared */
	const char
	    *user; /* passed on to upstream; texts with different users do not share a batch */
	const char *trace_parent; /* W3C traceparent, for spans and upstream; NULL: none */
	const char
	    *authorization; /* caller's own upstream key (pass-through); NULL: the upstream's.
	                                   Such texts never share a flight or batch with another key's */
	const char
	    *extra; /* fields for upstream that we do not know, as JSON members `"a":1,"b":2`,
	                      at most EMBED_EXTRA_MAX bytes; copied into the request as they are, so they
	                      must be well formed.  Equal ones share flights, batches and records */
};

#define EMBED_EXTRA_MAX 1000

#define EMBED_REQUEST_INIT                                                                         \
	{                                                                                          \
		.size = sizeof(struct embed_request)                                               \
	}

enum embed_source {
	EMBED_FROM_NOWHERE,  /* it failed */
	EMBED_FROM_STORE,    /* hit */
	EMBED_FROM_FLIGHT,   /* joined an equal text already on its way */
	EMBED_FROM_UPSTREAM, /* sent, and billed */
};

/* One text's answer; pointers live as long as the result. */
struct embed_answer {
	enum embed_status status;
	enum embed_source source; /* of an averaged text: the dearest of its parts */
	uint32_t dimensions;
	uint32_t tokens; /* of the text as embedded */
	uint32_t parts;  /* 1, or how many chunks were averaged */
	bool truncated;
	const float *vector;             /* NULL unless EMBED_OK */
	const struct embed_error *error; /* NULL when EMBED_OK */
};

/* Sums over a result's texts. */
struct embed_result_totals {
	uint64_t texts, failed, hits, joined, sent;
	uint64_t tokens;        /* of all answered texts */
	uint64_t billed_tokens; /* of those this job had sent, as upstream counted */
	uint64_t cost_nano;     /* of these, in nano-dollars */
};

typedef struct embed_result embed_result; /* answers in input order */

EMBED_API size_t embed_result_count(const embed_result *result);
EMBED_API const struct embed_answer *embed_result_answer(const embed_result *result, size_t index);
/* Short for the above: NULL if that text failed. */
EMBED_API const float *embed_result_vector(
    const embed_result *result, size_t index, uint32_t *dimensions);
EMBED_API const struct embed_result_totals *embed_result_totals(const embed_result *result);
EMBED_API void embed_result_destroy(embed_result *result);

/*
 * Embeds `count` texts and waits for all of them.  EMBED_OK means that every
 * text has an answer, not that every text succeeded: one bad text fails alone.
 * Another status means that nothing was done (bad request, closing, memory).
 * `request` NULL: all defaults.  The caller destroys the result.
 */
EMBED_API enum embed_status embed_texts(embed_service *service, const struct embed_text *texts,
    size_t count, const struct embed_request *request, embed_result **out,
    struct embed_error *error);

/*
 * Called exactly once for a job, when every text has its answer: on the
 * engine's thread, or inside embed_submit on the caller's when nothing had to
 * be waited for.  The callee owns the result.  It must not block, and may call
 * embed_submit and embed_job_cancel.
 */
typedef void embed_done_fn(embed_result *result, void *context);

typedef struct embed_job embed_job;

/*
 * Like embed_texts, without waiting.  `job` may be NULL if the caller will
 * never cancel; otherwise the handle is the caller's to release, before or
 * after the job is done.  When the status is not EMBED_OK, on_done is not called.
 */
EMBED_API enum embed_status embed_submit(embed_service *service, const struct embed_text *texts,
    size_t count, const struct embed_request *request, embed_done_fn *on_done, void *context,
    embed_job **job, struct embed_error *error);

/*
 * Unfinished texts of the job end with EMBED_CANCELLED and on_done follows
 * soon, unless it was called already.  Others who wait for the same text are
 * not harmed; what is upstream already is stored when it arrives.
 */
EMBED_API void embed_job_cancel(embed_job *job);
EMBED_API void embed_job_release(embed_job *job);

/*
 * One text from the store only: no waiting, no lock, no allocation of its own
 * (libcrypto makes a small one for the digest).  `vector`
 * has room for `cap` floats, and answer->vector points to it.  EMBED_NOT_STORED
 * if it is not there; input errors as embed_texts finds them (too_long
 * AVERAGE and token ids included).  answer->error is NULL always.
 */
EMBED_API enum embed_status embed_lookup(embed_service *service, const struct embed_text *text,
    const struct embed_request *request, float *vector, size_t cap, struct embed_answer *answer);

/*
 * Called for each text that was found, in order.  The answer and its vector
 * are valid during the call.  It must not wait and not call the service.
 */
typedef void embed_found_fn(size_t index, const struct embed_answer *answer, void *context);

/* How embed_lookup_many works; `request` may be NULL. */
struct embed_lookup_options {
	size_t size;
	const struct embed_request *request;
	float *vector; /* room for `cap` floats, used for one answer after the other */
	size_t cap;
	embed_found_fn *on_found;
	void *context;
};

#define EMBED_LOOKUP_OPTIONS_INIT                                                                  \
	{                                                                                          \
		.size = sizeof(struct embed_lookup_options)                                        \
	}

/*
 * embed_lookup for texts from the first on, up to the first that is not there
 * or cannot be embedded: *found is how many were handed to on_found, and the
 * status is that of texts[*found] (EMBED_OK: all were found).  What many share
 * is done once.  The thread pins the store's state
 * until the call returns, so on_found should only convert or copy.
 */
EMBED_API enum embed_status embed_lookup_many(embed_service *service,
    const struct embed_text *texts, size_t count, const struct embed_lookup_options *options,
    size_t *found);

/* ---- Tokens, cleaning, chunking: plain functions, no service --------- */

/* "cl100k_base" or "o200k_base"; NULL means the default, cl100k_base. */

/* Tokens in the text; ill-formed UTF-8 counts as U+FFFD.  EMBED_NOT_FOUND: no such encoding. */
EMBED_API enum embed_status embed_count_tokens(
    const char *encoding, const char *bytes, size_t len, size_t *tokens);

/* The ids; the caller frees them with embed_free. */
EMBED_API enum embed_status embed_encode(
    const char *encoding, const char *bytes, size_t len, uint32_t **ids, size_t *count);

/* The bytes that ids stand for (may be ill-formed UTF-8); freed with embed_free. */
EMBED_API enum embed_status embed_decode(
    const char *encoding, const uint32_t *ids, size_t count, char **bytes, size_t *len);

EMBED_API void embed_free(void *memory);

/* What cleaning does; each is off or on by itself. */
enum embed_clean_flag {
	EMBED_CLEAN_UTF8 = 1 << 0, /* ill-formed parts become U+FFFD; without it they are refused */
	EMBED_CLEAN_BOM = 1 << 1,  /* byte-order mark at the start goes */
	EMBED_CLEAN_NEWLINES = 1 << 2, /* CRLF, CR, U+0085, U+2028, U+2029 become LF */
	EMBED_CLEAN_NFC = 1 << 3,
	EMBED_CLEAN_NFKC = 1 << 4,
	EMBED_CLEAN_CONTROL = 1 << 5,    /* control characters but tab and newline go */
	EMBED_CLEAN_ZERO_WIDTH = 1 << 6, /* zero-width characters that join nothing go */
	EMBED_CLEAN_SOFT_HYPHEN = 1 << 7,
	EMBED_CLEAN_HYPHENATION = 1 << 8, /* "exam-\nple" becomes "example" */
	EMBED_CLEAN_LIGATURES = 1 << 9,   /* U+FB00..FB06 spelled out */
	EMBED_CLEAN_BLANKS =
	    1 << 10, /* runs of blanks become one, trailing ones go, >2 newlines become 2 */
	EMBED_CLEAN_QUOTES = 1 << 11,   /* typographic quotes become ' and " */
	EMBED_CLEAN_DASHES = 1 << 12,   /* dashes become - */
	EMBED_CLEAN_HTML = 1 << 13,     /* HTML becomes its text */
	EMBED_CLEAN_MARKDOWN = 1 << 14, /* the text is markdown: code keeps its blanks */
};

/* Presets; `light` is what files get. */
#define EMBED_CLEAN_NONE 0
#define EMBED_CLEAN_LIGHT                                                                          \
	(EMBED_CLEAN_UTF8 | EMBED_CLEAN_BOM | EMBED_CLEAN_NEWLINES | EMBED_CLEAN_NFC |             \
	    EMBED_CLEAN_CONTROL)
#define EMBED_CLEAN_STRONG                                                                         \
	(EMBED_CLEAN_LIGHT | EMBED_CLEAN_ZERO_WIDTH | EMBED_CLEAN_SOFT_HYPHEN |                    \
	    EMBED_CLEAN_HYPHENATION | EMBED_CLEAN_LIGATURES | EMBED_CLEAN_BLANKS |                 \
	    EMBED_CLEAN_QUOTES | EMBED_CLEAN_DASHES)

/*
 * A run of the cleaned text and where it came from: cleaned bytes
 * [clean, next.clean) stem from source bytes [source, next.source).  Where
 * `is_verbatim`, byte for byte.
 */
struct embed_clean_span {
	size_t clean;
	size_t source;
	bool is_verbatim;
};

typedef struct embed_cleaned embed_cleaned;

/*
 * Cleans a text.  When nothing had to change the cleaned bytes are the
 * caller's own (no copy), which must then outlive the result.  EMBED_BAD_UTF8
 * with the offset in `error` when ill-formed bytes are to be refused.
 */
EMBED_API enum embed_status embed_clean(
    const char *bytes, size_t len, uint32_t flags, embed_cleaned **out, struct embed_error *error);
EMBED_API const char *embed_cleaned_bytes(const embed_cleaned *cleaned, size_t *len);
/* Spans in ascending order; the last one is an end mark (clean = len, source = source len). */
EMBED_API const struct embed_clean_span *embed_cleaned_spans(
    const embed_cleaned *cleaned, size_t *count);
/* The source range that cleaned bytes [start, end) came from. */
EMBED_API void embed_cleaned_source_range(const embed_cleaned *cleaned, size_t start, size_t end,
    size_t *source_start, size_t *source_end);
EMBED_API void embed_cleaned_destroy(embed_cleaned *cleaned);

enum embed_chunk_strategy {
	EMBED_CHUNK_FIXED,  /* every `max` units */
	EMBED_CHUNK_TOKENS, /* at token pieces */
	EMBED_CHUNK_SENTENCES,
	EMBED_CHUNK_PARAGRAPHS,
	EMBED_CHUNK_RECURSIVE, /* paragraph, line, sentence, word, character */
	EMBED_CHUNK_MARKDOWN,
	EMBED_CHUNK_CODE,
	EMBED_CHUNK_HTML,
	EMBED_CHUNK_SEMANTIC, /* needs a service: see embed_chunk_semantic */
};

enum embed_chunk_unit { EMBED_UNIT_TOKENS, EMBED_UNIT_CHARS, EMBED_UNIT_BYTES };

struct embed_chunk_options {
	size_t size;
	enum embed_chunk_strategy strategy;
	enum embed_chunk_unit unit;
	size_t max;           /* a chunk's limit in units, default 512 */
	size_t overlap;       /* units shared with the chunk before, default 0 */
	size_t min;           /* smaller chunks are merged into a neighbour; default 0 */
	const char *encoding; /* NULL: cl100k_base */
	const char *locale;   /* for sentence rules; NULL: root */
	bool uncounted;       /* limits in chars or bytes: leave `tokens` 0, which is much faster */
};

#define EMBED_CHUNK_OPTIONS_INIT                                                                   \
	{                                                                                          \
		.size = sizeof(struct embed_chunk_options), .strategy = EMBED_CHUNK_RECURSIVE,     \
		.max = 512                                                                         \
	}

/* One chunk: the slice [start, end) of the text, byte offsets. */
struct embed_chunk {
	size_t start, end;
	size_t tokens;
	const char *
	    heading; /* heading path "A > B" (markdown, html), or NULL; lives as long as the list */
};

typedef struct embed_chunks embed_chunks;

/*
 * EMBED_BAD_OPTION with a sentence when the options cannot work.  No chunk is
 * ever above `max`; ill-formed UTF-8 is cut at bytes that cannot be part of a
 * character.  The caller destroys the list.
 */
EMBED_API enum embed_status embed_chunk(const char *bytes, size_t len,
    const struct embed_chunk_options *options, embed_chunks **out, struct embed_error *error);

/* Sentences embedded through the service, cut where neighbours differ most; waits. */
EMBED_API enum embed_status embed_chunk_semantic(embed_service *service, const char *bytes,
    size_t len, const struct embed_chunk_options *options, const struct embed_request *request,
    embed_chunks **out, struct embed_error *error);

EMBED_API size_t embed_chunks_count(const embed_chunks *chunks);
EMBED_API const struct embed_chunk *embed_chunks_at(const embed_chunks *chunks, size_t index);
EMBED_API void embed_chunks_destroy(embed_chunks *chunks);

/* ---- Models --------------------------------------------------------- */

/* What is known of a model; rows of the built-in table plus price overrides. */
struct embed_model {
	const char *name;
	const char *encoding;
	uint32_t dimensions;     /* default and largest */
	uint32_t text_tokens;    /* tokens that it reads of one text */
	bool can_shorten;        /* takes `dimensions`; a smaller vector is a cut of a larger */
	uint64_t nano_per_token; /* nano-dollars */
	int64_t created_s;       /* as OpenAI lists it */
	const char *owned_by;
};

/* The `index`th known model, or NULL past the end. */
EMBED_API const struct embed_model *embed_model_at(size_t index);
/* NULL: unknown (other upstreams have models of their own). */
EMBED_API const struct embed_model *embed_model_find(const char *name);

/* Nano-dollars for a token: the service's own price, else the table's, else 0. */
EMBED_API uint64_t embed_nano_per_token(embed_service *service, const char *model);

/* ---- Counters ------------------------------------------------------- */

/*
 * Every counter once: name, kind, unit, meaning.  COUNT only grows, LEVEL goes
 * both ways.  /metrics, the dashboard and `embed top` are derived from here.
 */
#define EMBED_STATS_TABLE(ROW)                                                                     \
	ROW(jobs, COUNT, "jobs", "jobs accepted")                                                  \
	ROW(texts, COUNT, "texts", "texts asked for")                                              \
	ROW(text_tokens, COUNT, "tokens", "tokens of the texts asked for")                         \
	ROW(hits, COUNT, "texts", "texts answered from the store")                                 \
	ROW(hit_tokens, COUNT, "tokens", "tokens of texts answered from the store")                \
	ROW(joined, COUNT, "texts", "texts that joined an equal text on its way")                  \
	ROW(joined_tokens, COUNT, "tokens", "tokens of texts that joined a flight")                \
	ROW(failed, COUNT, "texts", "texts that ended in an error")                                \
	ROW(attempts, COUNT, "attempts", "requests sent upstream")                                 \
	ROW(attempts_failed, COUNT, "attempts",                                                    \
	    "requests that upstream did not answer with vectors")                                  \
	ROW(sent_texts, COUNT, "texts", "texts in answered requests")                              \
	ROW(billed_tokens, COUNT, "tokens", "tokens that upstream billed")                         \
	ROW(cost_nano, COUNT, "nano-dollars", "cost of the tokens billed")                         \
	ROW(saved_nano, COUNT, "nano-dollars", "cost that store and flights saved")                \
	ROW(retries, COUNT, "attempts", "batches sent again after a fault")                        \
	ROW(splits, COUNT, "batches", "batches cut in two after a refusal")                        \
	ROW(failovers, COUNT, "batches", "batches moved to another upstream")                      \
	ROW(rate_limited, COUNT, "attempts", "answers with status 429")                            \
	ROW(timeouts, COUNT, "attempts", "attempts without an answer in time")                     \
	ROW(bad_replies, COUNT, "attempts", "answers that failed validation")                      \
	ROW(queued_texts, LEVEL, "texts", "texts waiting to be sent")                              \
	ROW(queued_tokens, LEVEL, "tokens", "tokens waiting to be sent")                           \
	ROW(flights, LEVEL, "texts", "distinct texts on their way or waiting")                     \
	ROW(in_flight, LEVEL, "attempts", "requests under way")                                    \
	ROW(slots, LEVEL, "attempts", "requests that may be under way at once")                    \
	ROW(breakers_open, LEVEL, "upstreams", "upstreams that are being avoided")                 \
	ROW(stored, COUNT, "records", "records written to the store")                              \
	ROW(evicted, COUNT, "records", "records evicted from the store")                           \
	ROW(store_records, LEVEL, "records", "records in the store")                               \
	ROW(store_used_bytes, LEVEL, "bytes", "bytes of the store in use")                         \
	ROW(store_bad, COUNT, "records", "records whose checksum was wrong")                       \
	ROW(write_errors, COUNT, "errors", "writes to store or ledger that failed")                \
	ROW(store_cap_bytes, LEVEL, "bytes", "bytes that the store may use")                       \
	ROW(saved_us, LEVEL, "microseconds", "time that hits saved, each the mean time of a miss") \
	ROW(unsure_tokens, COUNT, "tokens",                                                        \
	    "tokens of answers with status 200 that were of no use: upstream may bill them")

struct embed_stats {
	size_t size;
#define ROW(name, kind, unit, meaning) uint64_t name;
	EMBED_STATS_TABLE(ROW)
#undef ROW
};

#define EMBED_STATS_INIT                                                                           \
	{                                                                                          \
		.size = sizeof(struct embed_stats)                                                 \
	}

EMBED_API void embed_stats(embed_service *service, struct embed_stats *stats);

/*
 * Every latency once: name and meaning.  Microseconds, kept in histograms that
 * tell each value within 1 %.
 */
#define EMBED_LATENCY_TABLE(ROW)                                                                   \
	ROW(hit, "one text looked up in the store and found")                                      \
	ROW(miss, "a job that had to wait, from its submission to its answer")                     \
	ROW(attempt, "a request upstream, from sending to its end")                                \
	ROW(queue, "wait for a free slot, of an answered request's first text")                    \
	ROW(pacing, "wait for the account's limits, of an answered request's first text")          \
	ROW(retry, "from an answered request's first sending to its last")

enum embed_latency_kind {
#define ROW(name, meaning) EMBED_LATENCY_##name,
	EMBED_LATENCY_TABLE(ROW)
#undef ROW
	    EMBED_LATENCY_COUNT
};

struct embed_latency {
	uint64_t count, sum_us, max_us;
	uint64_t p50_us, p90_us, p99_us, p999_us;
};

/* Since the service was opened. */
EMBED_API void embed_latency(
    embed_service *service, enum embed_latency_kind kind, struct embed_latency *latency);

/*
 * Latencies between two looks, for views that move: what was seen since the
 * watch's last look, or since it was made.  `max_us` is within 1 % too.  A
 * watch belongs to one thread at a time and must not outlive the service.
 */
typedef struct embed_latency_watch embed_latency_watch;

/* NULL: out of memory. */
EMBED_API embed_latency_watch *embed_latency_watch_create(
    embed_service *service, enum embed_latency_kind kind);
EMBED_API void embed_latency_watch_look(embed_latency_watch *watch, struct embed_latency *latency);
/* NULL is fine. */
EMBED_API void embed_latency_watch_destroy(embed_latency_watch *watch);

/*
 * Every size once: name, unit and meaning; kept as latencies are.
 */
#define EMBED_SIZE_TABLE(ROW)                                                                      \
	ROW(batch_texts, "texts", "texts in an answered request")                                  \
	ROW(batch_tokens, "tokens", "tokens billed for an answered request")

enum embed_size_kind {
#define ROW(name, unit, meaning) EMBED_SIZE_##name,
	EMBED_SIZE_TABLE(ROW)
#undef ROW
	    EMBED_SIZE_COUNT
};

struct embed_sizes {
	uint64_t count, sum, max;
	uint64_t p50, p90, p99, p999;
};

EMBED_API void embed_sizes(
    embed_service *service, enum embed_size_kind kind, struct embed_sizes *sizes);

/*
 * Texts that ended in an error, by status; they add up to `failed` of
 * embed_stats.  Fills counts[0 .. count - 1]; EMBED_STATUS_COUNT is enough.
 */
EMBED_API void embed_errors(embed_service *service, uint64_t *counts, size_t count);

/* What waits in a lane. */
struct embed_lane_state {
	uint64_t texts, tokens;
	int64_t oldest_us; /* age of the text that has waited longest; 0: none */
	int64_t wait_us;   /* that a text would wait which came now */
};

EMBED_API void embed_lane_state(
    embed_service *service, enum embed_lane lane, struct embed_lane_state *state);

/* ---- Ledger --------------------------------------------------------- */

enum embed_usage_by {
	EMBED_BY_HOUR = 1 << 0,
	EMBED_BY_DAY = 1 << 1,
	EMBED_BY_MONTH = 1 << 2,
	EMBED_BY_MODEL = 1 << 3,
	EMBED_BY_KEY = 1 << 4,
	EMBED_BY_UPSTREAM = 1 << 5,
	EMBED_BY_LANE = 1 << 6,
};

struct embed_usage_query {
	size_t size;
	uint32_t by;          /* any of embed_usage_by, 0: one row for all */
	int64_t since_s;      /* Unix seconds, inclusive; 0: from the beginning */
	int64_t until_s;      /* exclusive; 0: to the end */
	const char *key_name; /* only this key's; NULL: all */
};

#define EMBED_USAGE_QUERY_INIT                                                                     \
	{                                                                                          \
		.size = sizeof(struct embed_usage_query)                                           \
	}

/* One group; fields not grouped by are 0 or NULL.  Strings are valid during the call only. */
struct embed_usage_row {
	int64_t start_s; /* of the hour, day or month (UTC) */
	const char *model, *key_name, *upstream, *lane;
	uint64_t attempts, failed_attempts;
	uint64_t billed_texts, billed_tokens, cost_nano;
	uint64_t hit_texts, hit_tokens;       /* from the store */
	uint64_t joined_texts, joined_tokens; /* shared another's flight */
	uint64_t saved_nano;                  /* what hits and joins would have cost */
};

typedef void embed_usage_fn(const struct embed_usage_row *row, void *context);

/* Rows in order of their groups.  What happened before the call is in it. */
EMBED_API enum embed_status embed_usage(embed_service *service,
    const struct embed_usage_query *query, embed_usage_fn *fn, void *context,
    struct embed_error *error);

/* ---- Store ---------------------------------------------------------- */

struct embed_store_stats {
	size_t size;
	uint64_t records, used_bytes, file_bytes, cap_bytes;
	int64_t oldest_s, newest_s; /* creation times by sampling; 0 when empty */
	uint64_t half_records;      /* kept as 16-bit floats, by sampling */
};

#define EMBED_STORE_STATS_INIT                                                                     \
	{                                                                                          \
		.size = sizeof(struct embed_store_stats)                                           \
	}

EMBED_API enum embed_status embed_store_stats(
    embed_service *service, struct embed_store_stats *stats, struct embed_error *error);

/* Reads every record and checks it; bad ones are removed if `repair`. */
EMBED_API enum embed_status embed_store_verify(
    embed_service *service, bool repair, uint64_t *good, uint64_t *bad, struct embed_error *error);

/* Removes records older than `older_than_s` (0: none by age), then, until at most `to_bytes` are used (0: no cap), what is used least. */
EMBED_API enum embed_status embed_store_prune(embed_service *service, uint64_t older_than_s,
    uint64_t to_bytes, uint64_t *removed, struct embed_error *error);

/* Writes all records to an open file descriptor / adds those of one.  The file carries checksums. */
EMBED_API enum embed_status embed_store_export(
    embed_service *service, int fd, uint64_t *records, struct embed_error *error);
EMBED_API enum embed_status embed_store_import(
    embed_service *service, int fd, uint64_t *added, uint64_t *bad, struct embed_error *error);

EMBED_API enum embed_status embed_store_clear(
    embed_service *service, uint64_t *removed, struct embed_error *error);

/* ---- Upstreams, for doctor and dashboards ---------------------------- */

struct embed_upstream_state {
	const char *name;
	const char *base_url;
	const char *breaker; /* "closed", "open", "half-open" */
	uint32_t in_flight, slots;
	double requests_per_minute, tokens_per_minute; /* the limits believed; 0: unknown */
	double requests_left, tokens_left;             /* permits there now */
	uint64_t attempts, failures;
	char last_error[256]; /* "" if none */
	int64_t last_error_s;
	enum embed_status last_status; /* of that error */
	bool is_barred;                /* of no use until a person acts: key refused, no credit */
	uint64_t rate_limited;         /* answers with status 429 */
};

/* The `index`th upstream; EMBED_NOT_FOUND past the end.  Strings live as long as the service. */
EMBED_API enum embed_status embed_upstream_state(
    embed_service *service, size_t index, struct embed_upstream_state *state);

/* Sends one tiny request, bypassing store and queues (it is in the ledger).  What came back is in `error`; `latency_us` of it. */
EMBED_API enum embed_status embed_probe(
    embed_service *service, size_t index, int64_t *latency_us, struct embed_error *error);

EMBED_API const char *embed_version(void);

/* The library that does the network's part, as people report it: name, version and what is built into it. */
EMBED_API const char *embed_network_library(void);

/* What that library lacks and what comes of it, as a sentence; NULL: nothing. */
EMBED_API const char *embed_network_library_lack(void);

#ifdef __cplusplus
}
#endif
#endif
