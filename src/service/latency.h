/* SPDX-License-Identifier: MIT */
/*
 * Latency: histograms of the rows of EMBED_LATENCY_TABLE and EMBED_SIZE_TABLE.
 *
 * Each CPU adds to buckets of its own, without locks; reading merges them.
 * Threads: any.
 */
#ifndef SERVICE_LATENCY_H
#define SERVICE_LATENCY_H

#include <embed.h>

#include "base/histogram.h"

struct latency;

struct latency *latency_create(void);
void latency_destroy(struct latency *latency);

void latency_add(struct latency *latency, enum embed_latency_kind kind, int64_t us);
/* `count` events of about the same length, as one. */
void latency_add_many(
    struct latency *latency, enum embed_latency_kind kind, int64_t us, uint64_t count);
void latency_add_size(struct latency *latency, enum embed_size_kind kind, uint64_t size);

void latency_read(
    struct latency *latency, enum embed_latency_kind kind, struct embed_latency *summary);
void latency_read_sizes(
    struct latency *latency, enum embed_size_kind kind, struct embed_sizes *summary);

/* 0 when there was none. */
uint64_t latency_mean_us(const struct latency *latency, enum embed_latency_kind kind);

/* All that was added so far, and its sum; `histogram` is written over. */
void latency_read_all(const struct latency *latency, enum embed_latency_kind kind,
    struct histogram *histogram, uint64_t *sum_us);

#endif
