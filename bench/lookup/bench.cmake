# SPDX-License-Identifier: MIT
if(EMBED_TESTS)
  add_executable(bench_lookup ${CMAKE_CURRENT_LIST_DIR}/lookup.c ${PROJECT_SOURCE_DIR}/tests/service/stand_in.c)
  target_include_directories(bench_lookup PRIVATE ${PROJECT_SOURCE_DIR}/tests/service)
  target_link_libraries(bench_lookup PRIVATE layer_service layer_emulator CURL::libcurl PkgConfig::JANSSON
    PkgConfig::CMOCKA embed_compile)
endif()
