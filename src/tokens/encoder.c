/* SPDX-License-Identifier: MIT */
#include "tokens/encoder.h"

#include "text/utf8.h"

/* The longest token, and the most that the memo takes: nothing above is looked for. */
#define LONG_HASH_BYTES MEMO_BYTES

/* The key of the piece; `room` bytes may be read. */
static inline struct tables_key key_of(const uint8_t *piece, size_t piece_len, size_t room)
{
	struct tables_key key = {0, ENCODER_LONG_KEY_HI}, mask;
	uint8_t padded[16] = {0};

	if (piece_len > TABLES_KEY_BYTES)
		return key;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (room >= 16) {
		key = vocabulary_load(piece);
		mask = vocabulary_load(tokens_first_bytes[piece_len]);
		key.lo &= mask.lo;
		key.hi = (key.hi & mask.hi) | (uint64_t)piece_len << 56;
		return key;
	}
#endif
	memcpy(padded, piece, piece_len);
	padded[15] = (uint8_t)piece_len;
	return vocabulary_load(padded);
}

/* Notes what stands in `count` slots, and asks for the keys that it will be compared with. */
static void prefetch_tokens(struct tokens_encoder *encoder, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		encoder->found[i] = *encoder->slots[i];
		__builtin_prefetch(&encoder->encoding->keys[encoder->found[i] & TABLES_ID_MASK]);
	}
}

/* Whether the token noted in a slot has this key and hash.  Without a branch, which could not be guessed. */
static inline bool is_token(
    const struct tokens_encoding *encoding, uint32_t slot, struct tables_key key, uint64_t hash)
{
	uint32_t id = slot & TABLES_ID_MASK;

	struct tables_key token = encoding->keys[id];

	return ((token.lo ^ key.lo) | (token.hi ^ key.hi) | (slot ^ tables_slot_of(hash, id))) == 0;
}

static void note_starts(struct tokens_encoder *encoder, size_t at, size_t count)
{
	encoder->starts[0] = at;
	memcpy(encoder->starts + 1, encoder->ends, (count - 1) * sizeof(*encoder->ends));
}

/* Whether a place holds the piece with this key. */
static inline bool is_known(struct tables_key place, struct tables_key key)
{
	return ((place.lo ^ key.lo) | (place.hi ^ key.hi) << (64 - ENCODER_COUNT_SHIFT)) == 0;
}

/* Tokens of the piece in a place. */
static inline uint64_t count_of(struct tables_key place)
{
	return place.hi >> ENCODER_COUNT_SHIFT & ENCODER_COUNT_MAX;
}

static inline struct tables_key with_count(struct tables_key key, uint64_t tokens)
{
	return (struct tables_key){key.lo, key.hi | tokens << ENCODER_COUNT_SHIFT};
}

/*
 * Where only the count matters: drops the pieces that
 * are counted already, whose tokens it adds.  Returns how many are left.
 */
static size_t drop_counted(struct tokens_encoder *encoder, const uint8_t *bytes, size_t len,
    size_t at, size_t count, size_t *tokens)
{
	size_t kept = 0, sum = 0;

	for (size_t i = 0; i < count; i++) {
		size_t end = encoder->ends[i];
		struct tables_key key = key_of(bytes + at, end - at, len - at), place;
		uint64_t hash = tables_hash_key(key), is_here;

		place = encoder->known[hash % ENCODER_KNOWN];
		is_here = is_known(place, key);
		encoder->starts[kept] = at;
		encoder->ends[kept] = end;
		kept += !is_here;
		sum += count_of(place) & (0 - is_here);
		at = end;
	}
	*tokens += sum;
	/* Made once more: cheaper for the few than keeping them for all. */
	for (size_t i = 0; i < kept; i++) {
		size_t start = encoder->starts[i];

		encoder->keys[i] = key_of(bytes + start, encoder->ends[i] - start, len - start);
		encoder->hashes[i] = tables_hash_key(encoder->keys[i]);
		encoder->slots[i] = vocabulary_slot(encoder->encoding, encoder->hashes[i]);
		__builtin_prefetch(encoder->slots[i]);
	}
	prefetch_tokens(encoder, kept);
	return kept;
}

/* Whether a piece is the token noted in a slot, which is known from now on then. */
static inline bool know_if_token(
    struct tokens_encoder *encoder, size_t i, uint32_t slot, uint64_t has_ids)
{
	struct tables_key key = encoder->keys[i];
	struct tables_key *known = &encoder->known[encoder->hashes[i] % ENCODER_KNOWN];
	bool is_known = is_token(encoder->encoding, slot, key, encoder->hashes[i]);

	key = with_count(key, 1);
	known->lo = is_known ? key.lo : known->lo;
	known->hi = is_known ? key.hi | has_ids : known->hi;
	return is_known;
}

/* What find_pieces does, where only the count matters: lists the missing. */
static size_t find_uncounted(struct tokens_encoder *encoder, size_t count)
{
	size_t missing_count = 0;

	for (size_t i = 0; i < count; i++) {
		encoder->missing[missing_count].piece = (uint32_t)i;
		missing_count += !know_if_token(encoder, i, encoder->found[i], 0);
	}
	return missing_count;
}

/*
 * Second pass: keys, hashes, and the ids of known pieces; slots of the others
 * on their way to the cache.  Returns how many others.
 */
static size_t hash_pieces(struct tokens_encoder *encoder, const uint8_t *bytes, size_t len,
    size_t count, bool is_ill_formed)
{
	size_t unknown_count = 0;

	for (size_t i = 0; i < count; i++) {
		size_t at = encoder->starts[i];
		struct tables_key key = key_of(bytes + at, encoder->ends[i] - at, len - at), place;
		uint64_t hash = tables_hash_key(key), tokens;

		place = encoder->known[hash % ENCODER_KNOWN];
		tokens = count_of(place);
		encoder->keys[i] = key;
		encoder->hashes[i] = hash;
		encoder->packed[i] =
		    encoder->known_ids[hash % ENCODER_KNOWN] | tokens << ENCODER_PACKED_SHIFT;
		encoder->unknown[unknown_count] = (uint32_t)i;
		unknown_count +=
		    is_ill_formed | !is_known(place, key) | !(place.hi & ENCODER_HAS_IDS);
	}
	for (size_t u = 0; u < unknown_count; u++) {
		encoder->slots[u] =
		    vocabulary_slot(encoder->encoding, encoder->hashes[encoder->unknown[u]]);
		__builtin_prefetch(encoder->slots[u]);
	}
	prefetch_tokens(encoder, unknown_count);
	return unknown_count;
}

/* Pieces that are ill-formed must not be taken for the tokens that their bytes are. */
static void unhash_ill_formed(struct tokens_encoder *encoder, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t at = encoder->starts[i];

		if (!utf8_is_well_formed((const char *)bytes + at, encoder->ends[i] - at))
			encoder->keys[i] = (struct tables_key){0, ENCODER_ILL_KEY_HI};
	}
}

/* Third pass: ids of the unknown pieces that are tokens, known from now on; lists the others. */
static size_t find_pieces(struct tokens_encoder *encoder, size_t unknown_count)
{
	size_t missing_count = 0;

	for (size_t u = 0; u < unknown_count; u++) {
		uint32_t i = encoder->unknown[u], id = encoder->found[u] & TABLES_ID_MASK;
		uint64_t *known_ids = &encoder->known_ids[encoder->hashes[i] % ENCODER_KNOWN];
		bool is_missing = !know_if_token(encoder, i, encoder->found[u], ENCODER_HAS_IDS);

		*known_ids = is_missing ? *known_ids : id;
		encoder->packed[i] = is_missing ? 0 : id | UINT64_C(1) << ENCODER_PACKED_SHIFT;
		encoder->missing[missing_count].piece = i;
		missing_count += is_missing;
	}
	return missing_count;
}

/* The first `count` ids, at most three, in one word; three may be read. */
static inline uint64_t pack(const uint32_t *ids, uint64_t count)
{
	uint64_t all =
	    ids[0] | (uint64_t)ids[1] << TABLES_ID_BITS | (uint64_t)ids[2] << 2 * TABLES_ID_BITS;

	return all & ((UINT64_C(1) << count * TABLES_ID_BITS) - 1);
}

/* Packs the missing pieces that have few tokens; those with keys are known from now on. */
static void pack_missing(struct tokens_encoder *encoder, size_t missing_count)
{
	for (size_t m = 0; m < missing_count; m++) {
		const struct encoder_missing *missing = &encoder->missing[m];
		size_t i = missing->piece, place = encoder->hashes[i] % ENCODER_KNOWN;
		struct tables_key key = encoder->keys[i];
		uint64_t count = missing->count;

		if (missing->ids == NULL || count > ENCODER_PACKED)
			continue;
		encoder->packed[i] = pack(missing->ids, count) | count << ENCODER_PACKED_SHIFT;
		if (key.hi == ENCODER_LONG_KEY_HI)
			continue;
		key.hi |= ENCODER_HAS_IDS;
		encoder->known[place] = with_count(key, count);
		encoder->known_ids[place] = pack(missing->ids, count);
	}
}

/* Where only the count matters: keeps those of the missing pieces that have keys. */
static void count_missing(struct tokens_encoder *encoder, size_t missing_count)
{
	for (size_t m = 0; m < missing_count; m++) {
		const struct encoder_missing *missing = &encoder->missing[m];
		size_t i = missing->piece;
		struct tables_key key = encoder->keys[i];

		if (key.hi != ENCODER_LONG_KEY_HI && missing->count <= ENCODER_COUNT_MAX)
			encoder->known[encoder->hashes[i] % ENCODER_KNOWN] =
			    with_count(key, missing->count);
	}
}

/* A piece in the text, or where its copy is when it is among the last. */
static const uint8_t *readable(const struct tokens_encoder *encoder, const uint8_t *piece)
{
	return piece < encoder->tail_start ? piece : encoder->tail + (piece - encoder->tail_start);
}

static void add_job(
    struct tokens_encoder *encoder, size_t m, const uint8_t *piece, size_t piece_len)
{
	enum merge_kind kind = merge_kind(piece_len);
	struct merge_job *job = &encoder->jobs[kind][encoder->job_counts[kind]++];

	job->bytes = piece;
	job->len = (uint32_t)piece_len;
	job->ids = encoder->missing[m].ids;
	job->owner = (uint32_t)m;
}

/*
 * Hashes the missing pieces that are too long for a key, and asks for the
 * places where all may be found.  What cannot be looked for gets no room.
 */
static void prepare_missing(
    struct tokens_encoder *encoder, const uint8_t *bytes, size_t missing_count)
{
	for (size_t m = 0; m < missing_count; m++) {
		struct encoder_missing *missing = &encoder->missing[m];
		size_t i = missing->piece, at = encoder->starts[i];
		size_t len = encoder->ends[i] - at;
		bool is_ill = encoder->keys[i].hi == ENCODER_ILL_KEY_HI;

		missing->ids = is_ill || len > LONG_HASH_BYTES ? NULL : encoder->merged;
		if (missing->ids == NULL)
			continue;
		if (len <= MERGE_FEW)
			continue;
		if (len > TABLES_KEY_BYTES) {
			encoder->hashes[i] = tables_hash_bytes(bytes + at, len);
			__builtin_prefetch(vocabulary_slot(encoder->encoding, encoder->hashes[i]));
		}
		__builtin_prefetch(memo_line(encoder->memo, encoder->hashes[i], 0));
		__builtin_prefetch(memo_line(encoder->memo, encoder->hashes[i], 1));
	}
	for (size_t m = 0; m < missing_count; m++)
		memo_prefetch(
		    encoder->memo, encoder->encoding, encoder->hashes[encoder->missing[m].piece]);
}

/* The tokens of a missing piece, if it has few bytes or the long tokens or the memo know it; 0: merge it. */
static inline uint32_t look(
    struct tokens_encoder *encoder, const uint8_t *piece, size_t len, uint64_t hash, uint32_t *ids)
{
	if (len <= MERGE_FEW)
		return merge_few(encoder->encoding, piece, len, ids);
	if (len > TABLES_KEY_BYTES) {
		ids[0] = vocabulary_find(encoder->encoding, piece, len, hash);
		if (ids[0] != TABLES_NONE)
			return 1;
	}
	return memo_find(encoder->memo, encoder->encoding, piece, len, hash, ids);
}

/* Fourth pass: what the long tokens or the memo answer; the rest become jobs. */
static void look_for_missing(
    struct tokens_encoder *encoder, const uint8_t *bytes, size_t missing_count)
{
	uint32_t *room = encoder->merged;

	memset(encoder->job_counts, 0, sizeof(encoder->job_counts));
	for (size_t m = 0; m < missing_count; m++) {
		struct encoder_missing *missing = &encoder->missing[m];
		size_t i = missing->piece, len = encoder->ends[i] - encoder->starts[i];
		const uint8_t *piece = readable(encoder, bytes + encoder->starts[i]);

		if (missing->ids == NULL)
			continue;
		missing->ids = room;
		missing->count = look(encoder, piece, len, encoder->hashes[i], room);
		if (missing->count == 0 && len > MERGE_JOB_BYTES) {
			missing->ids = NULL;
			continue;
		}
		if (missing->count == 0)
			add_job(encoder, m, piece, len);
		room += missing->count == 0 ? len + 3 : missing->count;
	}
}

static void run_jobs(struct tokens_encoder *encoder, enum merge_kind kind)
{
	size_t count = encoder->job_counts[kind];

	if (count == 0)
		return;
	encoder->merge_jobs(encoder->encoding, kind, encoder->jobs[kind], count);
	for (size_t j = 0; j < count; j++) {
		const struct merge_job *job = &encoder->jobs[kind][j];
		struct encoder_missing *missing = &encoder->missing[job->owner];

		missing->count = job->count;
		memo_add(encoder->memo, encoder->encoding, encoder->hashes[missing->piece],
		    job->ids, job->count);
	}
}

/* Fills in what the missing pieces encode to, those aside that are too long or ill-formed. */
static void resolve_missing(
    struct tokens_encoder *encoder, const uint8_t *bytes, size_t missing_count)
{
	prepare_missing(encoder, bytes, missing_count);
	look_for_missing(encoder, bytes, missing_count);
	run_jobs(encoder, MERGE_14);
	run_jobs(encoder, MERGE_30);
	run_jobs(encoder, MERGE_62);
}

/* Where only the count matters and all bytes are well-formed. */
static enum embed_status count_batch(struct tokens_encoder *encoder, struct encoder_batch *batch,
    size_t len, struct encoder_sink *sink)
{
	size_t missing_count;
	enum embed_status status;

	batch->count = drop_counted(
	    encoder, batch->bytes, len, batch->start, batch->count, &batch->sink.count);
	missing_count = find_uncounted(encoder, batch->count);
	resolve_missing(encoder, batch->bytes, missing_count);
	count_missing(encoder, missing_count);
	status = encoder_count_batch(encoder, batch, missing_count);
	sink->tokens = batch->sink.count;
	return status;
}

static enum embed_status run_batch(struct tokens_encoder *encoder, struct encoder_batch *batch,
    size_t len, struct encoder_sink *sink)
{
	size_t unknown_count, missing_count;
	enum embed_status status;

	note_starts(encoder, batch->start, batch->count);
	unknown_count = hash_pieces(encoder, batch->bytes, len, batch->count, batch->is_ill_formed);
	if (batch->is_ill_formed)
		unhash_ill_formed(encoder, batch->bytes, batch->count);
	missing_count = find_pieces(encoder, unknown_count);
	resolve_missing(encoder, batch->bytes, missing_count);
	pack_missing(encoder, missing_count);
	status = encoder_put_batch(encoder, batch, sink->cuts != NULL);
	if (status == EMBED_OK && sink->cuts != NULL)
		status = encoder_put_cuts(encoder, batch, sink->tokens, sink->cuts);
	sink->tokens = batch->sink.count;
	return status;
}

enum embed_status encoder_run(struct tokens_encoder *encoder, const uint8_t *bytes, size_t len,
    size_t at, struct encoder_sink *sink)
{
	/* Where cuts are wanted they are those of whole pieces. */
	struct split_text text = {encoder->encoding, bytes, len, sink->cuts == NULL};
	enum embed_status status = EMBED_OK;
	size_t tail_len = len < ENCODER_TAIL ? len : ENCODER_TAIL;

	memset(encoder->tail, 0, sizeof(encoder->tail));
	if (tail_len > 0)
		memcpy(encoder->tail, bytes + len - tail_len, tail_len);
	encoder->tail_start = bytes + len - tail_len;
	while (at < len && sink->tokens <= sink->limit && status == EMBED_OK) {
		struct encoder_batch batch = {.bytes = bytes, .start = at};

		batch.sink = (struct merge_sink){sink->ids, sink->tokens, sink->limit};
		batch.count =
		    encoder->split(&text, at, encoder->ends, ENCODER_BATCH, &batch.is_ill_formed);
		at = encoder->ends[batch.count - 1];
		status = sink->ids == NULL && sink->cuts == NULL && !batch.is_ill_formed
			     ? count_batch(encoder, &batch, len, sink)
			     : run_batch(encoder, &batch, len, sink);
	}
	return status;
}
