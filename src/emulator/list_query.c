/* SPDX-License-Identifier: MIT */
#include "emulator/list_query.h"

#include <stdlib.h>
#include <string.h>

void list_query_read(struct list_query *list, struct http_slice query, size_t fallback, size_t most)
{
	struct http_slice value;
	char number[16] = "";
	size_t len;

	*list = (struct list_query){.left = fallback};
	if (http_query_find(query, "after", &value)) {
		len = http_percent_decode(value, list->after, sizeof(list->after) - 1);
		list->after[len < sizeof(list->after) ? len : 0] = '\0';
	}
	if (http_query_find(query, "limit", &value) && value.len < sizeof(number)) {
		memcpy(number, value.bytes, value.len);
		list->left = strtoul(number, NULL, 10);
	}
	if (list->left < 1)
		list->left = 1;
	if (list->left > most)
		list->left = most;
}

bool list_query_takes(struct list_query *list, const char *id)
{
	if (list->after[0] != '\0') {
		if (strcmp(list->after, id) == 0)
			list->after[0] = '\0';
		return false;
	}
	if (list->left == 0) {
		list->has_more = true;
		return false;
	}
	list->left--;
	return true;
}
