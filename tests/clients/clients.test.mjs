// SPDX-License-Identifier: MIT
// The real clients, unchanged but for their base URL, against `embed serve` before `embed emulate`.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { createOpenAI } from "@ai-sdk/openai";
import { OpenAIEmbeddingFunction } from "@chroma-core/openai";
import { OpenAIEmbeddings } from "@langchain/openai";
import { embed as aiEmbed, embedMany } from "ai";
import OpenAI, { AzureOpenAI } from "openai";
import { cosine, embed, model, newHome, run, startEmulator, startGateway, vectorOf } from "./harness.mjs";

let upstream, gateway, home, apiKey, baseURL;
const texts = Array.from({ length: 40 }, (_, i) => `sentence ${i} about ${["rivers", "stars", "bread"][i % 3]}`);
const truth = new Map();

before(async () => {
	home = newHome();
	upstream = await startEmulator("--latency", "2ms");
	apiKey = run(["keys", "--home", home.path, "add", "clients"]).out.trim();
	gateway = await startGateway(upstream.base, home.path, "--wrong-keys", "0"); // one test asks until a new key is known
	baseURL = `${gateway.base}/v1`;
	const { json } = await embed(upstream.base, { input: texts });
	json.data.forEach((item, i) => truth.set(texts[i], vectorOf(item)));
});

after(async () => {
	await gateway.stop();
	await upstream.stop();
	home.remove();
});

function assertOwn(text, vector) {
	const own = truth.get(text).subarray(0, vector.length);
	assert.ok(cosine(Float32Array.from(vector), own) > 0.9999, text);
}

test("openai: one text, many, dimensions, both encodings", async () => {
	const client = new OpenAI({ apiKey, baseURL });
	const one = await client.embeddings.create({ model, input: texts[0] });
	assertOwn(texts[0], one.data[0].embedding);
	const many = await client.embeddings.create({ model, input: texts, dimensions: 256 });
	many.data.forEach((item, i) => assertOwn(texts[i], item.embedding));
	const floats = await client.embeddings.create({ model, input: texts, encoding_format: "float" });
	floats.data.forEach((item, i) => assertOwn(texts[i], item.embedding));
	assert.equal(floats.usage.prompt_tokens, floats.usage.total_tokens);
});

test("openai: the model list, one model, an unknown one", async () => {
	const client = new OpenAI({ apiKey, baseURL });
	const names = [];
	for await (const entry of client.models.list()) names.push(entry.id);
	assert.ok(names.includes(model));
	assert.equal((await client.models.retrieve(model)).owned_by, "system");
	await assert.rejects(client.models.retrieve("a/b c"), OpenAI.NotFoundError);
});

test("openai: errors arrive as its classes", async () => {
	const client = new OpenAI({ apiKey, baseURL });
	await assert.rejects(client.embeddings.create({ model, input: ["a", ""] }), (error) => {
		assert.ok(error instanceof OpenAI.BadRequestError);
		assert.match(error.message, /input\[1\]/);
		assert.match(error.requestID, /^req_/);
		return true;
	});
	await assert.rejects(new OpenAI({ apiKey: "sk-wrong-wrong-wrong", baseURL }).embeddings.create({ model, input: "a" }),
		OpenAI.AuthenticationError);
});

test("openai: its timeout and its abort end the wait, and others are answered", async () => {
	const slow = await startEmulator("--latency", "400ms");
	const own = newHome();
	const before = await startGateway(slow.base, own.path);
	try {
		const client = new OpenAI({ apiKey: "none", baseURL: `${before.base}/v1`, maxRetries: 0 });
		await assert.rejects(client.embeddings.create({ model, input: "late" }, { timeout: 50 }));
		const leaving = new AbortController();
		const left = client.embeddings.create({ model, input: "shared" }, { signal: leaving.signal });
		const staying = client.embeddings.create({ model, input: "shared" });
		setImmediate(() => leaving.abort());
		await assert.rejects(left, OpenAI.APIUserAbortError);
		assert.equal((await staying).data[0].embedding.length, 1536);
	} finally {
		await before.stop();
		await slow.stop();
		own.remove();
	}
});

test("openai: it retries what the gateway says is worth it", async () => {
	const limited = run(["keys", "--home", home.path, "add", "limited", "--rpm", "60"]).out.trim();
	const client = new OpenAI({ apiKey: limited, baseURL, maxRetries: 0 });
	for (;;) { // until the gateway knows the key
		try {
			await client.embeddings.create({ model, input: texts[0] });
			break;
		} catch (error) {
			assert.ok(error instanceof OpenAI.AuthenticationError);
		}
	}
	await assert.rejects(Promise.all(Array.from({ length: 61 }, () => client.embeddings.create({ model, input: texts[0] }))),
		OpenAI.RateLimitError);
	const patient = new OpenAI({ apiKey: limited, baseURL, maxRetries: 3 });
	assertOwn(texts[0], (await patient.embeddings.create({ model, input: texts[0] })).data[0].embedding);
});

test("openai: AzureOpenAI speaks to it as to a deployment", async () => {
	const client = new AzureOpenAI({ apiKey, endpoint: gateway.base, apiVersion: "2024-10-21", deployment: model });
	const { data } = await client.embeddings.create({ model, input: texts.slice(0, 3) });
	data.forEach((item, i) => assertOwn(texts[i], item.embedding));
});

test("@langchain/openai: documents and query", async () => {
	const client = new OpenAIEmbeddings({ model, apiKey, configuration: { baseURL }, batchSize: 7 });
	const vectors = await client.embedDocuments(texts);
	vectors.forEach((vector, i) => assertOwn(texts[i], vector));
	assertOwn(texts[5], await client.embedQuery(texts[5]));
});

test("ai with @ai-sdk/openai: embed and embedMany", async () => {
	const provider = createOpenAI({ apiKey, baseURL });
	const one = await aiEmbed({ model: provider.embedding(model), value: texts[1] });
	assertOwn(texts[1], one.embedding);
	assert.ok(one.usage.tokens > 0);
	const many = await embedMany({ model: provider.embedding(model), values: texts });
	many.embeddings.forEach((vector, i) => assertOwn(texts[i], vector));
});

test("chromadb's OpenAI function", async () => {
	const embedder = new OpenAIEmbeddingFunction({ apiKey, modelName: model, apiBase: baseURL });
	const vectors = await embedder.generate(texts);
	vectors.forEach((vector, i) => assertOwn(texts[i], vector));
});

test("curl", () => {
	const out = execFileSync("curl", ["-sS", `${baseURL}/embeddings`, "-H", `Authorization: Bearer ${apiKey}`,
		"-H", "Content-Type: application/json", "-d", JSON.stringify({ model, input: texts[2] })], { encoding: "utf8" });
	assertOwn(texts[2], JSON.parse(out).data[0].embedding);
	const large = JSON.stringify({ model, input: Array.from({ length: 3000 }, (_, i) => `expects ${i}`), dimensions: 2 });
	const status = execFileSync("curl", ["-sS", "-o", "/dev/null", "-w", "%{http_code}", `${baseURL}/embeddings`,
		"-H", `Authorization: Bearer ${apiKey}`, "-H", "Expect: 100-continue", "-d", "@-"], { encoding: "utf8", input: large });
	assert.equal(status, "200");
});
