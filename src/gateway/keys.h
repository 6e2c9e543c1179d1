/* SPDX-License-Identifier: MIT */
/*
 * Keys: who may use the gateway, and how much.
 *
 * The file holds one key a line, as "attribute=value" pairs, and no secret:
 * a key itself is shown once, when it is made; the file has its SHA-256
 * digest.  Names, digests, limits: see key_line.c.  Several
 * lines may have one name (a rotated key that is still good for a while).
 *
 *	name=search digest=6f0c.. created=1795000000 rpm=600 budget=5000000000/month
 *
 * A loaded table never changes; a new file is a new table.  Tables are
 * counted, so a request keeps the one it began with.
 *
 * Threads: a table is read by any; ref and unref are atomic.
 */
#ifndef GATEWAY_KEYS_H
#define GATEWAY_KEYS_H

#include <embed.h>
#include <stdatomic.h>

#include "base/digest.h"

#define KEY_NAME_MAX   63
#define KEY_MODELS_MAX 511
#define KEYS_MAX       100000
#define KEY_FILE_MAX   (64u << 20)

/* "emb-" and 43 characters: 32 random bytes. */
#define KEY_SECRET_LEN 47

struct meter;

enum key_period { KEY_PERIOD_EVER, KEY_PERIOD_DAY, KEY_PERIOD_MONTH };

struct key {
	char name[KEY_NAME_MAX + 1];
	struct digest digest;
	int64_t created_s;
	int64_t expires_s;    /* 0: never */
	uint64_t rpm;         /* requests a minute; 0: no limit */
	uint64_t tpm;         /* tokens a minute; 0: no limit */
	uint64_t budget_nano; /* nano-dollars in a period; 0: no limit */
	enum key_period period;
	enum embed_lane lane;            /* where its requests go unless they say otherwise */
	uint32_t weight;                 /* share among keys, 1 and up */
	bool is_admin;                   /* may see metrics from anywhere */
	bool is_partitioned;             /* its vectors are its own */
	struct meter *meter;             /* bound by the gateway; the file knows nothing of it */
	char models[KEY_MODELS_MAX + 1]; /* "a,b"; empty: all */
};

struct key_table {
	atomic_uint refs;
	size_t count;
	struct key *keys; /* in the file's order */
	uint32_t *slots;  /* hash of digests: index plus 1, 0 free */
	size_t slot_mask;
};

/* A file that does not exist is an empty table.  The caller unrefs. */
enum embed_status key_table_load(
    struct key_table **out, const char *path, struct embed_error *error);
struct key_table *key_table_ref(struct key_table *table);
void key_table_unref(struct key_table *table);

/*
 * The key that the caller showed, or NULL: unknown or expired.  Digests are
 * looked up, and compared in constant time, so timing says nothing of a key.
 */
const struct key *key_table_find(
    const struct key_table *table, const char *secret, size_t len, int64_t now_s);

bool key_may_use(const struct key *key, const char *model, size_t len);

/* ---- Changing the file (embed keys) ------------------------------------ */

/* Makes a secret and its digest.  False: the system gave no random bytes. */
bool key_make_secret(char secret[KEY_SECRET_LEN + 1], struct digest *digest);

/* Letters, digits, ".", "_", "-"; 1 to KEY_NAME_MAX of them. */
bool key_name_is_good(const char *name);

/* "5/month", "0.50/day", "20" (ever): dollars.  False: not that. */
bool key_budget_read(const char *text, uint64_t *nano, enum key_period *period);
const char *key_period_name(enum key_period period);

/*
 * Changes the file under a lock: loads it, lets `edit` change a copy with room
 * for one more key, and puts the new file in place of the old at once (mode
 * 0600).  `edit` returns EMBED_OK to go ahead.
 */
typedef enum embed_status key_edit_fn(
    struct key *keys, size_t *count, void *context, struct embed_error *error);
enum embed_status key_file_edit(
    const char *path, key_edit_fn *edit, void *context, struct embed_error *error);

#endif
