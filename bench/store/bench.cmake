# SPDX-License-Identifier: MIT
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_executable(bench_store EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/bench_store.c)
  target_link_libraries(bench_store PRIVATE layer_cache layer_ledger embed_compile PkgConfig::SQLITE z)
endif()
