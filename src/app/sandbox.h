/* SPDX-License-Identifier: MIT */
/*
 * Sandbox: a process gives up what it will not need, before it listens to
 * anybody who may find a hole in it.
 *
 * Each where the kernel has it, none of which can be undone:
 *
 *	no new privileges   execve gives nothing that the process has not got
 *	Landlock (5.13)     files can be opened only below the folders that were
 *	                    allowed, and only written where that was allowed; from
 *	                    its version 4 on (6.7) TCP only by the ports allowed,
 *	                    from version 6 on (6.12) no signals to other processes
 *	seccomp             other programs, processes, and what of the kernel no
 *	                    server needs answer EPERM (sandbox_calls.c lists them)
 *
 * Files and sockets that are open already stay so.  Unix sockets and UDP are
 * not limited.
 *
 * A rule belongs to a folder as it is now: one that is replaced later is
 * outside.  So files that get replaced by renaming are allowed by their folder.
 *
 * Threads: sandbox_enter binds the calling thread and those that it starts
 * from then on; call it before there are others.
 */
#ifndef APP_SANDBOX_H
#define APP_SANDBOX_H

#include <embed.h>

struct sandbox {
	int landlock;   /* version of its interface; 0: the kernel has none */
	int rules_fd;   /* -1 without */
	unsigned ports; /* what of TCP is limited to the ports allowed: enum sandbox_port */
};

enum sandbox_access { SANDBOX_READ, SANDBOX_WRITE };
enum sandbox_port { SANDBOX_BIND = 1 << 0, SANDBOX_CONNECT = 1 << 1 };

/* What is in force. */
struct sandbox_state {
	int landlock; /* as above */
	bool limits_ports;
	bool filters_calls; /* seccomp */
};

/* Nothing is allowed yet, but what of `ports` is left out.  For sandbox_fini whatever follows. */
void sandbox_init(struct sandbox *sandbox, unsigned ports);
void sandbox_fini(struct sandbox *sandbox);

/* A folder with all below it, or a single file.  What cannot be opened now is passed over: nobody will open it later. */
enum embed_status sandbox_allow(struct sandbox *sandbox, enum sandbox_access access,
    const char *path, struct embed_error *error);

/* The folder that a file is in, and the one that it is really in when it is a link. */
enum embed_status sandbox_allow_beside(struct sandbox *sandbox, enum sandbox_access access,
    const char *path, struct embed_error *error);

/*
 * What every program needs: its libraries, their settings, certificates and
 * names of hosts (/etc as a whole, since resolv.conf gets replaced), and its
 * own numbers in /proc; of other processes Landlock shows nothing there that
 * a debugger would have to ask for.
 */
enum embed_status sandbox_allow_system(struct sandbox *sandbox, struct embed_error *error);

/* A TCP port to listen on (0: one that the kernel picks), to connect to, or both. */
enum embed_status sandbox_allow_port(
    struct sandbox *sandbox, enum sandbox_port use, uint16_t port, struct embed_error *error);

/* What the kernel has not is left out: the state tells. */
enum embed_status sandbox_enter(
    struct sandbox *sandbox, struct sandbox_state *state, struct embed_error *error);

/* The last part of sandbox_enter.  False: the kernel forbids it. */
bool sandbox_filter_calls(void);

#endif
