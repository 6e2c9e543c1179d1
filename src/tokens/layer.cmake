# SPDX-License-Identifier: MIT
# The vocabularies' tables: made by a program that is built and run here, taken in with .incbin.
set(tokens_generated ${CMAKE_BINARY_DIR}/generated/tokens)
set(tokens_data ${PROJECT_SOURCE_DIR}/src/tokens/data)
file(MAKE_DIRECTORY ${tokens_generated})

# Without embed_compile: sanitizers would make it slow, and it runs at build time only.
file(GLOB tokens_generator CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/tokens/generate/*.c)
add_executable(tokens_generate ${tokens_generator})
target_include_directories(tokens_generate PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(tokens_generate PRIVATE -O2 -Wall -Wextra -Werror -Wshadow -Wvla)
target_link_libraries(tokens_generate PRIVATE OpenSSL::Crypto)

set(tokens_tables ${tokens_generated}/tables_layout.h ${tokens_generated}/cl100k_base.bin
    ${tokens_generated}/o200k_base.bin ${tokens_generated}/classes.bin)
add_custom_command(OUTPUT ${tokens_tables}
  COMMAND tokens_generate ${tokens_generated} ${tokens_data}
  DEPENDS tokens_generate ${tokens_data}/cl100k_base.tiktoken ${tokens_data}/o200k_base.tiktoken
          ${tokens_data}/unicode-16.0.txt
  COMMENT "Making the tokenizer's tables" VERBATIM)
target_sources(layer_tokens PRIVATE ${tokens_tables})
target_include_directories(layer_tokens PRIVATE ${CMAKE_BINARY_DIR}/generated)
set_source_files_properties(${PROJECT_SOURCE_DIR}/src/tokens/vocabulary.c PROPERTIES
  OBJECT_DEPENDS "${tokens_tables}"
  COMPILE_DEFINITIONS "TOKENS_TABLES=\"${tokens_generated}\"")
