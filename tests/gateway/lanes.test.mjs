// SPDX-License-Identifier: MIT
// Who goes first when the upstream is busy: interactive before bulk, and keys by their shares.
import assert from "node:assert/strict";
import { test } from "node:test";
import { embed, untilWorking, withGateway } from "./harness.mjs";

// One request of ten texts at a time, so that order is all there is.
const slow = ["--slots", "1", "--latency", "15ms"];
const small = ["--max-in-flight", "1", "--batch-texts", "10"];

const texts = (name, count) => Array.from({ length: count }, (_, i) => `${name} ${String(i).padStart(4, "0")}`);
const bulk = { "x-embed-lane": "bulk" };

test("an interactive request is answered long before the bulk job it came behind", () => withGateway(slow, small,
	async ({ upstream, gateway }) => {
	let isBulkAnswered = false;
	const job = embed(gateway.base, { input: texts("bulk", 500), dimensions: 8 }, { headers: bulk })
		.finally(() => { isBulkAnswered = true; });
	await untilWorking(upstream);
	const before = (await upstream.stats()).embeddings_requests;
	const quick = await embed(gateway.base, { input: "a question", dimensions: 8 });
	const after = (await upstream.stats()).embeddings_requests;
	assert.equal(quick.status, 200);
	assert.equal(isBulkAnswered, false);
	assert.ok(after - before <= 10, `${after - before} of the 50 bulk requests went first`);
	assert.equal((await job).status, 200);
}));

// The share of `name` in the first half of the answers to equal work of two keys, all of the first's asked for first.
async function shareOf(name, { upstream, gateway, keys }) {
	const answered = [];
	const ask = async (key, input) => {
		const answer = await embed(gateway.base, { input, dimensions: 8 }, { headers: { authorization: `Bearer ${keys[key]}` } });
		assert.equal(answer.status, 200);
		answered.push(key);
	};
	const plug = embed(gateway.base, { input: texts("plug", 80), dimensions: 8 }, // long enough to be seen at work
		 { headers: { authorization: `Bearer ${keys.plug}` } });
	await untilWorking(upstream);
	const work = ["early", "late"].flatMap((key) => Array.from({ length: 30 }, (_, i) => ask(key, texts(`${key} ${i}`, 10))));
	await Promise.all([plug, ...work]);
	return answered.slice(0, 30).filter((key) => key === name).length / 30;
}

test("two keys with bulk work share evenly, whoever came first", () => withGateway(slow, small, async (setting) => {
	const share = await shareOf("late", setting);
	assert.ok(share >= 0.35 && share <= 0.65, `the later key got ${share}`);
}, { keys: [["plug"], ["early", "--lane", "bulk"], ["late", "--lane", "bulk"]] }));

test("a key of more weight gets more", () => withGateway(slow, small, async (setting) => {
	const share = await shareOf("late", setting);
	assert.ok(share >= 0.65, `three times the weight got ${share}`);
}, { keys: [["plug"], ["early", "--lane", "bulk"], ["late", "--lane", "bulk", "--weight", "3"]] }));
