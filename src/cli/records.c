/* SPDX-License-Identifier: MIT */
#include "cli/records.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "cli/records_text.h"

/* Magic, version and a header padded to a multiple of 64, as NumPy writes it. */
#define NPY_HEADER_BYTES 128

/* ---- npy -------------------------------------------------------------- */

static void npy_header(char header[NPY_HEADER_BYTES], uint64_t rows, uint32_t dimensions)
{
	static const char magic[] = "\x93NUMPY\x01\x00";
	size_t len = sizeof(magic) - 1;

	memset(header, ' ', NPY_HEADER_BYTES);
	memcpy(header, magic, len);
	header[len] = (char)(NPY_HEADER_BYTES - len - 2);
	header[len + 1] = 0;
	len += 2;
	len += (size_t)snprintf(header + len, NPY_HEADER_BYTES - len,
	    "{'descr': '<f4', 'fortran_order': False, 'shape': (%llu, %u), }",
	    (unsigned long long)rows, dimensions);
	header[len] = ' ';
	header[NPY_HEADER_BYTES - 1] = '\n';
}

static void npy_append_nan(struct buffer *out, uint32_t dimensions)
{
	float *row = (float *)(void *)buffer_reserve(out, (size_t)dimensions * sizeof(float));

	if (row == NULL)
		return;
	for (uint32_t i = 0; i < dimensions; i++)
		memcpy((char *)row + i * sizeof(float), &(float){NAN}, sizeof(float));
	out->len += (size_t)dimensions * sizeof(float);
}

/* Rows that failed before any vector told how wide a row is. */
static enum embed_status npy_settle(
    struct records *writer, uint32_t dimensions, struct embed_error *error)
{
	enum embed_status status = EMBED_OK;

	writer->dimensions = dimensions;
	for (; writer->rows_waiting > 0 && status == EMBED_OK; writer->rows_waiting--) {
		npy_append_nan(output_buffer(&writer->output), dimensions);
		status = output_check(&writer->output, error);
	}
	return status;
}

static enum embed_status npy_put(
    struct records *writer, const struct record *record, struct embed_error *error)
{
	struct buffer *out = output_buffer(&writer->output);
	enum embed_status status = EMBED_OK;

	writer->rows++;
	if (record->vector == NULL && writer->dimensions == 0) {
		writer->rows_waiting++;
		return EMBED_OK;
	}
	if (record->vector == NULL) {
		npy_append_nan(out, writer->dimensions);
		return EMBED_OK;
	}
	if (writer->dimensions == 0)
		status = npy_settle(writer, record->dimensions, error);
	if (record->dimensions != writer->dimensions)
		return error_set(error, EMBED_BAD_REPLY,
		    "vectors of %u and of %u numbers do not fit into one .npy; use --dimensions",
		    writer->dimensions, record->dimensions);
	buffer_append(out, record->vector, (size_t)record->dimensions * sizeof(float));
	return status;
}

static enum embed_status npy_finish(struct records *writer, struct embed_error *error)
{
	char header[NPY_HEADER_BYTES];

	npy_header(header, writer->rows, writer->dimensions);
	return output_patch(&writer->output, 0, header, sizeof(header), error);
}

/* ---- The writer ------------------------------------------------------- */

static enum records_format format_of(const char *path)
{
	const char *dot = path == NULL ? NULL : strrchr(path, '.');

	if (dot != NULL && strcasecmp(dot, ".npy") == 0)
		return RECORDS_NPY;
	if (dot != NULL && strcasecmp(dot, ".csv") == 0)
		return RECORDS_CSV;
	return RECORDS_JSONL;
}

static enum embed_status begin(struct records *writer, struct embed_error *error)
{
	struct buffer *out = output_buffer(&writer->output);
	char header[NPY_HEADER_BYTES];

	if (writer->format == RECORDS_CSV)
		records_csv_append_names(out, writer->embedding, writer->has_documents);
	if (writer->format != RECORDS_NPY)
		return EMBED_OK;
	if (!output_can_patch(&writer->output))
		return error_set(error, EMBED_BAD_OPTION,
		    "npy cannot go into a pipe, its number of rows stands at the beginning; "
		    "use -o FILE.npy");
	npy_header(header, 0, writer->dimensions);
	buffer_append(out, header, sizeof(header));
	return EMBED_OK;
}

enum embed_status records_open(
    struct records *writer, const struct records_options *options, struct embed_error *error)
{
	enum embed_status status;

	*writer = (struct records){
	    .format = options->format == RECORDS_AUTO ? format_of(options->path) : options->format,
	    .embedding = options->embedding,
	    .has_documents = options->has_documents,
	    .dimensions = options->dimensions,
	};
	if (writer->format == RECORDS_NPY && options->embedding != RECORDS_FLOAT)
		return error_set(
		    error, EMBED_BAD_OPTION, "npy holds floats; leave --embedding out");
	status = output_open(&writer->output, options->path, error);
	if (status != EMBED_OK)
		return status;
	status = begin(writer, error);
	if (status != EMBED_OK)
		output_abandon(&writer->output);
	return status;
}

enum embed_status records_put(
    struct records *writer, const struct record *record, struct embed_error *error)
{
	struct buffer *out = output_buffer(&writer->output);
	enum embed_status status = EMBED_OK;

	if (writer->format == RECORDS_NPY)
		status = npy_put(writer, record, error);
	else if (writer->format == RECORDS_CSV)
		records_csv_append(out, record, writer->embedding, writer->has_documents);
	else
		records_json_append(out, record, writer->embedding, writer->has_documents);
	return status == EMBED_OK ? output_check(&writer->output, error) : status;
}

enum embed_status records_flush(struct records *writer, struct embed_error *error)
{
	return output_flush(&writer->output, error);
}

enum embed_status records_commit(struct records *writer, struct embed_error *error)
{
	enum embed_status status = EMBED_OK;

	if (writer->format == RECORDS_NPY)
		status = npy_finish(writer, error);
	if (status != EMBED_OK) {
		output_abandon(&writer->output);
		return status;
	}
	return output_commit(&writer->output, error);
}

void records_abandon(struct records *writer)
{
	output_abandon(&writer->output);
}
