#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: hardened.sh PROGRAM LIBRARY   reads off the files that they were built to be hard to abuse
set -eu

fail() {
	echo "$1: $2" >&2
	exit 1
}

# has FILE WHAT PATTERN READELF-OPTIONS...
has() {
	file=$1 what=$2 pattern=$3
	shift 3
	readelf -W "$@" "$file" | grep -Eq "$pattern" || fail "$file" "no $what"
}

program=$1
library=$2
has "$program" "position-independent code" 'Type: +DYN' -h
for file in "$program" "$library"; do
	has "$file" "read-only relocations" 'GNU_RELRO' -l
	has "$file" "binding at start" 'NOW' -d
	has "$file" "stack that is no code" 'GNU_STACK.* RW +0x' -l
	has "$file" "stack canaries" '__stack_chk_fail' -s --dyn-syms
	has "$file" "checked copies (_FORTIFY_SOURCE)" '__(memcpy|snprintf|vsnprintf)_chk' -s --dyn-syms
	readelf -W -l "$file" | grep -q ' RWE ' && fail "$file" "a segment is both written and run"
done
# Every function that may be jumped to is marked as such.  The file as a whole cannot be: Debian's own start files lack
# the mark, and the linker keeps only what all parts have.
if [ "$(uname -m)" = x86_64 ]; then
	marks=$(objdump -d "$program" | grep -c endbr64)
	[ "$marks" -gt 500 ] || fail "$program" "no marks for indirect branches"
fi
