# SPDX-License-Identifier: MIT
# The dashboard in a real browser, once: with the program people run.  77: npm or Chromium is missing.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT EMBED_SANITIZE)
  add_test(NAME browser COMMAND ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:embed> ${PROJECT_SOURCE_DIR}/build/browser)
  set_tests_properties(browser PROPERTIES LABELS cases TIMEOUT 240 SKIP_RETURN_CODE 77)
endif()
