# SPDX-License-Identifier: MIT
# The public API, whole, behind a proxy that breaks connections.
embed_test(chaos.bytes
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/chaos_test.c ${CMAKE_CURRENT_LIST_DIR}/proxy.c
          ${CMAKE_CURRENT_LIST_DIR}/../service/stand_in.c
  LINK layer_service layer_emulator CURL::libcurl PkgConfig::JANSSON)
embed_test(chaos.storm
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/storm_test.c ${CMAKE_CURRENT_LIST_DIR}/proxy.c
          ${CMAKE_CURRENT_LIST_DIR}/../service/stand_in.c
  LINK layer_service layer_emulator CURL::libcurl PkgConfig::JANSSON)
