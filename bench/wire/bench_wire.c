/* SPDX-License-Identifier: MIT */
/*
 * Micro benchmark of src/wire beside jansson, strtof, printf and OpenSSL, all
 * in one run on the same bytes.  Each row is the best of several rounds.
 */
#include <jansson.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "wire/base64.h"
#include "wire/float_text.h"
#include "wire/reply.h"
#include "wire/request.h"

#define ROUNDS     7
#define DIMENSIONS 1536
#define BATCH      2048
#define SEGMENT    16384

/* Bytes and places that the measured functions work on. */
struct work {
	char *body;
	size_t len;
	char *scratch;
	struct wire_request request;
	struct wire_reply reply;
	size_t count;
	struct buffer out;
	float vector[DIMENSIONS];
	char text[DIMENSIONS * (FLOAT_TEXT_CAP + 1)];
	size_t text_len;
	double sink;
};

typedef void work_fn(struct work *work);

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Best time of one call in microseconds. */
static double measure(work_fn *run, struct work *work)
{
	double best = INFINITY;
	size_t calls = 1;

	for (int round = 0; round < ROUNDS; round++) {
		double start = now_us();
		double taken;

		for (size_t i = 0; i < calls; i++)
			run(work);
		taken = now_us() - start;
		if (taken < 20000 && round == 0)
			calls = (size_t)(20000 / (taken < 0.1 ? 0.1 : taken)) + 1;
		else if (taken / (double)calls < best)
			best = taken / (double)calls;
	}
	return best;
}

static void row(const char *what, const char *who, work_fn *ours, const char *peer_name,
    work_fn *peer, struct work *work)
{
	double a = measure(ours, work);
	double b = peer == NULL ? 0 : measure(peer, work);

	if (peer == NULL)
		printf("%-34s %-10s %12.3f us\n", what, who, a);
	else
		printf("%-34s %-10s %12.3f us   %-14s %12.3f us   %6.1f x\n", what, who, a,
		    peer_name, b, b / a);
}

/* ---- Requests ------------------------------------------------------- */

static void read_request(struct work *work)
{
	/* The reader changes its body, so it gets a fresh one: the copy is part of the figure. */
	memcpy(work->scratch, work->body, work->len);
	if (wire_request_read(&work->request, work->scratch, work->len, 0, NULL) != EMBED_OK)
		abort();
}

static void read_request_jansson(struct work *work)
{
	json_t *root = json_loadb(work->body, work->len, JSON_REJECT_DUPLICATES, NULL);

	if (root == NULL)
		abort();
	json_decref(root);
}

static void copy_body(struct work *work)
{
	memcpy(work->scratch, work->body, work->len);
	__asm__ volatile("" : : "r"(work->scratch) : "memory");
}

static void write_request(struct work *work)
{
	static const struct wire_request_tail tail = {.format = WIRE_FORMAT_BASE64};
	struct wire_request_writer writer;

	buffer_reset(&work->out);
	wire_request_begin(&writer, &work->out, "text-embedding-3-small");
	for (size_t i = 0; i < work->request.count; i++)
		wire_request_add_text(
		    &writer, work->request.texts[i].bytes, work->request.texts[i].len);
	if (wire_request_end(&writer, &tail) != EMBED_OK)
		abort();
}

/* English-like text with a line break or a quote every dozen words. */
static void add_text(struct wire_request_writer *writer, struct random *random, size_t len)
{
	static const char letters[] = "etaoin shrdlu cmfwyp vbgkjqxz ";
	char text[1024];

	for (size_t i = 0; i < len; i++)
		text[i] = random_below(random, 60) == 0 ? "\n\"\t\\"[random_below(random, 4)]
							: letters[random_below(random, 30)];
	wire_request_add_text(writer, text, len);
}

static void make_request(struct work *work, size_t count, size_t len)
{
	static const struct wire_request_tail tail = {.format = WIRE_FORMAT_BASE64};
	struct wire_request_writer writer;
	struct random random = {1};

	buffer_reset(&work->out);
	wire_request_begin(&writer, &work->out, "text-embedding-3-small");
	for (size_t i = 0; i < count; i++)
		add_text(&writer, &random, len);
	wire_request_end(&writer, &tail);
	work->len = work->out.len;
	work->body = realloc(work->body, work->len);
	work->scratch = realloc(work->scratch, work->len);
	memcpy(work->body, work->out.bytes, work->len);
}

static void bench_requests(struct work *work)
{
	make_request(work, 1, 400);
	printf("one text, %zu bytes\n", work->len);
	row("  read", "ours", read_request, "jansson", read_request_jansson, work);
	row("  copy of the body alone", "memcpy", copy_body, NULL, NULL, work);
	row("  write", "ours", write_request, NULL, NULL, work);
	make_request(work, BATCH, 370);
	printf("%d texts, %zu bytes\n", BATCH, work->len);
	row("  read", "ours", read_request, "jansson", read_request_jansson, work);
	row("  copy of the body alone", "memcpy", copy_body, NULL, NULL, work);
	row("  write", "ours", write_request, NULL, NULL, work);
}

/* ---- Replies -------------------------------------------------------- */

static void take_vector(void *context, size_t index, const float *vector, uint32_t dimensions)
{
	struct work *work = context;

	work->sink += (double)vector[index % dimensions];
}

static void read_reply(struct work *work)
{
	if (wire_reply_start(&work->reply, work->count, DIMENSIONS, take_vector, work) != EMBED_OK)
		abort();
	for (size_t at = 0; at < work->len; at += SEGMENT)
		wire_reply_feed(&work->reply, work->body + at,
		    work->len - at < SEGMENT ? work->len - at : SEGMENT, NULL);
	if (wire_reply_end(&work->reply, NULL) != EMBED_OK)
		abort();
}

static void make_reply(
    struct work *work, size_t count, enum wire_layout layout, enum wire_format format)
{
	struct wire_reply_writer writer;
	struct random random = {2};
	float vector[DIMENSIONS];

	buffer_reset(&work->out);
	wire_reply_begin(&writer, &work->out, layout, format);
	for (size_t i = 0; i < count; i++) {
		for (int j = 0; j < DIMENSIONS; j++) {
			vector[j] = (float)((random_unit(&random) - 0.5) / 14);
			/* Layout B's values are 16-bit floats. */
			if (layout == WIRE_LAYOUT_COMPACT)
				vector[j] = (float)(_Float16)vector[j];
		}
		wire_reply_add(&writer, i, vector, DIMENSIONS);
	}
	wire_reply_finish(&writer, "text-embedding-3-small", count);
	work->count = count;
	work->len = work->out.len;
	work->body = realloc(work->body, work->len);
	memcpy(work->body, work->out.bytes, work->len);
}

static void bench_replies(struct work *work)
{
	make_reply(work, 1, WIRE_LAYOUT_COMPACT, WIRE_FORMAT_BASE64);
	printf("reply of one vector in base64, %zu bytes\n", work->len);
	row("  read", "ours", read_reply, "jansson", read_request_jansson, work);
	make_reply(work, BATCH, WIRE_LAYOUT_COMPACT, WIRE_FORMAT_BASE64);
	printf("reply of %d vectors in base64, %zu bytes\n", BATCH, work->len);
	row("  read", "ours", read_reply, "jansson", read_request_jansson, work);
	make_reply(work, BATCH, WIRE_LAYOUT_COMPACT, WIRE_FORMAT_FLOAT);
	printf("reply of %d vectors as numbers, layout B, %zu bytes\n", BATCH, work->len);
	row("  read", "ours", read_reply, "jansson", read_request_jansson, work);
	make_reply(work, BATCH, WIRE_LAYOUT_INDENTED, WIRE_FORMAT_FLOAT);
	printf("reply of %d vectors as numbers, layout A, %zu bytes\n", BATCH, work->len);
	row("  read", "ours", read_reply, "jansson", read_request_jansson, work);
}

/* ---- Vectors -------------------------------------------------------- */

static void encode(struct work *work)
{
	base64_encode(work->text, work->vector, sizeof(work->vector));
}

static void encode_scalar(struct work *work)
{
	base64_encode_scalar(work->text, work->vector, sizeof(work->vector));
}

static void encode_openssl(struct work *work)
{
	EVP_EncodeBlock((unsigned char *)work->text, (const unsigned char *)work->vector,
	    (int)sizeof(work->vector));
}

static void decode(struct work *work)
{
	size_t len;

	if (!base64_decode(
		work->out.bytes, &len, work->text, base64_encoded_len(sizeof(work->vector))))
		abort();
}

static void decode_scalar(struct work *work)
{
	base64_decode_run_scalar(work->out.bytes, sizeof(work->vector), work->text,
	    base64_encoded_len(sizeof(work->vector)));
}

static void decode_openssl(struct work *work)
{
	EVP_DecodeBlock((unsigned char *)work->out.bytes, (const unsigned char *)work->text,
	    (int)base64_encoded_len(sizeof(work->vector)));
}

static void write_floats(struct work *work)
{
	char *at = work->text;

	for (int i = 0; i < DIMENSIONS; i++) {
		at += float_text_write(at, work->vector[i], FLOAT_PLAIN);
		*at++ = ' ';
	}
	work->text_len = (size_t)(at - work->text);
}

static void write_halves(struct work *work)
{
	char *at = work->text;

	for (int i = 0; i < DIMENSIONS; i++) {
		at += float_text_write_half(at, (float)(_Float16)work->vector[i]);
		*at++ = ' ';
	}
	work->text_len = (size_t)(at - work->text);
}

static void write_floats_printf(struct work *work)
{
	char *at = work->text;

	for (int i = 0; i < DIMENSIONS; i++)
		at += sprintf(at, "%.9g ", (double)work->vector[i]);
	work->text_len = (size_t)(at - work->text);
}

static void write_doubles_printf(struct work *work)
{
	char *at = work->text;

	for (int i = 0; i < DIMENSIONS; i++)
		at += sprintf(at, "%.17g ", (double)(_Float16)work->vector[i]);
}

static void read_floats(struct work *work)
{
	const char *at = work->text;
	const char *end = at + work->text_len;
	float value;

	while (at < end) {
		at += float_text_read(at, (size_t)(end - at), &value) + 1;
		work->sink += (double)value;
	}
}

static void read_floats_strtof(struct work *work)
{
	char *at = work->text;
	char *end = at + work->text_len;

	while (at < end)
		work->sink += (double)strtof(at, &at), at++;
}

static void bench_vectors(struct work *work)
{
	struct random random = {3};

	buffer_reset(&work->out);
	(void)buffer_reserve(&work->out, 2 * sizeof(work->vector));
	for (int i = 0; i < DIMENSIONS; i++)
		work->vector[i] = (float)((random_unit(&random) - 0.5) / 14);
	printf("one vector of %d floats\n", DIMENSIONS);
	row("  to base64", "ours", encode, "OpenSSL EVP", encode_openssl, work);
	row("  to base64, table", "ours", encode_scalar, "OpenSSL EVP", encode_openssl, work);
	row("  from base64", "ours", decode, "OpenSSL EVP", decode_openssl, work);
	row("  from base64, table", "ours", decode_scalar, "OpenSSL EVP", decode_openssl, work);
	row("  to shortest text", "ours", write_floats, "printf %.9g", write_floats_printf, work);
	write_floats(work);
	row("  from shortest text", "ours", read_floats, "strtof", read_floats_strtof, work);
	write_halves(work);
	row("  from layout B's text", "ours", read_floats, "strtof", read_floats_strtof, work);
	row("  to layout B's text", "ours", write_halves, "printf %.17g", write_doubles_printf,
	    work);
}

int main(void)
{
	static struct work work;

	wire_request_init(&work.request);
	wire_reply_init(&work.reply);
	buffer_init(&work.out, (size_t)1 << 30);
	bench_requests(&work);
	bench_replies(&work);
	bench_vectors(&work);
	buffer_fini(&work.out);
	wire_reply_fini(&work.reply);
	wire_request_fini(&work.request);
	free(work.body);
	free(work.scratch);
	return work.sink == 1234567 ? 1 : 0;
}
