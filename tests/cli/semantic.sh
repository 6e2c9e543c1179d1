#!/bin/sh
# SPDX-License-Identifier: MIT
# `chunk --strategy semantic`: the sentences go through the service, the limit is hard, each sentence is paid once.
. "$(dirname "$0")/lib.sh"

awk 'BEGIN { for (i = 0; i < 40; i++) print i % 20 < 10 ? "Ships sail on the sea. " : "Wax seals the letter. " }' >two.txt

expect 2 "$EMBED" chunk -s semantic two.txt
says err OPENAI_API_KEY
expect 0 "$EMBED" chunk -s sentences two.txt # no other strategy asks for a key

start_emulator --key "$suite_key"
expect 2 "$EMBED" chunk -s semantic --size 60 --overlap 60 two.txt
says err 'must be below the chunk size'
[ "$(stat texts)" = 0 ] || fail "settings that cannot work are told before anything is sent"

expect 0 "$EMBED" chunk -s semantic --size 80 two.txt
[ "$(wc -l <out)" -gt 3 ] || fail "semantic chunks keep to the size"
sed 's/.*"tokens":\([0-9]*\).*/\1/' out | awk '$1 > 80 { exit 1 }' || fail "a chunk is above the limit: $(cat out)"
sed 's/.*"start":\([0-9]*\),"end":\([0-9]*\).*/\1 \2/' out | awk -v len="$(wc -c <two.txt)" '
	$1 != last + 0 { exit 1 } { last = $2 } END { if (last != len) exit 1 }' || fail "the chunks make up the text: $(cat out)"

sent=$(stat texts)
expect 0 "$EMBED" chunk -s semantic --size 80 --show two.txt
says out '── 0  '
expect 0 "$EMBED" chunk -s semantic --size 80 --stats two.txt
says out '1 text, '
expect 0 "$EMBED" chunk -s semantic --size 80 --offline two.txt
[ "$(stat texts)" = "$sent" ] || fail "sentences that were paid for come from the store"
expect 1 "$EMBED" chunk -s semantic --no-store --offline two.txt
says err 'not in the store'

expect 0 sh -c "sed 's/.*/{\"t\":\"&\"}/' two.txt | $EMBED chunk -s semantic --jsonl t"
[ "$(wc -l <out)" = 40 ] || fail "each record is a text of its own"
expect 3 env OPENAI_API_KEY=sk-wrong "$EMBED" chunk -s semantic --no-store two.txt two.txt
[ "$(grep -c "^embed:" err)" = 1 ] || fail "a refusal for good is told once: $(cat err)"
