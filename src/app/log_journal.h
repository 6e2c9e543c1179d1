/* SPDX-License-Identifier: MIT */
/*
 * Log journal: events as systemd's journal takes them, by its native protocol
 * (systemd.io/JOURNAL_NATIVE_PROTOCOL): a datagram of NAME=value lines.  Each
 * pair of an event becomes a field of its own, EMBED_NAME, beside MESSAGE and
 * PRIORITY.
 *
 * Threads: log_journal_send from any; the others by the owner.
 */
#ifndef APP_LOG_JOURNAL_H
#define APP_LOG_JOURNAL_H

#include "base/buffer.h"

#define LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"

/* Whether stderr is the journal already: `stream` is the variable JOURNAL_STREAM, "DEVICE:INODE", or NULL. */
bool log_journal_is_stderr(const char *stream);

/* The datagram of an event; pure. */
void log_journal_format(struct buffer *out, enum embed_log_level level, const char *event);

/* A socket to send by; -1: none. */
int log_journal_open(void);

/* Never blocks; false: it did not get there. */
bool log_journal_send(int fd, const char *path, enum embed_log_level level, const char *event);

#endif
