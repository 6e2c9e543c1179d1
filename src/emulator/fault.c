/* SPDX-License-Identifier: MIT */
#include "emulator/fault.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct kind {
	const char *name;
	enum fault_stage stage;
	const char *meaning;
};

static const struct kind kinds[FAULT_COUNT] = {
    [FAULT_none] = {"none", FAULT_INSTEAD, "nothing goes wrong"},
#define FAULT(name, stage, meaning) [FAULT_##name] = {#name, FAULT_##stage, meaning},
#include "emulator/faults.def"
    [FAULT_refusal] = {"refusal", FAULT_INSTEAD, "an error answer"},
};

void fault_set_init(struct fault_set *set, uint64_t seed)
{
	set->count = 0;
	set->random.state = seed;
}

void fault_set_clear(struct fault_set *set)
{
	set->count = 0;
}

enum fault_stage fault_stage_of(enum fault fault)
{
	return kinds[fault].stage;
}

const char *fault_meaning(enum fault fault)
{
	return kinds[fault].meaning;
}

const char *fault_name(const struct fault_order *order)
{
	if (order->fault == FAULT_refusal)
		return refusal_name(order->refusal);
	return kinds[order->fault].name;
}

/* ---- Reading a rule -------------------------------------------------- */

static bool is_word(const char *bytes, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(bytes, word, len) == 0;
}

static bool read_kind(struct fault_order *order, const char *name, size_t len)
{
	for (int i = FAULT_none + 1; i < FAULT_refusal; i++) {
		if (is_word(name, len, kinds[i].name)) {
			order->fault = (enum fault)i;
			return true;
		}
	}
	order->fault = FAULT_refusal;
	order->refusal = refusal_find(name, len);
	return order->refusal != REFUSAL_NONE;
}

static bool read_number(const char *text, uint64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*number = strtoull(text, &end, 10);
	return *end == '\0';
}

static bool read_percent(const char *text, double *probability)
{
	char *end;
	double percent = strtod(text, &end);

	*probability = percent / 100;
	return end != text && strcmp(end, "%") == 0 && percent >= 0 && percent <= 100;
}

static bool read_target(const char *text, enum fault_target *target)
{
	static const char *const names[] = {"embeddings", "models", "files", "batches", "all"};

	for (int i = 0; i <= FAULT_ON_ALL; i++) {
		if (strcmp(names[i], text) == 0) {
			*target = (enum fault_target)i;
			return true;
		}
	}
	return false;
}

static bool read_setting(struct fault_rule *rule, const char *name, size_t len, const char *value)
{
	const struct {
		const char *name;
		char *word;
		uint64_t *number;
	} settings[] = {{"text", rule->text, NULL}, {"key", rule->key, NULL},
	    {"model", rule->model, NULL}, {"retry-after", rule->order.retry_after, NULL},
	    {"retry-after-ms", rule->order.retry_after_ms, NULL},
	    {"should-retry", rule->order.should_retry, NULL}, {"next", NULL, &rule->next},
	    {"skip", NULL, &rule->skip}, {"every", NULL, &rule->every},
	    {"min-texts", NULL, &rule->min_texts}};
	uint64_t pause_ms;

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (!is_word(name, len, settings[i].name))
			continue;
		if (settings[i].number)
			return read_number(value, settings[i].number);
		/* The words are FAULT_WORD_MAX bytes each, and so is `value`. */
		strcpy(settings[i].word, value);
		return *value != '\0';
	}
	if (is_word(name, len, "on"))
		return read_target(value, &rule->on);
	if (!is_word(name, len, "pause-ms") || !read_number(value, &pause_ms) || pause_ms > 60000)
		return false;
	rule->order.pause_ms = (uint32_t)pause_ms;
	return true;
}

/* What stands between two "@". */
static bool read_item(struct fault_rule *rule, const char *item, size_t len)
{
	const char *equals = memchr(item, '=', len);
	char value[FAULT_WORD_MAX];
	size_t name_len = equals ? (size_t)(equals - item) : 0;
	size_t value_len = equals ? len - name_len - 1 : len;

	if (value_len >= sizeof(value))
		return false;
	memcpy(value, equals ? equals + 1 : item, value_len);
	value[value_len] = '\0';
	if (strlen(value) != value_len)
		return false;
	if (!equals)
		return read_percent(value, &rule->probability);
	return read_setting(rule, item, name_len, value);
}

static enum embed_status read_rule(
    struct fault_rule *rule, const char *spec, size_t len, struct embed_error *error)
{
	const char *at = memchr(spec, '@', len), *end = spec + len;
	size_t kind_len = at ? (size_t)(at - spec) : len;

	*rule = (struct fault_rule){.probability = 1, .next = UINT64_MAX, .every = 1};
	rule->order.pause_ms = 10;
	if (!read_kind(&rule->order, spec, kind_len))
		return error_set(error, EMBED_BAD_FORMAT,
		    "\"%.*s\" is no fault; see embed emulate --list-faults",
		    kind_len < 100 ? (int)kind_len : 100, spec);
	while (at) {
		const char *item = at + 1;
		size_t item_len;

		at = memchr(item, '@', (size_t)(end - item));
		item_len = (size_t)((at ? at : end) - item);
		if (!read_item(rule, item, item_len))
			return error_set(error, EMBED_BAD_FORMAT,
			    "\"%.*s\" is no filter of a fault; examples: next=3, 5%%, text=MARK",
			    item_len < 100 ? (int)item_len : 100, item);
	}
	if (rule->every == 0)
		return error_set(error, EMBED_BAD_FORMAT, "every=0: must be 1 or more");
	return EMBED_OK;
}

enum embed_status fault_set_add(
    struct fault_set *set, const char *spec, size_t len, struct embed_error *error)
{
	enum embed_status status;

	if (set->count == FAULT_RULES_MAX)
		return error_set(error, EMBED_TOO_LARGE,
		    "there are %d faults already; clear them first", FAULT_RULES_MAX);
	status = read_rule(&set->rules[set->count], spec, len, error);
	if (status == EMBED_OK)
		set->count++;
	return status;
}

/* ---- Choosing -------------------------------------------------------- */

static bool some_text_holds(const struct fault_request *request, const char *mark)
{
	size_t len = strlen(mark);

	for (size_t i = 0; i < request->text_count; i++) {
		const struct embed_text *text = &request->texts[i];

		if (text->bytes && memmem(text->bytes, text->len, mark, len))
			return true;
	}
	return false;
}

static bool equals_or_any(const char *wanted, const char *found)
{
	return wanted[0] == '\0' || (found && strcmp(wanted, found) == 0);
}

static bool lets_through(const struct fault_rule *rule, const struct fault_request *request)
{
	return (rule->on == FAULT_ON_ALL || rule->on == request->on) &&
	       request->text_count >= rule->min_texts && equals_or_any(rule->key, request->key) &&
	       equals_or_any(rule->model, request->model) &&
	       (rule->text[0] == '\0' || some_text_holds(request, rule->text));
}

static bool strikes(
    struct fault_rule *rule, const struct fault_request *request, struct random *random)
{
	if (rule->struck >= rule->next || !lets_through(rule, request))
		return false;
	rule->seen++;
	if (rule->seen <= rule->skip || (rule->seen - rule->skip) % rule->every != 0)
		return false;
	return rule->probability >= 1 || random_unit(random) < rule->probability;
}

struct fault_order fault_set_pick(struct fault_set *set, const struct fault_request *request)
{
	for (size_t i = 0; i < set->count; i++) {
		struct fault_rule *rule = &set->rules[i];

		if (strikes(rule, request, &set->random)) {
			rule->struck++;
			return rule->order;
		}
	}
	return (struct fault_order){.fault = FAULT_none};
}
