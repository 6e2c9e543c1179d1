/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>

#include "app/sandbox.h"

/* linux/prctl.h of kernel 6.3, which is newer than Debian 12's headers. */
#define SET_MDWE              65
#define MDWE_REFUSE_EXEC_GAIN 1ul

/*
 * A list of what is forbidden, not of what is allowed: libraries may change
 * how they read files or wait, and a server that dies of an update is no
 * safer.  What is listed no server needs, and exploits do.
 */
static const int denied[] = {
#define DENY(name) SCMP_SYS(name),
#include "app/sandbox_calls.def"
#undef DENY
};

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

/* Sanitizers start a process that looks into this one for leaks, and one that names functions. */
static bool is_sanitizers(int number)
{
	return number == SCMP_SYS(ptrace) || number == SCMP_SYS(execve) ||
	       number == SCMP_SYS(fork) || number == SCMP_SYS(vfork);
}

static int deny(scmp_filter_ctx filter)
{
	int failure = 0;

	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]) && failure == 0; i++)
		if (!IS_SANITIZED || !is_sanitizers(denied[i]))
			failure = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), denied[i], 0);
	if (failure || IS_SANITIZED)
		return failure;
	/* Threads yes, processes no.  clone3 hides its flags: the C library then takes clone. */
	failure = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (failure)
		return failure;
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
	    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
}

bool sandbox_filter_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	bool is_loaded;

	if (!filter)
		return false;
	/* Other architectures' calls would have other numbers; libseccomp refuses x32's by itself. */
	seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));
	/* As fast as without: a tree, and none of the brakes against Spectre, which guard a sandbox from itself. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	is_loaded = deny(filter) == 0 && seccomp_load(filter) == 0;
	seccomp_release(filter);
	/* Memory that was written is never run; a kernel before 6.3 cannot promise that. */
	if (!IS_SANITIZED)
		prctl(SET_MDWE, MDWE_REFUSE_EXEC_GAIN, 0, 0, 0);
	return is_loaded;
}
