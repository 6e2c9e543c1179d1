# SPDX-License-Identifier: MIT
# The real SDKs.  Once is enough: sanitizers see the same paths through tests/gateway.  77: npm is missing.
if(NOT EMBED_SANITIZE)
  add_test(NAME clients COMMAND ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:embed> ${PROJECT_SOURCE_DIR}/build/clients)
  set_tests_properties(clients PROPERTIES LABELS cases TIMEOUT 300 SKIP_RETURN_CODE 77)
endif()
