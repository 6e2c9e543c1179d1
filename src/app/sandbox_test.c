/* SPDX-License-Identifier: MIT */
/* Each test runs in a child: nobody comes out of a sandbox again. */
#include "base/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "app/privileges.h"
#include "app/sandbox.h"
#include "base/test_folder.h"

/* Of this machine; tests of what the kernel has not are skipped. */
static int landlock_version(void)
{
	struct sandbox sandbox;

	sandbox_init(&sandbox, SANDBOX_BIND | SANDBOX_CONNECT);
	sandbox_fini(&sandbox);
	return sandbox.landlock;
}

struct place {
	struct test_folder folder;
	char inside[TEST_FOLDER_BYTES + 16], outside[TEST_FOLDER_BYTES + 16];
	char inner_file[TEST_FOLDER_BYTES + 32], outer_file[TEST_FOLDER_BYTES + 32];
	uint16_t port; /* that somebody listens on */
	int listener;
};

static void write_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

static void listen_somewhere(struct place *place)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);

	place->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(place->listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(place->listener, 8), 0);
	assert_int_equal(getsockname(place->listener, (struct sockaddr *)&address, &len), 0);
	place->port = ntohs(address.sin_port);
}

static void place_make(struct place *place)
{
	test_folder_make(&place->folder);
	snprintf(place->inside, sizeof(place->inside), "%s/inside", place->folder.path);
	snprintf(place->outside, sizeof(place->outside), "%s/outside", place->folder.path);
	snprintf(place->inner_file, sizeof(place->inner_file), "%s/file", place->inside);
	snprintf(place->outer_file, sizeof(place->outer_file), "%s/file", place->outside);
	assert_int_equal(mkdir(place->inside, 0700), 0);
	assert_int_equal(mkdir(place->outside, 0700), 0);
	write_file(place->inner_file);
	write_file(place->outer_file);
	listen_somewhere(place);
}

static void place_drop(struct place *place)
{
	close(place->listener);
	test_folder_drop(&place->folder);
}

/* 0 or the errno of an open. */
static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int try_connect(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int failure = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;

	close(fd);
	return failure;
}

static int try_bind(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int failure = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;

	close(fd);
	return failure;
}

/* What a child says is its exit status: the line that did not hold, or 0. */
typedef int child_fn(const struct place *place);

static void run_in_child(child_fn *run)
{
	struct place place;
	int status;
	pid_t child;

	place_make(&place);
	child = fork();
	if (child == 0)
		_exit(run(&place));
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	place_drop(&place);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("the child ended with %#x: line %d of those modulo 256", status,
		    WEXITSTATUS(status));
}

#define HOLDS(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "line %d does not hold: %s\n", __LINE__, #what);           \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

/* With `inside` allowed and nothing else. */
static bool enter(const struct place *place, enum sandbox_access access)
{
	struct sandbox sandbox;
	struct sandbox_state state;
	struct embed_error error;
	bool is_in;

	sandbox_init(&sandbox, SANDBOX_BIND | SANDBOX_CONNECT);
	is_in = sandbox_allow(&sandbox, access, place->inside, &error) == EMBED_OK &&
		sandbox_enter(&sandbox, &state, &error) == EMBED_OK &&
		state.landlock == sandbox.landlock;
	sandbox_fini(&sandbox);
	return is_in;
}

static int stays_inside(const struct place *place)
{
	char path[TEST_FOLDER_BYTES + 48];

	HOLDS(try_open(place->outer_file, O_RDONLY) == 0);
	HOLDS(enter(place, SANDBOX_WRITE));
	HOLDS(try_open(place->outer_file, O_RDONLY) == EACCES);
	HOLDS(try_open(place->outer_file, O_WRONLY) == EACCES);
	HOLDS(try_open("/etc/passwd", O_RDONLY) == EACCES);
	HOLDS(try_open(place->inner_file, O_RDWR) == 0);
	snprintf(path, sizeof(path), "%s/../outside/file", place->inside);
	HOLDS(try_open(path, O_RDONLY) == EACCES);
	snprintf(path, sizeof(path), "%s/new", place->outside);
	HOLDS(try_open(path, O_WRONLY | O_CREAT) == EACCES);
	snprintf(path, sizeof(path), "%s/new", place->inside);
	HOLDS(try_open(path, O_WRONLY | O_CREAT) == 0);
	HOLDS(rename(path, place->inner_file) == 0);
	HOLDS(unlink(place->outer_file) != 0 && errno == EACCES);
	HOLDS(unlink(place->inner_file) == 0);
	return 0;
}

static int only_reads(const struct place *place)
{
	char path[TEST_FOLDER_BYTES + 48];

	HOLDS(enter(place, SANDBOX_READ));
	HOLDS(try_open(place->inner_file, O_RDONLY) == 0);
	HOLDS(try_open(place->inner_file, O_WRONLY) == EACCES);
	HOLDS(try_open(place->inner_file, O_RDONLY | O_TRUNC) == EACCES);
	snprintf(path, sizeof(path), "%s/new", place->inside);
	HOLDS(try_open(path, O_WRONLY | O_CREAT) == EACCES);
	HOLDS(unlink(place->inner_file) != 0 && errno == EACCES);
	return 0;
}

static int follows_replaced_files(const struct place *place)
{
	struct sandbox sandbox;
	struct sandbox_state state;
	struct embed_error error;
	char link[TEST_FOLDER_BYTES + 48], beside[TEST_FOLDER_BYTES + 48];

	/* as a certificate is kept: a link into a folder of versions */
	snprintf(link, sizeof(link), "%s/link", place->inside);
	HOLDS(symlink("../outside/file", link) == 0);
	sandbox_init(&sandbox, SANDBOX_BIND | SANDBOX_CONNECT);
	HOLDS(sandbox_allow_beside(&sandbox, SANDBOX_READ, link, &error) == EMBED_OK);
	snprintf(beside, sizeof(beside), "%s/next", place->outside);
	write_file(beside);
	HOLDS(rename(beside, place->outer_file) == 0);
	HOLDS(sandbox_enter(&sandbox, &state, &error) == EMBED_OK);
	sandbox_fini(&sandbox);
	HOLDS(try_open(link, O_RDONLY) == 0);
	HOLDS(try_open(place->inner_file, O_RDONLY) == 0);
	HOLDS(try_open("/etc/passwd", O_RDONLY) == EACCES);
	return 0;
}

static int has_the_system(const struct place *place)
{
	struct sandbox sandbox;
	struct sandbox_state state;
	struct embed_error error;

	sandbox_init(&sandbox, SANDBOX_BIND | SANDBOX_CONNECT);
	HOLDS(sandbox_allow_system(&sandbox, &error) == EMBED_OK);
	HOLDS(sandbox_enter(&sandbox, &state, &error) == EMBED_OK);
	sandbox_fini(&sandbox);
	HOLDS(try_open("/etc/passwd", O_RDONLY) == 0);
	HOLDS(try_open("/etc/ssl/certs", O_RDONLY | O_DIRECTORY) == 0);
	HOLDS(try_open("/proc/self/stat", O_RDONLY) == 0);
	HOLDS(try_open("/dev/null", O_WRONLY) == 0);
	HOLDS(try_open("/etc/embed-test", O_WRONLY | O_CREAT) == EACCES);
	HOLDS(try_open(place->inner_file, O_RDONLY) == EACCES);
	/* what a debugger could read of who started it */
	HOLDS(try_open("/proc/1/environ", O_RDONLY) == EACCES);
	return 0;
}

static void *run_thread(void *context)
{
	const struct place *place = context;

	return try_open(place->outer_file, O_RDONLY) == EACCES ? context : NULL;
}

static int starts_threads_that_are_bound_too(const struct place *place)
{
	pthread_t thread;
	void *result;

	HOLDS(enter(place, SANDBOX_WRITE));
	HOLDS(pthread_create(&thread, NULL, run_thread, (void *)place) == 0);
	HOLDS(pthread_join(thread, &result) == 0 && result);
	return 0;
}

static int uses_allowed_ports_only(const struct place *place)
{
	struct sandbox sandbox;
	struct sandbox_state state;
	struct embed_error error;
	uint16_t other = place->port ^ 1;

	HOLDS(try_connect(other) == ECONNREFUSED || try_connect(other) == 0);
	sandbox_init(&sandbox, SANDBOX_BIND | SANDBOX_CONNECT);
	HOLDS(sandbox_allow_port(&sandbox, SANDBOX_CONNECT, place->port, &error) == EMBED_OK);
	HOLDS(sandbox_allow_port(&sandbox, SANDBOX_BIND, 0, &error) == EMBED_OK);
	HOLDS(sandbox_enter(&sandbox, &state, &error) == EMBED_OK && state.limits_ports);
	sandbox_fini(&sandbox);
	HOLDS(try_connect(place->port) == 0);
	HOLDS(try_connect(other) == EACCES);
	HOLDS(try_bind(0) == 0);
	HOLDS(try_bind(other) == EACCES);
	return 0;
}

static int does_not_signal_others(const struct place *place)
{
	HOLDS(kill(getppid(), 0) == 0);
	HOLDS(enter(place, SANDBOX_READ));
	HOLDS(kill(getppid(), 0) != 0 && errno == EPERM);
	HOLDS(raise(0) == 0);
	return 0;
}

static int makes_no_such_calls(const struct place *place)
{
	(void)place;
	HOLDS(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
	HOLDS(enter(place, SANDBOX_WRITE));
	HOLDS(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	HOLDS(syscall(SYS_mount, "x", "/mnt", "tmpfs", 0, NULL) != 0 && errno == EPERM);
	HOLDS(syscall(SYS_bpf, 0, NULL, 0) != 0 && errno == EPERM);
	HOLDS(syscall(SYS_unshare, 0) != 0 && errno == EPERM);
	HOLDS(syscall(SYS_keyctl, 0, 0, 0, 0, 0) != 0 && errno == EPERM);
	HOLDS(syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0) != 0 && errno == EPERM);
	HOLDS(syscall(SYS_setresuid, 0, 0, 0) != 0 && errno == EPERM);
	return 0;
}

static int starts_no_programs(const struct place *place)
{
	HOLDS(enter(place, SANDBOX_WRITE));
	HOLDS(ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 && errno == EPERM);
	HOLDS(fork() == -1 && errno == EPERM);
	HOLDS(vfork() == -1 && errno == EPERM);
	HOLDS(execl("/bin/true", "true", (char *)NULL) == -1 && errno == EPERM);
	return 0;
}

static int becomes_another_user(const struct place *place)
{
	struct privileges_user user;
	struct embed_error error;
	gid_t groups[64];

	(void)place;
	HOLDS(privileges_find(&user, "nobody:nogroup", &error) == EMBED_OK);
	HOLDS(privileges_drop(&user, &error) == EMBED_OK);
	HOLDS(getuid() == user.uid && geteuid() == user.uid && getegid() == user.gid);
	HOLDS(setuid(0) != 0 && setgid(0) != 0);
	for (int i = getgroups(64, groups) - 1; i >= 0; i--)
		HOLDS(groups[i] == user.gid);
	HOLDS(try_open("/etc/shadow", O_RDONLY) == EACCES);
	return 0;
}

static int hides_its_memory(const struct place *place)
{
	(void)place;
	HOLDS(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1);
	privileges_hide_memory();
	HOLDS(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	return 0;
}

#define NEEDS(what)                                                                                \
	if (!(what))                                                                               \
	skip()

static void an_open_outside_its_folders_fails(void **state)
{
	(void)state;
	NEEDS(landlock_version() >= 1);
	run_in_child(stays_inside);
}

static void what_may_be_read_may_not_be_written(void **state)
{
	(void)state;
	NEEDS(landlock_version() >= 3);
	run_in_child(only_reads);
}

static void files_that_are_replaced_by_renaming_stay_readable(void **state)
{
	(void)state;
	NEEDS(landlock_version() >= 1);
	run_in_child(follows_replaced_files);
}

static void the_system_is_read_and_its_other_processes_are_not(void **state)
{
	(void)state;
	NEEDS(landlock_version() >= 1);
	run_in_child(has_the_system);
}

static void threads_started_later_are_bound(void **state)
{
	(void)state;
	NEEDS(landlock_version() >= 1);
	run_in_child(starts_threads_that_are_bound_too);
}

static void other_ports_are_closed(void **state)
{
	(void)state;
	NEEDS(landlock_version() >= 4);
	run_in_child(uses_allowed_ports_only);
}

static void no_other_process_gets_a_signal(void **state)
{
	(void)state;
	NEEDS(landlock_version() >= 6);
	run_in_child(does_not_signal_others);
}

static void calls_that_no_server_needs_are_refused(void **state)
{
	(void)state;
	run_in_child(makes_no_such_calls);
}

static void no_program_is_started(void **state)
{
	(void)state;
	/* the sanitizers' own processes are let through there */
	NEEDS(!TEST_IS_SANITIZED);
	run_in_child(starts_no_programs);
}

static void root_becomes_another_user_for_good(void **state)
{
	(void)state;
	NEEDS(geteuid() == 0);
	run_in_child(becomes_another_user);
}

static void the_memory_is_not_dumped(void **state)
{
	(void)state;
	run_in_child(hides_its_memory);
}

static void a_user_that_is_root_or_nobody_at_all_is_refused(void **state)
{
	struct privileges_user user;
	struct embed_error error;

	(void)state;
	assert_int_equal(privileges_find(&user, "root", &error), EMBED_BAD_OPTION);
	assert_int_equal(privileges_find(&user, "0", &error), EMBED_BAD_OPTION);
	assert_int_equal(privileges_find(&user, "nobody:0", &error), EMBED_BAD_OPTION);
	assert_int_equal(privileges_find(&user, "no such user", &error), EMBED_BAD_OPTION);
	assert_non_null(strstr(error.message, "no such user"));
	assert_int_equal(privileges_find(&user, "nobody:no such group", &error), EMBED_BAD_OPTION);
	assert_non_null(strstr(error.message, "no such group"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_open_outside_its_folders_fails),
	    cmocka_unit_test(what_may_be_read_may_not_be_written),
	    cmocka_unit_test(files_that_are_replaced_by_renaming_stay_readable),
	    cmocka_unit_test(the_system_is_read_and_its_other_processes_are_not),
	    cmocka_unit_test(threads_started_later_are_bound),
	    cmocka_unit_test(other_ports_are_closed),
	    cmocka_unit_test(no_other_process_gets_a_signal),
	    cmocka_unit_test(calls_that_no_server_needs_are_refused),
	    cmocka_unit_test(no_program_is_started),
	    cmocka_unit_test(root_becomes_another_user_for_good),
	    cmocka_unit_test(the_memory_is_not_dumped),
	    cmocka_unit_test(a_user_that_is_root_or_nobody_at_all_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
