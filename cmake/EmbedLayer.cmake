# SPDX-License-Identifier: MIT
#
# embed_layer(NAME [PROGRAM] [DEPENDS layer...] [LIBS target...])
#   One folder src/NAME becomes one object library layer_NAME.  Each
#   src/NAME/X_test.c becomes the test NAME.X, linked with what the layer may
#   use and nothing above it.  PROGRAM layers stand above embed.h and link the
#   library below it.
#
# embed_test(NAME SOURCES ... LINK ...)
#   A test program of its own (tests/).

function(embed_layer name)
  cmake_parse_arguments(arg "PROGRAM" "" "DEPENDS;LIBS" ${ARGN})
  set(dir ${PROJECT_SOURCE_DIR}/src/${name})
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.c)
  file(GLOB tests CONFIGURE_DEPENDS ${dir}/*_test.c)
  list(REMOVE_ITEM sources ${tests} ${dir}/main.c)

  # What is linked is a static library over the objects; a layer with no .c yet is only its headers.
  if(sources)
    add_library(layer_${name} STATIC ${sources})
    target_link_libraries(layer_${name} PUBLIC embed_compile ${arg_LIBS})
  else()
    add_library(layer_${name} INTERFACE)
    target_link_libraries(layer_${name} INTERFACE embed_compile ${arg_LIBS})
  endif()
  set(kind PUBLIC)
  if(NOT sources)
    set(kind INTERFACE)
  endif()
  foreach(dep ${arg_DEPENDS})
    target_link_libraries(layer_${name} ${kind} layer_${dep})
  endforeach()
  if(arg_PROGRAM)
    target_link_libraries(layer_${name} ${kind} embed_static)
  endif()
  # A layer's own build steps (generated tables) live in src/NAME/layer.cmake.
  if(EXISTS ${dir}/layer.cmake)
    include(${dir}/layer.cmake)
  endif()

  if(EMBED_TESTS)
    foreach(test ${tests})
      get_filename_component(stem ${test} NAME_WE)
      string(REGEX REPLACE "_test$" "" stem ${stem})
      embed_test(${name}.${stem} SOURCES ${test} LINK layer_${name})
    endforeach()
  endif()
endfunction()

function(embed_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK} embed_compile PkgConfig::CMOCKA)
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()
