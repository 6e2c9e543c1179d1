# SPDX-License-Identifier: MIT
# Every outside library, with the Debian 12 package it comes from.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(CURL 7.88 REQUIRED)                       # libcurl4-openssl-dev
find_package(OpenSSL 3.0 REQUIRED)                     # libssl-dev
find_package(ICU 72 REQUIRED COMPONENTS uc i18n)       # libicu-dev
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.14)   # libjansson-dev
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.40)    # libsqlite3-dev
pkg_check_modules(INIH REQUIRED IMPORTED_TARGET inih)               # libinih-dev
pkg_check_modules(NCURSES REQUIRED IMPORTED_TARGET ncursesw)        # libncurses-dev
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp>=2.5) # libseccomp-dev
find_path(LMDB_INCLUDE lmdb.h REQUIRED)                # liblmdb-dev (ships no pkg-config file)
find_library(LMDB_LIBRARY lmdb REQUIRED)
add_library(LMDB INTERFACE IMPORTED)
target_include_directories(LMDB INTERFACE ${LMDB_INCLUDE})
target_link_libraries(LMDB INTERFACE ${LMDB_LIBRARY})
find_path(XXHASH_INCLUDE xxhash.h REQUIRED)            # libxxhash-dev (only its header is used)
if(EMBED_TESTS)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)         # libcmocka-dev
endif()
