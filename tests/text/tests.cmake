# SPDX-License-Identifier: MIT
# The commands clean, chunk and tokens, as people run them.
if(TARGET embed)
  add_test(NAME text.commands COMMAND ${CMAKE_CURRENT_LIST_DIR}/commands.sh $<TARGET_FILE:embed>
           WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(text.commands PROPERTIES LABELS cases TIMEOUT 120)
endif()
