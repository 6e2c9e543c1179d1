#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs into a folder, builds the example against what lies there, shared and static, runs it,
# and looks at what the libraries show: nothing that is not in embed.h.
. "$(dirname "$0")/../cli/lib.sh"

cmake --install "$BUILD" --prefix "$work/prefix" >install.log || fail "$(tail -n 3 install.log)"
lib=$(dirname "$(find "$work/prefix" -name 'libembed.so')")
pc=$(dirname "$(find "$work/prefix" -name embed.pc)")
export PKG_CONFIG_PATH="$pc"
# the prefix is the one of configuring; what was installed elsewhere has to be told
config="pkg-config --define-variable=prefix=$work/prefix"

# every function that the header declares, and only these
sed -n '/^EMBED_API/,/;/p' "$work/prefix/include/embed.h" | tr '\n' ' ' | tr ';' '\n' |
	sed -n 's/.*[ *]\(embed_[a-z_]*\)(.*/\1/p' | sort -u >declared
[ "$(wc -l <declared)" -gt 40 ] || fail "the header declares $(wc -l <declared) functions only"
nm -D --defined-only "$lib/libembed.so" | awk '{ print $3 }' | sort -u >shared
cmp declared shared || fail "shared: $(diff declared shared | head -n 5)"
nm -g --defined-only "$lib/libembed.a" | awk 'NF == 3 { print $3 }' | sort -u >static
cmp declared static || fail "static: $(diff declared static | head -n 5)"

cc=${CC:-cc}
# shellcheck disable=SC2046  # words on purpose
$cc -Wall -Wextra -Werror "$SOURCE/examples/nearest.c" $($config --cflags --libs embed) -lm -o nearest
# shellcheck disable=SC2046
$cc -Wall -Wextra -Werror "$SOURCE/examples/nearest.c" $($config --cflags embed) "$lib/libembed.a" \
	$($config --libs --static embed | sed 's/-lembed//') -lm -o nearest-static
! ldd nearest-static | grep -q libembed || fail "the static program needs no libembed.so"

start_emulator
expect 0 env LD_LIBRARY_PATH="$lib" ./nearest "a small dog" "a puppy dog" "cathedral windows"
says err '^0 of 3 texts from the store'
[ "$(head -n 1 out | sed 's/.*  //')" = "a puppy dog" ] || fail "order is the input's: $(cat out)"
mv out first
expect 0 ./nearest-static "a small dog" "a puppy dog" "cathedral windows"
says err '^3 of 3 texts from the store, 0 nano-dollars'
cmp first out || fail "shared and static agree"

# the header is C++ too, and needs nothing before it
printf '#include <embed.h>\nint main() { return embed_version() == 0; }\n' >x.cc
# shellcheck disable=SC2046
! command -v c++ >/dev/null || c++ -Wall -Wextra -Werror x.cc $($config --cflags --libs embed) -o x
[ -x "$work/prefix/bin/embed" ] || fail "the program is installed"
