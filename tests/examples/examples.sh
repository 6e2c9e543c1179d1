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

# A server, on a port of its own: runs until it says where it listens, then is asked to stop.  Not by
# `timeout`: the SIGCONT behind its signal takes from LeakSanitizer, at work at the end, a stop that it waits for.
run_server() {
	grep -q 'unix:' block || sed -i 's/ --listen [^ ]*//; s/$/ --listen 127.0.0.1:0/' block
	sed -i 's/^/exec /' block
	: >block.out
	: >block.err
	sh -e ./block >block.out 2>block.err &
	server=$!
	listens=
	for _ in $(seq 1000); do
		! grep -qE '(http://|unix:)' block.out block.err || { listens=yes && break; }
		kill -0 "$server" 2>/dev/null || break
		sleep 0.02
	done
	kill "$server" 2>/dev/null || :
	status=0
	wait "$server" || status=$?
	[ "$listens$status" = yes0 ] || fail "$1: $(cat block): ended with $status: $(cat block.err)"
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
