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

# How steps grow on hostile texts: the two layers are compiled again so that each edge taken is counted.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT EMBED_SANITIZE)
  file(GLOB counted CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/text/*.c ${PROJECT_SOURCE_DIR}/src/chunk/*.c)
  list(FILTER counted EXCLUDE REGEX _test.c$)
  add_library(text_counted OBJECT ${counted})
  target_link_libraries(text_counted PRIVATE embed_compile ICU::uc)
  target_compile_options(text_counted PRIVATE -fsanitize-coverage=trace-pc -U_FORTIFY_SOURCE)
  embed_test(text.linear SOURCES ${CMAKE_CURRENT_LIST_DIR}/linear.c ${CMAKE_CURRENT_LIST_DIR}/steps.c
             LINK text_counted layer_tokens ICU::uc Threads::Threads m)
  foreach(name memchr memrchr memmem memcpy memmove memcmp
               tokens_more_cuts tokens_count_slice tokens_count_up_to tokens_prefix)
    target_link_options(text.linear PRIVATE -Wl,--wrap=${name})
  endforeach()
  string(REGEX MATCH "^[0-9]+" icu_major ${ICU_VERSION})
  foreach(name ubrk_following ubrk_preceding ubrk_isBoundary unorm2_normalize unorm2_spanQuickCheckYes u_strFromUTF8)
    target_link_options(text.linear PRIVATE -Wl,--wrap=${name}_${icu_major})
  endforeach()
  add_test(NAME text.long_piece COMMAND ${CMAKE_CURRENT_LIST_DIR}/long_piece.sh $<TARGET_FILE:embed>)
  set_tests_properties(text.long_piece PROPERTIES LABELS cases TIMEOUT 120)
endif()
