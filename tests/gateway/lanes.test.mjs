// SPDX-License-Identifier: MIT
// Who goes first when the upstream is busy: interactive before bulk, and keys by their shares.
import assert from "node:assert/strict";
import { test } from "node:test";
import { embed, logged, untilQueued, whileHeld, withGateway } from "./harness.mjs";

// One request of ten texts at a time, so that order is all there is; one worker, so that the log has it.
const small = ["--max-in-flight", "1", "--batch-texts", "10", "--workers", "1", "--log-level", "debug"];

const texts = (name, count) => Array.from({ length: count }, (_, i) => `${name} ${String(i).padStart(4, "0")}`);
const bulk = { "x-embed-lane": "bulk" };

test("an interactive request is answered long before the bulk job it came behind", () => withGateway([], small, async (setting) => {
	const ask = (input, headers) => embed(setting.gateway.base, { input, dimensions: 8 }, { headers });
	let quick;
	const job = await whileHeld(setting, () => ask(["plug"]), () => {
		quick = ask("a question");
		return ask(texts("bulk", 500), bulk);
	}, untilQueued(setting.gateway, 501));
	assert.equal(job.status, 200);
	assert.equal((await quick).status, 200);
	const sent = (await logged(setting.gateway, /event=attempt .* texts=(\d+)/g, 52)).map(Number);
	assert.ok(sent.indexOf(1, 1) <= 3, `sent as ${sent}`); // the plug is the first
}));

// The share of `name` in the first half of the answers to equal work of two keys, all of the first's asked for first.
async function shareOf(name, setting) {
	const { gateway, keys } = setting;
	const ask = async (key, input) => {
		const answer = await embed(gateway.base, { input, dimensions: 8 }, { headers: { authorization: `Bearer ${keys[key]}` } });
		assert.equal(answer.status, 200);
	};
	await whileHeld(setting, () => ask("plug", ["plug"]), () => Promise.all(
		["early", "late"].flatMap((key) => Array.from({ length: 30 }, (_, i) => ask(key, texts(`${key} ${i}`, 10))))),
	untilQueued(gateway, 600));
	const answered = await logged(gateway, /event=request .* key=(early|late) /g, 60);
	return answered.slice(0, 30).filter((key) => key === name).length / 30;
}

test("two keys with bulk work share evenly, whoever came first", () => withGateway([], small, async (setting) => {
	const share = await shareOf("late", setting);
	assert.ok(share >= 0.35 && share <= 0.65, `the later key got ${share}`);
}, { keys: [["plug"], ["early", "--lane", "bulk"], ["late", "--lane", "bulk"]] }));

test("a key of more weight gets more", () => withGateway([], small, async (setting) => {
	const share = await shareOf("late", setting);
	assert.ok(share >= 0.65, `three times the weight got ${share}`);
}, { keys: [["plug"], ["early", "--lane", "bulk"], ["late", "--lane", "bulk", "--weight", "3"]] }));
