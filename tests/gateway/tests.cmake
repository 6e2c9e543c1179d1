# SPDX-License-Identifier: MIT
# The gateway as its callers see it: `embed serve` before `embed emulate`.  77: node is missing.
foreach(part access-log answers behaviour cors dashboard fairness fields keys lanes metrics random reload sandbox shapes supervisor tls
    wrong-keys)
  add_test(NAME gateway.${part}
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:embed> ${CMAKE_CURRENT_LIST_DIR}/${part}.test.mjs)
  set_tests_properties(gateway.${part} PROPERTIES LABELS cases TIMEOUT 180 SKIP_RETURN_CODE 77)
endforeach()
# What takes long and says the same in every build: the one that people run, and the one that sees wild memory.
set(once)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  set(once alarms consistency prometheus reports)
elseif(EMBED_SANITIZE MATCHES "address")
  set(once consistency reports)
endif()
foreach(part ${once})
  add_test(NAME gateway.${part}
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:embed> ${CMAKE_CURRENT_LIST_DIR}/${part}.test.mjs)
  set_tests_properties(gateway.${part} PROPERTIES LABELS cases TIMEOUT 180 SKIP_RETURN_CODE 77)
endforeach()
