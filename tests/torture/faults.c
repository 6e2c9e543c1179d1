/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into the program under test: makes the Nth call of one kind fail, and shifts its calendar.
 *	TORTURE=KIND        from KIND_TABLE, as alloc or write_full
 *	TORTURE_BOARD=FILE  struct board, shared with the test, which may write it at any time
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define KIND_TABLE(ROW) /* name, errno; 0: none, see there */                                      \
	ROW(alloc, ENOMEM)                                                                         \
	ROW(open_full, EMFILE)                                                                     \
	ROW(read_broken, EIO)                                                                      \
	ROW(read_short, 0)                                                                         \
	ROW(write_broken, EIO)                                                                     \
	ROW(write_full, ENOSPC)                                                                    \
	ROW(write_short, 0)                                                                        \
	ROW(sync_broken, EIO)                                                                      \
	ROW(rename_broken, EIO)                                                                    \
	ROW(unlink_broken, EIO)                                                                    \
	ROW(folder_full, ENOSPC)                                                                   \
	ROW(resize_full, ENOSPC)                                                                   \
	ROW(map_full, ENOMEM)                                                                      \
	ROW(clock_back, 0)                                                                         \
	ROW(clock_ahead, 0)

enum kind {
#define ROW(name, error) KIND_##name,
	KIND_TABLE(ROW)
#undef ROW
	    KIND_COUNT
};

static const char *const kind_names[] = {
#define ROW(name, error) #name,
    KIND_TABLE(ROW)
#undef ROW
};

static const int kind_errors[] = {
#define ROW(name, error) error,
    KIND_TABLE(ROW)
#undef ROW
};

/* What the test and the program tell each other. */
struct board {
	atomic_long left;  /* the call that makes it 0 fails; below, it goes on counting */
	atomic_long off_s; /* how far the calendar is off */
};

static struct board nobody, *board = &nobody;
static enum kind wanted = KIND_COUNT;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static enum kind kind_of(const char *name)
{
	int kind = 0;

	while (kind < KIND_COUNT && strcmp(kind_names[kind], name) != 0)
		kind++;
	return (enum kind)kind;
}

__attribute__((constructor)) static void read_order(void)
{
	const char *name = getenv("TORTURE");
	const char *path = getenv("TORTURE_BOARD");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (board == MAP_FAILED)
		abort();
	wanted = name ? kind_of(name) : KIND_COUNT;
}

/* True: this is the call; errno is set. */
static bool strikes(enum kind kind)
{
	if (kind != wanted || atomic_fetch_sub(&board->left, 1) != 1)
		return false;
	errno = kind_errors[kind];
	return true;
}

/* ---- Memory ----------------------------------------------------------- */

/*
 * ICU 72 waits for itself for ever, or crashes, when its default locale or a
 * rule set finds no memory; libseccomp 2.5 goes round its hash table for ever
 * when a filter does: their own allocations are left alone.
 */
static bool is_spared(void *caller)
{
	Dl_info info;

	return dladdr(caller, &info) != 0 && (strstr(info.dli_fname, "libicu") != NULL ||
						 strstr(info.dli_fname, "libseccomp") != NULL);
}

static bool strikes_memory(void *caller)
{
	return wanted == KIND_alloc && !is_spared(caller) && strikes(KIND_alloc);
}

void *malloc(size_t size)
{
	return strikes_memory(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return strikes_memory(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	return strikes_memory(__builtin_return_address(0)) ? NULL : __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return strikes_memory(__builtin_return_address(0)) ? NULL
							   : __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
	if (strikes_memory(__builtin_return_address(0)))
		return ENOMEM;
	*memory = __libc_memalign(alignment, size);
	return *memory ? 0 : ENOMEM;
}

/* ---- Files ------------------------------------------------------------ */

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Standard streams, sockets and event counters are other tests' matter. */
static bool is_file(int fd)
{
	struct stat found;

	return fd > STDERR_FILENO && fstat(fd, &found) == 0 && S_ISREG(found.st_mode);
}

#define OPEN(name)                                                                                 \
	int name(const char *path, int flags, ...)                                                 \
	{                                                                                          \
		static int (*next)(const char *, int, ...);                                        \
		__builtin_va_list arguments;                                                       \
		mode_t mode;                                                                       \
                                                                                                   \
		__builtin_va_start(arguments, flags);                                              \
		mode = flags & (O_CREAT | O_TMPFILE) ? __builtin_va_arg(arguments, mode_t) : 0;    \
		__builtin_va_end(arguments);                                                       \
		if (!next)                                                                         \
			next = NEXT(name);                                                         \
		return strikes(KIND_open_full) ? -1 : next(path, flags, mode);                     \
	}

OPEN(open)
OPEN(open64) /* SQLite's */

/* What becomes of a reading or writing call. */
enum fate { PASS, FAIL, SHORT };

static enum fate fate_of(int fd, enum kind broken, enum kind full, enum kind shorter)
{
	if (wanted != broken && wanted != full && wanted != shorter)
		return PASS;
	if (!is_file(fd) || !strikes(wanted))
		return PASS;
	return wanted == shorter ? SHORT : FAIL;
}

static enum fate fate_of_read(int fd)
{
	return fate_of(fd, KIND_read_broken, KIND_read_broken, KIND_read_short);
}

static enum fate fate_of_write(int fd)
{
	return fate_of(fd, KIND_write_broken, KIND_write_full, KIND_write_short);
}

#define SHORTER(fate, len) ((fate) == SHORT ? ((len) + 1) / 2 : (len))

ssize_t read(int fd, void *bytes, size_t len)
{
	enum fate fate = fate_of_read(fd);

	return fate == FAIL ? -1 : NEXT(read)(fd, bytes, SHORTER(fate, len));
}

ssize_t pread(int fd, void *bytes, size_t len, off_t offset)
{
	enum fate fate = fate_of_read(fd);

	return fate == FAIL ? -1 : NEXT(pread)(fd, bytes, SHORTER(fate, len), offset);
}

ssize_t pread64(int fd, void *bytes, size_t len, off64_t offset)
{
	return pread(fd, bytes, len, offset);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	enum fate fate = fate_of_write(fd);

	return fate == FAIL ? -1 : NEXT(write)(fd, bytes, SHORTER(fate, len));
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	enum fate fate = fate_of_write(fd);

	return fate == FAIL ? -1 : NEXT(pwrite)(fd, bytes, SHORTER(fate, len), offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t offset)
{
	return pwrite(fd, bytes, len, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	enum fate fate = fate_of_write(fd);

	return fate == FAIL ? -1 : NEXT(writev)(fd, parts, fate == SHORT ? 1 : count);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	enum fate fate = fate_of_write(fd);

	return fate == FAIL ? -1 : NEXT(pwritev)(fd, parts, fate == SHORT ? 1 : count, offset);
}

int fsync(int fd)
{
	return strikes(KIND_sync_broken) ? -1 : NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
	return strikes(KIND_sync_broken) ? -1 : NEXT(fdatasync)(fd);
}

int msync(void *address, size_t len, int flags)
{
	return strikes(KIND_sync_broken) ? -1 : NEXT(msync)(address, len, flags);
}

int rename(const char *from, const char *to)
{
	return strikes(KIND_rename_broken) ? -1 : NEXT(rename)(from, to);
}

int unlink(const char *path)
{
	return strikes(KIND_unlink_broken) ? -1 : NEXT(unlink)(path);
}

int mkdir(const char *path, mode_t mode)
{
	return strikes(KIND_folder_full) ? -1 : NEXT(mkdir)(path, mode);
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	return strikes(KIND_resize_full) ? -1 : NEXT(fallocate)(fd, mode, offset, len);
}

int ftruncate(int fd, off_t len)
{
	return strikes(KIND_resize_full) ? -1 : NEXT(ftruncate)(fd, len);
}

int ftruncate64(int fd, off64_t len)
{
	return ftruncate(fd, len);
}

void *mmap(void *address, size_t len, int protection, int flags, int fd, off_t offset)
{
	return fd >= 0 && strikes(KIND_map_full)
		   ? MAP_FAILED
		   : NEXT(mmap)(address, len, protection, flags, fd, offset);
}

void *mmap64(void *address, size_t len, int protection, int flags, int fd, off64_t offset)
{
	return mmap(address, len, protection, flags, fd, offset);
}

/* ---- The calendar ------------------------------------------------------ */

#define JUMP_S (86400 + 3600)

/* From the call that it strikes on, the calendar is a day and an hour off; or as the test says. */
static long calendar_off_s(void)
{
	if (strikes(KIND_clock_back))
		atomic_store(&board->off_s, -JUMP_S);
	if (strikes(KIND_clock_ahead))
		atomic_store(&board->off_s, JUMP_S);
	return atomic_load(&board->off_s);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = NEXT(clock_gettime)(clock, now);

	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		now->tv_sec += calendar_off_s();
	return result;
}

time_t time(time_t *seconds)
{
	time_t now = NEXT(time)(NULL) + calendar_off_s();

	if (seconds)
		*seconds = now;
	return now;
}
