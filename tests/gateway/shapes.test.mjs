// SPDX-License-Identifier: MIT
// Requests as SDKs of other languages send them, byte for byte, and what those SDKs do with the answer.
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, before, test } from "node:test";
import { cosine, embed, model, newHome, run, startEmulator, startGateway, vectorOf } from "./harness.mjs";

let upstream, gateway, home, key;

before(async () => {
	home = newHome();
	upstream = await startEmulator();
	key = run(["keys", "--home", home.path, "add", "shapes"]).out.trim();
	gateway = await startGateway(upstream.base, home.path);
});

after(async () => {
	await gateway.stop();
	await upstream.stop();
	home.remove();
});

// One request written by hand on a socket: header lines as given, then the body in the pieces given.
async function send(path, headers, ...pieces) {
	const { hostname, port } = new URL(gateway.base);
	const socket = net.connect(port, hostname);
	socket.write([`POST ${path} HTTP/1.1`, `Host: ${hostname}:${port}`, ...headers, "Connection: close", "", ""].join("\r\n"));
	for (const piece of pieces) {
		socket.write(piece);
		await new Promise(setImmediate);
	}
	let bytes = "";
	socket.setEncoding("latin1").on("data", (data) => { bytes += data; });
	await once(socket, "end");
	socket.destroy();
	const [head, ...rest] = bytes.split("\r\n\r\n");
	return { status: Number(head.split(" ")[1]), head: head.toLowerCase(), json: JSON.parse(rest.join("\r\n\r\n")) };
}

const withLength = (body) => [`Content-Length: ${Buffer.byteLength(body)}`];

// As each SDK reads a vector: a string is little-endian floats in base64, whose bytes must divide by four.
function decoded(item) {
	assert.equal(typeof item.embedding, "string");
	assert.equal(Buffer.from(item.embedding, "base64").length % 4, 0);
	return vectorOf(item);
}

const truth = async (input) => (await embed(upstream.base, { input })).json.data.map(vectorOf);

const python = () => ["Accept: application/json", "Accept-Encoding: gzip, deflate", "Content-Type: application/json",
	"User-Agent: OpenAI/Python 3.3.1", "X-Stainless-Lang: python", "X-Stainless-Package-Version: 3.3.1", "X-Stainless-OS: Linux",
	"X-Stainless-Arch: x64", "X-Stainless-Runtime: CPython", "X-Stainless-Runtime-Version: 3.12.3", `Authorization: Bearer ${key}`,
	"X-Stainless-Async: false", "x-stainless-retry-count: 0", "x-stainless-read-timeout: 600"];

test("openai-python: base64 unless told otherwise, its key order, its headers", async () => {
	const body = `{"input":["first of python","second: \\u00e4\\ud83d\\ude00"],"model":"${model}","user":"u-1","dimensions":256,"encoding_format":"base64"}`;
	const { status, json, head } = await send("/v1/embeddings", [...python(), ...withLength(body)], body);
	assert.equal(status, 200);
	assert.match(head, /x-request-id: req_[0-9a-f]{32}/);
	const wanted = await truth(["first of python", "second: ä😀"]);
	assert.ok(json.data.length === 2, "an empty data is an error to it");
	json.data.forEach((item, i) => {
		assert.equal(item.index, i);
		assert.equal(decoded(item).length, 256);
		assert.ok(cosine(decoded(item), wanted[i].subarray(0, 256)) > 0.9999);
	});
	const plain = `{"input":"first of python","model":"${model}","encoding_format":"float"}`;
	const floats = await send("/v1/embeddings", [...python(), ...withLength(plain)], plain);
	assert.ok(Array.isArray(floats.json.data[0].embedding));
});

test("LangChain python: lists of token ids and now and then one empty text, shared with the texts they are", async () => {
	const [wanted] = await truth(["hello world"]);
	const body = `{"input": [[15339, 1917], [9906]], "model": "${model}", "encoding_format": "base64"}`;
	const { status, json } = await send("/v1/embeddings", [...python(), ...withLength(body)], body);
	assert.equal(status, 200);
	assert.ok(cosine(decoded(json.data[0]), wanted) > 0.9999);
	assert.equal(json.usage.prompt_tokens, 3);
	const empty = `{"input": "", "model": "${model}", "encoding_format": "base64"}`;
	const refused = await send("/v1/embeddings", [...python(), ...withLength(empty)], empty);
	assert.equal(refused.status, 400);
	assert.match(refused.json.error.message, /^Invalid 'input': input cannot be an empty string\.$/);
	const long = `{"input": [[${Array(1000).fill(15339).join(", ")}]], "model": "${model}", "encoding_format": "base64"}`;
	assert.equal((await send("/v1/embeddings", [...python(), ...withLength(long)], long)).status, 200);
});

test("openai-dotnet: always base64, sent in chunks", async () => {
	const body = `{"input":["of dotnet"],"model":"${model}","encoding_format":"base64"}`;
	const [wanted] = await truth(["of dotnet"]);
	const chunk = (text) => `${text.length.toString(16)}\r\n${text}\r\n`;
	const { status, json } = await send("/v1/embeddings", [`Authorization: Bearer ${key}`, "Accept: application/json",
		"User-Agent: OpenAI/2.9.0 (.NET 9.0.0; Debian GNU/Linux 12)", "Content-Type: application/json", "Transfer-Encoding: chunked"],
	chunk(body.slice(0, 20)), chunk(body.slice(20)), "0\r\n\r\n");
	assert.equal(status, 200);
	assert.ok(cosine(decoded(json.data[0]), wanted) > 0.9999);
});

test("Azure's SDK for dotnet: deployment in the path, api-key, no model in the body", async () => {
	const body = `{"input":["of azure"],"encoding_format":"base64"}`;
	const { status, json } = await send(`/openai/deployments/${model}/embeddings?api-version=2024-10-21`,
		[`api-key: ${key}`, "Accept: application/json", "Content-Type: application/json", "x-ms-client-request-id: 11c2", ...withLength(body)], body);
	assert.equal(status, 200);
	assert.ok(cosine(decoded(json.data[0]), (await truth(["of azure"]))[0]) > 0.9999);
});

test("openai-go and -java: floats or base64 as asked, cookies and trace headers ignored", async () => {
	const body = `{"input":"of go","model":"${model}"}`;
	const { status, json } = await send("/v1/embeddings", [`Authorization: Bearer ${key}`, "User-Agent: OpenAI/Go 3.1.0",
		"Cookie: __cf_bm=abc; _cfuvid=def", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"Content-Type: application/json", ...withLength(body)], body);
	assert.equal(status, 200);
	assert.equal(json.data[0].embedding.length, 1536);
	assert.ok(json.data[0].embedding.every((number) => typeof number === "number"));
});

test("chroma: a whole list at once, more than OpenAI takes", async () => {
	const input = Array.from({ length: 2100 }, (_, i) => `chroma ${i}`);
	const body = JSON.stringify({ input, model, encoding_format: "base64", dimensions: 4 });
	const { status, json } = await send("/v1/embeddings", [...python(), ...withLength(body)], body);
	assert.equal(status, 200);
	assert.deepEqual(json.data.map((item) => item.index), input.map((_, i) => i));
});

test("LlamaIndex: a list even for one text", async () => {
	const body = `{"input": ["of llama"], "model": "${model}", "encoding_format": "base64"}`;
	const { json } = await send("/v1/embeddings", [...python(), ...withLength(body)], body);
	assert.ok(cosine(decoded(json.data[0]), (await truth(["of llama"]))[0]) > 0.9999);
});
