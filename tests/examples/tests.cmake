# SPDX-License-Identifier: MIT
# README and manual pages say what is true.
if(TARGET embed)
  foreach(stem examples pages pictures)
    add_test(NAME docs.${stem} COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/${stem}.sh)
    set_tests_properties(docs.${stem} PROPERTIES LABELS cases TIMEOUT 120 SKIP_RETURN_CODE 77
      ENVIRONMENT "EMBED=$<TARGET_FILE:embed>;SOURCE=${PROJECT_SOURCE_DIR}")
  endforeach()
endif()
