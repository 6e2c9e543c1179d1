#!/bin/sh
# SPDX-License-Identifier: MIT
# Mistakes that people make: each is told where it is and what to do about it.
. "$(dirname "$0")/lib.sh"
start_emulator

# a reader that goes away is no failure for any command; a full disk is one
rows 200 >many
for command in "chunk --size 5 many" "tokens --ids many" "clean many" "usage" "cache stats" "doctor --offline" \
	"--help" "rows --help" "emulate --list-faults"; do
	# shellcheck disable=SC2086  # words on purpose
	status=$({ { "$EMBED" $command 2>err; echo $? >&3; } | :; } 3>&1)
	[ "$status" = 0 ] || fail "$command ended with $status when nobody read: $(cat err)"
	# shellcheck disable=SC2086
	expect 1 sh -c '"$EMBED" "$@" >/dev/full' sh $command
	[ "$(grep -c 'No space left' err)" = 1 ] || fail "$command: told once: $(cat err)"
done

# files
expect 2 "$EMBED" rows .
says err '^embed: . is a folder; "embed files" reads folders$'
for command in tokens clean chunk; do
	expect 1 "$EMBED" $command .
	says err '. is a folder; "embed files" reads folders'
done
mkdir empty
expect 0 "$EMBED" files empty
says err 'there is no document to read'
expect 2 "$EMBED" text x --api-key-file .
says err '. is no file that can hold a key'

# records
printf 'id,body\n1,hi\n' >table.csv
expect 2 "$EMBED" rows table.csv
says err 'table.csv has no column "text"; --text takes one of "id", "body"'
printf '{"body":"a"}\n' >body.jsonl
expect 1 "$EMBED" rows body.jsonl
says err 'id 1: body.jsonl, line 1: there is no field "text"; --text names another'
printf '{bad\n' >pipe
expect 1 sh -c '"$EMBED" rows <pipe'
says err 'stdin, line 1: '
printf 'id,text\n1,"two\nlines"\n2,shoes, ships\n3,"open\n4,x\n' >quotes.csv
expect 1 "$EMBED" rows -e none quotes.csv
says out '^{"id":"1","tokens":3}$'
says err 'quotes.csv, line 4: 3 fields, but the first line names 2 columns; a text with a comma needs quotes'
says err 'quotes.csv, line 5: a quote is opened here and never closed'

# options
expect 2 "$EMBED" --home x text y
says err 'the command comes first: embed COMMAND --home'
expect 2 "$EMBED" text x --base-url ftp://x
says err 'the base URL is "ftp://x"; it must look like https://host/v1'
expect 2 "$EMBED" text x --ca-file no-such-file
says err '^embed: --ca-file: cannot open no-such-file: '
expect 2 "$EMBED" usage --since 2026-11-24 --until 2026-11-23
says err '--until 2026-11-23 is not after --since 2026-11-24'
expect 2 "$EMBED" keys list someone
says err 'keys list takes no name'
expect 2 "$EMBED" serve --listen 127.0.0.1:0 --alarm-url nowhere
says err '--alarm-url is "nowhere"; it must begin with http:// or https://'
expect 2 "$EMBED" serve --listen 127.0.0.1:0 --otlp-endpoint nowhere
says err '--otlp-endpoint is "nowhere"'
expect 2 "$EMBED" serve --listen unix:empty
says err 'cannot listen on empty: something else than a socket is there'
: >empty.csv
expect 1 "$EMBED" usage --reconcile empty.csv
says err 'the export is empty'

expect 2 "$EMBED" serve --listen 127.0.0.1:0 --cors-origin https://app.example.org/
says err '^embed: --cors-origin: "https://app.example.org/" is no origin; it looks like '
expect 2 "$EMBED" serve --listen 127.0.0.1:0 --max-body 0
says err '^embed: --max-body must be above 0; leave it out for the default$'
expect 2 "$EMBED" serve --listen 127.0.0.1:0 --keep-alive 0s
says err '^embed: --keep-alive must be above 0'
expect 2 "$EMBED" serve --listen 127.0.0.1:0 --tls-cert no-such-file --tls-key many
says err 'cannot use the TLS certificate no-such-file: No such file or directory$'
expect 2 "$EMBED" serve --listen 127.0.0.1:0 --tls-cert many --tls-key many
says err 'cannot use the TLS certificate many: nothing in PEM form'

# two on one port would each get a part of what comes
host=${OPENAI_BASE_URL#http://}
expect 1 "$EMBED" emulate --listen "${host%/v1}"
says err 'Address already in use'

# the doctor's table is not mixed with log lines
expect 2 env OPENAI_BASE_URL=http://127.0.0.1:1/v1 "$EMBED" doctor
[ ! -s err ] || fail "the findings say it all: $(cat err)"
expect 0 env -u OPENAI_API_KEY EMBED_MODLE=x "$EMBED" doctor
says out '^note  environment    EMBED_MODLE is no setting of any command'
says out '^note  key            none; set OPENAI_API_KEY if the upstream wants one$'

# help fits a terminal of 80 columns, and names what has no flag
for command in "" text rows files clean chunk tokens serve keys emulate top usage cache doctor version; do
	# shellcheck disable=SC2086  # none is the overview
	expect 0 "$EMBED" $command --help
	! grep -nE '.{81}| $' out || fail "$command --help is wider than 80 columns, or ends a line with a blank"
done
expect 0 "$EMBED" text --help
says out '^      EMBED_API_KEY  *Key of the account; OPENAI_API_KEY is read too'
