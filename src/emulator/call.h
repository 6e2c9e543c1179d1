/* SPDX-License-Identifier: MIT */
/*
 * Call: one exchange in the emulator's hands, and the state they share.
 * Internal to the layer.
 *
 * Threads: a call belongs to its exchange's worker.  Of struct emulator, what
 * stands below `lock` is guarded by it; the rest does not change after open.
 */
#ifndef EMULATOR_CALL_H
#define EMULATOR_CALL_H

#include <pthread.h>

#include "base/random.h"
#include "emulator/emulator.h"
#include "emulator/fault.h"
#include "emulator/quota.h"
#include "emulator/books.h"
#include "emulator/work.h"
#include "http/http.h"

#define CALL_NAME_MAX       256
#define EMULATOR_ORG        "org-emulator"
#define EMULATOR_ACCOUNTS   1024
#define EMULATOR_SLOTS_MAX  4096
#define EMULATOR_ANSWER_MAX ((size_t)1 << 30)

/* One key's use of one model. */
struct account {
	char key[BOOKS_NAME_MAX];
	char model[BOOKS_NAME_MAX];
	struct quota quota;
};

struct depot;

struct emulator {
	const struct emulator_options *options;
	struct work_limits limits;
	struct http_server *server;

	pthread_mutex_t lock;
	struct fault_set faults;
	struct books *books;
	struct account
	    *accounts; /* EMULATOR_ACCOUNTS of them; the last is shared by what does not fit */
	size_t account_count;
	int64_t *slots; /* when each is free again, real time; options->slots of them */
	struct random random;
	int64_t clock_ahead_us; /* how far tests have moved the clock */
	struct depot *depot;
};

/* A worker's own. */
struct worker {
	struct wire_request request;
	struct random random;
};

/* How an answer is sent, and how it goes wrong on the way. */
enum delivery_end { DELIVERY_WHOLE, DELIVERY_CLOSE, DELIVERY_RESET, DELIVERY_STALL };

struct delivery {
	struct buffer body;
	size_t sent;
	size_t limit; /* where `end` happens */
	size_t step;  /* bytes at a time */
	uint32_t pause_ms;
	enum delivery_end end;
};

struct call {
	struct emulator *emulator;
	struct http_exchange *exchange;
	char key[BOOKS_NAME_MAX]; /* "": none */
	char name[CALL_NAME_MAX]; /* what "*" in the route's path was */
	bool is_azure;
	bool is_embeddings; /* counts as being worked on */
	struct fault_order order;
	int status;
	const char *content_type;
	bool is_whole; /* announced with its length, as files are */
	struct delivery delivery;
	uint64_t billed_texts, billed_tokens; /* in an answer that may yet be lost */
	const char *model;                    /* static name, or NULL */
	enum wire_layout layout;
	bool has_quota[2]; /* requests, tokens */
	struct quota_view quota[2];
};

/* The time that the outside sees: real, moved by tests.  Takes the lock itself. */
int64_t emulator_now_us(struct emulator *emulator); /* steady, for limits */
int64_t emulator_unix_s(struct emulator *emulator); /* since 1970 */

/*
 * Before a handler touches files, batches or models: takes the lock, brings
 * the depot up to the time, looks for a fault.  False: one struck, and was
 * carried out, the lock is free again.
 */
bool emulator_enter(struct call *call, enum fault_target target);
void emulator_leave(struct call *call);

/* ---- Answers (answer.c) ---------------------------------------------- */

/* Sends `call->delivery.body` with the given status, now or in `delay_us`; call->order may spoil it. */
void answer_after(struct call *call, int status, const char *content_type, int64_t delay_us);
void answer_with(struct call *call, int status, const char *content_type);

/* A refusal of wire/refusals.def whose body is already in delivery.body. */
void answer_refusal(struct call *call, enum wire_refusal_id id);

/* call->order is a refusal or a fault of the INSTEAD stage: carries it out. */
void answer_fault(struct call *call);

/* JSON text as it stands. */
void answer_json(struct call *call, const char *text);

/* ---- Handlers, one for each row of routes.c --------------------------- */

typedef void call_fn(struct call *call);

call_fn emulate_embeddings;
call_fn emulate_models, emulate_model;
call_fn emulate_health, emulate_banner;
call_fn emulate_stats, emulate_reset;
call_fn emulate_faults_get, emulate_faults_add, emulate_faults_drop;
call_fn emulate_clock_get, emulate_clock_move;
call_fn emulate_files_list, emulate_file_upload, emulate_file, emulate_file_content;
call_fn emulate_file_delete;
call_fn emulate_batches_list, emulate_batch_create, emulate_batch, emulate_batch_cancel;

/* Finds the route, checks the key, calls the handler; refuses otherwise. */
void emulator_dispatch(struct call *call);

#endif
