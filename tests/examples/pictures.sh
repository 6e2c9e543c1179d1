#!/bin/sh
# SPDX-License-Identifier: MIT
# The pictures of docs are what the program draws: each holds the command that it shows.
#   pictures.sh          fails where one differs
#   pictures.sh renew    draws them anew
set -eu
command -v node >/dev/null || exit 77
command -v script >/dev/null || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$EMBED" "$work/embed"
PATH=$work:$PATH
cd "$SOURCE/tests/data/text"
failed=0
for picture in "$SOURCE"/docs/chunk-*.svg; do
	command=$(sed -n 's/.*>\$ \(embed [^<]*\)<.*/\1/p' "$picture")
	[ -n "$command" ] || { echo "no command in $picture"; exit 1; }
	# shellcheck disable=SC2086  # words on purpose
	"$SOURCE/tools/terminal-picture" $command >"$work/new.svg"
	cmp -s "$work/new.svg" "$picture" && continue
	if [ "${1-}" = renew ]; then
		cp "$work/new.svg" "$picture"
		continue
	fi
	echo "$picture is not what '$command' draws now: EMBED=build/release/embed SOURCE=. sh tests/examples/pictures.sh renew"
	diff "$picture" "$work/new.svg" || failed=1
done
exit $failed
