# SPDX-License-Identifier: MIT
add_executable(chunk_bench ${CMAKE_CURRENT_LIST_DIR}/chunk_bench.c)
target_link_libraries(chunk_bench PRIVATE embed_static embed_compile)
