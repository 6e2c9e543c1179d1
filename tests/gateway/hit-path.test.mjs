// SPDX-License-Identifier: MIT
// The path of a stored text, seen from below: preloaded counts of locks, allocations and copies, for each thread.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { closeSync, ftruncateSync, openSync, readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { model, newHome, start, startEmulator } from "./harness.mjs";

const hits = 1000;
const replyBytes = 8192; // 1,536 floats in base64
let upstream, gateway, base, home, file;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

const ask = (input, encoding_format) => new Promise((resolve, reject) => {
	const body = JSON.stringify({ model, input, encoding_format });
	const sent = request(`${base}/v1/embeddings`, { method: "POST", agent, headers: { "content-length": body.length } },
		(response) => {
			let len = 0;
			response.on("data", (data) => { len += data.length; });
			response.on("end", () => resolve({ cache: response.headers["x-embed-cache"], len }));
		});
	sent.on("error", reject);
	sent.end(body);
});

function counts() {
	const numbers = new BigUint64Array(new Uint8Array(readFileSync(file)).buffer);
	return Array.from({ length: numbers.length / 4 }, (_, i) => {
		const [locks, allocations, copied, replies] = Array.from(numbers.subarray(i * 4, i * 4 + 4), Number);
		return { locks, allocations, copied, replies };
	});
}

// What each thread did while the stored text was asked for.
async function during(format) {
	const text = "a stored text ".repeat(28);
	for (let i = 0; i < 300; i++) await ask(text, format); // stored at the latest by now, and buffers are warm
	const before = counts();
	for (let i = 0; i < hits; i++) {
		const { cache, len } = await ask(text, format);
		assert.equal(cache, "hit");
		assert.ok(len >= replyBytes);
	}
	return counts().map((now, i) => ({
		locks: now.locks - before[i].locks,
		allocations: now.allocations - before[i].allocations,
		copied: now.copied - before[i].copied,
		replies: now.replies - before[i].replies,
	}));
}

before(async () => {
	home = newHome();
	file = join(home.path, "counts");
	const fd = openSync(file, "w");
	ftruncateSync(fd, 64 * 4 * 8);
	closeSync(fd);
	upstream = await startEmulator();
	gateway = start(["serve", "--home", home.path, "--base-url", `${upstream.base}/v1`, "--listen", "127.0.0.1:0",
		"--workers", "2"], { env: { LD_PRELOAD: process.env.COUNTS_LIBRARY, COUNTS: file } });
	[, base] = await gateway.until(/serving on (http:\/\/\S+)\/v1/);
});

after(async () => {
	agent.destroy();
	await gateway.stop();
	await upstream.stop();
	home.remove();
});

for (const format of ["base64", "float"])
	test(`a ${format} hit is answered by its worker alone, without a lock or a copy of the vector`, async () => {
		const threads = await during(format);
		const answering = threads.filter((thread) => thread.replies > 0);
		assert.equal(answering.length, 1, "one thread answered");
		const [worker] = answering;
		assert.equal(worker.replies, hits, "one send a reply");
		assert.equal(worker.locks, 0);
		assert.ok(worker.allocations <= hits, "at most the one that libcrypto makes for each digest");
		assert.ok(worker.copied / hits < replyBytes / 4, `${worker.copied / hits} bytes copied for each hit`);
	});

test("the counts see locks, allocations and copies when there are some", async () => {
	const before = counts();
	assert.equal((await ask("a text that nobody stored", "base64")).cache, "miss");
	const grown = (name) => counts().some((now, i) => now[name] > before[i][name]);
	for (const name of ["locks", "allocations", "copied", "replies"]) assert.ok(grown(name), name);
});
