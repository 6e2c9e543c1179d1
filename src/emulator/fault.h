/* SPDX-License-Identifier: MIT */
/*
 * Faults on request: rules that say which requests go wrong, and how.
 *
 *	KIND[@FILTER]...
 *
 * KIND is a row of faults.def or refusals.def ("reset", "rate_tokens").
 * Filters, all of which must hold ("reset@5%@text=MARK"):
 *	next=N        only for the next N requests that the other filters let through
 *	skip=N        not for the first N of them
 *	every=N       only for each Nth of them
 *	P%            with a probability of P percent (seeded)
 *	text=MARK     some text holds MARK
 *	min-texts=N   at least N texts in the request
 *	key=KEY model=NAME
 *	on=embeddings|models|files|batches|all   default embeddings
 * Parabookss of the answer:
 *	retry-after=V retry-after-ms=V should-retry=V   header values, sent as they are
 *	pause-ms=N    between the pieces of `trickle`
 *
 * The first rule that fires wins.  A rule that a request could not reach
 * (refused already by the checks) does not count it.
 *
 * Threads: none; the emulator's lock guards the set.
 */
#ifndef EMULATOR_FAULT_H
#define EMULATOR_FAULT_H

#include <embed.h>

#include "base/buffer.h"
#include "base/random.h"
#include "emulator/refusal.h"

#define FAULT_RULES_MAX 256
#define FAULT_WORD_MAX  64

enum fault {
	FAULT_none,
#define FAULT(name, stage, meaning) FAULT_##name,
#include "emulator/faults.def"
	FAULT_refusal, /* one of enum refusal */
	FAULT_COUNT
};

enum fault_stage { FAULT_INSTEAD, FAULT_HARMLESS, FAULT_CONTENT, FAULT_DELIVERY };

/* What is to go wrong with one request; copied, so it outlives its rule. */
struct fault_order {
	enum fault fault;
	enum refusal refusal;
	char retry_after[FAULT_WORD_MAX]; /* "": none, or the refusal's own */
	char retry_after_ms[FAULT_WORD_MAX];
	char should_retry[FAULT_WORD_MAX];
	uint32_t pause_ms;
};

enum fault_target {
	FAULT_ON_EMBEDDINGS,
	FAULT_ON_MODELS,
	FAULT_ON_FILES,
	FAULT_ON_BATCHES,
	FAULT_ON_ALL
};

struct fault_rule {
	struct fault_order order;
	enum fault_target on;
	double probability; /* 0..1 */
	uint64_t next;      /* UINT64_MAX: no end */
	uint64_t skip, every, min_texts;
	char text[FAULT_WORD_MAX];
	char key[FAULT_WORD_MAX];
	char model[FAULT_WORD_MAX];
	uint64_t seen;   /* requests that the plain filters let through */
	uint64_t struck; /* requests that went wrong */
};

struct fault_set {
	struct fault_rule rules[FAULT_RULES_MAX];
	size_t count;
	struct random random;
};

/* A request, as far as the filters look at it. */
struct fault_request {
	enum fault_target on;
	const char *key;
	const char *model;
	const struct embed_text *texts;
	size_t text_count;
};

void fault_set_init(struct fault_set *set, uint64_t seed);

/* Adds one rule.  EMBED_BAD_FORMAT with a sentence; EMBED_TOO_LARGE when there are FAULT_RULES_MAX. */
enum embed_status fault_set_add(
    struct fault_set *set, const char *spec, size_t len, struct embed_error *error);

void fault_set_clear(struct fault_set *set);

/* What this request gets; FAULT_none mostly. */
struct fault_order fault_set_pick(struct fault_set *set, const struct fault_request *request);

enum fault_stage fault_stage_of(enum fault fault);
const char *fault_name(const struct fault_order *order);
const char *fault_meaning(enum fault fault);

#endif
