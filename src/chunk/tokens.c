/* SPDX-License-Identifier: MIT */
/*
 * Tokens: as full as the limit allows, cut where the encoding cuts.  A chunk
 * then has the very tokens that the whole text has there.
 */
#include "chunk/packer.h"

const struct strategy strategy_tokens = {.cut = packer_cut_grapheme, .overlap = packer_overlap_any};
