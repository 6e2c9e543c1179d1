# SPDX-License-Identifier: MIT
# Helpers of bench/bulk and bench/lengths.
add_executable(bench_floor ${CMAKE_CURRENT_LIST_DIR}/floor.c)
target_link_libraries(bench_floor PRIVATE layer_wire embed_compile Threads::Threads)
add_executable(bench_measure ${CMAKE_CURRENT_LIST_DIR}/measure.c)
target_link_libraries(bench_measure PRIVATE embed_compile)
