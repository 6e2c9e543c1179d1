/* SPDX-License-Identifier: MIT */
/*
 * Use: what is known of how much each record is used, to decide what to evict.
 *
 * A fixed table of bytes, two for each key (a small count-min sketch): a put
 * sets them to a first credit, a hit adds more, and all are halved each time
 * that three quarters of the store's records were put.  The score of a key is the lower of its
 * two.  So a record that is asked for again outlives new ones that never were,
 * and one that was popular long ago fades.  Nothing is known of a key after
 * the table was lost: its score is 0, like that of a record nobody asked for.
 *
 * Noting a hit is two relaxed byte updates: no lock, no memory, no disk.  Lost
 * updates between threads do no harm.
 *
 * The table is saved to a file now and then, and merged with what other
 * processes saved there meanwhile.  The file is only advice: one that is
 * missing, damaged or of another size counts as empty.
 *
 * Threads: noting and scoring on any; ageing, loading and saving by one at a
 * time (the cache's write lock).
 */
#ifndef CACHE_USE_H
#define CACHE_USE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

struct use;

/* Two bytes for each of about `records` records, within 16 KiB and 16 MiB.  NULL: no memory. */
struct use *use_create(uint64_t records);
void use_destroy(struct use *use);

void use_note_put(struct use *use, const struct digest *key);
void use_note_hit(struct use *use, const struct digest *key);
unsigned use_score(const struct use *use, const struct digest *key);

/* Halves all scores when enough was put since the last time, for a store of `records`. */
void use_age(struct use *use, uint64_t records);

/* Merges in what the file holds; nothing when there is no such file or it is no good. */
void use_load(struct use *use, const char *path);

/*
 * Replaces the file, after merging in what others saved since we last read it.
 * Does nothing when nothing was noted since the last save.  False when the
 * file could not be written: the old one stays.
 */
bool use_save(struct use *use, const char *path);

#endif
