#!/bin/sh
# SPDX-License-Identifier: MIT
# Exit statuses, streams and messages that scripts rely on.
. "$(dirname "$0")/lib.sh"
start_emulator

expect 0 "$EMBED" text hello world
[ "$(wc -l <out)" = 2 ] || fail "two texts make two lines"
says out '^{"id":0,"tokens":1,"embedding":\[-\?0\.'
[ ! -s err ] || fail "a few texts need no report: $(cat err)"

printf 'hello\n' | "$EMBED" text >piped
head -n 1 out | cmp -s - piped || fail "a text by stdin is the same text"

printf 'a\n\nc\n' >lines
expect 1 "$EMBED" rows lines -e none
says out '{"id":2,"tokens":0,"error":{"code":"empty_text"'
says out '{"id":3,"tokens":1}'

expect 2 "$EMBED"
expect 2 "$EMBED" rwos
says err 'did you mean "rows"'
expect 2 "$EMBED" rows --formt npy
says err 'did you mean --format'
expect 2 "$EMBED" rows --api-key sk-1
says err 'OPENAI_API_KEY'
expect 2 "$EMBED" rows no-such-file
says err 'no-such-file'
expect 2 "$EMBED" text x --dimensions 5000
expect 2 env -u OPENAI_API_KEY -u OPENAI_BASE_URL "$EMBED" text x
says err 'set OPENAI_API_KEY'
expect 3 "$EMBED" text x --model no-such-model
says err 'does not exist'
expect 1 "$EMBED" text unseen --offline
says out '"code":"not_stored"'
expect 0 "$EMBED" --version
expect 0 "$EMBED" --help
for command in text rows files emulate usage cache doctor; do
	expect 0 "$EMBED" "$command" --help
	says out "^Usage: embed $command"
done

# a reader that goes away is no failure
rows 3000 >many
"$EMBED" rows many 2>/dev/null | head -n 1 >first
[ "$(wc -l <first)" = 1 ] || fail "head got its line"
expect 1 sh -c '"$EMBED" rows many -e none >/dev/full'
says err 'No space left'

# started with closed streams: no file of ours takes their numbers
expect 1 sh -c '"$EMBED" rows many -e none >&-'
says err 'Bad file descriptor'
expect 0 sh -c '"$EMBED" text "told to nobody" 2>&- <&-'
expect 1 sh -c '"$EMBED" text "into nothing" >&-'
expect 0 "$EMBED" text "into nothing" --offline
expect 0 "$EMBED" doctor

# keys in files have to be private
echo sk-file >key
chmod 644 key
expect 2 env -u OPENAI_API_KEY "$EMBED" text x --api-key-file key
says err 'chmod 600'
chmod 600 key
expect 0 env -u OPENAI_API_KEY "$EMBED" text x --api-key-file key

# the file of settings: found by itself, checked, and weaker than a flag
mkdir -p config/embed
printf '[rows]\nembedding = none\n' >config/embed/embed.conf
expect 1 "$EMBED" rows lines
says out '^{"id":1,"tokens":1}$'
expect 1 "$EMBED" rows lines -e base64
says out '"embedding":"'
printf 'modle = x\n' >config/embed/embed.conf
expect 2 "$EMBED" rows lines
says err 'embed.conf:1: there is no setting "modle"; did you mean "model"'
rm config/embed/embed.conf

# several upstreams
cat >two.conf <<END
[upstream one]
base_url = $OPENAI_BASE_URL
api_key_env = OPENAI_API_KEY
space = trial
[upstream two]
base_url = $OPENAI_BASE_URL
api_key_env = OPENAI_API_KEY
space = trial
END
expect 0 env -u OPENAI_BASE_URL "$EMBED" doctor -c two.conf
[ "$(grep -c 'ok    probe' out)" = 2 ] || fail "each upstream is probed: $(cat out)"
says out '^ok    network        libcurl/[0-9.]* .*nghttp2'
expect 0 env -u OPENAI_BASE_URL "$EMBED" text -c two.conf hello
expect 2 env OPENAI_BASE_URL=http://127.0.0.1:1/v1 "$EMBED" doctor
says out 'BAD   probe'
says out 'do: '
