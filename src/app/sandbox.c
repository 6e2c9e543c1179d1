/* SPDX-License-Identifier: MIT */
#include "app/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"

/*
 * Landlock's interface (linux/landlock.h, kernel 6.12), here because Debian
 * 12's header knows its first two versions only, and glibc none.
 */
#define RULESET_VERSION     1u
#define RULE_PATH_BENEATH   1
#define RULE_NET_PORT       2
#define SCOPE_SIGNAL        (1u << 1)
#define PORTS_FROM_VERSION  4
#define SCOPES_FROM_VERSION 6

enum {
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_MAKE_SOCK = 1 << 9,
	FS_REFER = 1 << 13,
	FS_TRUNCATE = 1 << 14,

	FS_READ = FS_READ_FILE | FS_READ_DIR,
	FS_WRITE = FS_READ | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |
		   FS_MAKE_REG | FS_MAKE_SOCK | FS_REFER | FS_TRUNCATE,
	FS_OF_FILES = FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE,
};

/* The kernel takes a shorter one from those who know less, a longer one if the rest is 0. */
struct ruleset_attr {
	uint64_t handled_fs;
	uint64_t handled_net;
	uint64_t scoped;
};

struct path_attr {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

struct port_attr {
	uint64_t allowed;
	uint64_t port;
};

/* All of the file system that a version can forbid, up to those known here. */
static uint64_t known_rights(int version)
{
	static const int bits[] = {0, 13, 14, 15, 15, 16};
	size_t last = sizeof(bits) / sizeof(bits[0]) - 1;

	return (1ull << bits[(size_t)version < last ? (size_t)version : last]) - 1;
}

void sandbox_init(struct sandbox *sandbox, unsigned ports)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, RULESET_VERSION);
	struct ruleset_attr attr = {0};

	*sandbox = (struct sandbox){.landlock = version > 0 ? (int)version : 0, .rules_fd = -1};
	if (!sandbox->landlock)
		return;
	attr.handled_fs = known_rights(sandbox->landlock);
	if (sandbox->landlock >= PORTS_FROM_VERSION)
		attr.handled_net = sandbox->ports = ports;
	if (sandbox->landlock >= SCOPES_FROM_VERSION)
		attr.scoped = SCOPE_SIGNAL;
	sandbox->rules_fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (sandbox->rules_fd < 0)
		*sandbox = (struct sandbox){.rules_fd = -1};
}

void sandbox_fini(struct sandbox *sandbox)
{
	if (sandbox->rules_fd >= 0)
		close(sandbox->rules_fd);
	sandbox->rules_fd = -1;
}

static enum embed_status fail(struct embed_error *error, const char *what)
{
	return error_set(
	    error, EMBED_IO, "cannot enter the sandbox: %.300s: %s", what, strerror(errno));
}

enum embed_status sandbox_allow(struct sandbox *sandbox, enum sandbox_access access,
    const char *path, struct embed_error *error)
{
	struct path_attr rule = {.allowed = access == SANDBOX_WRITE ? FS_WRITE : FS_READ};
	struct stat status;
	bool is_added;

	if (!sandbox->landlock)
		return EMBED_OK;
	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return EMBED_OK;
	if (fstat(rule.parent_fd, &status) == 0 && !S_ISDIR(status.st_mode))
		rule.allowed &= FS_OF_FILES;
	rule.allowed &= known_rights(sandbox->landlock);
	is_added =
	    syscall(SYS_landlock_add_rule, sandbox->rules_fd, RULE_PATH_BENEATH, &rule, 0) == 0;
	close(rule.parent_fd);
	return is_added ? EMBED_OK : fail(error, path);
}

static enum embed_status allow_parent(struct sandbox *sandbox, enum sandbox_access access,
    const char *path, struct embed_error *error)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	return sandbox_allow(sandbox, access, dirname(copy), error);
}

enum embed_status sandbox_allow_beside(struct sandbox *sandbox, enum sandbox_access access,
    const char *path, struct embed_error *error)
{
	enum embed_status status = allow_parent(sandbox, access, path, error);
	char *real = realpath(path, NULL);

	if (status == EMBED_OK && real)
		status = allow_parent(sandbox, access, real, error);
	free(real);
	return status;
}

struct allowed {
	const char *path;
	enum sandbox_access access;
};

enum embed_status sandbox_allow_system(struct sandbox *sandbox, struct embed_error *error)
{
	static const struct allowed system[] = {
	    {"/usr", SANDBOX_READ},
	    {"/lib", SANDBOX_READ},
	    {"/lib64", SANDBOX_READ},
	    {"/etc", SANDBOX_READ},
	    {"/proc", SANDBOX_READ},
	    {"/sys/devices/system/cpu", SANDBOX_READ},
	    {"/dev/null", SANDBOX_WRITE},
	    {"/dev/random", SANDBOX_READ},
	    {"/dev/urandom", SANDBOX_READ},
	};
	static const char *const variables[] = {
	    "SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF", "ICU_DATA", "TZDIR"};
	enum embed_status status = EMBED_OK;

	for (size_t i = 0; i < sizeof(system) / sizeof(system[0]) && status == EMBED_OK; i++)
		status = sandbox_allow(sandbox, system[i].access, system[i].path, error);
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		if (status == EMBED_OK && getenv(variables[i]))
			status = sandbox_allow(sandbox, SANDBOX_READ, getenv(variables[i]), error);
	if (status != EMBED_OK)
		return status;
	/* With systemd-resolved and the like it is a link to a folder below /run. */
	return sandbox_allow_beside(sandbox, SANDBOX_READ, "/etc/resolv.conf", error);
}

enum embed_status sandbox_allow_port(
    struct sandbox *sandbox, enum sandbox_port use, uint16_t port, struct embed_error *error)
{
	const struct port_attr rule = {use & sandbox->ports, port};

	if (!rule.allowed ||
	    syscall(SYS_landlock_add_rule, sandbox->rules_fd, RULE_NET_PORT, &rule, 0) == 0)
		return EMBED_OK;
	return fail(error, "a port");
}

enum embed_status sandbox_enter(
    struct sandbox *sandbox, struct sandbox_state *state, struct embed_error *error)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail(error, "no new privileges");
	if (sandbox->landlock && syscall(SYS_landlock_restrict_self, sandbox->rules_fd, 0) != 0)
		return fail(error, "Landlock");
	*state =
	    (struct sandbox_state){sandbox->landlock, sandbox->ports != 0, sandbox_filter_calls()};
	return EMBED_OK;
}
