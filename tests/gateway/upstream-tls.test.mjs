// SPDX-License-Identifier: MIT
// Whom the program sends keys and texts to over TLS, and how old a TLS it speaks: in both directions, and whatever is set.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { after, before, test } from "node:test";
import { model, run, newHome, start, startEmulator, startGateway, upstreamKey } from "./harness.mjs";

let folder;
const file = (name) => join(folder, name);

function openssl(...args) {
	const done = spawnSync("openssl", args, { encoding: "utf8", cwd: folder });
	assert.equal(done.status, 0, done.stderr);
}

// A certificate signed by the test's own authority, or by itself.  `days` 0 and a start in the past: expired.
function makeCertificate(name, subjectAltName, { expired = false, selfSigned = false } = {}) {
	const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", `${name}.key`, "-subj", `/CN=${name}`];
	if (selfSigned) return openssl("req", "-x509", ...key, "-addext", `subjectAltName=${subjectAltName}`, "-days", "2", "-out", `${name}.pem`);
	openssl("req", ...key, "-addext", `subjectAltName=${subjectAltName}`, "-out", `${name}.csr`);
	openssl("x509", "-req", "-in", `${name}.csr`, "-CA", "ca.pem", "-CAkey", "ca.key", "-copy_extensions", "copy", "-out", `${name}.pem`,
		"-days", expired ? "-1" : "2");
}

before(() => {
	folder = mkdtempSync(join(tmpdir(), "embed-tls-"));
	openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=test authority", "-days", "2",
		"-keyout", "ca.key", "-out", "ca.pem");
	makeCertificate("good", "IP:127.0.0.1");
	makeCertificate("expired", "IP:127.0.0.1", { expired: true });
	makeCertificate("elsewhere", "DNS:api.example.org");
	makeCertificate("itself", "IP:127.0.0.1", { selfSigned: true });
});

after(() => rmSync(folder, { recursive: true }));

// An upstream with this certificate, and what it was asked.
async function withUpstream(name, options, body) {
	const asked = [];
	const server = https.createServer({ cert: readFileSync(file(`${name}.pem`)), key: readFileSync(file(`${name}.key`)), ...options },
		(request, response) => {
			asked.push(request.headers.authorization);
			request.resume();
			request.on("end", () => response.end(JSON.stringify({ object: "list", model, usage: { prompt_tokens: 1, total_tokens: 1 },
				data: [{ object: "embedding", index: 0, embedding: [0.6, 0.8] }] })));
		});
	server.on("tlsClientError", () => {});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const base = `https://127.0.0.1:${server.address().port}`;
	const home = newHome();
	// Not run(): this process must go on serving.
	const program = start(["text", "--home", home.path, "--base-url", `${base}/v1`, "--dimensions", "2", "--max-attempts", "1",
		"--ca-file", file("ca.pem"), "words"]);
	try {
		await body({ code: await program.ended, output: program.output, asked, port: server.address().port });
	} finally {
		server.close();
		home.remove();
	}
}

test("an upstream whose certificate holds is asked", () => withUpstream("good", {}, ({ code, output, asked }) => {
	assert.equal(code, 0, output);
	assert.deepEqual(asked, [`Bearer ${upstreamKey}`]);
}));

for (const [what, name] of [["that has expired", "expired"], ["of another host", "elsewhere"], ["that signs itself", "itself"]])
	test(`neither key nor text is sent to an upstream with a certificate ${what}`, () => withUpstream(name, {}, ({ code, output, asked }) => {
		assert.equal(code, 1, output);
		assert.match(output, /certificate/i);
		assert.deepEqual(asked, []);
	}));

const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" };

// The version that a server and a client of these options agree on.
const connect = (port, options) => new Promise((resolve, reject) => {
	const socket = tls.connect({ port, host: "127.0.0.1", ca: readFileSync(file("ca.pem")), ...options }, () => {
		resolve(socket.getProtocol());
		socket.destroy();
	});
	socket.on("error", reject);
});

test("neither key nor text is sent over TLS 1.1", () => withUpstream("good", old, async ({ code, asked, port }) => {
	assert.equal(await connect(port, old), "TLSv1.1"); // others would
	assert.equal(code, 1);
	assert.deepEqual(asked, []);
}));

test("TLS 1.2 is enough", () => withUpstream("good", { maxVersion: "TLSv1.2" }, ({ code, asked }) => {
	assert.equal(code, 0);
	assert.equal(asked.length, 1);
}));

test("no option turns the verification off", () => {
	for (const command of ["text", "serve", "doctor", "top"]) {
		const { out } = run([command, "--help"]);
		assert.match(out, /--/);
		assert.doesNotMatch(out, /insecure|no-verify|skip-verify|verify-tls/i);
	}
	for (const flag of ["--insecure", "--no-verify", "--verify=no"]) assert.equal(run(["text", flag, "x"]).code, 2);
});

test("the gateway refuses callers of TLS 1.1 and serves those of 1.2", async () => {
	const home = newHome();
	const upstream = await startEmulator();
	const gateway = await startGateway(upstream.base, home.path, "--tls-cert", file("good.pem"), "--tls-key", file("good.key"));
	const { port } = new URL(gateway.base);
	try {
		await assert.rejects(connect(port, old), /protocol|version|alert/i);
		assert.equal(await connect(port, { maxVersion: "TLSv1.2" }), "TLSv1.2");
		assert.equal(await connect(port, {}), "TLSv1.3");
	} finally {
		await gateway.stop();
		await upstream.stop();
		home.remove();
	}
});

// What is posted to the side: an alarm's webhook that nobody vouches for gets nothing either.
test("no alarm is posted to a webhook with a certificate that signs itself", async () => {
	const asked = [];
	const server = https.createServer({ cert: readFileSync(file("itself.pem")), key: readFileSync(file("itself.key")) }, (request, response) => {
		asked.push(request.url);
		response.end();
	});
	let failed;
	const refused = new Promise((resolve) => { failed = resolve; });
	server.on("tlsClientError", failed);
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const home = newHome();
	const upstream = await startEmulator("--key", "sk-another-key-than-ours");
	const gateway = await startGateway(upstream.base, home.path, "--alarm-url", `https://127.0.0.1:${server.address().port}/`,
		"--alarm-ca-file", file("ca.pem"));
	try {
		for (let i = 0; i < 3; i++)
			await fetch(`${gateway.base}/v1/embeddings`, { method: "POST", body: JSON.stringify({ model, input: `refused ${i}` }) });
		await refused;
		assert.deepEqual(asked, []);
	} finally {
		await gateway.stop("SIGKILL");
		await upstream.stop();
		server.close();
		home.remove();
	}
});
