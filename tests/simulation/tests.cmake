# SPDX-License-Identifier: MIT
# The engine's core in a made-up world; `simulation SEED` replays one run.
set(simulation_dir ${CMAKE_CURRENT_LIST_DIR})
file(GLOB simulation_sources CONFIGURE_DEPENDS ${simulation_dir}/*.c)
add_executable(simulation ${simulation_sources})
target_link_libraries(simulation PRIVATE layer_engine embed_compile m)
target_link_options(simulation PRIVATE -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc)
add_test(NAME simulation COMMAND simulation)
set_tests_properties(simulation PROPERTIES LABELS simulation TIMEOUT 120)
