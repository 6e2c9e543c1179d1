# SPDX-License-Identifier: MIT
# The dashboard's page becomes part of the program: its bytes, plain and gzipped (page/pack).
file(GLOB page_files CONFIGURE_DEPENDS ${dir}/page/*.html ${dir}/page/*.css ${dir}/page/*.js ${dir}/page/*.svg)
set(page_source ${CMAKE_BINARY_DIR}/generated/page_files.c)
add_custom_command(OUTPUT ${page_source}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/generated
  COMMAND ${dir}/page/pack ${page_files} > ${page_source}.new
  COMMAND ${CMAKE_COMMAND} -E rename ${page_source}.new ${page_source}
  DEPENDS ${page_files} ${dir}/page/pack VERBATIM)
target_sources(layer_gateway PRIVATE ${page_source})
