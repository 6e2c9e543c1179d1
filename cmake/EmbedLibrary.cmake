# SPDX-License-Identifier: MIT
#
# libembed.so and libembed.a out of the layers below embed.h.  Neither shows a
# symbol that is not in embed.h: the shared one by visibility, the static one
# because all objects are joined into one and its hidden symbols made local.
set(layers base text tokens chunk wire cache ledger engine service)
set(layer_objects "")
set(layer_targets "")
foreach(layer ${layers})
  get_target_property(type layer_${layer} TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    list(APPEND layer_objects $<TARGET_OBJECTS:layer_${layer}>)
    list(APPEND layer_targets layer_${layer})
  endif()
endforeach()

# For the programs and tests of this tree: the plain archives.
add_library(embed_static INTERFACE)
target_link_libraries(embed_static INTERFACE layer_service)

set(EMBED_LIBRARY_LIBS CURL::libcurl OpenSSL::Crypto ICU::uc ICU::i18n PkgConfig::JANSSON PkgConfig::SQLITE LMDB
    Threads::Threads m)

add_library(embed_shared SHARED ${layer_objects})
set_target_properties(embed_shared PROPERTIES OUTPUT_NAME embed VERSION ${PROJECT_VERSION} SOVERSION 0
  LINKER_LANGUAGE C)
target_link_libraries(embed_shared PRIVATE embed_compile ${EMBED_LIBRARY_LIBS})

if(NOT EMBED_SANITIZE)
  set(joined ${CMAKE_BINARY_DIR}/embed_joined.o)
  set(archive ${CMAKE_BINARY_DIR}/libembed.a)
  add_custom_command(OUTPUT ${archive}
    COMMAND ${CMAKE_LINKER} -r -o ${joined} ${layer_objects}
    COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${joined}
    COMMAND ${CMAKE_COMMAND} -E rm -f ${archive}
    COMMAND ${CMAKE_AR} rcs ${archive} ${joined}
    DEPENDS ${layer_targets} ${layer_objects} COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(embed_archive ALL DEPENDS ${archive})
  install(FILES ${archive} DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()

configure_file(${PROJECT_SOURCE_DIR}/cmake/embed.pc.in ${CMAKE_BINARY_DIR}/embed.pc @ONLY)
install(TARGETS embed_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${PROJECT_SOURCE_DIR}/include/embed.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_BINARY_DIR}/embed.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
