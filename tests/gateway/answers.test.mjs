// SPDX-License-Identifier: MIT
// What callers get: forms, formats, errors, hits, partial answers.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { embed, embedUntilHit, model, newHome, startEmulator, startGateway, vectorOf, cosine } from "./harness.mjs";

let upstream, gateway, home;

before(async () => {
	home = newHome();
	upstream = await startEmulator();
	gateway = await startGateway(upstream.base, home.path);
});

after(async () => {
	await gateway.stop();
	await upstream.stop();
	home.remove();
});

test("answers as OpenAI does", async () => {
	const { status, headers, json } = await embed(gateway.base, { input: "hello world" });
	assert.equal(status, 200);
	assert.deepEqual(Object.keys(json).sort(), ["data", "model", "object", "usage"]);
	assert.equal(json.object, "list");
	assert.equal(json.model, model);
	assert.deepEqual(json.usage, { prompt_tokens: 2, total_tokens: 2 });
	assert.equal(json.data.length, 1);
	assert.equal(json.data[0].object, "embedding");
	assert.equal(json.data[0].index, 0);
	assert.equal(json.data[0].embedding.length, 1536);
	assert.match(headers.get("x-request-id"), /^req_[0-9a-f]{32}$/);
	assert.match(headers.get("openai-processing-ms"), /^\d+$/);
	assert.equal(headers.get("openai-version"), "2020-10-01");
	assert.equal(headers.get("content-type"), "application/json");
});

test("gives the upstream's own vector, in both formats and every dimension", async () => {
	const theirs = (await embed(upstream.base, { input: "the same text" })).json.data[0];
	for (const [encoding_format, dimensions] of [["float", undefined], ["base64", undefined],
		[null, 256], ["base64", 1536], ["float", 1]]) {
		const ours = (await embed(gateway.base, { input: "the same text", encoding_format, dimensions })).json;
		const vector = vectorOf(ours.data[0]);
		assert.equal(vector.length, dimensions ?? 1536);
		assert.ok(cosine(vector, vectorOf(theirs).slice(0, vector.length)) > 0.9999);
		assert.equal(typeof ours.data[0].embedding, encoding_format === "base64" ? "string" : "object");
	}
});

test("says whether it had to ask", async () => {
	const first = await embed(gateway.base, { input: ["cache a", "cache b"] });
	const second = await embedUntilHit(gateway.base, { input: ["cache a", "cache b"] });
	const third = await embed(gateway.base, { input: ["cache a", "cache c", "cache b"] });
	assert.equal(first.headers.get("x-embed-cache"), "miss");
	assert.equal(second.headers.get("x-embed-cache"), "hit");
	assert.equal(third.headers.get("x-embed-cache"), "partial");
	assert.equal(third.headers.get("x-embed-hits"), "2");
	assert.equal(third.headers.get("x-embed-sent"), "1");
	assert.deepEqual(third.json.data.map((item) => item.index), [0, 1, 2]);
	assert.equal(third.json.usage.prompt_tokens, 6); // hits count as if sent
});

test("a text shares the record of its ids, and ids that no text encodes to share with none", async () => {
	const ids = await embedUntilHit(gateway.base, { input: [[15339, 1070]] });
	const text = await embed(gateway.base, { input: "hello there" });
	assert.equal(text.headers.get("x-embed-cache"), "hit");
	assert.deepEqual(vectorOf(text.json.data[0]), vectorOf(ids.json.data[0]));
	await embedUntilHit(gateway.base, { input: "aa" });
	for (const odd of [[64, 64], [9468]]) { // "a" and "a", which is "aa" otherwise; half a character
		assert.equal((await embed(gateway.base, { input: [odd] })).headers.get("x-embed-cache"), "miss");
		await embedUntilHit(gateway.base, { input: [odd] });
	}
});

test("takes all four forms, and ids share their text's record", async () => {
	const ids = [[15339, 1917], [9906]]; // "hello world", "Hello" in cl100k_base
	const texts = await embedUntilHit(gateway.base, { input: ["hello world", "Hello"] });
	const asked = (await upstream.stats()).embeddings_requests;
	const lists = await embed(gateway.base, { input: ids });
	const flat = await embed(gateway.base, { input: ids[0] });
	assert.equal((await upstream.stats()).embeddings_requests, asked);
	assert.equal(lists.headers.get("x-embed-cache"), "hit");
	for (const i of [0, 1])
		assert.deepEqual(vectorOf(lists.json.data[i]), vectorOf(texts.json.data[i]));
	assert.deepEqual(vectorOf(flat.json.data[0]), vectorOf(texts.json.data[0]));
});

test("answers on every path that clients use", async () => {
	for (const path of ["/embeddings", "/openai/v1/embeddings"])
		assert.equal((await embed(gateway.base, { input: "path" }, { path })).status, 200);
	const azure = await embed(gateway.base, JSON.stringify({ input: "path" }), {
		path: `/openai/deployments/${model}/embeddings?api-version=2024-10-21`,
		headers: { "api-key": "whatever" },
	});
	assert.equal(azure.status, 200);
	assert.equal(azure.json.model, model);
});

test("takes what SDKs send: key order, nulls, unknown fields", async () => {
	for (const body of [
		// openai-python; openai-dotnet; LangChain python
		`{"input": ["sdk"], "model": "${model}", "user": "u", "encoding_format": "base64"}`,
		`{"input":"sdk","model":"${model}","encoding_format":"base64"}`,
		`{"input":[[82, 7737]],"model":"${model}","encoding_format":"base64"}`,
		`{"model":"${model}","input":"sdk","dimensions":null,"user":null,"encoding_format":null,"later":{"a":[1]}}`,
	])
		assert.equal((await embed(gateway.base, body)).status, 200, body);
});

test("refuses what OpenAI refuses, in its words", async () => {
	const cases = [ // body, status, words, param, code
		["not json", 400, /^We could not parse the JSON body/, null, null],
		[`{"input":"a"}`, 400, /^you must provide a model parameter/, null, null],
		[`{"model":"${model}"}`, 400, /^Missing required parameter: 'input'\.$/, "input", "missing_required_parameter"],
		[`{"model":"${model}","input":""}`, 400, /^Invalid 'input': input cannot be an empty string\.$/, null, null],
		[`{"model":"${model}","input":["a",""]}`, 400, /^Invalid 'input\[1\]': input cannot be an empty string$/, null, null],
		[`{"model":"${model}","input":[]}`, 400, /input/, null, null],
		[`{"model":"${model}","input":[1,"a"]}`, 400, /^'\$\.input' is invalid\. Please check the API reference/, null, null],
		[`{"model":"${model}","input":"a","dimensions":1537}`, 400, /'dimensions' = 1537\. Must be less than or equal to 1536\.$/, null, null],
		[`{"model":"text-embedding-ada-002","input":"a","dimensions":5}`, 400, /^This model does not support specifying dimensions\.$/, null, null],
		[`{"model":"${model}","input":"\\ud800"}`, 400, /./, null, null],
		[JSON.stringify({ model, input: "a b ".repeat(8193) }), 400, /^Invalid 'input': maximum context length is 8192 tokens\.$/, null, null],
		[JSON.stringify({ model, input: ["a", "a b ".repeat(8193)] }), 400, /^Invalid 'input\[1\]': maximum input length is 8192 tokens\.$/, null, null],
		[`{"model":"no-such-model","input":"a"}`, 404, /^The model `no-such-model` does not exist or you do not have access to it\.$/, null, "model_not_found"],
	];
	for (const [body, status, message, param, code] of cases) {
		const answer = await embed(gateway.base, body);
		assert.equal(answer.status, status, body.slice(0, 80) + answer.text);
		assert.match(answer.json.error.message, message);
		assert.deepEqual(answer.json, { error: { message: answer.json.error.message, type: "invalid_request_error", param, code } }, body.slice(0, 80));
	}
});

test("refuses unknown paths and methods in OpenAI's shape", async () => {
	const path = await fetch(`${gateway.base}/v1/nothing`);
	assert.equal(path.status, 404);
	assert.match((await path.json()).error.message, /^Invalid URL \(GET \/v1\/nothing\)$/);
	const method = await fetch(`${gateway.base}/v1/embeddings`);
	assert.equal(method.status, 405);
	assert.match((await method.json()).error.message, /^Not allowed to GET on \/v1\/embeddings/);
});

test("keeps the good vectors of a request that is refused for a bad text", async () => {
	const long = "x y ".repeat(8193);
	const refused = await embed(gateway.base, { input: ["kept one", long, "kept two"] });
	assert.equal(refused.status, 400);
	assert.match(refused.json.error.message, /input\[1\]/);
	const again = await embed(gateway.base, { input: ["kept one", "kept two"] });
	assert.equal(again.status, 200);
	assert.equal(again.headers.get("x-embed-sent"), null);
});

test("a text that upstream refuses is named by its place, and costs the others nothing", async () => {
	const input = ["near one", "POISON alone", "near two"];
	await upstream.faults("bad_input@text=POISON");
	const refused = await embed(gateway.base, { input });
	assert.equal(refused.status, 400, refused.text);
	assert.match(refused.json.error.message, /input\[1\]/);
	assert.equal(refused.json.error.type, "invalid_request_error");
	assert.equal(refused.headers.get("retry-after"), null);
	const partial = await embed(gateway.base, { input }, { headers: { "x-embed-partial": "true" } });
	assert.deepEqual(partial.json.data.map((item) => item.embedding === null), [false, true, false]);
	assert.deepEqual(partial.json.errors.map(({ index }) => index), [1]);
	await upstream.faults();
	assert.equal((await embedUntilHit(gateway.base, { input: ["near one", "near two"] })).headers.get("x-embed-cache"), "hit");
});

test("answers in part when asked to", async () => {
	const long = "x y ".repeat(8193);
	const { status, json, headers } = await embed(gateway.base, { input: ["part one", long, "", "part two"] },
		{ headers: { "x-embed-partial": "true" } });
	assert.equal(status, 200);
	assert.deepEqual(json.data.map((item) => item.index), [0, 1, 2, 3]);
	assert.deepEqual(json.data.map((item) => item.embedding === null), [false, true, true, false]);
	assert.deepEqual(json.errors.map(({ index, error }) => [index, error.code]),
		[[1, "text_too_long"], [2, "empty_text"]]);
	assert.equal(headers.get("x-embed-failed"), "2");
});

test("a text that is too long is cut or averaged when asked", async () => {
	const input = "one two three ".repeat(4000);
	for (const policy of ["truncate", "average"]) {
		const answer = await embed(gateway.base, { input }, { headers: { "x-embed-too-long": policy } });
		assert.equal(answer.status, 200, answer.text);
	}
});

test("takes more texts than OpenAI would", async () => {
	const input = Array.from({ length: 5000 }, (_, i) => `many ${i}`);
	const { status, json } = await embed(gateway.base, { input, dimensions: 8, encoding_format: "base64" });
	assert.equal(status, 200);
	assert.equal(json.data.length, 5000); // split: upstream refuses more than 2048
	assert.ok(json.data.every((item, i) => item.index === i));
});

test("lists models", async () => {
	const list = await (await fetch(`${gateway.base}/v1/models`)).json();
	assert.equal(list.object, "list");
	assert.ok(list.data.some((entry) => entry.id === model && entry.object === "model" && entry.created === 1705948997));
	const one = await (await fetch(`${gateway.base}/v1/models/text%2Dembedding-3-large`)).json();
	assert.equal(one.id, "text-embedding-3-large");
	assert.equal((await fetch(`${gateway.base}/v1/models/nope`)).status, 404);
});

test("tells its health, readiness and counters", async () => {
	assert.equal((await fetch(`${gateway.base}/health`)).status, 200);
	assert.equal((await fetch(`${gateway.base}/ready`)).status, 200);
	const metrics = await (await fetch(`${gateway.base}/metrics`)).text();
	const names = [...metrics.matchAll(/^# TYPE (\S+) /gm)].map((match) => match[1]);
	assert.equal(new Set(names).size, names.length);
	for (const line of metrics.trimEnd().split("\n"))
		assert.match(line, /^(# (HELP|TYPE) \S+ .+|[a-z_]+(\{.*\})? [0-9.e+-]+)$/);
	assert.match(metrics, /^embed_hits_total [1-9]/m);
	assert.match(metrics, /^embed_miss_seconds\{quantile="0\.99"\} 0\.\d+$/m);
	assert.match(metrics, /embed_http_requests_total\{route="\/v1\/embeddings",answer="2xx"\} [1-9]/);
	assert.doesNotMatch(metrics, /sk-upstream-key/);
});
