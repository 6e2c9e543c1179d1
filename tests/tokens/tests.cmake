# SPDX-License-Identifier: MIT
# Random texts against npm `tiktoken`, the reference.  Once is enough: under sanitizers the same texts would
# take the paths that the unit tests take.  77: npm is missing.
if(NOT EMBED_SANITIZE AND CMAKE_BUILD_TYPE STREQUAL "Release")
  add_executable(tokens_ids ${CMAKE_CURRENT_LIST_DIR}/tokens_ids.c)
  target_link_libraries(tokens_ids PRIVATE layer_tokens embed_compile)
  add_test(NAME tokens.reference
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:tokens_ids> ${PROJECT_SOURCE_DIR}/build/tokens)
  set_tests_properties(tokens.reference PROPERTIES LABELS slow TIMEOUT 300 SKIP_RETURN_CODE 77)
endif()

# Memory of a process that has used both encodings to the full; sanitizers and debug builds have more of their own.
if(NOT EMBED_SANITIZE AND CMAKE_BUILD_TYPE STREQUAL "Release")
  add_executable(tokens_memory ${CMAKE_CURRENT_LIST_DIR}/tokens_memory.c)
  target_link_libraries(tokens_memory PRIVATE layer_tokens embed_compile)
  add_test(NAME tokens.memory COMMAND tokens_memory)
  set_tests_properties(tokens.memory PROPERTIES TIMEOUT 60)
endif()

# What a process needs until it has its first token.
if(NOT EMBED_SANITIZE AND CMAKE_BUILD_TYPE STREQUAL "Release")
  add_executable(tokens_ready ${CMAKE_CURRENT_LIST_DIR}/tokens_ready.c)
  target_link_libraries(tokens_ready PRIVATE layer_tokens embed_compile)
  add_test(NAME tokens.ready COMMAND tokens_ready)
  set_tests_properties(tokens.ready PROPERTIES TIMEOUT 60)
endif()

# No text can overflow the stack: seen in the source, so once.  Only gcc tells its call graph.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_test(NAME tokens.recursion
    COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/recursion.sh ${PROJECT_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
  set_tests_properties(tokens.recursion PROPERTIES LABELS cases TIMEOUT 120 ENVIRONMENT "CC=${CMAKE_C_COMPILER}")
endif()
