// SPDX-License-Identifier: MIT
// Fields that OpenAI does not know: ignored, passed on or refused, as configured.
import assert from "node:assert/strict";
import { test } from "node:test";
import { embed, embedUntilHit, newHome, startGateway, startRecorder, vectorOf } from "./harness.mjs";

async function withPolicy(policy, body) {
	const home = newHome();
	const upstream = await startRecorder();
	const gateway = await startGateway(upstream.base, home.path, ...(policy ? ["--unknown-fields", policy] : []));
	const ask = (input, fields) => embed(gateway.base, { model: "own-model", input, ...fields });
	try {
		await body({ upstream, gateway, ask });
	} finally {
		await gateway.stop("SIGKILL");
		upstream.stop();
		home.remove();
	}
}

test("a field of ours in the head with a value that there is not is refused, and says which there are", () => withPolicy(undefined,
	async ({ gateway }) => {
	for (const [name, expected] of [["x-embed-lane", "expected one of 'interactive' or 'bulk'"],
		["x-embed-too-long", "expected one of 'error', 'truncate' or 'average'"], ["x-embed-partial", "expected one of 'false' or 'true'"]]) {
		const { status, json } = await embed(gateway.base, { model: "own-model", input: "a text" }, { headers: { [name]: "cut" } });
		assert.equal(status, 400);
		assert.deepEqual(json.error, { message: `Invalid value for '${name}': ${expected}.`, type: "invalid_request_error", param: name, code: "invalid_value" });
	}
	const { status } = await embed(gateway.base, { model: "own-model", input: "a text" }, { headers: { "x-embed-lane": "Bulk", "x-embed-partial": "false" } });
	assert.equal(status, 200);
}));

test("unless configured they are ignored, and texts with and without them share a vector", () => withPolicy(undefined,
	async ({ upstream, gateway, ask }) => {
	const first = await ask("a text", { task: "query", later: { a: [1] } });
	assert.equal(first.status, 200, first.text);
	assert.deepEqual(Object.keys(upstream.bodies[0]).sort(), ["encoding_format", "input", "model"]);
	assert.equal((await embedUntilHit(gateway.base, { model: "own-model", input: "a text" })).status, 200);
	assert.equal(upstream.bodies.length, 1);
}));

test("passed on they reach the upstream as they came", () => withPolicy("pass", async ({ upstream, ask }) => {
	const later = { b: [1, "\u00e4\n", null], a: -1.5e3 };
	assert.equal((await ask("a text", { task: "query", later, user: "somebody" })).status, 200);
	assert.deepEqual(upstream.bodies[0], { model: "own-model", input: ["a text"], encoding_format: "base64",
		user: "somebody", task: "query", later });
}));

test("passed on they keep vectors apart, in the store and on their way, and equal ones in any order share", () => withPolicy("pass",
	async ({ upstream, gateway, ask }) => {
	const [query, passage, plain] = await Promise.all([ask("same", { task: "query", n: 1 }), ask("same", { task: "passage" }), ask("same", {})]);
	assert.deepEqual([query, passage, plain].map((answer) => vectorOf(answer.json.data[0])[2]), [1, 2, 2]);
	assert.equal(upstream.bodies.length, 3);
	for (const [fields, wanted] of [[{ n: 1, task: "query" }, query], [{ task: "passage" }, passage], [{}, plain]]) {
		const again = await embedUntilHit(gateway.base, { model: "own-model", input: "same", ...fields });
		assert.deepEqual(again.json.data, wanted.json.data);
	}
	assert.equal(upstream.bodies.length, 3);
}));

test("too many of them to pass on are refused", () => withPolicy("pass", async ({ upstream, ask }) => {
	assert.equal((await ask("a text", { note: "x".repeat(980) })).status, 200);
	const refused = await ask("a text", { note: "x".repeat(1000) });
	assert.equal(refused.status, 400);
	assert.equal(refused.json.error.code, "extra_too_long");
	assert.equal(upstream.bodies.length, 1);
}));

test("refused they are named, as OpenAI does", () => withPolicy("refuse", async ({ upstream, ask }) => {
	const refused = await ask("a text", { task: "query" });
	assert.equal(refused.status, 400);
	assert.deepEqual(refused.json.error, { message: "Unknown parameter: 'task'.", type: "invalid_request_error",
		param: "task", code: "unknown_parameter" });
	assert.equal(upstream.bodies.length, 0);
}));
