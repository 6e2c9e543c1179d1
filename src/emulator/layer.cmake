# SPDX-License-Identifier: MIT
# Pseudo vectors must not slow a benchmark down, and must be the same on every machine.
set_source_files_properties(${dir}/pseudo.c PROPERTIES COMPILE_OPTIONS "-O3;-ffp-contract=off")
target_link_libraries(layer_emulator PUBLIC z m)
