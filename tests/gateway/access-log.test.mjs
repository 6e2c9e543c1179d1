// SPDX-License-Identifier: MIT
// The access log: one structured line for each request, whatever it holds; never a text, never a key.
import assert from "node:assert/strict";
import { test } from "node:test";
import { embed, logged, withGateway } from "./harness.mjs";

const mark = "zebrafish";
const wrong = "emb-wrongwrongwrongwrongwrongwrongwrongwrongwro";

// Requests of every kind whose texts, users and keys hold what must not be found again; their ids in order.
async function askAll(gateway, key) {
	const own = { authorization: `Bearer ${key}` };
	const answers = [
		await embed(gateway.base, { input: `${mark} one` }, { headers: own }),
		await embed(gateway.base, { input: [`${mark} two`, `${mark} `.repeat(9000)], user: mark }, { headers: own }),
		await embed(gateway.base, { input: [`${mark} three`, ""] }, { headers: { "api-key": key } }),
		await embed(gateway.base, `{"input":"${mark}`, { headers: own }),
		await embed(gateway.base, { input: `${mark} four`, model: "no-such-model" }, { headers: own }),
		await embed(gateway.base, { input: `${mark} five` }, { headers: { authorization: `Bearer ${wrong}` } }),
		await embed(gateway.base, { input: `${mark} six` }, { path: `/v1/embeddings?api-key=${key}&text=${mark}`, headers: own }),
		await fetch(`${gateway.base}/v1/models/a%0aevent=request%22%20b`, { headers: own }),
	];
	assert.deepEqual(answers.map(({ status }) => status), [200, 400, 400, 400, 404, 401, 200, 404]);
	return answers.map(({ headers }) => headers.get("x-request-id"));
}

for (const [format, pattern] of [["logfmt", /event=request id=(\S+)/g], ["json", /"event":"request","id":"([^"]+)"/g]])
	test(`as ${format}: a line for each request with its id, and nothing that a caller said`, () => withGateway([],
		["--log-level", "debug", "--log-format", format], async ({ gateway, keys }) => {
		const ids = await askAll(gateway, keys.caller);
		assert.deepEqual((await logged(gateway, pattern, ids.length)).sort(), ids.sort()); // workers do not wait for each other
		const log = gateway.log();
		assert.doesNotMatch(log, new RegExp(`${mark}|${keys.caller.slice(4)}|wrongwrong|sk-upstream-key`));
		const lines = log.split("\n").filter((line) => ids.some((id) => line.includes(id)));
		for (const name of ["status", "us", "bytes", "key", "model", "texts", "peer", "method", "path"])
			assert.ok(lines.some((line) => line.match(format === "json" ? `"${name}":` : ` ${name}=`)), name);
		if (format === "json")
			for (const line of log.split("\n").filter((text) => text.startsWith("{"))) JSON.parse(line);
	}, { keys: [["caller"]] }));

test("health is told on every name that probes use, without a key", () => withGateway([], [], async ({ gateway }) => {
	for (const path of ["/health", "/healthz", "/ready"]) {
		const answer = await fetch(gateway.base + path);
		assert.equal(answer.status, 200, path);
		assert.equal((await fetch(gateway.base + path, { method: "HEAD" })).status, 200);
	}
}, { keys: [["somebody"]] }));
