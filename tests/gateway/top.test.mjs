// SPDX-License-Identifier: MIT
// embed top before a real terminal: over TLS and a Unix socket, resized, sorted, without colours.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { binary, newHome, run, start, startEmulator, startGateway } from "./harness.mjs";

let upstream, gateway, home, socket, certificate;

before(async () => {
	home = newHome();
	[socket, certificate] = [join(home.path, "embed.sock"), join(home.path, "cert.pem")];
	const key = join(home.path, "key.pem");
	const made = spawnSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
		"-subj", "/CN=embed test", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-keyout", key, "-out", certificate]);
	assert.equal(made.status, 0, String(made.stderr));
	upstream = await startEmulator();
	gateway = await startGateway(upstream.base, home.path, "--tls-cert", certificate, "--tls-key", key, "--listen", `unix:${socket}`);
});

after(async () => {
	await gateway.stop("SIGKILL");
	await upstream.stop("SIGKILL");
	home.remove();
});

// embed top before a terminal of its own, which goes away at the end.
async function withTop(args, env, body) {
	const terminal = start(["-qfec", `stty cols 80 rows 24; exec ${binary} top ${args.join(" ")}`, "/dev/null"],
		{ command: "script", env: { TERM: "xterm-256color", LC_ALL: "C.UTF-8", ...env }, stdin: "pipe" });
	try {
		await terminal.until(/q quit/);
		const [child] = readFileSync(`/proc/${terminal.child.pid}/task/${terminal.child.pid}/children`, "utf8").trim().split(" ");
		await body({
			until: terminal.until,
			ended: terminal.ended,
			text: () => terminal.output,
			type: (text) => terminal.child.stdin.write(text),
			resize: (columns, rows) => spawnSync("stty", ["-F", readlinkSync(`/proc/${child}/fd/0`), "cols", String(columns), "rows", String(rows)]),
		});
	} finally {
		await terminal.stop("SIGKILL");
	}
}

// The foot, drawn on the last line.
const FOOT = (row) => new RegExp(`\\x1b\\[${row}(;1H|d)`);
const COLOUR = /\x1b\[[0-9;]*3[0-7]m/;

test("over TLS, with the certificate to trust", () => {
	const good = run(["top", "--once", "--url", gateway.base, "--ca-file", certificate]);
	assert.equal(good.code, 0, good.err);
	assert.match(good.out, /^embed \d/);
	const bad = run(["top", "--once", "--url", gateway.base]);
	assert.equal(bad.code, 1);
	assert.match(bad.err, /certificate.*--ca-file/);
});

test("over a Unix socket, as a picture and as JSON", () => {
	const picture = run(["top", "--once", "--url", `unix:${socket}`]);
	assert.equal(picture.code, 0, picture.err);
	assert.match(picture.out, /TIMES +p50 +p90 +p99 +p99\.9 +max/);
	const json = run(["top", "--once", "--format", "json", "--url", `unix:${socket}`]);
	assert.ok(JSON.parse(json.out).sequence > 0);
	const nobody = run(["top", "--once", "--url", `unix:${socket}.gone`]);
	assert.equal(nobody.code, 1);
	assert.match(nobody.err, /is "embed serve" running/);
});

test("in a terminal it follows its size, sorts, pauses and quits", { timeout: 20000 }, () => withTop(["--url", `unix:${socket}`], {}, async (top) => {
	assert.match(top.text(), FOOT(24));
	top.resize(60, 12);
	await top.until(FOOT(12));
	top.resize(39, 5); // narrower than it draws
	await top.until(FOOT(5));
	top.resize(200, 50);
	await top.until(FOOT(50));
	top.type("s");
	await top.until(/his month/);
	top.type("p");
	await top.until(/go on/);
	top.type("q");
	assert.equal(await top.ended, 0);
}));

for (const [env, is_coloured] of [[{}, true], [{ NO_COLOR: "" }, true], [{ NO_COLOR: "1" }, false]])
	test(`${JSON.stringify(env)}: ${is_coloured ? "in colour" : "without colours"}`, { timeout: 20000 }, () =>
		withTop(["--url", gateway.base, "--ca-file", certificate], env, async (top) => {
			top.type("q");
			assert.equal(await top.ended, 0);
			assert.equal(COLOUR.test(top.text()), is_coloured);
		}));

test("it says when the gateway is silent, and goes on when it is back", { timeout: 30000 }, () => withTop(["--url", `unix:${socket}`], {}, async (top) => {
	gateway.child.kill("SIGSTOP");
	try {
		await top.until(/imed out[^]*is "embed serve"/);
	} finally {
		gateway.child.kill("SIGCONT");
	}
	top.type("q");
	assert.equal(await top.ended, 0);
}));
