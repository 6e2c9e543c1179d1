/* SPDX-License-Identifier: MIT */
#include "app/log_journal.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/log_sink.h"
#include "base/test.h"

#define EVENT "event=breaker_open upstream=main why=\"it said \\\"no\\\"\" http=503"

static void each_pair_is_a_field(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out, 4096);
	log_journal_format(&out, EMBED_LOG_WARN, EVENT);
	buffer_append(&out, "", 1);
	assert_string_equal(out.bytes, "PRIORITY=4\nSYSLOG_IDENTIFIER=embed\nMESSAGE=" EVENT "\n"
				       "EMBED_EVENT=breaker_open\nEMBED_UPSTREAM=main\n"
				       "EMBED_WHY=it said \"no\"\nEMBED_HTTP=503\n");
	buffer_fini(&out);
}

static void stderr_is_the_journal_when_its_variable_says_so(void **state)
{
	struct stat status;
	char text[64];

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &status), 0);
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)status.st_dev,
	    (unsigned long long)status.st_ino);
	assert_true(log_journal_is_stderr(text));
	assert_false(log_journal_is_stderr("1:2"));
	assert_false(log_journal_is_stderr("nonsense"));
	assert_false(log_journal_is_stderr(NULL));
}

/* A socket where the journal's would be. */
static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void the_sink_writes_to_the_journal_and_to_stderr_when_it_is_gone(void **state)
{
	char path[64], got[4096];
	char folder[] = "/tmp/embed-journal-XXXXXX";
	struct log_sink sink;
	FILE *stream = tmpfile();
	ssize_t len;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
	fd = listen_at(path);
	log_sink_init(&sink, stream, false, EMBED_LOG_INFO);
	log_sink_use_journal(&sink, path);
	log_sink_write(EMBED_LOG_ERROR, EVENT, &sink);
	len = recv(fd, got, sizeof(got) - 1, 0);
	assert_true(len > 0);
	got[len] = '\0';
	assert_non_null(strstr(got, "PRIORITY=3\n"));
	assert_int_equal(ftell(stream), 0);
	close(fd);
	unlink(path);
	log_sink_write(EMBED_LOG_ERROR, EVENT, &sink);
	assert_true(ftell(stream) > 0);
	log_sink_fini(&sink);
	fclose(stream);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_pair_is_a_field),
	    cmocka_unit_test(stderr_is_the_journal_when_its_variable_says_so),
	    cmocka_unit_test(the_sink_writes_to_the_journal_and_to_stderr_when_it_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
