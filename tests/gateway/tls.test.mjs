// SPDX-License-Identifier: MIT
// TLS: callers are served through it, plain HTTP is not, and a new certificate needs no restart.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import https from "node:https";
import net from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { embed, model, newHome, startEmulator, startGateway, vectorOf } from "./harness.mjs";

let upstream, gateway, home, certificate, key;

// A certificate of its own making for 127.0.0.1; what it replaces is overwritten.
function makeCertificate() {
	const made = spawnSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
		"-subj", "/CN=embed test", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-keyout", key, "-out", certificate]);
	assert.equal(made.status, 0, String(made.stderr));
}

const newAgent = () => new https.Agent({
	keepAlive: true, maxSockets: 1, maxCachedSessions: 0, ca: readFileSync(certificate) });

// One text over TLS; `shown` is the certificate that a new connection was shown.
async function ask(agent, input) {
	const request = https.request(`${gateway.base}/v1/embeddings`, { method: "POST", agent });
	request.end(JSON.stringify({ model, input, dimensions: 8 }));
	const [response] = await once(request, "response");
	const shown = response.socket.getPeerX509Certificate()?.fingerprint256;
	const { localPort } = response.socket;
	let text = "";
	for await (const part of response) text += part;
	return { status: response.statusCode, json: JSON.parse(text), shown, localPort };
}

// Until a new connection is shown another certificate than this one.
async function untilShownOther(than) {
	for (;;) {
		const agent = newAgent();
		const answer = await ask(agent, "looking").catch((error) => {
			assert.match(error.code, /CERT|SIGNED|SIGNATURE/i, error.message); // still the old one, which is not trusted any more
			return undefined;
		});
		agent.destroy();
		if (answer && answer.shown !== than) return answer;
	}
}

before(async () => {
	home = newHome();
	certificate = join(home.path, "certificate.pem");
	key = join(home.path, "key.pem");
	makeCertificate();
	upstream = await startEmulator();
	gateway = await startGateway(upstream.base, home.path, "--tls-cert", certificate, "--tls-key", key);
});

after(async () => {
	await gateway.stop();
	await upstream.stop();
	home.remove();
});

test("a caller who trusts the certificate gets vectors", async () => {
	assert.match(gateway.base, /^https:/);
	const agent = newAgent();
	const answer = await ask(agent, "over TLS");
	agent.destroy();
	assert.equal(answer.status, 200);
	assert.equal(vectorOf(answer.json.data[0]).length, 8);
});

test("curl gets vectors, and refuses without the certificate", () => {
	const curl = (...args) => spawnSync("curl", ["-sS", ...args, `${gateway.base}/v1/embeddings`,
		"-d", JSON.stringify({ model, input: ["one", "two"], dimensions: 8 })], { encoding: "utf8" });
	const answer = curl("--cacert", certificate);
	assert.equal(answer.status, 0, answer.stderr);
	assert.deepEqual(JSON.parse(answer.stdout).data.map((item) => item.index), [0, 1]);
	assert.notEqual(curl().status, 0);
});

test("plain HTTP gets no answer but the end, and others are served on", async () => {
	await assert.rejects(embed(gateway.base.replace("https:", "http:"), { input: "in the open" }));
	const { port } = new URL(gateway.base);
	const socket = net.connect(port, "127.0.0.1");
	socket.end("GET /health HTTP/1.1\r\nhost: embed\r\n\r\n");
	let bytes = Buffer.alloc(0);
	socket.on("data", (data) => { bytes = Buffer.concat([bytes, data]); });
	socket.on("error", () => {}); // a reset is an end, too
	await new Promise((resolve) => socket.on("close", resolve));
	assert.doesNotMatch(bytes.toString("latin1"), /200 OK|embed/);
	const agent = newAgent();
	assert.equal((await ask(agent, "still there")).status, 200);
	agent.destroy();
});

test("SIGHUP shows a new certificate to new connections while old ones live on", async () => {
	const old = newAgent();
	const first = await ask(old, "before");
	makeCertificate();
	gateway.child.kill("SIGHUP");
	const fresh = await untilShownOther(first.shown);
	assert.equal(fresh.status, 200);
	const second = await ask(old, "after");
	old.destroy();
	assert.equal(second.status, 200);
	assert.equal(second.localPort, first.localPort);
});

test("a certificate that cannot be read leaves the one before", async () => {
	const agent = newAgent();
	const { shown } = await ask(agent, "good");
	agent.destroy();
	const good = readFileSync(certificate);
	writeFileSync(certificate, "no certificate\n");
	gateway.child.kill("SIGHUP");
	await gateway.until(/event=certificate_not_read/);
	writeFileSync(certificate, good);
	const later = newAgent();
	assert.equal((await ask(later, "still good")).shown, shown);
	later.destroy();
});
