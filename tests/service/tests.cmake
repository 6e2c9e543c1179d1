# SPDX-License-Identifier: MIT
# The public API, whole, against the stand-in for OpenAI in the same process.
embed_test(service.whole
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/service_test.c ${CMAKE_CURRENT_LIST_DIR}/stand_in.c
  LINK layer_service layer_emulator CURL::libcurl PkgConfig::JANSSON)
embed_test(service.job
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/job_test.c ${CMAKE_CURRENT_LIST_DIR}/stand_in.c
  LINK layer_service layer_emulator CURL::libcurl PkgConfig::JANSSON)
embed_test(service.lookup
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/lookup_test.c ${CMAKE_CURRENT_LIST_DIR}/stand_in.c
  LINK layer_service layer_emulator CURL::libcurl PkgConfig::JANSSON)
# The key is searched for in all of the process's memory; sanitizers map terabytes of it.
if(NOT EMBED_SANITIZE)
  embed_test(service.forgotten SOURCES ${CMAKE_CURRENT_LIST_DIR}/forgotten_test.c LINK layer_service)
endif()
