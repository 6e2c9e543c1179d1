# SPDX-License-Identifier: MIT
# The engine with its thread and sockets, against the stand-in in the same process.
embed_test(engine.shell
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/shell_test.c
  LINK layer_engine layer_emulator PkgConfig::JANSSON)
embed_test(engine.tls SOURCES ${CMAKE_CURRENT_LIST_DIR}/tls_test.c LINK layer_engine layer_http)
embed_test(engine.ending SOURCES ${CMAKE_CURRENT_LIST_DIR}/ending_test.c LINK layer_engine)
