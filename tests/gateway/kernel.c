/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into the program under test: a kernel that knows less than this one.
 *	KERNEL_LANDLOCK=N   Landlock's version N (0: none); what came later is refused as such a kernel does
 *	KERNEL_SECCOMP=0    no filters of system calls
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define RULESET_VERSION     1u
#define RULE_NET_PORT       2
#define PORTS_FROM_VERSION  4
#define SCOPES_FROM_VERSION 6

typedef long syscall_fn(long number, ...);
typedef int prctl_fn(int option, ...);

static void *next(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (function == NULL)
		abort();
	return function;
}

static long refuse(int reason)
{
	errno = reason;
	return -1;
}

/* -1: as this kernel is. */
static int landlock_version(void)
{
	const char *version = getenv("KERNEL_LANDLOCK");

	return version == NULL ? -1 : atoi(version);
}

static int has_no_seccomp(void)
{
	const char *has = getenv("KERNEL_SECCOMP");

	return has != NULL && *has == '0';
}

/* Versions 1, 2, 3, 4 and 5 know this many rights of the file system. */
static uint64_t rights(int version)
{
	static const int bits[] = {0, 13, 14, 15, 15, 16};

	return (UINT64_C(1) << bits[version < 5 ? version : 5]) - 1;
}

/* Fields behind what a kernel knows must be 0 (E2BIG), bits that it does not know too (EINVAL). */
static int judge(const uint64_t *attr, int version)
{
	if ((attr[1] != 0 && version < PORTS_FROM_VERSION) ||
	    (attr[2] != 0 && version < SCOPES_FROM_VERSION))
		return E2BIG;
	return (attr[0] & ~rights(version)) != 0 ? EINVAL : 0;
}

static long landlock(syscall_fn *real, long number, const long *args, int version)
{
	int failure;

	if (version == 0)
		return refuse(ENOSYS);
	if (number == SYS_landlock_create_ruleset && args[2] == RULESET_VERSION) {
		long here = real(number, args[0], args[1], args[2]);

		return here > 0 && here < version ? here : here > 0 ? version : here;
	}
	if (number == SYS_landlock_create_ruleset) {
		failure = judge((const uint64_t *)args[0], version);
		if (failure != 0)
			return refuse(failure);
	}
	if (number == SYS_landlock_add_rule && args[1] == RULE_NET_PORT &&
	    version < PORTS_FROM_VERSION)
		return refuse(EINVAL);
	return real(number, args[0], args[1], args[2], args[3]);
}

long syscall(long number, ...)
{
	static syscall_fn *real;
	int version = landlock_version();
	long args[6];
	va_list list;

	if (real == NULL)
		real = (syscall_fn *)next("syscall");
	va_start(list, number);
	for (int i = 0; i < 6; i++)
		args[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_seccomp && has_no_seccomp())
		return refuse(ENOSYS);
	if (version >= 0 && number >= SYS_landlock_create_ruleset &&
	    number <= SYS_landlock_restrict_self)
		return landlock(real, number, args, version);
	return real(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}

int prctl(int option, ...)
{
	static prctl_fn *real;
	unsigned long args[4];
	va_list list;

	if (real == NULL)
		real = (prctl_fn *)next("prctl");
	va_start(list, option);
	for (int i = 0; i < 4; i++)
		args[i] = va_arg(list, unsigned long);
	va_end(list);
	if (option == PR_SET_SECCOMP && has_no_seccomp())
		return (int)refuse(EINVAL);
	return real(option, args[0], args[1], args[2], args[3]);
}
