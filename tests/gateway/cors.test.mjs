// SPDX-License-Identifier: MIT
// CORS: pages of other origins may call only when they are named.
import assert from "node:assert/strict";
import http from "node:http";
import { once } from "node:events";
import { test } from "node:test";
import { model, withGateway } from "./harness.mjs";

const page = "https://app.example";
const stranger = "https://elsewhere.example";

// Not `fetch`, which sends no origin of ours.
async function send(gateway, method, headers, body) {
	const request = http.request(`${gateway.base}/v1/embeddings`, { method, headers, agent: false });
	request.end(body);
	const [response] = await once(request, "response");
	response.resume();
	await once(response, "end");
	return { status: response.statusCode, headers: response.headers };
}

const preflight = (gateway, origin) => send(gateway, "OPTIONS", {
	origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type" });
const post = (gateway, origin, headers = {}) => send(gateway, "POST", { origin, ...headers }, JSON.stringify({ model, input: "page" }));
const corsFields = ({ headers }) => Object.keys(headers).filter((name) => name.startsWith("access-control-"));

test("nothing is said to other origins unless configured, and without keys they cannot spend either", () => withGateway([], [], async ({ gateway, upstream }) => {
	assert.equal((await preflight(gateway, page)).status, 405);
	assert.deepEqual(corsFields(await preflight(gateway, page)), []);
	const strangers = [
		{ origin: page }, // a page elsewhere, as a request that asks for no preflight
		{ origin: page, "content-type": "text/plain" },
		{ origin: "null" }, // a sandboxed frame
		{ "sec-fetch-site": "cross-site" },
		{ origin: "http://rebound.example", host: "rebound.example" }, // a name made to point here
	];
	for (const { origin, ...headers } of strangers) {
		const answer = await post(gateway, origin ?? [], headers);
		assert.equal(answer.status, 403, JSON.stringify({ origin, ...headers }));
		assert.deepEqual(corsFields(answer), []);
	}
	assert.equal((await upstream.stats()).texts, 0);
	const own = await post(gateway, gateway.base, { "sec-fetch-site": "same-origin" });
	assert.equal(own.status, 200, "the page that the gateway serves");
}));

test("a configured origin may ask with its key and read answers and refusals", () => withGateway([],
	["--cors-origin", page, "--cors-origin", "https://second.example"], async ({ gateway, keys }) => {
	const asked = await preflight(gateway, page);
	assert.equal(asked.status, 204);
	assert.equal(asked.headers["access-control-allow-origin"], page);
	assert.match(asked.headers["access-control-allow-methods"], /POST/);
	assert.match(asked.headers["access-control-allow-headers"], /authorization/);
	assert.equal(asked.headers["content-length"] ?? "0", "0");
	const answer = await post(gateway, page, { authorization: `Bearer ${keys.page}` });
	assert.equal(answer.status, 200);
	assert.equal(answer.headers["access-control-allow-origin"], page);
	const refused = await post(gateway, "https://second.example");
	assert.equal(refused.status, 401);
	assert.equal(refused.headers["access-control-allow-origin"], "https://second.example");
}, { keys: [["page"]] }));

// Everything that an answer carries and a browser would hide: all but the few names it always shows.
const always = ["cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"];
const transport = ["connection", "date", "keep-alive", "transfer-encoding", "vary", "www-authenticate"];

test("a page may read every header that the gateway sends for clients", () => withGateway(["--latency", "1ms"],
	["--cors-origin", page], async ({ gateway, keys }) => {
	const own = { authorization: `Bearer ${keys.page}` };
	const answers = [await post(gateway, page, own), await post(gateway, page, own), await post(gateway, page, own), await post(gateway, page)];
	assert.deepEqual(answers.map(({ status }) => status), [200, 200, 429, 401]);
	assert.ok(answers[2].headers["retry-after"] && answers[0].headers["x-embed-cache"] && answers[0].headers["x-ratelimit-reset-tokens"]);
	for (const { headers } of answers) {
		const exposed = headers["access-control-expose-headers"].split(", ");
		for (const name of Object.keys(headers))
			assert.ok(exposed.includes(name) || always.includes(name) || transport.includes(name) || name.startsWith("access-control-"), name);
	}
}, { keys: [["page", "--rpm", "2", "--tpm", "1000"]] }));

test("an origin that is not configured reads nothing, and no cache gives it another's answer", () => withGateway([],
	["--cors-origin", page], async ({ gateway }) => {
	assert.deepEqual(corsFields(await preflight(gateway, stranger)), []);
	for (const answer of [await post(gateway, stranger), await post(gateway, `${page}.evil`), await send(gateway, "POST", {}, "{}")]) {
		assert.deepEqual(corsFields(answer), []);
		assert.equal(answer.headers.vary, "origin");
	}
}));

test("a star lets every page read", () => withGateway([], ["--cors-origin", "*"], async ({ gateway }) => {
	assert.equal((await preflight(gateway, stranger)).headers["access-control-allow-origin"], "*");
	assert.equal((await post(gateway, stranger)).headers["access-control-allow-origin"], "*");
}));
