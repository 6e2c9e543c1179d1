/* SPDX-License-Identifier: MIT */
#include "cli/delivery.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

/* Failed items that are told on stderr one by one. */
#define TOLD_MAX 10

const char *delivery_next_run(const struct delivery *delivery)
{
	return delivery->has_store ? "goes on from here"
				   : "begins anew, since no store keeps what was paid for";
}

static void tell(struct delivery *delivery, const struct record *record)
{
	bool is_same = strcmp(delivery->last_told, record->message) == 0;

	if (is_same || delivery->told++ >= TOLD_MAX)
		return;
	snprintf(delivery->last_told, sizeof(delivery->last_told), "%s", record->message);
	fprintf(stderr, "%sembed: id %.*s: %s%s\n",
	    delivery->progress->mode == PROGRESS_BAR ? "\r\033[K" : "",
	    (int)(record->item->id.len < 80 ? record->item->id.len : 80),
	    item_bytes(record->group, record->item->id), record->message,
	    delivery->told == TOLD_MAX ? " (further failures are in the output only)" : "");
}

/* Refusals that the next text would meet as well. */
static bool is_fatal(enum embed_status status)
{
	return status == EMBED_UNAUTHORIZED || status == EMBED_QUOTA || status == EMBED_BUDGET ||
	       status == EMBED_NO_SUCH_MODEL || status == EMBED_NO_MODEL ||
	       status == EMBED_BAD_DIMENSIONS || status == EMBED_CLOSED ||
	       status == EMBED_CANCELLED || status == EMBED_NO_MEMORY;
}

static bool is_outage(enum embed_status status)
{
	return status == EMBED_UPSTREAM || status == EMBED_RATE_LIMITED ||
	       status == EMBED_BAD_REPLY || status == EMBED_QUEUE_FULL;
}

static enum embed_status put(
    struct delivery *delivery, const struct record *record, struct embed_error *error)
{
	enum embed_status status;

	delivery->failures_in_a_row =
	    is_outage(record->status) ? delivery->failures_in_a_row + 1 : 0;
	if (is_fatal(record->status)) {
		delivery->was_fatal = true;
		return error_set(error, record->status, "%s", record->message);
	}
	if (delivery->failures_in_a_row == delivery->failures_most) {
		delivery->was_fatal = true;
		return error_set(error, record->status,
		    "%.350s. Nothing gets through, so this run ends here; the same command again %s",
		    record->message, delivery_next_run(delivery));
	}
	status = records_put(delivery->writer, record, error);
	if (status != EMBED_OK)
		return status;
	delivery->state->texts++;
	delivery->state->tokens += record->tokens;
	if (record->status != EMBED_OK) {
		delivery->state->failed++;
		tell(delivery, record);
	} else {
		delivery->dimensions = record->dimensions;
	}
	return EMBED_OK;
}

enum embed_status delivery_put_refused(struct delivery *delivery, const struct item_group *group,
    const struct item *item, struct embed_error *error)
{
	char message[512];
	struct record record = {
	    .group = group, .item = item, .status = item->status, .message = message};

	snprintf(message, sizeof(message), "%.*s", (int)item->message.len,
	    item_bytes(group, item->message));
	return put(delivery, &record, error);
}

/*
 * The library's sentence for a failed text.  "text 7 is empty" counts texts of
 * a job, and jobs are cut differently in each run; the record has its own id.
 */
static void explain(char *message, size_t size, const struct embed_answer *answer)
{
	const char *text = answer->error != NULL && *answer->error->message != '\0'
			       ? answer->error->message
			       : embed_status_meaning(answer->status);
	int digits = 0;

	if (sscanf(text, "text %*u%n", &digits) == 0 && digits > 0)
		snprintf(message, size, "the text%s", text + digits);
	else
		snprintf(message, size, "%s", text);
}

enum embed_status delivery_put_answer(struct delivery *delivery, const struct item_group *group,
    const struct item *item, const struct embed_answer *answer, struct embed_error *error)
{
	char message[sizeof(answer->error->message) + 16];
	struct record record = {
	    .group = group,
	    .item = item,
	    .status = answer->status,
	    .tokens = answer->tokens,
	    .dimensions = answer->dimensions,
	    .vector = answer->status == EMBED_OK ? answer->vector : NULL,
	    .message = message,
	};
	enum embed_status status;

	if (answer->status != EMBED_OK)
		explain(message, sizeof(message), answer);
	status = put(delivery, &record, error);
	if (status == EMBED_OK) {
		delivery->state->hits += answer->source == EMBED_FROM_STORE;
		delivery->state->joined += answer->source == EMBED_FROM_FLIGHT;
	}
	return status;
}
