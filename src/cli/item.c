/* SPDX-License-Identifier: MIT */
#include "cli/item.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A reset group gives memory above this back. */
#define KEPT_BYTES (8u << 20)

void item_group_init(struct item_group *group)
{
	*group = (struct item_group){0};
	buffer_init(&group->bytes, ITEM_GROUP_MAX_BYTES);
}

void item_group_fini(struct item_group *group)
{
	buffer_fini(&group->bytes);
	free(group->items);
	*group = (struct item_group){0};
}

void item_group_reset(struct item_group *group)
{
	if (group->bytes.cap > KEPT_BYTES) {
		buffer_fini(&group->bytes);
		buffer_init(&group->bytes, ITEM_GROUP_MAX_BYTES);
	}
	buffer_reset(&group->bytes);
	group->count = 0;
	group->good = 0;
	group->is_out_of_memory = false;
}

struct item *item_group_add(struct item_group *group)
{
	struct item *item;

	if (group->count == group->cap) {
		size_t cap = group->cap == 0 ? 64 : group->cap * 2;
		struct item *items = reallocarray(group->items, cap, sizeof(*items));

		if (items == NULL) {
			group->is_out_of_memory = true;
			return NULL;
		}
		group->items = items;
		group->cap = cap;
	}
	item = &group->items[group->count++];
	*item = (struct item){.status = EMBED_OK};
	group->good++;
	return item;
}

struct span item_group_copy(struct item_group *group, const void *bytes, size_t len)
{
	struct span span = {group->bytes.len, len};

	buffer_append(&group->bytes, bytes, len);
	return span;
}

void item_group_refuse(
    struct item_group *group, struct item *item, enum embed_status status, const char *format, ...)
{
	char message[400];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (item->status == EMBED_OK)
		group->good--;
	item->status = status;
	item->message = item_group_copy(group, message, strlen(message));
}

struct span item_group_number(struct item_group *group, uint64_t number)
{
	size_t start = group->bytes.len;

	buffer_printf(&group->bytes, "%llu", (unsigned long long)number);
	return (struct span){start, group->bytes.len - start};
}

bool item_group_failed(const struct item_group *group)
{
	return group->is_out_of_memory || group->bytes.status != EMBED_OK;
}
