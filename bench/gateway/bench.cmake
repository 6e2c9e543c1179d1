# SPDX-License-Identifier: MIT
add_executable(bench_idle ${CMAKE_CURRENT_LIST_DIR}/idle.c)
target_link_libraries(bench_idle PRIVATE embed_compile)
add_executable(bench_crowd ${CMAKE_CURRENT_LIST_DIR}/crowd.c)
target_link_libraries(bench_crowd PRIVATE embed_compile)
add_executable(bench_added ${CMAKE_CURRENT_LIST_DIR}/added.c)
target_link_libraries(bench_added PRIVATE embed_compile)
add_executable(bench_printf_floats ${CMAKE_CURRENT_LIST_DIR}/printf_floats.c)
target_link_libraries(bench_printf_floats PRIVATE embed_compile m)
