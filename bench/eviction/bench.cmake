# SPDX-License-Identifier: MIT
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_executable(bench_eviction EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/eviction.c)
  target_link_libraries(bench_eviction PRIVATE layer_cache embed_compile m)
endif()
