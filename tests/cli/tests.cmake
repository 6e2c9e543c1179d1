# SPDX-License-Identifier: MIT
# Whole-program cases: the program, the stand-in, and a shell script that says what must come out.
if(TARGET embed)
  file(GLOB cases CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.sh)
  foreach(case ${cases})
    get_filename_component(stem ${case} NAME_WE)
    if(NOT stem STREQUAL "lib")
      add_test(NAME cases.cli.${stem} COMMAND sh ${case})
      set_tests_properties(cases.cli.${stem} PROPERTIES LABELS cases TIMEOUT 180
        ENVIRONMENT "EMBED=$<TARGET_FILE:embed>")
    endif()
  endforeach()
endif()
