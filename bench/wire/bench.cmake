# SPDX-License-Identifier: MIT
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_executable(bench_wire EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/bench_wire.c)
  target_link_libraries(bench_wire PRIVATE layer_wire embed_compile OpenSSL::Crypto PkgConfig::JANSSON)
  add_executable(sweep_floats EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/sweep_floats.c)
  target_link_libraries(sweep_floats PRIVATE layer_wire embed_compile)
endif()
