/* SPDX-License-Identifier: MIT */
/* Preloaded into a gateway under soak: each reply that is sent leaves memory behind, which the soak must see. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LEFT_BEHIND (64 << 10)

static void *volatile last; /* so that the compiler keeps what nobody needs */

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	static ssize_t (*next)(int, const struct msghdr *, int);
	void *memory;

	if (!next)
		next = (ssize_t(*)(int, const struct msghdr *, int))dlsym(RTLD_NEXT, "sendmsg");
	memory = malloc(LEFT_BEHIND);
	if (memory)
		memset(memory, 1, LEFT_BEHIND);
	last = memory;
	return next(fd, message, flags);
}
