# SPDX-License-Identifier: MIT
# What is logged, and what never is.  77: node is missing.
set(parts sites)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  list(APPEND parts lines) # says the same in every build
endif()
foreach(part ${parts})
  add_test(NAME logs.${part}
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/../gateway/run $<TARGET_FILE:embed> ${CMAKE_CURRENT_LIST_DIR}/${part}.mjs)
  set_tests_properties(logs.${part} PROPERTIES LABELS cases TIMEOUT 120 SKIP_RETURN_CODE 77)
endforeach()
