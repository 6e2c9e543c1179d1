# SPDX-License-Identifier: MIT
add_executable(bench_idle ${CMAKE_CURRENT_LIST_DIR}/idle.c)
target_link_libraries(bench_idle PRIVATE embed_compile)
add_executable(bench_paced ${CMAKE_CURRENT_LIST_DIR}/paced.c)
target_link_libraries(bench_paced PRIVATE embed_compile)
