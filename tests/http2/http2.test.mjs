// SPDX-License-Identifier: MIT
// Upstreams that speak HTTP/2, over TLS by ALPN and without TLS: a Node server of each kind before the stand-in.
// Also when it says GOAWAY, politely and in the middle of answers.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { binary, newHome, startEmulator } from "../gateway/harness.mjs";

const texts = 3000;
let upstream, home, certificate, key;

before(async () => {
	home = newHome();
	certificate = join(home.path, "certificate.pem");
	key = join(home.path, "key.pem");
	const made = spawnSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
		"-subj", "/CN=embed test", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-keyout", key, "-out", certificate]);
	assert.equal(made.status, 0, String(made.stderr));
	writeFileSync(join(home.path, "texts.txt"), Array.from({ length: texts }, (_, i) => `text number ${i} of many\n`).join(""));
	upstream = await startEmulator();
});
beforeEach(() => upstream.reset());
after(async () => {
	await upstream.stop();
	home.remove();
});

// Hands a request on to the stand-in and its answer back.
function forward(request, response) {
	const { host, hostname, port } = new URL(upstream.base);
	const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !name.startsWith(":")));
	const onward = http.request({ hostname, port, path: request.url, method: request.method, headers: { ...headers, host } }, (answer) => {
		const { "transfer-encoding": _, connection: __, "keep-alive": ___, ...rest } = answer.headers;
		response.writeHead(answer.statusCode, rest);
		answer.pipe(response);
	});
	onward.on("error", () => response.stream.destroy());
	request.pipe(onward);
}

// `onStream(session, count)` is called when a session gets its count-th request.
async function startServer(isSecure, onStream = () => {}) {
	const server = isSecure
		? http2.createSecureServer({ cert: readFileSync(certificate), key: readFileSync(key), allowHTTP1: false })
		: http2.createServer();
	const seen = { sessions: 0, requests: 0, versions: new Set() };
	const open = new Set();
	const counts = new WeakMap();
	server.on("session", (session) => {
		seen.sessions++;
		open.add(session);
		session.on("close", () => open.delete(session));
		session.on("error", () => {});
	});
	server.on("sessionError", () => {});
	server.on("request", (request, response) => {
		const session = request.stream.session;
		const count = (counts.get(session) ?? 0) + 1;
		counts.set(session, count);
		seen.requests++;
		seen.versions.add(request.httpVersion);
		request.on("error", () => {});
		response.on("error", () => {});
		forward(request, response);
		onStream(session, count, response);
	});
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	const scheme = isSecure ? "https" : "http";
	return {
		url: `${scheme}://127.0.0.1:${server.address().port}/v1`,
		seen,
		stop: () => new Promise((resolve) => { server.close(resolve); open.forEach((session) => session.destroy()); }),
	};
}

// All texts in requests of 100, a fresh store; resolves when every one has its vector.
async function embedAll(name, url, ...options) {
	const output = join(home.path, `${name}.npy`);
	const child = spawn(binary, ["rows", join(home.path, "texts.txt"), "-o", output, "--dimensions", "64", "--batch-texts", "100",
		"--home", join(home.path, name), "--base-url", url, "--ca-file", certificate, ...options],
	{ env: { PATH: process.env.PATH, HOME: home.path, OPENAI_API_KEY: "sk-test" }, stdio: ["ignore", "ignore", "pipe"] });
	let told = "";
	child.stderr.on("data", (data) => { told += data; });
	const code = await new Promise((resolve) => child.on("close", resolve));
	assert.equal(code, 0, told);
	assert.equal(readFileSync(output).length, 128 + texts * 64 * 4);
}

test("over TLS all requests share few connections and speak HTTP/2", async () => {
	const server = await startServer(true);
	await embedAll("tls", server.url);
	assert.deepEqual([...server.seen.versions], ["2.0"]);
	assert.ok(server.seen.requests >= texts / 100, `${server.seen.requests} requests`);
	assert.ok(server.seen.sessions < server.seen.requests / 2, `${server.seen.sessions} connections for ${server.seen.requests} requests`);
	assert.equal((await upstream.stats()).texts, texts);
	await server.stop();
});

test("without TLS, with prior knowledge, every request is answered over HTTP/2", async () => {
	const server = await startServer(false);
	await embedAll("h2c", server.url, "--http2-prior-knowledge");
	assert.deepEqual([...server.seen.versions], ["2.0"]);
	assert.equal((await upstream.stats()).texts, texts);
	await server.stop();
});

for (const [name, isSecure, options] of [["tls", true, []], ["h2c", false, ["--http2-prior-knowledge"]]]) {
	test(`a polite GOAWAY after a request costs nothing (${name})`, async () => {
		const server = await startServer(isSecure, (session, count) => { if (count === 3 || !isSecure) session.close(); });
		await embedAll(`polite-${name}`, server.url, ...options);
		assert.ok(server.seen.sessions > 1);
		assert.equal((await upstream.stats()).texts, texts, "nothing is paid twice");
		await server.stop();
	});

	test(`a connection that is cut in the middle of answers is replaced (${name})`, async () => {
		let cuts = 0;
		const server = await startServer(isSecure, (session, count, response) => {
			if (cuts < 3 && (count === 4 || !isSecure)) {
				cuts++;
				setImmediate(() => { session.goaway(2); session.destroy(); });
			}
		});
		await embedAll(`cut-${name}`, server.url, ...options);
		assert.equal(cuts, 3);
		assert.ok((await upstream.stats()).texts >= texts);
		await server.stop();
	});
}
