#!/bin/sh
# SPDX-License-Identifier: MIT
# A terminal that closes ends a command as Ctrl-C does, and the same command goes on; under nohup
# it runs to its end.
. "$(dirname "$0")/lib.sh"
start_emulator --latency 50ms
rows 6000 >in.jsonl
slow="--batch-texts 20 --max-in-flight 1 -e none"

# Until something was asked for: the command is in the middle of its work.
until_working() {
	for _ in $(seq 500); do
		[ "$(stat requests)" -gt "$1" ] && return
		sleep 0.01
	done
	fail "nothing was ever asked for"
}

# Twice, as the shell and the kernel do.
# shellcheck disable=SC2086  # options, each a word
"$EMBED" rows in.jsonl -o out.jsonl $slow 2>err &
victim=$!
until_working 1
kill -HUP "$victim"
kill -HUP "$victim"
status=0
wait "$victim" || status=$?
[ "$status" = 130 ] || fail "a closed terminal gives 130, not $status: $(cat err)"
[ ! -e out.jsonl ] || fail "an interrupted output is not in place"
says err 'the same command again goes on'
[ "$(stat texts)" -lt 6000 ] || fail "it was too late: make it longer"

# A terminal that really closes.
cat >terminal.py <<'END'
import os, pty, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
time.sleep(0.3)
os.close(fd)
for _ in range(200):
    ended, how = os.waitpid(pid, os.WNOHANG)
    if ended:
        sys.exit(os.waitstatus_to_exitcode(how))
    time.sleep(0.05)
sys.exit("it goes on without its terminal")
END
# shellcheck disable=SC2086
expect 130 python3 terminal.py "$EMBED" rows in.jsonl -o out.jsonl $slow
[ "$(stat texts)" -lt 6000 ] || fail "it was too late: make it longer"

before=$(stat requests)
nohup "$EMBED" rows in.jsonl -o out.jsonl --batch-texts 500 --max-in-flight 1 -e none 2>err &
victim=$!
until_working "$before"
kill -HUP "$victim"
status=0
wait "$victim" || status=$?
[ "$status" = 0 ] || fail "under nohup it goes on, and does not end with $status: $(cat err)"
[ "$(wc -l <out.jsonl)" = 6000 ] || fail "the output is not whole"
# What was on its way when it ended may be paid for again: a request each time.
[ "$(stat texts)" -le 6040 ] || fail "$(stat texts) texts were paid for 6000"
