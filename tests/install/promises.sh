#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: promises.sh BUILD SOURCE   what the documents name exists: tests, tools, packages
set -eu
build=$1
source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

complain() {
	echo "$1" >&2
	failed=1
}

# In a table of promises the words in `code` of these columns are tests of ctest, tools of tools/, or benches.
ctest --test-dir "$build" -N | sed -n 's/^ *Test *#[0-9]*: //p' >"$work/tests"
for page in RELIABILITY SECURITY; do
	grep '^|' "$source/docs/$page.md" | grep -o '`[a-z0-9_./-]*`' | tr -d '`' | sort -u >"$work/named"
	while read -r name; do
		case $name in
		tools/* | tests/* | docs/* | bench/*) [ -e "$source/$name" ] || complain "docs/$page.md: there is no $name" ;;
		*.* | soak | crash | torture | browser | simulation | http2 | secrets)
			grep -qx "$name" "$work/tests" || complain "docs/$page.md: there is no test $name" ;;
		esac
	done <"$work/named"
done

packages=$(awk '/^(build|test)="/ { sub(/^[a-z]*="/, ""); is_list = 1 }
	is_list { print } /"$/ { is_list = 0 }' "$source/tools/install-packages" | tr -d '"')
for package in $packages; do
	grep -q "^|.*\b$package\b" "$source/docs/DEPENDENCIES.md" || complain "docs/DEPENDENCIES.md does not tell of $package"
done
exit $failed
