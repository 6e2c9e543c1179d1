# SPDX-License-Identifier: MIT
# Allocations and calls on files that fail in turn: a few of each in ./test, all of them by tools/torture.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_library(torture_faults SHARED ${CMAKE_CURRENT_LIST_DIR}/faults.c)
  target_compile_definitions(torture_faults PRIVATE _GNU_SOURCE)
  target_compile_options(torture_faults PRIVATE -Wall -Wextra -Werror -Wshadow)
  target_link_libraries(torture_faults PRIVATE ${CMAKE_DL_LIBS})
  set_target_properties(torture_faults PROPERTIES C_VISIBILITY_PRESET default)
  add_test(NAME torture
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:embed> $<TARGET_FILE:torture_faults> --most 2)
  set_tests_properties(torture PROPERTIES LABELS torture TIMEOUT 400 SKIP_RETURN_CODE 77)
  add_test(NAME torture.serve
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:embed> $<TARGET_FILE:torture_faults> serve --most 3)
  add_test(NAME torture.clock
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:embed> $<TARGET_FILE:torture_faults> clock)
  set_tests_properties(torture.serve torture.clock PROPERTIES LABELS torture TIMEOUT 200 SKIP_RETURN_CODE 77)
  # 77: no disk can be mounted here.
  add_test(NAME torture.disk COMMAND ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:embed> disk)
  set_tests_properties(torture.disk PROPERTIES LABELS torture TIMEOUT 200 SKIP_RETURN_CODE 77)
endif()
