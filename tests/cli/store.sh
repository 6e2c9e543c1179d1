#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage and cache: what was paid is told to the token, and the store can be looked after.
. "$(dirname "$0")/lib.sh"
start_emulator

rows 500 >in.jsonl
expect 0 "$EMBED" rows in.jsonl -o a.npy
expect 0 "$EMBED" rows in.jsonl -o b.npy
cmp -s a.npy b.npy || fail "the second run gives the same bytes"
[ "$(stat texts)" = 500 ] || fail "each text was paid once"

expect 0 "$EMBED" usage --by none --format json
says out "\"billed_texts\":500,\"billed_tokens\":$(stat tokens),"
says out '"hit_texts":500,'
expect 0 "$EMBED" usage --by day,model,key
says out 'text-embedding-3-small'
expect 0 "$EMBED" usage --since 1d --format csv
says out '^day,attempts,'
expect 0 "$EMBED" usage --until 2020-01-01
says out 'nothing was used'
for group in hour day month model key upstream lane; do
	expect 0 "$EMBED" usage --by $group --format csv
	says out "^$group,attempts,"
	[ "$(awk -F, 'NR > 1 { sum += $4 } END { print sum }' out)" = 500 ] || fail "the rows by $group add up"
done
expect 0 "$EMBED" usage --by hour,model,key,upstream,lane --format csv
says out '^hour,model,key,upstream,lane,attempts,'
expect 0 "$EMBED" usage --since 2h --until 2999-01-01T00:00Z --by none --format json
says out '"billed_texts":500,'
expect 0 "$EMBED" usage --since 2999-01-01
says out 'nothing was used'

cost=$("$EMBED" usage --by none --format json | grep -o '"cost_nano":[0-9]*')
expect 0 "$EMBED" usage --forecast --format json
says out "$cost,\"forecast_nano\":[1-9]"
expect 0 "$EMBED" usage --forecast --format csv
says out '^month,cost_usd,forecast_usd'
expect 0 "$EMBED" usage --forecast
says out "^at month's end   \\$"
expect 0 "$EMBED" usage --forecast --key nobody --format json
says out '"cost_nano":0,"forecast_nano":0}'
expect 2 "$EMBED" usage --forecast --since 1d
expect 2 "$EMBED" usage --by colour
expect 2 "$EMBED" usage --since yesterday

expect 0 "$EMBED" cache stats --format json
says out '"records":500,'
expect 0 "$EMBED" cache verify
says out '^500 good records, 0 bad'
expect 0 "$EMBED" cache export all.export
expect 2 "$EMBED" cache clear
says err '--yes'
expect 0 "$EMBED" cache clear --yes
says out '^500 records removed'
expect 0 "$EMBED" cache import all.export
says out '^500 records added'
expect 0 "$EMBED" rows in.jsonl -o c.npy --offline
cmp -s a.npy c.npy || fail "what was exported and imported is what was stored"
[ "$(stat texts)" = 500 ] || fail "nothing was paid again"
expect 2 "$EMBED" cache prune
expect 0 "$EMBED" cache prune --older-than 1h
says out '^0 records removed'
expect 2 "$EMBED" cache stat
says err 'did you mean "stats"'

# other forms, all from the store
expect 0 "$EMBED" rows in.jsonl -o a.csv --offline
[ "$(wc -l <a.csv)" = 501 ] || fail "csv has names and 500 rows"
expect 0 "$EMBED" rows in.jsonl -o a.jsonl --offline -e base64
says a.jsonl '"id":"r500"'
expect 0 "$EMBED" rows in.jsonl -o small.npy --offline --dimensions 8
[ "$(wc -c <small.npy)" = $((128 + 500 * 32)) ] || fail "shorter vectors come from longer ones"
