/* SPDX-License-Identifier: MIT */
/* The working half of depot.h: lines are run, their answers shuffled into files. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulator/depot.h"

#define MINIMUM_CAP 64

/* ---- Lines of the files ---------------------------------------------- */

/* Room for one more; NULL: no memory, and the line is lost as a crashed server would lose it. */
static struct depot_line *new_line(struct depot_lines *lines)
{
	if (lines->count == lines->cap) {
		size_t cap = lines->cap ? lines->cap * 2 : MINIMUM_CAP;
		struct depot_line *grown = realloc(lines->lines, cap * sizeof(*grown));

		if (!grown)
			return NULL;
		lines->lines = grown;
		lines->cap = cap;
	}
	return &lines->lines[lines->count];
}

/* What was appended since `offset` is one line, unless the buffer is full. */
static void keep_line(struct depot_lines *lines, size_t offset)
{
	struct depot_line *line = new_line(lines);

	if (!line || lines->bytes.status != EMBED_OK)
		return;
	line->offset = offset;
	line->len = lines->bytes.len - offset;
	lines->count++;
}

static void make_line_id(struct random *random, char id[64])
{
	snprintf(id, 64, "batch_req_%016" PRIx64 "%016" PRIx64, random_next(random),
	    random_next(random));
}

static void make_uuid(struct random *random, char id[64])
{
	uint64_t high = random_next(random), low = random_next(random);

	snprintf(id, 64, "%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-8%03" PRIx64 "-%012" PRIx64,
	    high >> 32, high >> 16 & 0xffff, high & 0xfff, low >> 52, low & 0xffffffffffff);
}

static void write_answer(struct depot *depot, struct depot_lines *lines, const char *custom_id,
    int status, const struct buffer *body)
{
	size_t offset = lines->bytes.len, len = body->len;
	char id[64], request_id[64];

	make_line_id(&depot->random, id);
	make_uuid(&depot->random, request_id);
	while (len > 0 && body->bytes[len - 1] == '\n')
		len--;
	batch_output_line_write(&lines->bytes, id, custom_id, status, request_id, body->bytes, len);
	keep_line(lines, offset);
}

/* ---- Running --------------------------------------------------------- */

/* Refusals are indented by habit, and a line must be one line. */
static void flatten(struct buffer *body)
{
	size_t kept = 0;

	for (size_t i = 0; i < body->len; i++) {
		if (body->bytes[i] != '\n') {
			body->bytes[kept++] = body->bytes[i];
			continue;
		}
		while (i + 1 < body->len && body->bytes[i + 1] == ' ')
			i++;
	}
	body->len = kept;
}

/* The fault that strikes this line, if it is an error answer; other kinds need a connection. */
static enum refusal strike(
    struct depot *depot, const struct depot_batch *batch, const struct work *work)
{
	const struct fault_request asked = {FAULT_ON_BATCHES, batch->key, work->model->name,
	    work->request->texts, work->request->count};
	struct fault_order order = fault_set_pick(depot->settings.faults, &asked);

	return order.fault == FAULT_refusal ? order.refusal : REFUSAL_NONE;
}

/* Runs one body; the status of its answer, which is appended to `body`. */
static int run_body(
    struct depot *depot, struct depot_batch *batch, char *bytes, size_t len, struct buffer *body)
{
	const struct work_style style = {.layout = WORK_LAYOUT_B};
	struct books_bill bill = {.key = batch->key, .is_batch = true};
	enum wire_refusal_id id;
	enum refusal refusal;
	struct work work;

	id = work_read(&work, &depot->request, depot->settings.limits, NULL, bytes, len, body);
	if (id != WIRE_REFUSAL_NONE)
		return wire_refusal_row(id)->http_status;
	refusal = strike(depot, batch, &work);
	if (refusal != REFUSAL_NONE) {
		refusal_write(body, refusal, work.model->name);
		work_fini(&work);
		return refusal_http_status(refusal);
	}
	work_write(&work, &style, body);
	bill.model = work.model->name;
	bill.texts = work.request->texts;
	bill.count = work.request->count;
	bill.tokens = work.tokens;
	depot->settings.on_bill(&bill, depot->settings.context);
	batch->object.input_tokens += (int64_t)work.tokens;
	work_fini(&work);
	return 200;
}

void depot_run_line(struct depot *depot, struct depot_batch *batch)
{
	struct batch_input_line line;
	struct depot_line at;
	struct buffer body;
	int status;

	batch->done++;
	if (!depot_next_line(batch->input, batch->input_len, &batch->next, &at) ||
	    batch_input_line_read(&line, batch->input + at.offset, at.len, NULL) != EMBED_OK)
		return; /* cannot be: it was validated */
	buffer_init(&body, DEPOT_BYTES_MAX);
	status = run_body(depot, batch, line.body, line.body_len, &body);
	if (status != 200)
		flatten(&body);
	write_answer(depot, status == 200 ? &batch->output : &batch->errors, line.custom_id.bytes,
	    status, &body);
	batch->object.completed += status == 200;
	batch->object.failed += status != 200;
	buffer_fini(&body);
}

void depot_fail_rest(
    struct depot *depot, struct depot_batch *batch, const char *code, const char *message)
{
	struct batch_input_line line;
	struct depot_line at;
	char id[64];

	while (depot_next_line(batch->input, batch->input_len, &batch->next, &at)) {
		size_t offset = batch->errors.bytes.len;

		if (batch_input_line_read(&line, batch->input + at.offset, at.len, NULL) !=
		    EMBED_OK)
			continue;
		make_line_id(&depot->random, id);
		batch_output_line_write_error(
		    &batch->errors.bytes, id, line.custom_id.bytes, code, message);
		keep_line(&batch->errors, offset);
		batch->object.failed++;
	}
}

/* ---- Files ----------------------------------------------------------- */

/* Lines come in any order (PROTOCOL 8.3), so clients that count on one are found out. */
static void shuffle(struct random *random, struct depot_lines *lines)
{
	for (size_t i = lines->count; i > 1; i--) {
		size_t other = (size_t)random_below(random, i);
		struct depot_line kept = lines->lines[i - 1];

		lines->lines[i - 1] = lines->lines[other];
		lines->lines[other] = kept;
	}
}

static void make_file(struct depot *depot, struct depot_batch *batch, struct depot_lines *lines,
    const char *kind, int64_t now_s, char *id, size_t id_cap)
{
	struct depot_file *file;
	struct buffer bytes;
	char name[256];

	if (lines->count > 0) {
		snprintf(name, sizeof(name), "%s_%s.jsonl", batch->object.id, kind);
		shuffle(&depot->random, lines);
		buffer_init(&bytes, DEPOT_BYTES_MAX);
		for (size_t i = 0; i < lines->count; i++)
			buffer_append(&bytes, lines->bytes.bytes + lines->lines[i].offset,
			    lines->lines[i].len);
		file = bytes.status == EMBED_OK
			   ? depot_add_file(depot, name, "batch_output", bytes.bytes, bytes.len,
				 now_s, batch->output_ttl_s)
			   : NULL;
		if (file)
			snprintf(id, id_cap, "%s", file->object.id);
		buffer_fini(&bytes);
	}
	buffer_fini(&lines->bytes);
	free(lines->lines);
	*lines = (struct depot_lines){.count = 0};
}

void depot_finish(struct depot *depot, struct depot_batch *batch, int64_t now_s)
{
	struct batch_object *object = &batch->object;

	make_file(depot, batch, &batch->output, "output", now_s, object->output_file_id,
	    sizeof(object->output_file_id));
	make_file(depot, batch, &batch->errors, "error", now_s, object->error_file_id,
	    sizeof(object->error_file_id));
	free(batch->input);
	batch->input = NULL;
	batch->input_len = 0;
}
