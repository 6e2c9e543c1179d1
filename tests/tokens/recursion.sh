#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: recursion.sh SOURCE GENERATED   nothing that reads a text recurses, so no text can overflow the stack
set -eu
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# found WHAT FILE...   what is planted must be found, or the check below would say nothing
found() {
	what=$1
	shift
	if tools/check-recursion "$work" "$@" >"$work/said" 2>&1; then
		echo "not found: $what" >&2
		cat "$work/said" >&2
		exit 1
	fi
	grep -Eq 'calls itself|call one another' "$work/said" || { cat "$work/said" >&2; exit 1; }
}

echo 'static int f(int n) { return n > 0 ? f(n - 1) : 0; } int g(int n) { return f(n); }' >"$work/self.c"
echo 'int second(int n); int first(int n) { return n > 0 ? second(n - 1) : 0; }' >"$work/first.c"
echo 'int first(int n); int second(int n) { return first(n); }' >"$work/second.c"
echo 'int h(int n); int (*const table[])(int) = {h}; int h(int n) { return n > 0 ? table[0](n - 1) : 0; }' >"$work/pointer.c"
echo '#include <stdlib.h>
static int by(const void *a, const void *b); void sort(char *p) { qsort(p, 9, 1, by); }
static int by(const void *a, const void *b) { sort((char *)a); return a < b; }' >"$work/handed.c"
found "a function that calls itself" "$work/self.c"
found "two that call each other" "$work/first.c" "$work/second.c"
found "one that calls itself through a table" "$work/pointer.c"
found "one that comes back through the C library" "$work/handed.c"
tools/check-recursion "$work" "$work/second.c" >/dev/null

# shellcheck disable=SC2046
tools/check-recursion "$2" $(find src/base src/text src/tokens src/chunk -maxdepth 1 -name '*.c' ! -name '*_test.c')
