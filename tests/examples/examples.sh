#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs what README and manual pages tell people to type: every ```sh block of the README and every
# .Dl line of a manual page that begins with "$ ", against the stand-in, in a folder of their own.
. "$(dirname "$0")/../cli/lib.sh"
start_emulator
address=${OPENAI_BASE_URL#http://}
address=${address%/v1}
mkdir bin
ln -s "$EMBED" bin/embed
PATH="$work/bin:$PATH"

# what the pages take for granted
mkdir -p docs
printf '# Title\n\nSome words.\n' >docs/page.md
printf '{"id":1,"text":"one"}\n' >in.jsonl
printf 'sku,description\nA1,"wax, red"\n' >products.csv

count=0

# Servers run until they are stopped: a moment will do, on a port of their own.
run_server() {
	if ! grep -q -- --list-faults block; then
		sed -i 's/ --listen [^ ]*//; s/$/ --listen 127.0.0.1:0/' block
	fi
	status=0
	timeout -s INT 1 sh -e ./block >block.out 2>block.err || status=$?
	case $status in
	0 | 124 | 130) ;;
	*) fail "$1: $(cat block): $(cat block.err)" ;;
	esac
}

run_block() {
	count=$((count + 1))
	if grep -qE '^embed (emulate|serve)' block; then
		run_server "$1"
	else
		timeout 20 sh -e ./block >block.out 2>block.err || fail "$1: $(cat block): $(cat block.err)"
	fi
	[ -s block.out ] || [ -s block.err ] || grep -qE -- '-o|>' block || fail "$1: said nothing: $(cat block)"
}

awk '/^```sh$/ { on = 1; n++; next } /^```$/ { on = 0 } on { print > ("readme." n) }' "$SOURCE/README.md"
[ -e readme.1 ] || fail "the README has no examples"
for block in $(ls readme.* | sort -t. -k2n); do
	mv "$block" block
	run_block "README.md"
done

for page in "$SOURCE"/docs/man/*.1; do
	sed -n 's/^\.Dl \$ //p' "$page" >page.examples
	while IFS= read -r line; do
		# the stand-in's usual address, and mdoc's way to write a quote and a backslash
		printf '%s\n' "$line" |
			sed "s/\\\\e/\\\\/g; s/\\\\(dq/\"/g; s|localhost:8089|${address}|g" >block
		run_block "$page" </dev/null
	done <page.examples
done
[ "$count" -gt 3 ] || fail "only $count examples were found"
