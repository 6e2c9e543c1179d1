/* SPDX-License-Identifier: MIT */
#include "app/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/error.h"

static bool read_number(const char *text, unsigned long *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoul(text, &end, 10);
	return errno == 0 && *end == '\0' && *number < (unsigned long)(uid_t)-1;
}

static bool find_user(struct privileges_user *user, const char *name)
{
	unsigned long number;
	const struct passwd *found = getpwnam(name);

	if (found) {
		user->uid = found->pw_uid;
		user->gid = found->pw_gid;
		return true;
	}
	if (!read_number(name, &number))
		return false;
	found = getpwuid((uid_t)number);
	if (found) /* its other groups are found by its name */
		snprintf(user->name, sizeof(user->name), "%s", found->pw_name);
	user->uid = (uid_t)number;
	user->gid = found ? found->pw_gid : (gid_t)number;
	return true;
}

static bool find_group(struct privileges_user *user, const char *name)
{
	unsigned long number;
	const struct group *found = getgrnam(name);

	if (!found && !read_number(name, &number))
		return false;
	user->gid = found ? found->gr_gid : (gid_t)number;
	return true;
}

enum embed_status privileges_find(
    struct privileges_user *user, const char *text, struct embed_error *error)
{
	size_t len = strcspn(text, ":");

	*user = (struct privileges_user){0};
	if (len >= sizeof(user->name))
		return error_set(error, EMBED_BAD_OPTION, "--user: the name is too long");
	memcpy(user->name, text, len);
	if (!find_user(user, user->name))
		return error_set(
		    error, EMBED_BAD_OPTION, "--user: there is no user \"%s\"", user->name);
	if (text[len] == ':' && !find_group(user, text + len + 1))
		return error_set(
		    error, EMBED_BAD_OPTION, "--user: there is no group \"%.60s\"", text + len + 1);
	if (user->uid == 0 || user->gid == 0)
		return error_set(error, EMBED_BAD_OPTION,
		    "--user: \"%s\" is root, or in root's group; name a user that may do little",
		    user->name);
	if (geteuid() != 0 && geteuid() != user->uid)
		return error_set(error, EMBED_BAD_OPTION,
		    "--user: only root can become another user; this is user %u",
		    (unsigned)geteuid());
	return EMBED_OK;
}

static bool is_for_good(const struct privileges_user *user)
{
	uid_t real, effective, saved;
	gid_t real_group, effective_group, saved_group;

	if (getresuid(&real, &effective, &saved) != 0 ||
	    getresgid(&real_group, &effective_group, &saved_group) != 0)
		return false;
	return real == user->uid && effective == user->uid && saved == user->uid &&
	       real_group == user->gid && effective_group == user->gid &&
	       saved_group == user->gid && setuid(0) != 0 && setgid(0) != 0;
}

enum embed_status privileges_drop(const struct privileges_user *user, struct embed_error *error)
{
	if (geteuid() != 0)
		return EMBED_OK;
	/* Groups first: afterwards it may not. */
	if (initgroups(user->name, user->gid) != 0 ||
	    setresgid(user->gid, user->gid, user->gid) != 0 ||
	    setresuid(user->uid, user->uid, user->uid) != 0)
		return error_set(error, EMBED_IO, "cannot become the user \"%s\": %s", user->name,
		    strerror(errno));
	if (!is_for_good(user))
		return error_set(error, EMBED_IO,
		    "cannot become the user \"%s\" for good: some of root's rights stay",
		    user->name);
	return EMBED_OK;
}

void privileges_hide_memory(void)
{
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
