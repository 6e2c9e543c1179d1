#!/bin/sh
# SPDX-License-Identifier: MIT
# Faults upstream: what may be retried is, what will never pass ends the run at once, a dead
# upstream is not waited for row by row, and afterwards the same command goes on.
. "$(dirname "$0")/lib.sh"
start_emulator --fault reset@10% --fault rate_requests@5%

faults() {
	curl -sS -X POST "${OPENAI_BASE_URL%/v1}/emulator/faults" -d "$1" >/dev/null
}

rows 2000 >in.jsonl
expect 0 "$EMBED" rows in.jsonl -o out.npy --batch-texts 100
[ "$(wc -c <out.npy)" = $((128 + 2000 * 6144)) ] || fail "resets and rate limits cost nothing but time"

# no money: at once, with what to do, and no output
rm -rf data out.npy
faults '["no_quota@next=1000"]'
expect 3 "$EMBED" rows in.jsonl -o out.npy --batch-texts 100
says err 'quota'
[ ! -e out.npy ] || fail "an output that is there is complete"
curl -sS -X DELETE "${OPENAI_BASE_URL%/v1}/emulator/faults" >/dev/null
expect 0 "$EMBED" rows in.jsonl -o out.npy --batch-texts 100

# nobody there
expect 1 env OPENAI_BASE_URL=http://127.0.0.1:1/v1 \
	"$EMBED" rows in.jsonl -o dead.npy --batch-texts 2 --max-attempts 1 --max-in-flight 1
says err 'Nothing gets through'
[ "$(grep -c 'Failed to connect' err)" -lt 30 ] || fail "the same sentence is not told again and again"
[ ! -e dead.npy ] || fail "an output that is there is complete"

# a few texts that upstream refuses fail alone
awk 'BEGIN { for (i = 0; i < 30000; i++) printf "wax "; print "" }' >huge
printf 'one\n' >lines
cat huge >>lines
printf 'three\n' >>lines
expect 1 "$EMBED" rows lines -e none
says out '^{"id":1,"tokens":1}$'
says out '"code":"text_too_long"'
says out '^{"id":3,"tokens":1}$'
expect 0 "$EMBED" rows lines -e none --too-long truncate
expect 0 "$EMBED" rows lines -e none --too-long average
