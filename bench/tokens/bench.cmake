# SPDX-License-Identifier: MIT
# The program that bench/tokens/run times; built only when asked for.
add_executable(bench_tokens EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/bench_tokens.c)
set_target_properties(bench_tokens PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
target_link_libraries(bench_tokens PRIVATE layer_tokens OpenSSL::Crypto Threads::Threads embed_compile)
