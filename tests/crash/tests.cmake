# SPDX-License-Identifier: MIT
# A part of tools/crash, once: other builds have the store's own crash tests.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_test(NAME crash COMMAND ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:embed> --rounds 200)
  set_tests_properties(crash PROPERTIES LABELS crash TIMEOUT 300 SKIP_RETURN_CODE 77)
endif()
