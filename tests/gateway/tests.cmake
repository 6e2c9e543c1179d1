# SPDX-License-Identifier: MIT
# The gateway as its callers see it: `embed serve` before `embed emulate`.  77: node is missing.
foreach(part access-log answers behaviour cors dashboard fairness fields keys lanes metrics random reload sandbox secrets shapes supervisor tls upstream-tls
    verbatim wrong-keys)
  add_test(NAME gateway.${part}
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:embed> ${CMAKE_CURRENT_LIST_DIR}/${part}.test.mjs)
  set_tests_properties(gateway.${part} PROPERTIES LABELS cases TIMEOUT 180 SKIP_RETURN_CODE 77)
endforeach()
# What takes long and says the same in every build: the one that people run, and the one that sees wild memory.
set(once)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  set(once alarms consistency measured prometheus raw-bytes reports slow-clients start top)
elseif(EMBED_SANITIZE MATCHES "address")
  set(once consistency raw-bytes reports top)
endif()
foreach(part ${once})
  add_test(NAME gateway.${part}
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:embed> ${CMAKE_CURRENT_LIST_DIR}/${part}.test.mjs)
  set_tests_properties(gateway.${part} PROPERTIES LABELS cases TIMEOUT 180 SKIP_RETURN_CODE 77)
endforeach()
# What a hit does on its thread, counted by a library that stands before the C library.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_library(gateway_counts SHARED ${CMAKE_CURRENT_LIST_DIR}/counts.c)
  target_compile_definitions(gateway_counts PRIVATE _GNU_SOURCE)
  target_compile_options(gateway_counts PRIVATE -Wall -Wextra -Werror -Wshadow -fno-builtin)
  target_link_libraries(gateway_counts PRIVATE ${CMAKE_DL_LIBS})
  set_target_properties(gateway_counts PROPERTIES C_VISIBILITY_PRESET default)
  add_test(NAME gateway.hit-path
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:embed> ${CMAKE_CURRENT_LIST_DIR}/hit-path.test.mjs)
  set_tests_properties(gateway.hit-path PROPERTIES LABELS cases TIMEOUT 60 SKIP_RETURN_CODE 77
    ENVIRONMENT "COUNTS_LIBRARY=$<TARGET_FILE:gateway_counts>")
  # Kernels that know less, played by a library that stands before the C library.
  add_library(gateway_kernel SHARED ${CMAKE_CURRENT_LIST_DIR}/kernel.c)
  target_compile_definitions(gateway_kernel PRIVATE _GNU_SOURCE)
  target_compile_options(gateway_kernel PRIVATE -Wall -Wextra -Werror -Wshadow)
  target_link_libraries(gateway_kernel PRIVATE ${CMAKE_DL_LIBS})
  set_target_properties(gateway_kernel PROPERTIES C_VISIBILITY_PRESET default)
  add_test(NAME gateway.kernels
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:embed> ${CMAKE_CURRENT_LIST_DIR}/kernels.test.mjs)
  set_tests_properties(gateway.kernels PROPERTIES LABELS cases TIMEOUT 120 SKIP_RETURN_CODE 77
    ENVIRONMENT "KERNEL_LIBRARY=$<TARGET_FILE:gateway_kernel>")
  foreach(version RANGE 1 6)
    add_test(NAME app.sandbox.landlock-${version} COMMAND app.sandbox)
    set_tests_properties(app.sandbox.landlock-${version} PROPERTIES LABELS unit TIMEOUT 60
      ENVIRONMENT "LD_PRELOAD=$<TARGET_FILE:gateway_kernel>;KERNEL_LANDLOCK=${version}")
  endforeach()
endif()
