/* SPDX-License-Identifier: MIT */
#include "cache/structure.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "cache/index.h"
#include "cache/structure_file.h"

#define META_MAGIC   0xbeefc0deu
#define META_VERSION 1u

#define MAP_BYTES_MAX    ((uint64_t)1 << 46)
#define PAGE_BYTES_MIN   512u
#define PAGE_BYTES_USUAL 4096u /* until the first head has said it */
#define PAGE_BYTES_MAX   65536u

enum embed_status structure_damaged(
    struct file *file, struct embed_error *error, uint64_t page, const char *what)
{
	file->is_damaged = true;
	return error_set(error, EMBED_STORE,
	    "the store %.200s is damaged (page %llu: %s): move the store folder away and start anew, "
	    "or bring it back from a backup",
	    file->path, (unsigned long long)page, what);
}

/* ---- Metas ------------------------------------------------------------- */

enum embed_status structure_read_at(
    struct file *file, void *bytes, size_t len, uint64_t offset, struct embed_error *error)
{
	size_t had = 0;
	ssize_t got = 1;

	while (had < len && got > 0) {
		got = pread(file->fd, (char *)bytes + had, len - had, (off_t)(offset + had));
		if (got > 0)
			had += (size_t)got;
		else if (got < 0 && errno == EINTR)
			got = 1;
	}
	if (got < 0)
		return error_set(error, EMBED_STORE,
		    "the store %.200s could not be read: %s; look after the disk", file->path,
		    strerror(errno));
	if (had < len)
		return structure_damaged(
		    file, error, offset / file->page_bytes, "the file was cut short");
	return EMBED_OK;
}

static bool is_page_size(uint64_t bytes)
{
	return bytes >= PAGE_BYTES_MIN && bytes <= PAGE_BYTES_MAX && (bytes & (bytes - 1)) == 0;
}

static enum embed_status read_meta(struct file *file, size_t which, struct embed_error *error)
{
	struct page_meta *meta = &file->metas[which];
	enum embed_status status = structure_read_at(
	    file, meta, sizeof(*meta), which * file->page_bytes + PAGE_HEAD, error);

	if (status != EMBED_OK)
		return status;
	if (meta->magic != META_MAGIC)
		return structure_damaged(file, error, which, "not LMDB's mark");
	if (meta->version != META_VERSION)
		return error_set(error, EMBED_STORE,
		    "the store %.200s has LMDB's data version %u and this program knows %u: use the "
		    "program that wrote it, or another home",
		    file->path, meta->version, META_VERSION);
	if (!is_page_size(meta->free_pages.pad))
		return structure_damaged(file, error, which, "an impossible page size");
	if (meta->map_bytes > MAP_BYTES_MAX)
		return structure_damaged(file, error, which, "an impossible map size");
	return EMBED_OK;
}

static enum embed_status read_metas(struct file *file, struct embed_error *error)
{
	enum embed_status status;

	file->page_bytes = PAGE_BYTES_USUAL;
	status = read_meta(file, 0, error);
	if (status != EMBED_OK)
		return status;
	file->page_bytes = file->metas[0].free_pages.pad;
	status = read_meta(file, 1, error);
	if (status == EMBED_OK && file->metas[1].free_pages.pad != file->page_bytes)
		return structure_damaged(file, error, 1, "the two heads differ in page size");
	return status;
}

/* LMDB makes both heads with one write: a disk that was full then leaves the first alone. */
static bool is_unborn(struct file *file)
{
	struct page_meta first;

	return file->fd >= 0 &&
	       structure_read_at(file, &first, sizeof(first), PAGE_HEAD, NULL) == EMBED_OK &&
	       first.magic == META_MAGIC && first.txn_id == 0 &&
	       file->bytes < PAGE_METAS * (uint64_t)first.free_pages.pad;
}

/* One head with LMDB's mark is enough: the other may be what is damaged. */
static bool is_ours(struct file *file)
{
	uint32_t mark[2];

	for (size_t which = 0; file->fd >= 0 && which < PAGE_METAS; which++)
		if (structure_read_at(file, mark, sizeof(mark),
			which * file->page_bytes + PAGE_HEAD, NULL) == EMBED_OK &&
		    mark[0] == META_MAGIC && mark[1] == META_VERSION)
			return true;
	return false;
}

static enum embed_status open_file(struct file *file, const char *path, struct embed_error *error)
{
	enum embed_status status;
	struct stat found;

	memset(file, 0, sizeof(*file));
	file->path = path;
	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0 && errno == ENOENT)
		return EMBED_NOT_FOUND;
	if (file->fd < 0)
		return error_set(error, EMBED_STORE,
		    "the store %.200s could not be opened: %s; make the home belong to the user who "
		    "runs this",
		    path, strerror(errno));
	if (fstat(file->fd, &found) != 0 || !S_ISREG(found.st_mode))
		return structure_damaged(file, error, 0, "not a file");
	file->bytes = (uint64_t)found.st_size;
	if (file->bytes == 0)
		return EMBED_NOT_FOUND;
	status = read_metas(file, error);
	/* Again: another process writes pages first, then the head that names them. */
	if (status == EMBED_OK && fstat(file->fd, &found) == 0)
		file->bytes = (uint64_t)found.st_size;
	return status;
}

static void close_file(struct file *file)
{
	if (file->fd >= 0)
		close(file->fd);
}

static const struct page_meta *newest_meta(const struct file *file)
{
	return &file->metas[file->metas[1].txn_id > file->metas[0].txn_id];
}

/* ---- For others --------------------------------------------------------- */

/* The last pages may be free ones that were never written: then nothing is cut. */
static bool may_be_cut(const struct file *file)
{
	return newest_meta(file)->last_page >= file->bytes / file->page_bytes;
}

/* Of a whole file, which nobody changes meanwhile. */
static enum embed_status check_way_to(
    struct file *file, const MDB_val *key, struct embed_error *error)
{
	uint8_t *map = mmap(NULL, file->bytes, PROT_READ, MAP_SHARED, file->fd, 0);
	struct index index;
	MDB_val value;
	int rc;

	if (map == MAP_FAILED)
		return error_set(error, EMBED_NO_MEMORY, "out of memory");
	rc = index_open(&index, map, file->page_bytes, newest_meta(file)->txn_id);
	if (index.meta.last_page >= file->bytes / file->page_bytes)
		index.meta.last_page = file->bytes / file->page_bytes - 1;
	if (rc == 0)
		rc = index_find(&index, key, &value);
	munmap(map, file->bytes);
	return rc == MDB_CORRUPTED ? structure_damaged(file, error, newest_meta(file)->records.root,
					 "the way from here to the format's entry")
				   : EMBED_OK;
}

enum embed_status structure_look(const char *path, enum structure_depth depth, const MDB_val *key,
    struct structure_facts *facts, struct embed_error *error)
{
	struct file file;
	enum embed_status status = open_file(&file, path, error);

	*facts = (struct structure_facts){.is_unborn = status == EMBED_STORE && is_unborn(&file)};
	if (facts->is_unborn)
		status = EMBED_NOT_FOUND;
	if (status == EMBED_OK) {
		facts->map_bytes = newest_meta(&file)->map_bytes;
		if (may_be_cut(&file) && depth == STRUCTURE_HEADS)
			depth = STRUCTURE_INDEX;
		if (depth != STRUCTURE_HEADS)
			status = structure_check_meta(&file, newest_meta(&file), depth, error);
		else if (key != NULL)
			status = check_way_to(&file, key, error);
	}
	facts->is_damaged = status == EMBED_STORE && file.is_damaged && is_ours(&file);
	close_file(&file);
	return status == EMBED_NOT_FOUND ? EMBED_OK : status;
}

enum embed_status structure_check(const char *path, uint64_t txn_id, struct embed_error *error)
{
	struct file file;
	enum embed_status status = open_file(&file, path, error);

	if (status == EMBED_OK) {
		size_t which = txn_id & 1;

		if (file.metas[which].txn_id == txn_id)
			status =
			    structure_check_meta(&file, &file.metas[which], STRUCTURE_ALL, error);
		else
			status = EMBED_CANCELLED;
	}
	close_file(&file);
	return status;
}
