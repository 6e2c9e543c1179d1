/* SPDX-License-Identifier: MIT */
#include "gateway/process.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* proc(5), /proc/PID/stat: fields are counted from 1, and the second is in parentheses. */
enum {
	FIRST_FIELD = 3,
	FIELDS = 24,
	USER_TICKS = 14,
	KERNEL_TICKS,
	THREADS = 20,
	START_TICKS = 22,
	VIRTUAL,
	RESIDENT
};

static bool read_fields(unsigned long long fields[FIELDS + 1])
{
	char text[1024], *at, *end = NULL;
	FILE *file = fopen("/proc/self/stat", "re");
	size_t len;

	if (!file)
		return false;
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	at = strrchr(text, ')');
	for (int field = FIRST_FIELD; at && field <= FIELDS; field++) {
		at = strchr(at + 1, ' ');
		if (at && field > FIRST_FIELD && sscanf(at, " %llu", &fields[field]) != 1)
			fields[field] = 0; /* a negative one: none of ours */
		end = at;
	}
	return end != NULL;
}

static uint64_t count_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	uint64_t count = 0;

	if (!folder)
		return 0;
	for (const struct dirent *entry; (entry = readdir(folder));)
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count > 0 ? count - 1 : 0; /* the folder's own */
}

static double boot_s(void)
{
	struct timespec now, since_boot;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &since_boot);
	return (double)(now.tv_sec - since_boot.tv_sec) +
	       (double)(now.tv_nsec - since_boot.tv_nsec) * 1e-9;
}

void process_read(struct process *process)
{
	unsigned long long fields[FIELDS + 1] = {0};
	double ticks_per_s = (double)sysconf(_SC_CLK_TCK);
	struct rlimit limit;

	*process = (struct process){.open_fds = count_fds()};
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		process->max_fds = limit.rlim_cur;
	if (!read_fields(fields))
		return;
	process->cpu_s = (double)(fields[USER_TICKS] + fields[KERNEL_TICKS]) / ticks_per_s;
	process->threads = fields[THREADS];
	process->virtual_bytes = fields[VIRTUAL];
	process->resident_bytes = fields[RESIDENT] * (uint64_t)sysconf(_SC_PAGESIZE);
	process->start_s = boot_s() + (double)fields[START_TICKS] / ticks_per_s;
}
