# SPDX-License-Identifier: MIT
# The commands clean, chunk and tokens, as people run them.
if(TARGET embed)
  add_test(NAME text.commands COMMAND ${CMAKE_CURRENT_LIST_DIR}/commands.sh $<TARGET_FILE:embed>
           WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(text.commands PROPERTIES LABELS cases TIMEOUT 120)
endif()

# Every strategy's promises on real texts: samples, the tokenizer's golden texts (many scripts, worst cases), the
# project's own documents and sources.  On the benchmarks' corpora by hand: tests/text/corpora FOLDER.
add_executable(text_promises ${CMAKE_CURRENT_LIST_DIR}/promises.c)
target_link_libraries(text_promises PRIVATE layer_chunk layer_text layer_tokens embed_compile)
if(NOT EMBED_SANITIZE)
  file(GLOB documents ${PROJECT_SOURCE_DIR}/tests/data/text/*.* ${PROJECT_SOURCE_DIR}/*.md
       ${PROJECT_SOURCE_DIR}/docs/decisions/*.md ${PROJECT_SOURCE_DIR}/src/chunk/*.c)
  add_test(NAME text.promises COMMAND text_promises ${documents} ${PROJECT_SOURCE_DIR}/tests/data/tokens/golden.tsv)
  set_tests_properties(text.promises PROPERTIES LABELS cases TIMEOUT 120)
endif()
