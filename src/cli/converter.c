/* SPDX-License-Identifier: MIT */
#include "cli/converter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

#define WORDS_MAX     16
#define COMPLAINT_MAX 256
/* One more than fill_environment's names. */
#define ENVIRONMENT_MAX 7
#define READ_BYTES      (64u << 10)

/* Both ends of what runs. */
struct child {
	pid_t pid;
	int out, err;
	char complaint[COMPLAINT_MAX];
	size_t complaint_len;
};

/* The path in place of the first NULL; one that begins with '-' is no option. */
static void fill_words(const char *const *words, const char *path, char *dotted[1], char **argv)
{
	size_t count = 0;
	bool is_filled = false;

	*dotted = NULL;
	for (; count < WORDS_MAX - 1 && (words[count] != NULL || !is_filled); count++) {
		argv[count] = (char *)(uintptr_t)words[count];
		if (words[count] != NULL)
			continue;
		if (*path == '-' && asprintf(dotted, "./%s", path) < 0)
			*dotted = NULL;
		argv[count] = *dotted != NULL ? *dotted : (char *)(uintptr_t)path;
		is_filled = true;
	}
	argv[count] = NULL;
}

/* What a converter may know of ours: where things are and in which language; never a key. */
static void fill_environment(char *environment[])
{
	static const char *const names[] = {
	    "PATH=", "HOME=", "TMPDIR=", "LANG=", "LC_ALL=", "LC_CTYPE="};
	size_t count = 0;

	for (char **entry = environ; *entry != NULL && count < ENVIRONMENT_MAX - 1; entry++)
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (strncmp(*entry, names[i], strlen(names[i])) == 0)
				environment[count++] = *entry;
	environment[count] = NULL;
}

static int start(struct child *child, char **argv)
{
	char *environment[ENVIRONMENT_MAX];
	posix_spawn_file_actions_t actions;
	int out[2], err[2], failure;

	if (pipe2(out, O_CLOEXEC) != 0)
		return errno;
	if (pipe2(err, O_CLOEXEC) != 0) {
		failure = errno;
		close(out[0]);
		close(out[1]);
		return failure;
	}
	fill_environment(environment);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
	failure = posix_spawnp(&child->pid, argv[0], &actions, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	close(out[1]);
	close(err[1]);
	child->out = out[0];
	child->err = err[0];
	if (failure != 0) {
		close(out[0]);
		close(err[0]);
	}
	return failure;
}

/* False at the end of the stream. */
static bool take_out(struct child *child, struct buffer *out)
{
	char *room = buffer_reserve(out, READ_BYTES);
	ssize_t len = room == NULL ? -1 : read(child->out, room, READ_BYTES);

	if (len <= 0)
		return room != NULL && len < 0 && errno == EINTR;
	out->len += (size_t)len;
	return true;
}

static bool take_complaint(struct child *child)
{
	char bytes[512];
	ssize_t len = read(child->err, bytes, sizeof(bytes));

	for (ssize_t i = 0; i < len && child->complaint_len < COMPLAINT_MAX - 1; i++)
		child->complaint[child->complaint_len++] = bytes[i];
	return len > 0 || (len < 0 && errno == EINTR);
}

/* False when the deadline passed. */
static bool collect(struct child *child, struct buffer *out)
{
	int64_t until_us = clock_now_us() + CONVERTER_DEADLINE_MS * (int64_t)1000;
	bool is_out_open = true, is_err_open = true;

	while (is_out_open || is_err_open) {
		struct pollfd ready[] = {{.fd = is_out_open ? child->out : -1, .events = POLLIN},
		    {.fd = is_err_open ? child->err : -1, .events = POLLIN}};
		int64_t left_us = until_us - clock_now_us();

		if (left_us <= 0 || out->status != EMBED_OK)
			return false;
		if (poll(ready, 2, (int)(left_us / 1000) + 1) <= 0)
			continue;
		if (ready[0].revents != 0)
			is_out_open = take_out(child, out);
		if (ready[1].revents != 0)
			is_err_open = take_complaint(child);
	}
	return out->status == EMBED_OK;
}

static enum embed_status judge(struct child *child, const char *program, const char *path,
    const struct buffer *out, bool is_collected, struct embed_error *error)
{
	int state;

	if (!is_collected)
		kill(child->pid, SIGKILL);
	while (waitpid(child->pid, &state, 0) < 0 && errno == EINTR)
		;
	child->complaint[strcspn(child->complaint, "\r\n")] = '\0';
	if (out->status == EMBED_TOO_LARGE)
		return error_set(error, EMBED_TOO_LARGE,
		    "%.200s: %s gives more than 256 MiB of text", path, program);
	if (out->status != EMBED_OK)
		return error_set(error, EMBED_NO_MEMORY, "out of memory for %.200s", path);
	if (!is_collected)
		return error_set(error, EMBED_BAD_FORMAT,
		    "%.200s: %s did not finish in two minutes", path, program);
	if (!WIFEXITED(state) || WEXITSTATUS(state) != 0)
		return error_set(error, EMBED_BAD_FORMAT, "%.200s: %s failed: %.200s", path,
		    program, child->complaint_len > 0 ? child->complaint : "it does not say why");
	return EMBED_OK;
}

enum embed_status converter_run(const char *const *words, const char *package, const char *path,
    struct buffer *out, struct embed_error *error)
{
	struct child child = {.pid = -1};
	char *argv[WORDS_MAX], *dotted;
	enum embed_status status;
	bool is_collected;
	int failure;

	if (access(path, R_OK) != 0)
		return error_set(error, EMBED_IO, "cannot open %.300s: %s", path, strerror(errno));
	fill_words(words, path, &dotted, argv);
	failure = start(&child, argv);
	free(dotted);
	if (failure == ENOENT)
		return error_set(error, EMBED_NOT_FOUND,
		    "%.200s needs %s, which is not installed; run: apt install %s", path, words[0],
		    package);
	if (failure != 0)
		return error_set(error, EMBED_IO, "cannot run %s: %s", words[0], strerror(failure));
	is_collected = collect(&child, out);
	status = judge(&child, words[0], path, out, is_collected, error);
	close(child.out);
	close(child.err);
	return status;
}
