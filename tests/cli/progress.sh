#!/bin/sh
# SPDX-License-Identifier: MIT
# What a person sees while `rows` runs: a bar on a terminal, wide or narrow, with colours or without;
# lines and no control characters anywhere else.
. "$(dirname "$0")/lib.sh"
start_emulator --latency 150ms
rows 3000 >in.jsonl
escape=$(printf '\033')
return=$(printf '\r')

# on_terminal COLUMNS NAME [VARIABLE=VALUE...]: what a terminal gets; redrawn parts are lines of `screen`.
on_terminal() {
	columns=$1 home=$2
	shift 2
	env "$@" script -qec "stty cols $columns; exec \"$EMBED\" rows in.jsonl -o bar.jsonl -e none --home $home --batch-texts 200 --max-in-flight 2" \
		/dev/null </dev/null >raw
	tr '\r' '\n' <raw | sed "s/$escape\[K//g" >screen
	rm -f bar.jsonl
}

# widest: columns of the longest line on the screen, without colours.
widest() {
	sed "s/$escape\[[0-9;]*m//g" screen | awk '{ if (length($0) > most) most = length($0) } END { print most }'
}

on_terminal 120 wide TERM=xterm
grep -q "$return$escape\[K" raw || fail "a bar is redrawn in its place"
says screen '^rows \[##*-*\] *[0-9]*%  [0-9,]* texts  [0-9,]*/s  [0-9.,kM]* tokens  \$[0-9.]*  cache 0%  0:0[0-9] left'
says screen '^rows  3,000 texts  .*  in 0:0[0-9]'
[ "$(widest)" -lt 120 ] || fail "a line is wider than the terminal: $(widest)"
! grep -q "$escape\[[0-9;]*m" raw || fail "NO_COLOR is respected"

on_terminal 120 wide TERM=xterm
says screen 'cache 100%'

on_terminal 120 coloured TERM=xterm NO_COLOR=
grep -q "$escape\[[0-9;]*m" raw || fail "a terminal gets colours"

on_terminal 40 narrow TERM=xterm
says screen '^rows *[0-9]*%  [0-9,]* texts'
! grep '^rows *\[' screen || fail "a narrow terminal has no room for a bar"
grep -v ' in 0:0' screen >redrawn
mv redrawn screen
[ "$(widest)" -lt 40 ] || fail "a line is wider than the narrow terminal: $(widest)"

on_terminal 120 dumb TERM=dumb
! grep -q "$escape" raw || fail "a dumb terminal gets no control characters"

# data on the terminal: nothing is drawn over it
env TERM=xterm script -qec "\"$EMBED\" rows in.jsonl -e none --home wide" /dev/null </dev/null >raw
! grep -q "$escape" raw || fail "records on a terminal get no bar between them"

# no terminal: one line at the end, no control characters
expect 0 "$EMBED" rows in.jsonl -o piped.jsonl -e none --home piped
[ "$(wc -l <err)" = 1 ] || fail "a short run tells one line: $(cat err)"
says err '^rows  3,000 texts  .* tokens  \$.*  cache 0%  in 0:0[0-9]'
! grep -q "$escape\|$return" err || fail "no control characters but on a terminal"
expect 0 "$EMBED" rows in.jsonl -o piped.jsonl -e none --home piped --progress none
[ ! -s err ] || fail "--progress none tells nothing"
