/* SPDX-License-Identifier: MIT */
/*
 * Reply parts: the two halves of the reply reader (wire/reply.h).  reply_scan.c
 * knows JSON and where a segment may end; reply.c knows what a value means and
 * what may stand where.
 *
 * Functions return false after the first fault, which reply_fail has noted.
 * Threads: none.
 */
#ifndef WIRE_REPLY_PARTS_H
#define WIRE_REPLY_PARTS_H

#include "wire/reply.h"

/* What may come next. */
enum state {
	VALUE,
	VALUE_OR_CLOSE, /* after '[' */
	KEY,
	KEY_OR_CLOSE, /* after '{' */
	COLON,
	COMMA_OR_CLOSE,
	IN_KEY,
	IN_STRING,
	IN_NUMBER,
	IN_NAME, /* true, false, null */
	FINISHED,
};

/* Containers with a meaning; what lies in any other is skipped. */
enum where { IN_TOP, IN_DATA, IN_ITEM, IN_VECTOR, IN_USAGE, IN_SKIPPED };

/* What a value is. */
enum role {
	TOP,
	SKIPPED,
	DATA,
	MODEL,
	USAGE,
	ITEM,
	INDEX,
	VECTOR,
	NUMBER,
	PROMPT_TOKENS,
	TOTAL_TOKENS
};

/* Values of `escape`: none, after a backslash, then 2..5: hex digits read. */
#define ESCAPE_NONE  0
#define ESCAPE_BEGUN 1
#define ESCAPE_HEX   2

/* One call of wire_reply_feed. */
struct reply_feed {
	struct wire_reply *reply;
	const char *begin;
	const char *at;
	const char *end;
	struct embed_error *error;
};

/* ---- reply.c -------------------------------------------------------- */

/* Notes what is wrong, at the byte where the feed is; always false. */
bool reply_fail(struct reply_feed *feed, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for the vector that is being read. */
bool reply_fail_vector(struct reply_feed *feed, const char *problem);

/* The mark is read; reply->role says what the container is. */
bool reply_open_object(struct reply_feed *feed);
bool reply_open_array(struct reply_feed *feed);
bool reply_close(struct reply_feed *feed, char mark);

/* A token is complete: key and name in reply->text, a vector's base64 in reply->vector. */
bool reply_finish_key(struct reply_feed *feed);
bool reply_finish_string(struct reply_feed *feed);
bool reply_finish_number(struct reply_feed *feed, const char *text, size_t len);
bool reply_finish_name(struct reply_feed *feed);

/* A value of a kind that its place does not allow; fine where it is skipped. */
bool reply_refuse_kind(struct reply_feed *feed);

/* ---- reply_scan.c --------------------------------------------------- */

/* Takes the next token, or as much of it as there is; feed->at < feed->end. */
bool reply_scan(struct reply_feed *feed);

#endif
