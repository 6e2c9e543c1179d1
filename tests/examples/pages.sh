#!/bin/sh
# SPDX-License-Identifier: MIT
# The option sections of the manual pages are what the tables say, the pages are well-formed, and
# each command has one.
. "$(dirname "$0")/../cli/lib.sh"

# an example that is shown otherwise than it was written misleads: roff takes a plain quote for its own
! grep -n '^\.Dl .*"' "$SOURCE"/docs/man/*.1 >quotes || fail "write a quote as \\(dq: $(cat quotes)"
"$SOURCE/tools/manual" --check "$EMBED" || fail "run: tools/manual build/release/embed"
for page in "$SOURCE"/docs/man/*.1; do
	! command -v mandoc >/dev/null || ! mandoc -T lint "$page" 2>&1 | grep -E 'WARNING|ERROR|UNSUPP' >lint ||
		fail "$page: $(cat lint)"
done
"$EMBED" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | while read -r command; do
	[ "$command" = version ] || [ -e "$SOURCE/docs/man/embed-$command.1" ] ||
		fail "there is no page embed-$command(1)"
done
