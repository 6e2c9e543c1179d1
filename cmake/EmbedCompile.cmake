# SPDX-License-Identifier: MIT
# How every C file of the project is compiled.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g -fno-omit-frame-pointer")

add_library(embed_compile INTERFACE)
target_compile_definitions(embed_compile INTERFACE _GNU_SOURCE EMBED_VERSION_TEXT="${PROJECT_VERSION}")
target_include_directories(embed_compile INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
target_compile_options(embed_compile INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
  -Wwrite-strings -Wformat=2 -Wundef -fstack-protector-strong -fno-common
  # Debian's headers must not fail the build, a caller's designated initialisers neither.
  -Wno-missing-field-initializers)
# The same bytes wherever it is built (tools/reproducible).
target_compile_options(embed_compile INTERFACE -ffile-prefix-map=${PROJECT_SOURCE_DIR}=. -ffile-prefix-map=${CMAKE_BINARY_DIR}=build)

# Hardening of what people run (tests/install/hardened.sh reads it off the program).
target_compile_options(embed_compile INTERFACE
  $<$<CONFIG:Release>:-fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  target_compile_options(embed_compile INTERFACE $<$<CONFIG:Release>:-fcf-protection=full>)
endif()
target_link_options(embed_compile INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed)
if(EMBED_SANITIZE)
  target_compile_options(embed_compile INTERFACE -fsanitize=${EMBED_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(embed_compile INTERFACE -fsanitize=${EMBED_SANITIZE})
endif()
if(EMBED_FUZZ)
  target_compile_options(embed_compile INTERFACE -fsanitize=fuzzer-no-link)
endif()
