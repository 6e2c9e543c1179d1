/* SPDX-License-Identifier: MIT */
#include "wire/fault.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "wire/fault_body.h"

#define IS_ACCOUNT   1
#define IS_RATE      2
#define IS_SLOW_DOWN 4

enum kind {
#define KIND(name, verdict, status, flags, what, advice) KIND_##name,
#include "wire/faults.def"
#undef KIND
};

static const struct {
	enum wire_verdict verdict;
	enum embed_status status;
	int flags;
	const char *what;
	const char *advice;
} kinds[] = {
#define KIND(name, verdict, status, flags, what, advice)                                           \
	{WIRE_##verdict, EMBED_##status, flags, what, advice},
#include "wire/faults.def"
#undef KIND
};

enum place { ANY, CODE, TYPE, TEXT, START };

static const struct {
	int from, to;
	enum place place;
	const char *what;
	enum kind kind;
} rules[] = {
#define RULE(from, to, place, what, kind) {from, to, place, what, KIND_##kind},
#include "wire/faults.def"
#undef RULE
};

const char *wire_verdict_name(enum wire_verdict verdict)
{
	static const char *const names[] = {"done", "retry", "split", "stop_input", "stop_all"};

	return names[verdict];
}

/* ---- Which kind ----------------------------------------------------- */

static bool fits(enum place place, const char *what, const struct fault_body *body)
{
	switch (place) {
	case ANY:
		return true;
	case CODE:
		return strcmp(body->code, what) == 0;
	case TYPE:
		return strcmp(body->type, what) == 0;
	case TEXT:
		return strcasestr(body->message, what) != NULL;
	case START:
		return strncasecmp(body->message, what, strlen(what)) == 0;
	}
	return false;
}

static enum kind find_kind(int http_status, const struct fault_body *body)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (http_status >= rules[i].from && http_status <= rules[i].to &&
		    fits(rules[i].place, rules[i].what, body))
			return rules[i].kind;
	}
	return KIND_NEVER;
}

/* ---- What the message tells ------------------------------------------ */

/* The digits at `text` after blanks and a colon; -1: none, or too many. */
static int64_t number_at(const char *text)
{
	int64_t value = 0;
	int count = 0;

	text += strspn(text, " :");
	for (; text[count] >= '0' && text[count] <= '9'; count++) {
		if (count == 18)
			return -1;
		value = value * 10 + (text[count] - '0');
	}
	return count == 0 ? -1 : value;
}

static int64_t number_after(const char *message, const char *word)
{
	const char *found = strstr(message, word);

	return found == NULL ? -1 : number_at(found + strlen(word));
}

/* "Please try again in 2.812s." */
static int64_t wait_in_go_form(const char *message)
{
	const char *found = strcasestr(message, "try again in ");
	size_t len;
	int64_t ms;

	if (found == NULL)
		return -1;
	found += strlen("try again in ");
	len = strcspn(found, " ,;");
	while (len > 0 && found[len - 1] == '.')
		len--;
	/* "in 20 seconds": the bare number is seconds. */
	return wire_duration_read(found, len, &ms) ? ms : -1;
}

static int64_t wait_in_message(const char *message)
{
	int64_t ms = wait_in_go_form(message);
	int64_t seconds;

	if (ms >= 0)
		return ms;
	seconds = number_after(message, "retry after ");
	if (seconds < 0)
		return -1;
	return seconds > WIRE_MAX_WAIT_MS / 1000 ? WIRE_MAX_WAIT_MS : seconds * 1000;
}

/* N of "input[N]" in the message or the param, when the batch has so many. */
static size_t named_input(const struct fault_body *body, size_t input_count)
{
	const char *const places[] = {body->message, body->param};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int64_t index = number_after(places[i], "input[");

		if (index >= 0 && (uint64_t)index < input_count)
			return (size_t)index;
	}
	return EMBED_NO_INDEX;
}

static enum wire_limit_kind limit_kind(const struct fault_body *body)
{
	static const struct {
		const char *word;
		enum wire_limit_kind kind;
	} words[] = {
	    {"per day", WIRE_LIMIT_DAY},
	    {"(RPD)", WIRE_LIMIT_DAY},
	    {"(TPD)", WIRE_LIMIT_DAY},
	    {"(TPM)", WIRE_LIMIT_TOKENS},
	    {"(RPM)", WIRE_LIMIT_REQUESTS},
	    {"tokens per min", WIRE_LIMIT_TOKENS},
	    {"requests per min", WIRE_LIMIT_REQUESTS},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strstr(body->message, words[i].word) != NULL)
			return words[i].kind;
	}
	if (strcmp(body->type, "tokens") == 0)
		return WIRE_LIMIT_TOKENS;
	return strcmp(body->type, "requests") == 0 ? WIRE_LIMIT_REQUESTS : WIRE_LIMIT_NONE;
}

static void read_limits(struct wire_fault *fault, const struct fault_body *body)
{
	fault->limit_kind = limit_kind(body);
	fault->limit = number_after(body->message, "Limit");
	fault->used = number_after(body->message, "Used");
	fault->requested = number_after(body->message, "Requested");
}

/* ---- The verdict ---------------------------------------------------- */

/* One input: it is the one.  A named one: that one.  Else halving finds it. */
static void settle_split(
    struct wire_fault *fault, const struct wire_answer *answer, size_t named, enum kind kind)
{
	bool is_about_size = kind == KIND_TOO_LARGE || kind == KIND_ABOVE_LIMIT;

	if (fault->verdict != WIRE_SPLIT)
		return;
	if (answer->input_count == 1) {
		fault->verdict = WIRE_STOP_INPUT;
		fault->error.index = 0;
	} else if (named != EMBED_NO_INDEX && !is_about_size) {
		fault->verdict = WIRE_STOP_INPUT;
		fault->error.index = named;
	}
}

/* The server's explicit word wins, but no retry brings money. */
static void obey_should_retry(
    struct wire_fault *fault, const struct wire_answer *answer, enum kind kind)
{
	if (answer->headers == NULL || kind == KIND_DONE || kind == KIND_NO_CREDIT)
		return;
	if (answer->headers->should_retry == WIRE_RETRY_YES) {
		fault->verdict = WIRE_RETRY;
		fault->is_account = false;
		fault->error.index = EMBED_NO_INDEX;
	} else if (answer->headers->should_retry == WIRE_RETRY_NO && fault->verdict == WIRE_RETRY) {
		fault->verdict = WIRE_STOP_ALL;
	}
}

static void settle_wait(
    struct wire_fault *fault, const struct wire_answer *answer, const struct fault_body *body)
{
	if (answer->headers != NULL)
		fault->wait_ms = wire_headers_wait_ms(answer->headers, answer->unix_s);
	if (fault->wait_ms < 0)
		fault->wait_ms = wait_in_message(body->message);
	if (fault->wait_ms > 0)
		fault->error.wait_ms = fault->wait_ms;
	if (fault->verdict == WIRE_RETRY && fault->wait_ms > WIRE_FAULT_MAX_WAIT_MS)
		fault->verdict = WIRE_STOP_ALL;
}

/* As much of the text as fits `max` bytes, whole characters only. */
static int cut(const char *text, size_t max)
{
	size_t len = strlen(text);

	if (len <= max)
		return (int)len;
	while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
		max--;
	return (int)max;
}

/* What happened (HTTP 400, code): "upstream's words". What to do. */
static void write_sentence(struct wire_fault *fault, enum kind kind)
{
	char code[80] = "";
	char quote[300] = "";

	if (fault->error.code[0] != '\0')
		snprintf(code, sizeof(code), ", %s", fault->error.code);
	if (fault->text[0] != '\0')
		snprintf(quote, sizeof(quote), ": \"%.*s\"", cut(fault->text, 200), fault->text);
	snprintf(fault->error.message, sizeof(fault->error.message), "%s (HTTP %d%s)%s. %s",
	    kinds[kind].what, fault->error.http_status, code, quote, kinds[kind].advice);
}

static void copy_words(struct wire_fault *fault, const struct fault_body *body, enum kind kind)
{
	snprintf(fault->type, sizeof(fault->type), "%s", body->type);
	snprintf(fault->param, sizeof(fault->param), "%s", body->param);
	snprintf(fault->error.code, sizeof(fault->error.code), "%s", body->code);
	/* What refuses a key may repeat it. */
	if (kind != KIND_KEY)
		snprintf(fault->text, sizeof(fault->text), "%.*s",
		    cut(body->message, sizeof(fault->text) - 1), body->message);
}

static void clear(struct wire_fault *fault, enum kind kind)
{
	memset(fault, 0, sizeof(*fault));
	error_clear(&fault->error);
	fault->verdict = kinds[kind].verdict;
	fault->error.status = kinds[kind].status;
	fault->is_account = (kinds[kind].flags & IS_ACCOUNT) != 0;
	fault->is_rate = (kinds[kind].flags & IS_RATE) != 0;
	fault->is_slow_down = (kinds[kind].flags & IS_SLOW_DOWN) != 0;
	fault->wait_ms = -1;
	fault->limit = fault->used = fault->requested = -1;
}

void wire_fault_read(struct wire_fault *fault, const struct wire_answer *answer)
{
	size_t len = answer->body_len;
	struct fault_body body;
	enum kind kind;

	if (answer->http_status >= 200 && answer->http_status <= 299)
		len = 0; /* its body is wire/reply.h's */
	fault_body_read(
	    &body, answer->body, len < WIRE_FAULT_BODY_BYTES ? len : WIRE_FAULT_BODY_BYTES);
	kind = find_kind(answer->http_status, &body);
	clear(fault, kind);
	fault->error.http_status = answer->http_status;
	if (kind == KIND_DONE)
		return;
	copy_words(fault, &body, kind);
	read_limits(fault, &body);
	settle_split(fault, answer, named_input(&body, answer->input_count), kind);
	obey_should_retry(fault, answer, kind);
	settle_wait(fault, answer, &body);
	write_sentence(fault, kind);
}

void wire_fault_from_reply(struct wire_fault *fault, const struct embed_error *error)
{
	clear(fault, KIND_BAD_REPLY);
	fault->error.http_status = 200;
	fault->error.index = error->index;
	snprintf(
	    fault->text, sizeof(fault->text), "%.*s", (int)sizeof(fault->text) - 1, error->message);
	snprintf(fault->error.message, sizeof(fault->error.message), "%.*s. %s",
	    cut(error->message, 300), error->message, kinds[KIND_BAD_REPLY].advice);
}
