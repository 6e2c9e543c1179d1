# SPDX-License-Identifier: MIT
# What is logged, and what never is.  77: node is missing.
add_test(NAME logs.sites COMMAND ${CMAKE_CURRENT_LIST_DIR}/../gateway/run $<TARGET_FILE:embed> ${CMAKE_CURRENT_LIST_DIR}/sites.mjs)
add_test(NAME logs.lines COMMAND ${CMAKE_CURRENT_LIST_DIR}/../gateway/run $<TARGET_FILE:embed> ${CMAKE_CURRENT_LIST_DIR}/lines.mjs)
set_tests_properties(logs.sites logs.lines PROPERTIES LABELS cases TIMEOUT 120 SKIP_RETURN_CODE 77)
