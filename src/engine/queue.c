/* SPDX-License-Identifier: MIT */
#include "engine/queue.h"

#include <stdlib.h>

/* Tokens that a key of weight 1 takes before the next one has its turn in a batch. */
#define ROUND_TOKENS 1024
/* `served` counts 1/SCALE tokens, so that weights above 1 do not round to nothing. */
#define SCALE 1024

void queue_init(struct queue *queue, struct names *names)
{
	*queue = (struct queue){.names = names};
}

void queue_fini(struct queue *queue)
{
	for (size_t i = 0; i < LANES; i++)
		heap_fini(&queue->lanes[i].turns);
}

/* ---- Rings ----------------------------------------------------------- */

static void ring_add_key(struct line **ring, struct line *line)
{
	if (!*ring) {
		*ring = line->key_next = line->key_prev = line;
		return;
	}
	line->key_next = *ring;
	line->key_prev = (*ring)->key_prev;
	line->key_prev->key_next = line;
	line->key_next->key_prev = line;
}

static void ring_add_kind(struct line **ring, struct line *line)
{
	if (!*ring) {
		*ring = line->kind_next = line->kind_prev = line;
		return;
	}
	line->kind_next = *ring;
	line->kind_prev = (*ring)->kind_prev;
	line->kind_prev->kind_next = line;
	line->kind_next->kind_prev = line;
}

static void ring_remove_key(struct line **ring, struct line *line)
{
	line->key_next->key_prev = line->key_prev;
	line->key_prev->key_next = line->key_next;
	if (*ring == line)
		*ring = line->key_next == line ? NULL : line->key_next;
}

static void ring_remove_kind(struct line **ring, struct line *line)
{
	line->kind_next->kind_prev = line->kind_prev;
	line->kind_prev->kind_next = line->kind_next;
	if (*ring == line)
		*ring = line->kind_next == line ? NULL : line->kind_next;
}

/* ---- Lines ----------------------------------------------------------- */

/* A key that comes (back) starts where the one stands whose turn was last. */
static bool join_turns(struct queue_lane *lane, struct key_lane *place)
{
	if (place->lines)
		return true;
	if (place->served < lane->served)
		place->served = lane->served;
	return heap_add(&lane->turns, &place->turn, place->served);
}

static struct line *open_line(struct queue *queue, struct flight *flight, enum embed_lane lane)
{
	struct key_lane *place = &flight->key->lanes[lane];
	struct line *line = calloc(1, sizeof(*line));

	if (!line)
		return NULL;
	if (!join_turns(&queue->lanes[lane], place)) {
		free(line);
		return NULL;
	}
	line->key = key_ref(flight->key);
	line->kind = kind_ref(flight->kind);
	line->lane = lane;
	ring_add_key(&place->lines, line);
	ring_add_kind(&line->kind->lines[lane], line);
	return line;
}

static void close_line(struct queue *queue, struct line *line)
{
	struct key_lane *place = &line->key->lanes[line->lane];

	ring_remove_key(&place->lines, line);
	ring_remove_kind(&line->kind->lines[line->lane], line);
	if (!place->lines)
		heap_remove(&queue->lanes[line->lane].turns, &place->turn);
	names_key_unref(queue->names, line->key);
	names_kind_unref(queue->names, line->kind);
	free(line);
}

static struct line *find_line(const struct flight *flight, enum embed_lane lane)
{
	struct line *first = flight->key->lanes[lane].lines;
	struct line *line = first;

	if (!line)
		return NULL;
	do {
		if (line->kind == flight->kind)
			return line;
		line = line->key_next;
	} while (line != first);
	return NULL;
}

bool queue_add(struct queue *queue, struct flight *flight, enum embed_lane lane)
{
	struct line *line = find_line(flight, lane);

	if (!line)
		line = open_line(queue, flight, lane);
	if (!line)
		return false;
	flight->line = line;
	flight->next = NULL;
	flight->prev = line->last;
	if (line->last)
		line->last->next = flight;
	else
		line->first = flight;
	line->last = flight;
	flight->state = FLIGHT_QUEUED;
	queue->lanes[lane].texts++;
	queue->lanes[lane].tokens += flight->tokens;
	queue->lanes[lane].charge_bytes += flight->charge_bytes;
	return true;
}

/* Out of its line, which stays even if empty. */
static void unlink_flight(struct queue *queue, struct flight *flight)
{
	struct line *line = flight->line;
	struct queue_lane *lane = &queue->lanes[line->lane];

	if (flight->prev)
		flight->prev->next = flight->next;
	else
		line->first = flight->next;
	if (flight->next)
		flight->next->prev = flight->prev;
	else
		line->last = flight->prev;
	flight->line = NULL;
	flight->next = flight->prev = NULL;
	lane->texts--;
	lane->tokens -= flight->tokens;
	lane->charge_bytes -= flight->charge_bytes;
}

void queue_remove(struct queue *queue, struct flight *flight)
{
	struct line *line = flight->line;

	unlink_flight(queue, flight);
	if (!line->first)
		close_line(queue, line);
}

/* ---- Times ----------------------------------------------------------- */

void queue_note_pace(struct queue *queue, enum embed_lane lane, bool is_paced, int64_t now_us)
{
	struct queue_lane *place = &queue->lanes[lane];

	if (place->is_paced)
		place->paced_us += now_us - place->noted_us;
	place->noted_us = now_us;
	place->is_paced = is_paced;
}

uint32_t queue_paced_ms(const struct queue *queue, enum embed_lane lane, int64_t now_us)
{
	const struct queue_lane *place = &queue->lanes[lane];
	int64_t paced_us = place->paced_us;

	if (place->is_paced)
		paced_us += now_us - place->noted_us;
	return (uint32_t)(paced_us / 1000);
}

static int64_t oldest_of_key(const struct key_lane *place)
{
	int64_t oldest_us = INT64_MAX;
	const struct line *line = place->lines;

	do {
		if (line->first->queued_us < oldest_us)
			oldest_us = line->first->queued_us;
		line = line->key_next;
	} while (line != place->lines);
	return oldest_us;
}

int64_t queue_oldest_us(const struct queue *queue, enum embed_lane lane)
{
	const struct heap *turns = &queue->lanes[lane].turns;
	int64_t oldest_us = INT64_MAX;

	for (size_t i = 0; i < turns->count; i++) {
		int64_t of_key_us =
		    oldest_of_key(HEAP_ITEM(turns->nodes[i], struct key_lane, turn));

		if (of_key_us < oldest_us)
			oldest_us = of_key_us;
	}
	return turns->count == 0 ? 0 : oldest_us;
}

/* ---- Taking ---------------------------------------------------------- */

/* The heap's keys lag behind `served`, which only grows: the first is true once it agrees. */
static struct key_lane *next_turn(struct queue_lane *lane)
{
	for (;;) {
		struct heap_node *node = heap_first(&lane->turns);
		struct key_lane *place;

		if (!node)
			return NULL;
		place = HEAP_ITEM(node, struct key_lane, turn);
		if (node->key == place->served)
			return place;
		heap_move(&lane->turns, node, place->served);
	}
}

struct flight *queue_peek(struct queue *queue, enum embed_lane lane)
{
	struct key_lane *place = next_turn(&queue->lanes[lane]);

	return place ? place->lines->first : NULL;
}

static bool fits(
    const struct queue_taken *taken, const struct queue_caps *caps, const struct flight *flight)
{
	return taken->texts < caps->texts && taken->tokens + flight->tokens <= caps->tokens &&
	       taken->charge_bytes + flight->charge_bytes <= caps->charge_bytes &&
	       taken->json_bytes + flight->json_len + 1 <= caps->json_bytes;
}

static void take_one(
    struct queue *queue, struct line *line, struct queue_taken *taken, struct flight **last)
{
	struct flight *flight = line->first;
	int64_t cost = flight->tokens > 0 ? flight->tokens : 1;

	unlink_flight(queue, flight);
	line->credit -= cost;
	line->key->lanes[line->lane].served += 1 + cost * SCALE / line->key->weight;
	taken->texts++;
	taken->tokens += flight->tokens;
	taken->charge_bytes += flight->charge_bytes;
	taken->json_bytes += flight->json_len + 1;
	if (*last)
		(*last)->next = flight;
	else
		taken->first = flight;
	*last = flight;
}

/* The line's round; false when the batch is full. */
static bool take_round(struct queue *queue, struct line *line, const struct queue_caps *caps,
    struct queue_taken *taken, struct flight **last)
{
	int64_t round = (int64_t)ROUND_TOKENS * line->key->weight;

	line->credit = line->credit + round < round ? line->credit + round : round;
	while (line->first && line->credit > 0) {
		if (!fits(taken, caps, line->first))
			return false;
		take_one(queue, line, taken, last);
	}
	return true;
}

struct queue_taken queue_take(
    struct queue *queue, enum embed_lane lane, const struct queue_caps *caps)
{
	struct queue_taken taken = {0};
	struct flight *last = NULL;
	struct key_lane *place = next_turn(&queue->lanes[lane]);
	struct line *line = place->lines;
	struct kind *kind = kind_ref(line->kind);
	bool has_room = true;

	queue->lanes[lane].served = place->served;
	place->lines = line->key_next; /* another kind of this key is next */
	take_one(queue, line, &taken, &last);
	while (has_room && kind->lines[lane]) {
		struct line *next = line->kind_next;

		has_room = take_round(queue, line, caps, &taken, &last);
		if (!line->first)
			close_line(queue, line);
		line = next;
	}
	names_kind_unref(queue->names, kind);
	return taken;
}
