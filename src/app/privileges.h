/* SPDX-License-Identifier: MIT */
/*
 * Privileges: who a process started by root becomes, and whether its memory
 * may be written to a core dump.
 *
 * Threads: call both before there are others.
 */
#ifndef APP_PRIVILEGES_H
#define APP_PRIVILEGES_H

#include <embed.h>
#include <sys/types.h>

struct privileges_user {
	uid_t uid;
	gid_t gid;
	char name[64];
};

/*
 * "NAME" or "NAME:GROUP", each a name or a number; without GROUP the user's
 * own.  EMBED_BAD_OPTION: there is no such user, it is root, or this process
 * is neither root nor that user.
 */
enum embed_status privileges_find(
    struct privileges_user *user, const char *text, struct embed_error *error);

/* Becomes that user for good, with its groups; that there is no way back is tried. */
enum embed_status privileges_drop(const struct privileges_user *user, struct embed_error *error);

/* No core dumps, and no debugger but root's. */
void privileges_hide_memory(void);

#endif
