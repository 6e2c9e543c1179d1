/* SPDX-License-Identifier: MIT */
#include "gateway/outbox.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const names[OUTBOX_COUNT] = {"collector", "webhook"};

const char *outbox_name(enum outbox_to to)
{
	return names[to];
}

void outbox_read(struct outbox *outbox, struct tracer *tracer, struct poster *webhook)
{
	*outbox = (struct outbox){0};
	if (tracer) {
		const struct tracer_counts counts = tracer_counts(tracer);

		outbox->spans = counts.added;
		outbox->spans_dropped = counts.dropped;
		outbox->letters[OUTBOX_COLLECTOR] = counts.letters;
	}
	if (webhook)
		outbox->letters[OUTBOX_WEBHOOK] = poster_counts(webhook);
}

static void tell_loss(const struct log *log, const char *event, enum outbox_to to, uint64_t count,
    const char *why, const char *advice)
{
	char text[24];

	if (count == 0)
		return;
	snprintf(text, sizeof(text), "%" PRIu64, count);
	log_event(log, EMBED_LOG_WARN, event, "to", names[to], "count", text, "why",
	    why[0] ? why : NULL, "do", advice, NULL);
}

void outbox_tell(const struct outbox *before, const struct outbox *now, const struct log *log)
{
	static const char *const advice[OUTBOX_COUNT] = {
	    "look at --otlp-endpoint and --otlp-headers, and whether the collector runs",
	    "look at --alarm-url, and at what the receiver answers; alarms are in the log too"};

	for (int to = 0; to < OUTBOX_COUNT; to++) {
		const struct poster_counts *letters = &now->letters[to];
		const struct poster_counts *old = &before->letters[to];

		tell_loss(log, "letters_not_delivered", (enum outbox_to)to,
		    letters->failed - old->failed, letters->last_fault, advice[to]);
		tell_loss(log, "letters_dropped", (enum outbox_to)to,
		    letters->dropped - old->dropped, "too many wait", advice[to]);
	}
	tell_loss(log, "spans_dropped", OUTBOX_COLLECTOR,
	    now->spans_dropped - before->spans_dropped, "too many wait",
	    "let fewer requests be sampled, or look at what holds up the collector");
}
