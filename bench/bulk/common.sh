# SPDX-License-Identifier: MIT
# Parts of bench/bulk/run and bench/lengths/run.  The caller sets `work` and `results`.
embed=build/release/embed
bench=build/release/bench
emulator_pid= h2c_pid=
export OPENAI_API_KEY=sk-bench

prepare_build() {
	tools/install-packages build
	[ -f build/release/build.ninja ] || cmake --preset release >/dev/null
	cmake --build --preset release --target embed bench_floor bench_measure >/dev/null
}

# The npm clients, and nghttpx: one of them speaks HTTP/2 without TLS only.
prepare_peers() {
	command -v npm >/dev/null || tools/install-packages test
	[ -d bench/bulk/node_modules/openai ] || (cd bench/bulk && npm install --no-package-lock --no-audit --no-fund >&2)
	command -v nghttpx >/dev/null && return
	as_root=
	[ "$(id -u)" = 0 ] || as_root=sudo
	$as_root apt-get install -y -q --no-install-recommends nghttp2-proxy >&2
}

start_emulator() {
	$embed emulate --listen 127.0.0.1:0 "$@" >"$work/url" 2>/dev/null &
	emulator_pid=$!
	for _ in $(seq 50); do
		[ -s "$work/url" ] && break
		sleep 0.1
	done
	base_url=$(cat "$work/url")
	address=${base_url#http://}
	address=${address%/v1}
}

start_h2c() {
	port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
	nghttpx -f"127.0.0.1,$port;no-tls" -b"${address%:*},${address#*:}" --workers=1 -L ERROR >/dev/null 2>&1 &
	h2c_pid=$!
	h2c_url=http://127.0.0.1:$port/v1
	sleep 0.5
}

stop_all() {
	for pid in $emulator_pid $h2c_pid; do kill "$pid" 2>/dev/null || true; done
}

reset_emulator() {
	curl -sS -X POST "http://$address/emulator/reset" >/dev/null
}

# Appends {"name":NAME, the rest of the line on stdin}.
keep() {
	sed "s/^{/{\"name\":\"$1\",/" >>"$results"
}

measure_floor() {
	$bench/bench_floor "$address" "$3" "$1" "$2" | keep floor
}

# NAME ARGUMENTS...: embed with the stand-in as upstream.
measure_embed() {
	measured=$1
	shift
	command=$1
	shift
	$bench/bench_measure $embed "$command" --base-url "$base_url" "$@" 3>"$work/measured" 2>"$work/stderr" >/dev/null || {
		cat "$work/stderr" >&2
		exit 1
	}
	keep "$measured" <"$work/measured"
}

# PEER BASE_URL [FILE [NAME]]
measure_peer() {
	node bench/bulk/peer.mjs "$1" "$2" "${3:-$work/texts.txt}" | keep "${4:-$1}"
}

# What the stand-in billed is what the ledger says, and nothing was billed twice.
check_books() {
	curl -sS "http://$address/emulator/stats" >"$work/stats"
	$embed usage --home "$1" --format json >"$work/usage"
	node bench/bulk/reconcile.mjs "$work/stats" "$work/usage" "$2" >&2
}
