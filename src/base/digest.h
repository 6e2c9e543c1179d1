/* SPDX-License-Identifier: MIT */
/*
 * Digest: SHA-256 of a list of parts, each preceded by its length, so that no
 * two different lists give the same bytes to hash ("ab","c" and "a","bc").
 *
 * Collision-resistant on purpose: a tenant must not be able to plant a vector
 * for another's text.
 *
 * Threads: any; each keeps a hashing context of its own until it ends.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_BYTES 32

struct digest {
	uint8_t bytes[DIGEST_BYTES];
};

struct digest_part {
	const void *bytes;
	size_t len;
};

/* False only when memory runs out. */
_Bool digest_parts(struct digest *digest, const struct digest_part *parts, size_t count);

/* Equal or not, in time that does not depend on where they differ. */
_Bool digest_equals(const struct digest *a, const struct digest *b);

#endif
