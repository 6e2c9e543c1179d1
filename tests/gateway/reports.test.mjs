// SPDX-License-Identifier: MIT
// What the gateway tells others: spans to an OpenTelemetry collector, alarms to a webhook; and that
// neither holds up anything when the other side hangs; what is lost is counted and logged.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import { embed, newHome, startEmulator, startGateway, sleep } from "./harness.mjs";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736", PARENT = "00f067aa0ba902b7";

// Answers each request as `answer` says (a status; undefined: never), and keeps what came.
async function startReceiver(answer, tls) {
	const got = [];
	const server = (tls ? createTlsServer : createServer)(tls ?? {}, (request, response) => {
		let body = "";
		request.on("data", (data) => body += data);
		request.on("end", () => {
			got.push({ url: request.url, headers: request.headers, body });
			const status = answer(got.length);
			if (status) response.writeHead(status, { "content-type": "application/json" }).end("{}");
		});
	});
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	return { got, url: `${tls ? "https" : "http"}://127.0.0.1:${server.address().port}`, stop: () => { server.closeAllConnections(); server.close(); } };
}

async function withReceiver(answer, upstreamArgs, gatewayArgs, body, { secure } = {}) {
	const home = newHome();
	const receiver = await startReceiver(answer, secure ? makeCertificate(home.path) : undefined);
	const upstream = await startEmulator(...upstreamArgs);
	const gateway = await startGateway(upstream.base, home.path, ...gatewayArgs({ url: receiver.url, home: home.path }));
	try {
		await body({ receiver, upstream, gateway });
	} finally {
		await gateway.stop("SIGKILL");
		await upstream.stop("SIGKILL");
		receiver.stop();
		home.remove();
	}
}

async function until(condition) {
	for (let i = 0; i < 300; i++) {
		if (await condition()) return;
		await sleep(50);
	}
	assert.fail("it never came");
}

// A certificate of its own making for 127.0.0.1, in `folder`/receiver.pem.
function makeCertificate(folder) {
	const [key, cert] = [join(folder, "receiver.key"), join(folder, "receiver.pem")];
	const made = spawnSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
		"-subj", "/CN=receiver", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-keyout", key, "-out", cert]);
	assert.equal(made.status, 0, String(made.stderr));
	return { key: readFileSync(key), cert: readFileSync(cert) };
}

// How many letters came to what, as /metrics tells it.
async function letters(gateway, to, outcome) {
	const text = await (await fetch(`${gateway.base}/metrics`)).text();
	return Number(text.match(new RegExp(`^embed_letters_total\\{to="${to}",outcome="${outcome}"\\} (\\d+)$`, "m"))[1]);
}

const spansOf = (receiver) => receiver.got.flatMap(({ body }) =>
	JSON.parse(body).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)));
const attributes = (span) => Object.fromEntries(span.attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]));

test("a request and its attempt are spans of the caller's trace", async () => {
	await withReceiver(() => 200, [], ({ url }) => ["--otlp-endpoint", url], async ({ receiver, upstream, gateway }) => {
		assert.equal((await embed(gateway.base, { input: ["one text", "another"] }, { headers: { traceparent: `00-${TRACE}-${PARENT}-01` } })).status, 200);
		await until(() => spansOf(receiver).length === 2);
		assert.ok(receiver.got.every(({ url, headers }) => url === "/v1/traces" && headers["content-type"] === "application/json"));
		const [server, client] = [2, 3].map((kind) => spansOf(receiver).find((span) => span.kind === kind));
		assert.ok([server, client].every(({ traceId }) => traceId === TRACE));
		assert.equal(server.parentSpanId, PARENT);
		assert.equal(client.parentSpanId, server.spanId);
		assert.equal(client.name, "embeddings text-embedding-3-small");
		const { tokens } = await upstream.stats();
		const seen = attributes(client);
		assert.equal(seen["gen_ai.operation.name"], "embeddings");
		assert.equal(seen["gen_ai.request.model"], "text-embedding-3-small");
		assert.equal(seen["gen_ai.usage.input_tokens"], tokens);
		assert.equal(seen["server.address"], "127.0.0.1");
		assert.equal(seen["server.port"], Number(new URL(upstream.base).port));
		assert.equal(seen["http.response.status_code"], 200);
		assert.equal(seen["error.type"], undefined);
		for (const { startTimeUnixNano, endTimeUnixNano } of [server, client]) {
			assert.ok(BigInt(startTimeUnixNano) <= BigInt(endTimeUnixNano));
			assert.ok(Math.abs(Number(BigInt(endTimeUnixNano) / 1000000n) - Date.now()) < 60000);
		}
	});
});

test("upstream is told the attempt's span; without a collector the traceparent goes on as it came", async () => {
	const told = [];
	const upstream = createServer((request, response) => {
		told.push(request.headers.traceparent);
		request.resume().on("end", () => response.writeHead(200, { "content-type": "application/json" }).end(
			JSON.stringify({ object: "list", data: [{ object: "embedding", index: 0, embedding: [1, ...Array(1535).fill(0)] }], model: "m", usage: { prompt_tokens: 2, total_tokens: 2 } })));
	});
	await new Promise((resolve) => upstream.listen(0, "127.0.0.1", resolve));
	const collector = await startReceiver(() => 200);
	const parent = `00-${TRACE}-${PARENT}-01`;
	for (const args of [[], ["--otlp-endpoint", collector.url]]) {
		const home = newHome();
		const gateway = await startGateway(`http://127.0.0.1:${upstream.address().port}`, home.path, ...args);
		await embed(gateway.base, { input: "a" }, { headers: { traceparent: parent } });
		await gateway.stop();
		home.remove();
	}
	assert.equal(told[0], parent);
	const client = spansOf(collector).find(({ kind }) => kind === 3);
	assert.equal(told[1], `00-${TRACE}-${client.spanId}-01`);
	collector.stop();
	upstream.closeAllConnections();
	upstream.close();
});

test("a trace that is not sampled is left alone, and a fault has its error.type", async () => {
	await withReceiver(() => 200, ["--fault", "html_502@next=1"], ({ url }) => ["--otlp-endpoint", url], async ({ receiver, gateway }) => {
		await embed(gateway.base, { input: "a" }, { headers: { traceparent: `00-${TRACE}-${PARENT}-00` } });
		await embed(gateway.base, { input: "b" }, { headers: { traceparent: "nonsense" } });
		await until(() => spansOf(receiver).length >= 2);
		const spans = spansOf(receiver);
		assert.ok(spans.every(({ traceId }) => traceId !== TRACE && /^[0-9a-f]{32}$/.test(traceId)));
		assert.ok(spans.every((span) => span.kind !== 2 || span.parentSpanId === undefined));
	});
	await withReceiver(() => 200, ["--fault", "html_502@next=1"], ({ url }) => ["--otlp-endpoint", url], async ({ receiver, gateway }) => {
		assert.equal((await embed(gateway.base, { input: "a" })).status, 200);
		await until(() => spansOf(receiver).length === 3);
		const [first, second] = spansOf(receiver).filter(({ kind }) => kind === 3).sort((a, b) => a.startTimeUnixNano < b.startTimeUnixNano ? -1 : 1);
		assert.equal(attributes(first)["error.type"], "upstream_failed");
		assert.equal(first.status.code, 2);
		assert.equal(attributes(second)["http.request.resend_count"], 1);
		assert.equal(attributes(second)["error.type"], undefined);
	});
});

test("a collector that hangs delays no request, and the end by a few seconds at most", async () => {
	await withReceiver(() => undefined, [], ({ url }) => ["--otlp-endpoint", url], async ({ receiver, gateway }) => {
		const began = Date.now();
		for (let i = 0; i < 300; i++) assert.equal((await embed(gateway.base, { input: `text ${i % 3}` })).status, 200);
		assert.ok(Date.now() - began < 20000);
		await until(() => receiver.got.length > 0);
		const stopping = Date.now();
		assert.equal(await gateway.stop(), 0);
		assert.ok(Date.now() - stopping < 15000, `${Date.now() - stopping} ms`);
	});
});

test("what has gathered is flushed when the gateway stops", async () => {
	await withReceiver(() => 200, [], ({ url }) => ["--otlp-endpoint", `${url}/`], async ({ receiver, gateway }) => {
		for (let i = 0; i < 5; i++) await embed(gateway.base, { input: `text ${i}` });
		await gateway.stop();
		assert.equal(spansOf(receiver).length, 10);
	});
});

test("an alarm is posted, signed, and tried again until it is taken", async () => {
	await withReceiver((n) => n < 3 ? 503 : 200, ["--fault", "no_quota"], ({ url, home }) => {
		writeFileSync(join(home, "embed.conf"), "[serve]\nalarm_secret = shared secret\n", { mode: 0o600 });
		return ["--alarm-url", `${url}/hook`, "--config", join(home, "embed.conf")];
	}, async ({ receiver, gateway }) => {
		await embed(gateway.base, { input: "a" });
		await until(() => receiver.got.length >= 3);
		const letters = receiver.got;
		assert.ok(letters.every(({ body }) => body === letters[0].body), "the same letter");
		const alarm = JSON.parse(letters[0].body);
		assert.equal(alarm.alarm, "account_barred");
		assert.equal(alarm.raised, true);
		assert.match(alarm.do, /key and credit/);
		const [, time, mac] = letters[0].headers["x-embed-signature"].match(/^t=(\d+),v1=([0-9a-f]{64})$/);
		assert.equal(mac, createHmac("sha256", "shared secret").update(`${time}.${letters[0].body}`).digest("hex"));
		assert.ok(Math.abs(Number(time) - Date.now() / 1000) < 60);
	});
});

test("what was sent, and what the receiver refused, is counted and logged with what to do", async () => {
	await withReceiver(() => 403, ["--fault", "no_quota"], ({ url }) => ["--otlp-endpoint", url, "--alarm-url", url], async ({ receiver, gateway }) => {
		await embed(gateway.base, { input: "a" });
		await until(async () => await letters(gateway, "collector", "failed") > 0 && await letters(gateway, "webhook", "failed") > 0);
		assert.equal(await letters(gateway, "collector", "sent") + await letters(gateway, "webhook", "sent"), 0);
		assert.match(await (await fetch(`${gateway.base}/metrics`)).text(), /^embed_spans_total 2\n[^]*^embed_spans_dropped_total 0$/m);
		assert.equal(receiver.got.filter(({ url }) => url === "/v1/traces").length, await letters(gateway, "collector", "failed"), "a refusal is not tried again");
		for (const [to, advice] of [["collector", "--otlp-endpoint"], ["webhook", "--alarm-url"]])
			await until(() => new RegExp(`event=letters_not_delivered to=${to} .*why="the receiver answered with status 403" do="look at ${advice}`).test(gateway.log()));
	});
});

test("over https the receiver's certificate is verified", async () => {
	const args = ({ url }) => ["--otlp-endpoint", url, "--alarm-url", `${url}/hook`];
	await withReceiver(() => 200, ["--fault", "no_quota"], (it) => [...args(it), "--alarm-ca-file", join(it.home, "receiver.pem")], async ({ receiver, gateway }) => {
		await embed(gateway.base, { input: "a" });
		await until(async () => await letters(gateway, "collector", "sent") > 0 && await letters(gateway, "webhook", "sent") > 0);
		assert.deepEqual([...new Set(receiver.got.map(({ url }) => url))].sort(), ["/hook", "/v1/traces"]);
	}, { secure: true });
	await withReceiver(() => 200, ["--fault", "no_quota"], args, async ({ receiver, gateway }) => {
		await embed(gateway.base, { input: "a" });
		await until(async () => await letters(gateway, "collector", "failed") > 0 && await letters(gateway, "webhook", "failed") > 0);
		assert.equal(receiver.got.length, 0, "nothing is told to whom nobody vouches for");
		assert.match(gateway.log(), /event=letters_not_delivered to=webhook .*why="[^"]*certificate/);
	}, { secure: true });
});
