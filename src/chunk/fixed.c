/* SPDX-License-Identifier: MIT */
/* Fixed: every `max` units, whatever is there. */
#include "chunk/packer.h"

const struct strategy strategy_fixed = {.cut = packer_cut_grapheme, .overlap = packer_overlap_any};
