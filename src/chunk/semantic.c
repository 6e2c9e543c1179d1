/* SPDX-License-Identifier: MIT */
/*
 * Semantic: cut where the text changes its subject.  At each sentence's end
 * the mean vectors of a few sentences before and after are compared; ends
 * where they differ clearly more than usual (a standard deviation above the
 * mean) are subject changes, and chunks end there.  Where the limit is met
 * first, the largest difference in the further half of the reach decides, so
 * that no chunk becomes tiny for it.
 *
 * A mark's level is the difference, 0 the largest.
 */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "chunk/packer.h"

#define NEIGHBOURS 3   /* sentences compared on each side */
#define LEVELS     200 /* differences are told apart this finely */
#define CHANGE     20  /* levels below this are changes of subject */

/* ---- Each sentence by itself, to be embedded -------------------------------- */

static size_t cut_first(struct chunker *chunker, size_t floor, size_t reach)
{
	struct boundary *finder = packer_finder(chunker, BOUNDARY_SENTENCE);
	size_t end = finder == NULL || floor >= chunker->len ? 0 : boundary_after(finder, floor);

	return end <= reach ? end : 0;
}

const struct strategy strategy_each_sentence = {
    .cut = cut_first, .overlap = packer_overlap_any, .is_eager = true};

/* ---- Differences ---------------------------------------------------------------- */

/* Adds up to NEIGHBOURS vectors from `first` on; missing ones are left out. */
static void add_up(const struct semantic_input *input, size_t first, size_t end, double *sum)
{
	for (size_t d = 0; d < input->dimensions; d++)
		sum[d] = 0;
	for (size_t i = first; i < end; i++)
		for (size_t d = 0; input->vectors[i] != NULL && d < input->dimensions; d++)
			sum[d] += (double)input->vectors[i][d];
}

/* 1 - cosine; 0 when a side has no vector. */
static double difference(const double *a, const double *b, size_t dimensions)
{
	double product = 0, a_square = 0, b_square = 0;

	for (size_t d = 0; d < dimensions; d++) {
		product += a[d] * b[d];
		a_square += a[d] * a[d];
		b_square += b[d] * b[d];
	}
	if (a_square <= 0 || b_square <= 0)
		return 0;
	return 1 - product / sqrt(a_square * b_square);
}

static void measure_differences(
    const struct semantic_input *input, size_t count, double *differences, double *sums)
{
	double *before = sums;
	double *after = sums + input->dimensions;

	for (size_t i = 1; i < count; i++) {
		add_up(input, i > NEIGHBOURS ? i - NEIGHBOURS : 0, i, before);
		add_up(input, i, count - i > NEIGHBOURS ? i + NEIGHBOURS : count, after);
		differences[i] = difference(before, after, input->dimensions);
	}
}

/* Levels below CHANGE for what is above a standard deviation over the mean, the rest by size. */
static void add_marks(struct chunker *chunker, const double *differences, size_t count)
{
	const struct semantic_input *input = chunker->state;
	double sum = 0, squares = 0, largest = 0, mean, threshold;

	for (size_t i = 1; i < count; i++) {
		sum += differences[i];
		squares += differences[i] * differences[i];
		largest = differences[i] > largest ? differences[i] : largest;
	}
	mean = sum / (double)(count - 1);
	threshold = mean + sqrt(fmax(0, squares / (double)(count - 1) - mean * mean));
	for (size_t i = 1; i < count; i++) {
		bool is_change = differences[i] > threshold;
		double top = is_change ? largest : threshold;
		double bottom = is_change ? threshold : 0;
		double share = top > bottom ? (top - differences[i]) / (top - bottom) : 0;
		double level =
		    is_change ? share * (CHANGE - 1) : CHANGE + share * (LEVELS - CHANGE);

		packer_add_mark(chunker, chunk_at(input->sentences, i)->start, (unsigned)level);
	}
}

static enum embed_status prepare(struct chunker *chunker)
{
	const struct semantic_input *input = chunker->state;
	size_t count = chunk_count(input->sentences);
	double *differences, *sums;
	enum embed_status status = EMBED_NO_MEMORY;

	if (count < 2)
		return EMBED_OK;
	differences = calloc(count, sizeof(*differences));
	sums = calloc(2 * input->dimensions + 1, sizeof(*sums));
	if (differences != NULL && sums != NULL) {
		measure_differences(input, count, differences, sums);
		add_marks(chunker, differences, count);
		status = EMBED_OK;
	}
	free(differences);
	free(sums);
	return status;
}

/* The first change of subject in reach; else, where the limit cuts, the largest difference. */
static size_t cut(struct chunker *chunker, size_t floor, size_t reach)
{
	size_t change = packer_first_mark(chunker, floor, reach, CHANGE);

	if (change != 0 || chunker->is_rest)
		return change;
	change = packer_best_mark(chunker, floor + (reach - floor) / 2, reach);
	return change != 0 ? change : packer_best_mark(chunker, floor, reach);
}

const struct strategy strategy_semantic = {
    .prepare = prepare, .cut = cut, .overlap = packer_overlap_word, .is_eager = true};
