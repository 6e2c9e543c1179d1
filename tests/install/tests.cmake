# SPDX-License-Identifier: MIT
# The library as others get it; sanitized builds have no archive to install.
if(TARGET embed AND NOT EMBED_SANITIZE)
  add_test(NAME install.library COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/library.sh)
  set_tests_properties(install.library PROPERTIES LABELS cases TIMEOUT 120
    ENVIRONMENT "EMBED=$<TARGET_FILE:embed>;BUILD=${CMAKE_BINARY_DIR};SOURCE=${PROJECT_SOURCE_DIR};CC=${CMAKE_C_COMPILER}")
endif()

# What only the release build promises.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_test(NAME install.hardened COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/hardened.sh $<TARGET_FILE:embed> $<TARGET_FILE:embed_shared>)
  add_test(NAME install.sbom COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/sbom.sh $<TARGET_FILE:embed> ${PROJECT_VERSION} ${PROJECT_SOURCE_DIR})
  add_test(NAME docs.promises COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/promises.sh ${CMAKE_BINARY_DIR} ${PROJECT_SOURCE_DIR})
  set_tests_properties(install.hardened install.sbom docs.promises PROPERTIES LABELS cases TIMEOUT 60 SKIP_RETURN_CODE 77)
endif()

# What the tests before it left in this build; ./test searches all builds at the end.
add_test(NAME secrets COMMAND ${PROJECT_SOURCE_DIR}/tools/check-secrets ${CMAKE_BINARY_DIR}/Testing)
set_tests_properties(secrets PROPERTIES LABELS cases TIMEOUT 60)
