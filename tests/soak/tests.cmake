# SPDX-License-Identifier: MIT
# Two minutes of tools/soak, once: what it looks at is time, which other builds would only repeat.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_test(NAME soak COMMAND ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:embed> --seconds 120)
  set_tests_properties(soak PROPERTIES LABELS soak TIMEOUT 300 SKIP_RETURN_CODE 77)
endif()
