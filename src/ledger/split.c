/* SPDX-License-Identifier: MIT */
#include "ledger/ledger.h"

static uint64_t share_of(uint64_t total, uint64_t weight, uint64_t sum)
{
	return (uint64_t)((unsigned __int128)total * weight / sum);
}

static uint64_t remainder_of(uint64_t total, uint64_t weight, uint64_t sum)
{
	return (uint64_t)((unsigned __int128)total * weight % sum);
}

static uint64_t count_from(
    uint64_t least, uint64_t total, const uint64_t *weights, size_t count, uint64_t sum)
{
	uint64_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += remainder_of(total, weights[i], sum) >= least;
	return found;
}

/* The largest remainder that at least `left` shares reach; there are so many above 0. */
static uint64_t threshold(
    uint64_t left, uint64_t total, const uint64_t *weights, size_t count, uint64_t sum)
{
	uint64_t low = 1, high = sum - 1;

	while (low < high) {
		uint64_t middle = low + (high - low + 1) / 2;

		if (count_from(middle, total, weights, count, sum) >= left)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* One each of what rounding down left over: to all above the threshold, then to the first on it. */
static void hand_out(uint64_t left, uint64_t total, const uint64_t *weights, size_t count,
    uint64_t sum, uint64_t *out)
{
	uint64_t least = threshold(left, total, weights, count, sum);

	for (size_t i = 0; i < count; i++)
		if (remainder_of(total, weights[i], sum) > least) {
			out[i]++;
			left--;
		}
	for (size_t i = 0; i < count && left > 0; i++)
		if (remainder_of(total, weights[i], sum) == least) {
			out[i]++;
			left--;
		}
}

void ledger_split(uint64_t total, const uint64_t *weights, size_t count, uint64_t *out)
{
	uint64_t sum = 0, left = total;

	for (size_t i = 0; i < count; i++) {
		sum += weights[i];
		out[i] = 0;
	}
	if (sum == 0) {
		out[0] = total;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		out[i] = share_of(total, weights[i], sum);
		left -= out[i];
	}
	if (left > 0)
		hand_out(left, total, weights, count, sum, out);
}
