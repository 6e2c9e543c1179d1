#!/bin/sh
# SPDX-License-Identifier: MIT
# `rows` killed again and again ends with the bytes of an undisturbed run, and pays for nothing
# twice but for what was in the air; Ctrl-C stops politely.
. "$(dirname "$0")/lib.sh"
kills=${KILLS:-12}
start_emulator --latency 30ms

rows 6000 >in.jsonl
expect 0 "$EMBED" rows in.jsonl -o whole.jsonl -e base64 --home other --batch-texts 100
curl -sS -X POST "${OPENAI_BASE_URL%/v1}/emulator/reset" >/dev/null

done_early=0
for i in $(seq "$kills"); do
	"$EMBED" rows in.jsonl -o cut.jsonl -e base64 --batch-texts 50 --max-in-flight 2 2>/dev/null &
	victim=$!
	sleep "0.$((i % 3))$((i % 9 + 1))"
	kill -9 "$victim" 2>/dev/null || done_early=$((done_early + 1))
	wait "$victim" 2>/dev/null || :
	if [ -e cut.jsonl ]; then
		cmp -s whole.jsonl cut.jsonl || fail "an output that is there is complete"
		rm cut.jsonl
	fi
done
[ "$done_early" -lt "$kills" ] || fail "no run was ever interrupted: make it longer"

# politely: what is in flight is kept, the status says so
"$EMBED" rows in.jsonl -o cut.jsonl -e base64 --batch-texts 20 --max-in-flight 1 2>err &
victim=$!
sleep 0.15
kill -INT "$victim" 2>/dev/null || :
status=0
wait "$victim" || status=$?
case $status in
130) [ ! -e cut.jsonl ] || fail "an interrupted output is not in place"
	says err 'the same command again goes on' ;;
0) ;; # it was faster
*) fail "SIGINT gives 130, not $status: $(cat err)" ;;
esac

expect 0 "$EMBED" rows in.jsonl -o cut.jsonl -e base64 --batch-texts 100
cmp whole.jsonl cut.jsonl || fail "the output does not depend on the interruptions"
[ ! -e cut.jsonl.partial ] || fail "nothing is left over"
expect 0 "$EMBED" cache verify
says out '^6000 good records, 0 bad'

# at each kill two requests of 50 may be in the air, and as many answered that a slow disk has not taken yet
paid=$(stat texts)
[ "$paid" -le $((6000 + (kills + 1) * 200)) ] || fail "$paid texts were paid for 6000"
# and what the ledger says was billed was billed; attempts in the air may be missing
expect 0 "$EMBED" usage --by none --format json
ledger=$(sed -n 's/.*"billed_texts":\([0-9]*\).*/\1/p' out)
[ "$ledger" -le "$paid" ] || fail "the ledger has $ledger texts, the bill $paid"
[ "$ledger" -ge 6000 ] || fail "the ledger has only $ledger of 6000 texts"

# without a store there is nothing to go on from, and it says so
"$EMBED" rows in.jsonl -o unkept.jsonl -e base64 --no-store --batch-texts 20 --max-in-flight 1 2>err &
victim=$!
sleep 0.15
kill -INT "$victim" 2>/dev/null || :
status=0
wait "$victim" || status=$?
[ "$status" != 130 ] || says err 'the same command again begins anew'
expect 0 "$EMBED" rows in.jsonl -o unkept.jsonl -e base64 --no-store --batch-texts 100
cmp whole.jsonl unkept.jsonl || fail "the output does not depend on the interruption"
