/* SPDX-License-Identifier: MIT */
/*
 * Process: what this process takes of the machine, from /proc.
 *
 * Threads: any.
 */
#ifndef GATEWAY_PROCESS_H
#define GATEWAY_PROCESS_H

#include <stdint.h>

/* 0 where the kernel does not say. */
struct process {
	double cpu_s; /* of all its threads, user and kernel */
	uint64_t resident_bytes, virtual_bytes;
	uint64_t threads;
	uint64_t open_fds, max_fds;
	double start_s; /* Unix time */
};

void process_read(struct process *process);

#endif
