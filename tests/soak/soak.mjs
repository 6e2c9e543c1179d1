// SPDX-License-Identifier: MIT
// Soak: a gateway under everything at once for a while, and what must stay flat does.
//   tests/soak/run EMBED [--seconds 120] [--connections 2000] [--seed 1] [--leak LIBRARY.so]
// Each connection asks every other second; a line a minute says what the gateway holds.
// Load: hits, misses, batches, bad requests, callers that leave, bodies that never end, dashboards, scrapes;
// meanwhile keys come and go and the gateway reloads.  At the end: memory, descriptors, threads, answers, books.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { parseArgs } from "node:util";
import { growth, quarters } from "./flat.mjs";
import { model, newHome, run, sleep, start, startEmulator } from "../gateway/harness.mjs";

const { values } = parseArgs({
	options: {
		seconds: { type: "string", default: "120" },
		connections: { type: "string", default: "2000" },
		seed: { type: "string", default: "1" },
		leak: { type: "string" }, // a library that makes the gateway leak: the run must fail
	},
});
const seconds = Number(values.seconds);
const connections = Number(values.connections);
const known = 500; // texts that are stored beforehand
const dashboards = 5;
const slowest = 20_000; // ms: an answer later than this counts as stuck
const pause = 4000; // ms between a connection's requests, at the most
const slots = 16; // connections that the gateway keeps to its upstream, at the most

// A small seeded generator (mulberry32): the same seed asks the same.
let state = Number(values.seed);
function random() {
	state = (state + 0x6d2b79f5) | 0;
	let z = Math.imul(state ^ (state >>> 15), 1 | state);
	z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
	return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);

const home = newHome();
const keys = (...args) => run(["keys", "--home", home.path, ...args]);
const addKey = (...args) => {
	const made = keys("add", ...args);
	assert.equal(made.code, 0, made.err);
	return made.out.trim();
};
const callers = ["ann", "bob", "eve"].map((name) => addKey(name));
const admin = addKey("root", "--admin");

const upstream = await startEmulator("--latency", "20ms", "--jitter", "30ms", "--fault", "fault@1%", "--fault", "reset@1%");
// The store's table of use has two bytes a record that fits, and fills page by page: a small store's is full at once.
const gateway = start(["serve", "--home", home.path, "--base-url", `${upstream.base}/v1`, "--listen", "127.0.0.1:0",
	"--log-level", "error", "--store-size", "1G"], { env: values.leak ? { LD_PRELOAD: values.leak } : {} });
[, gateway.base] = await gateway.until(/serving on (http:\/\/\S+)\/v1/);
const { port } = new URL(gateway.base);
const newAgent = () => new http.Agent({ keepAlive: true, maxSockets: 1 });
const shared = newAgent(); // of what is not a caller

// ---- One request --------------------------------------------------------

const counts = new Map();
const wrong = []; // what must not be
const count = (name) => counts.set(name, (counts.get(name) ?? 0) + 1);
const complain = (text) => { if (wrong.length < 20) wrong.push(text); };

function send(method, path, body, { key = callers[below(3)], leaveAfter = 0, agent = shared } = {}) {
	return new Promise((resolve) => {
		const began = performance.now();
		const request = http.request({
			host: "127.0.0.1", port, method, path, agent,
			headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
		});
		const end = (result) => {
			const took = performance.now() - began;
			if (took > slowest) complain(`${method} ${path} took ${Math.round(took)} ms`);
			resolve(result);
		};
		request.on("error", (error) => end({ status: 0, text: String(error) }));
		request.on("response", (response) => {
			const parts = [];
			response.on("data", (part) => parts.push(part));
			response.on("error", (error) => end({ status: 0, text: String(error) }));
			response.on("end", () => end({ status: response.statusCode, text: Buffer.concat(parts).toString() }));
		});
		if (leaveAfter) setTimeout(() => request.destroy(), leaveAfter);
		request.end(body);
	});
}

const embed = (input, options) =>
	send("POST", "/v1/embeddings", JSON.stringify({ model, input, encoding_format: "base64", dimensions: 256 }), options);

const knownText = (i) => `a text that was stored before, number ${i}`;
let fresh = 0;
const newText = () => `a text that nobody has asked for yet, number ${fresh++}`;

// The vector that each known text had first: any other later is a wrong one.
const vectors = new Map();
function checkVectors(input, answer) {
	const { data } = JSON.parse(answer.text);
	if (data.length !== input.length) return complain(`${input.length} texts, ${data.length} vectors`);
	input.forEach((text, i) => {
		if (data[i].index !== i) complain(`index ${data[i].index} at ${i}`);
		if (!text.startsWith("a text that was stored")) return;
		if (!vectors.has(text)) vectors.set(text, data[i].embedding);
		else if (vectors.get(text) !== data[i].embedding) complain(`another vector for "${text}"`);
	});
}

async function embedRightly(input, options) {
	const answer = await embed(input, options);
	if (answer.status === 200) return checkVectors(input, answer);
	complain(`${input.length} texts: ${answer.status} ${answer.text.slice(0, 200)}`);
}

// ---- What callers do ----------------------------------------------------

async function expect(statuses, answer) {
	if (!statuses.includes((await answer).status))
		complain(`wanted ${statuses}: ${(await answer).status} ${(await answer).text.slice(0, 200)}`);
}

// A body that is announced and never comes; the caller goes away in the middle.
function breakOff() {
	return new Promise((resolve) => {
		const socket = net.connect(Number(port), "127.0.0.1", () => {
			socket.write(`POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${callers[0]}\r\n` +
				"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{\"model\":");
			setTimeout(() => { socket.destroy(); resolve(); }, below(2000));
		});
		socket.on("error", resolve);
	});
}

const mixed = () => Array.from({ length: 2 + below(60) }, () => (below(10) ? knownText(below(known)) : newText()));
const habits = [
	[62, "hit", (options) => embedRightly([knownText(below(known))], options)],
	[14, "miss", (options) => embedRightly([newText()], options)],
	[6, "batch", (options) => embedRightly(mixed(), options)],
	[4, "models", (options) => expect([200], send("GET", "/v1/models", undefined, options))],
	[3, "leave", (options) => embed([newText()], { ...options, leaveAfter: 1 + below(40) })],
	[3, "empty text", (options) => expect([400], embed(["good", ""], options))],
	[3, "bad JSON", (options) => expect([400], send("POST", "/v1/embeddings", "{\"model\":", options))],
	[2, "no such path", (options) => expect([404], send("GET", "/v1/nothing", undefined, options))],
	[2, "broken off", breakOff],
	[1, "bad key", (options) => expect([401, 429], embed(["x"], { ...options, key: "emb-nobody" }))],
];

// One connection, which stays open from request to request.  All begin at once, as they do when a network
// comes back: what is kept for the busiest moment is then kept from the start, however busy the machine is.
async function behave(until) {
	const agent = newAgent();
	while (Date.now() < until) {
		let ticket = below(100);
		const [, name, act] = habits.find(([share]) => (ticket -= share) < 0);
		count(name);
		await act({ agent });
		await sleep(below(pause));
	}
	agent.destroy();
}

// ---- What goes on meanwhile ---------------------------------------------

// A dashboard stays for some seconds, is closed, and comes again.
function watch(milliseconds) {
	return new Promise((resolve) => {
		let bytes = 0;
		const request = http.get({
			host: "127.0.0.1", port, path: "/dashboard/events", headers: { authorization: `Bearer ${admin}` },
		}, (response) => {
			if (response.statusCode !== 200) complain(`dashboard: ${response.statusCode}`);
			response.on("data", (part) => { bytes += part.length; });
			response.on("error", () => {});
		});
		request.on("error", () => {});
		setTimeout(() => {
			if (bytes === 0 && milliseconds > 5000) complain("a dashboard heard nothing for 5 s");
			request.destroy();
			count("dashboard");
			resolve();
		}, milliseconds);
	});
}

async function keepWatching(until) {
	while (Date.now() < until) await watch(Math.min(3000 + below(12000), Math.max(1000, until - Date.now())));
}

async function keepChanging(until) {
	for (let round = 0; Date.now() < until; round++) {
		const key = addKey("guest", "--rpm", "1000");
		await sleep(2500);
		await expect([200], embed([knownText(1)], { key }));
		await expect([200], send("GET", "/metrics", undefined, { key: admin }));
		gateway.child.kill("SIGHUP");
		assert.equal(keys("revoke", "guest").code, 0);
		await sleep(2500);
		await expect([401, 429], embed([knownText(1)], { key }));
		count("key changes and reloads");
	}
}

// ---- What must stay flat ------------------------------------------------

function look() {
	const proc = `/proc/${gateway.child.pid}`;
	const status = readFileSync(`${proc}/status`, "utf8");
	const field = (name) => Number(status.match(new RegExp(`^${name}:\\s+(\\d+)`, "m"))[1]);
	return { anon: field("RssAnon") / 1024, file: field("RssFile") / 1024, threads: field("Threads"), fds: readdirSync(`${proc}/fd`).length };
}

async function keepLooking(until, samples) {
	while (Date.now() < until) {
		samples.push(look());
		if (samples.length % 60 === 0) {
			const { anon, file, threads, fds } = samples.at(-1);
			const requests = [...counts.values()].reduce((sum, n) => sum + n, 0);
			console.log(`${samples.length} s, ${requests} requests: own memory ${anon.toFixed(1)} MB, of files ${file.toFixed(1)}, ` +
				`${fds} descriptors, ${threads} threads`);
		}
		await sleep(1000);
	}
}

// The stand-in forgets nothing that it billed; what it lost on purpose is not the gateway's to know.
async function checkBooks() {
	const billed = await upstream.stats();
	const usage = JSON.parse(run(["usage", "--home", home.path, "--format", "json"]).out);
	const rows = usage.rows ?? usage;
	const ledger = rows.reduce((sum, row) => sum + row.billed_tokens, 0);
	assert.equal(ledger, billed.tokens - billed.lost_tokens, "ledger against bill");
	return ledger;
}

// ---- The run ------------------------------------------------------------

for (let i = 0; i < known; i += 50)
	await embedRightly(Array.from({ length: 50 }, (_, j) => knownText(i + j)));
const before = look();
const samples = [];
const until = Date.now() + seconds * 1000;
await Promise.all([
	...Array.from({ length: connections }, () => behave(until)),
	...Array.from({ length: dashboards }, () => keepWatching(until)),
	keepChanging(until),
	keepLooking(until, samples),
]);
shared.destroy();
await sleep(1500);
const after = look();
const code = await gateway.stop("SIGTERM");

console.log([...counts].map(([name, n]) => `${n} ${name}`).join(", "));
console.log(`own memory ${before.anon.toFixed(1)} MB before, by quarters ` +
	`${quarters(samples).map((anon) => anon.toFixed(1)).join(", ")}, ` +
	`${after.anon.toFixed(1)} after; descriptors ${before.fds}, at most ${Math.max(...samples.map((s) => s.fds))}, ${after.fds} after; ` +
	`threads ${before.threads}, ${after.threads} after`);
try {
	assert.deepEqual(wrong, []);
	assert.equal(code, 0, "how the gateway ended");
	assert.deepEqual(growth({ before, samples, after, seconds, slots }), []);
	assert.equal(run(["cache", "--home", home.path, "verify"]).code, 0, "the store");
	console.log(`ledger and bill agree: ${await checkBooks()} tokens`);
} finally {
	await upstream.stop("SIGKILL");
	home.remove();
}
