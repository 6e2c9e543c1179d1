# SPDX-License-Identifier: MIT
# The one program, and its manual pages.
if(EXISTS ${PROJECT_SOURCE_DIR}/src/cli/main.c)
  add_executable(embed ${PROJECT_SOURCE_DIR}/src/cli/main.c)
  target_link_libraries(embed PRIVATE layer_cli embed_compile)
  target_link_options(embed PRIVATE -pie)
  install(TARGETS embed RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
file(GLOB man_pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*.1)
install(FILES ${man_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# `cmake --build --preset release --target sbom`: what the program is made of, as CycloneDX.
add_custom_target(sbom
  COMMAND ${PROJECT_SOURCE_DIR}/tools/sbom $<TARGET_FILE:embed> ${PROJECT_VERSION} >embed.cdx.json
  BYPRODUCTS embed.cdx.json DEPENDS embed VERBATIM)
