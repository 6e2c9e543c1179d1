/* SPDX-License-Identifier: MIT */
#include "app/log_journal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define DATAGRAM_MAX_BYTES 32768

bool log_journal_is_stderr(const char *stream)
{
	unsigned long long device, inode;
	struct stat status;

	return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
	       status.st_ino == inode;
}

/* One pair of the event becomes a line; gives what follows it. */
static const char *append_pair(struct buffer *out, const char *pair)
{
	size_t name_len = strcspn(pair, "= ");
	const char *value = pair[name_len] == '=' ? pair + name_len + 1 : pair + name_len;
	bool is_quoted = *value == '"';

	buffer_append_text(out, "EMBED_");
	for (size_t i = 0; i < name_len; i++)
		buffer_append_char(out,
		    isalnum((unsigned char)pair[i]) ? (char)toupper((unsigned char)pair[i]) : '_');
	buffer_append_char(out, '=');
	if (is_quoted)
		value++;
	while (*value != '\0' && *value != (is_quoted ? '"' : ' ')) {
		if (is_quoted && *value == '\\' && value[1] != '\0')
			value++;
		buffer_append_char(out, *value++);
	}
	buffer_append_char(out, '\n');
	if (is_quoted && *value == '"')
		value++;
	return value + strspn(value, " ");
}

void log_journal_format(struct buffer *out, enum embed_log_level level, const char *event)
{
	/* As syslog(3) numbers them. */
	static const char priorities[] = {'3', '4', '6', '7'};

	buffer_printf(
	    out, "PRIORITY=%c\nSYSLOG_IDENTIFIER=embed\nMESSAGE=%s\n", priorities[level], event);
	while (*event != '\0')
		event = append_pair(out, event);
}

int log_journal_open(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

bool log_journal_send(int fd, const char *path, enum embed_log_level level, const char *event)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct buffer out;
	bool is_sent;

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return false;
	strcpy(address.sun_path, path);
	buffer_init(&out, DATAGRAM_MAX_BYTES);
	log_journal_format(&out, level, event);
	is_sent = out.status == EMBED_OK &&
		  sendto(fd, out.bytes, out.len, MSG_NOSIGNAL | MSG_DONTWAIT,
		      (const struct sockaddr *)&address, sizeof(address)) == (ssize_t)out.len;
	buffer_fini(&out);
	return is_sent;
}
