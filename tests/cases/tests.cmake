# SPDX-License-Identifier: MIT
# Every .case and .table is a test of its own; see README.md.
if(TARGET embed)
  file(GLOB stories CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.case)
  file(GLOB tables CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.table)
  foreach(file ${stories} ${tables})
    get_filename_component(stem ${file} NAME_WE)
    get_filename_component(kind ${file} LAST_EXT)
    string(REPLACE ".case" "story" kind ${kind})
    string(REPLACE ".table" "table" kind ${kind})
    add_test(NAME cases.${kind}.${stem} COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/run ${file})
    set_tests_properties(cases.${kind}.${stem} PROPERTIES LABELS cases TIMEOUT 180
      ENVIRONMENT "EMBED=$<TARGET_FILE:embed>")
  endforeach()
endif()
