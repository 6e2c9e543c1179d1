# SPDX-License-Identifier: MIT
# Upstreams that speak HTTP/2.  Once is enough: what differs from HTTP/1.1 is libcurl's.  77: node is missing.
if(NOT EMBED_SANITIZE AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_test(NAME http2
    COMMAND ${PROJECT_SOURCE_DIR}/tests/gateway/run $<TARGET_FILE:embed> ${CMAKE_CURRENT_LIST_DIR}/http2.test.mjs)
  set_tests_properties(http2 PROPERTIES LABELS cases TIMEOUT 180 SKIP_RETURN_CODE 77)
endif()
