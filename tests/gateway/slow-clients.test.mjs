// SPDX-License-Identifier: MIT
// 500 clients that are slow on purpose, of each kind: all are cut at the deadline, and none holds more than its buffer.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import net from "node:net";
import { test } from "node:test";
import { embed, embedUntilHit, sleep, withGateway } from "./harness.mjs";

const CLIENTS = 500;
const DEADLINE_MS = 2500;
// A deadline and the two seconds of reading on after a refusal; the rest is for a busy machine.
const CUT_BY_MS = DEADLINE_MS + 2000 + 25_000;
const deadlines = ["--head-timeout", "2500ms", "--body-timeout", "2500ms", "--write-timeout", "2500ms", "--workers", "2"];

const anonymousKB = (pid) => Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/RssAnon:\s+(\d+)/)[1]);
const descriptors = (pid) => readdirSync(`/proc/${pid}/fd`).length;

async function accepted(gateway) {
	const metrics = await (await fetch(`${gateway.base}/metrics`, { headers: { connection: "close" } })).text();
	return Number(metrics.match(/^embed_http_accepted_total (\d+)$/m)[1]);
}

// Opens the clients, sends `first` and then a byte a second; the most memory they cost, and when the first and the last was cut.
async function besiege(gateway, first, drip) {
	const pid = gateway.child.pid;
	const acceptedBefore = await accepted(gateway);
	const before = { memory: anonymousKB(pid), open: descriptors(pid) };
	const sockets = [];
	for (let i = 0; i < CLIENTS; i++) {
		const socket = net.connect({ port: Number(new URL(gateway.base).port), host: "127.0.0.1" });
		socket.on("error", () => {});
		await new Promise((resolve) => { socket.once("connect", resolve); socket.once("close", resolve); });
		socket.write(first);
		sockets.push(socket);
	}
	const started = Date.now();
	const dripping = setInterval(() => { if (drip) sockets.forEach((socket) => socket.writable && socket.write(drip)); }, 1000);
	const seen = { most: 0, memory: 0, lastMs: 0 };
	for (;;) {
		const open = descriptors(pid) - before.open;
		seen.most = Math.max(seen.most, open);
		seen.memory = Math.max(seen.memory, anonymousKB(pid) - before.memory);
		seen.lastMs = Date.now() - started;
		// On a busy machine the first are cut before the last was let in.
		if ((open <= 0 && await accepted(gateway) - acceptedBefore >= CLIENTS) || seen.lastMs > CUT_BY_MS) break;
		await sleep(50);
	}
	clearInterval(dripping);
	sockets.forEach((socket) => socket.destroy());
	return { ...seen, left: Math.max(0, descriptors(pid) - before.open) };
}

async function assertCut(t, gateway, seen, mostBytes) {
	t.diagnostic(`${seen.most} at a time, ${(seen.memory * 1024 / CLIENTS).toFixed(0)} bytes each, the last was cut after ${seen.lastMs} ms`);
	assert.ok(seen.lastMs <= CUT_BY_MS, `${seen.left} live on after ${seen.lastMs} ms`);
	assert.ok(seen.memory * 1024 < CLIENTS * mostBytes, `${seen.memory} KB for ${CLIENTS}`);
	assert.equal((await fetch(`${gateway.base}/health`)).status, 200);
}

test("a head that comes a byte a second", (t) => withGateway([], deadlines, async ({ gateway }) => {
	const head = `GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${"a".repeat(8000)}`;
	await assertCut(t, gateway, await besiege(gateway, head, "x"), 20 << 10);
}));

test("a body that comes a byte a second, and says it will be 60 MB", (t) => withGateway([], deadlines, async ({ gateway }) => {
	const head = "POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 60000000\r\n\r\n";
	await assertCut(t, gateway, await besiege(gateway, head + " ".repeat(8000), " "), 64 << 10);
}));

test("a client that asks on and on and never reads", (t) => withGateway([], deadlines, async ({ gateway }) => {
	const body = JSON.stringify({ model: "text-embedding-3-large", input: Array.from({ length: 8 }, (_, i) => `unread ${i}`) });
	await embedUntilHit(gateway.base, body);
	const reply = (await embed(gateway.base, body)).text.length;
	const one = `POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
	// What is held is one reply and what was read of the requests behind it.
	await assertCut(t, gateway, await besiege(gateway, one.repeat(30), undefined), reply + (64 << 10));
}));
