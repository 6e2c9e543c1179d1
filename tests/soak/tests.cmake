# SPDX-License-Identifier: MIT
# Two minutes of tools/soak, once: what it looks at is time, which other builds would only repeat.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_test(NAME soak COMMAND ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:embed> --seconds 120)
  set_tests_properties(soak PROPERTIES LABELS soak TIMEOUT 300 SKIP_RETURN_CODE 77)
  # And what holds the soak to it: a gateway that leaks must not pass.
  add_library(soak_leak SHARED ${CMAKE_CURRENT_LIST_DIR}/leak.c)
  target_compile_definitions(soak_leak PRIVATE _GNU_SOURCE)
  target_compile_options(soak_leak PRIVATE -Wall -Wextra -Werror -Wshadow)
  target_link_libraries(soak_leak PRIVATE ${CMAKE_DL_LIBS})
  set_target_properties(soak_leak PROPERTIES C_VISIBILITY_PRESET default)
  add_test(NAME soak.leak COMMAND ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:embed> leak $<TARGET_FILE:soak_leak>)
  add_test(NAME soak.flat COMMAND ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:embed> flat)
  set_tests_properties(soak.leak soak.flat PROPERTIES LABELS soak TIMEOUT 120 SKIP_RETURN_CODE 77)
endif()
