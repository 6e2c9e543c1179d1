# SPDX-License-Identifier: MIT
# What the cases share: a folder of their own, a stand-in, and ways to complain.
# Sourced by each case with EMBED (the program) set.
set -eu
work=$(mktemp -d)
# shellcheck disable=SC2046  # names on purpose
unset $(env | sed -n 's/^\(EMBED_[A-Z_]*\)=.*/\1/p') OPENAI_API_KEY OPENAI_BASE_URL OPENAI_ORG_ID OPENAI_PROJECT_ID
export HOME="$work" XDG_CONFIG_HOME="$work/config" XDG_DATA_HOME="$work/data" NO_COLOR=1
emulator=
# In the environment only: found in any file that a case left, it leaked (tools/check-secrets knows its form).
suite_key=sk-suite-5f1d0c3ba79e8264

clean_up() {
	[ -z "$emulator" ] || kill "$emulator" 2>/dev/null || :
	wait 2>/dev/null || :
	leaks=$(grep -rlF "$suite_key" "$work" 2>/dev/null) || :
	[ -z "$leaks" ] || echo "FAILED: the API key is in: $leaks" >&2
	rm -rf "$work"
	[ -z "$leaks" ] || exit 1
}
trap clean_up EXIT
trap 'exit 130' INT TERM
cd "$work"

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

# start_emulator [OPTION...]: sets OPENAI_BASE_URL and a key.
start_emulator() {
	"$EMBED" emulate --listen 127.0.0.1:0 "$@" >emulator.url 2>emulator.log &
	emulator=$!
	for _ in $(seq 500); do
		[ -s emulator.url ] && break
		kill -0 "$emulator" 2>/dev/null || fail "the stand-in did not start: $(cat emulator.log)"
		sleep 0.02
	done
	OPENAI_BASE_URL=$(head -n 1 emulator.url)
	export OPENAI_BASE_URL OPENAI_API_KEY=$suite_key
}

# A counter of the stand-in: stat texts.  The sums come before those of single keys and models.
stat() {
	curl -sS "${OPENAI_BASE_URL%/v1}/emulator/stats" | grep -o "\"$1\":[0-9]*" | head -n 1 | cut -d: -f2
}

# expect STATUS COMMAND...: runs it with output to `out` and `err`.
expect() {
	wanted=$1
	shift
	got=0
	"$@" >out 2>err || got=$?
	[ "$got" = "$wanted" ] || fail "exit status $got instead of $wanted: $* : $(cat err)"
}

says() {
	grep -q -- "$2" "$1" || fail "$1 does not say \"$2\": $(cat "$1")"
}

# rows N: N records of JSONL, each with a text of its own.
rows() {
	awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++)
		printf "{\"id\":\"r%d\",\"text\":\"row %d tells of %d things, of ships and sealing wax\"}\n", i, i, i * 7 }'
}
