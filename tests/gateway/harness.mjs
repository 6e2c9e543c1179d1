// SPDX-License-Identifier: MIT
// Starts `embed emulate` and `embed serve` on free ports, with a home of their own, and ends them.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const binary = process.env.EMBED_BINARY;
if (!binary) throw new Error("EMBED_BINARY names the program to test");

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// The upstream's key that every program of these tests gets.  It must be in nothing that they print, answer or leave.
export const upstreamKey = "sk-upstream-key";
const leaks = [];
process.on("exit", () => {
	if (leaks.length === 0) return;
	console.error(`the API key is in ${leaks.join(", ")}`);
	process.exitCode = 1;
});
export function search(what, bytes) {
	if (bytes?.includes(upstreamKey)) leaks.push(what);
	return leaks.length;
}

function searchFolder(path) {
	for (const entry of readdirSync(path, { withFileTypes: true }))
		if (entry.isDirectory()) searchFolder(join(path, entry.name));
		else if (entry.isFile()) search(join(path, entry.name), readFileSync(join(path, entry.name)));
}

export function newHome() {
	const home = mkdtempSync(join(tmpdir(), "embed-gateway-"));
	return {
		path: home,
		remove: () => {
			searchFolder(home);
			rmSync(home, { recursive: true, force: true });
		},
	};
}

// A child whose stderr and stdout are watched; `until` resolves with the match.
export function start(args, { env = {}, stdio = [], command = binary, stdin = "ignore" } = {}) {
	const child = spawn(command, args, {
		stdio: [stdin, "pipe", "pipe", ...stdio],
		env: { PATH: process.env.PATH, HOME: tmpdir(), OPENAI_API_KEY: upstreamKey, ...env },
	});
	const running = { child, output: "", code: undefined, watchers: new Set() };
	const look = () => running.watchers.forEach((watcher) => watcher());
	for (const stream of [child.stdout, child.stderr])
		stream.on("data", (data) => { running.output += data; look(); });
	running.ended = new Promise((resolve) => child.on("close", (code, signal) => {
		running.code = code ?? signal;
		search(`what ${command} ${args.join(" ")} said`, running.output);
		look();
		resolve(running.code);
	}));
	running.until = (pattern) => new Promise((resolve, reject) => {
		const watcher = () => {
			const match = running.output.match(pattern);
			if (match) resolve(match);
			else if (running.code !== undefined)
				reject(new Error(`ended with ${running.code} before ${pattern}: ${running.output}`));
			else return;
			running.watchers.delete(watcher);
		};
		running.watchers.add(watcher);
		watcher();
	});
	running.stop = async (signal = "SIGTERM") => {
		if (running.code === undefined) child.kill(signal);
		return running.ended;
	};
	return running;
}

export async function startEmulator(...args) {
	const running = start(["emulate", "--listen", "127.0.0.1:0", ...args]);
	const [, base] = await running.until(/(http:\/\/127\.0\.0\.1:\d+)\/v1/);
	return {
		...running,
		base,
		stats: async () => (await fetch(`${base}/emulator/stats`)).json(),
		reset: () => fetch(`${base}/emulator/reset`, { method: "POST" }),
		faults: (...rules) => fetch(`${base}/emulator/faults`, { method: "POST", body: JSON.stringify(rules) }),
	};
}

export async function startGateway(upstream, home, ...args) {
	const running = start(["serve", "--home", home, "--base-url", `${upstream}/v1`,
		"--listen", "127.0.0.1:0", ...args]);
	const [, base] = await running.until(/serving on (https?:\/\/\S+)\/v1/);
	return { ...running, base, log: () => running.output };
}

// An upstream that keeps each body it was sent and answers it with vectors of the body's own.
export async function startRecorder() {
	const bodies = [];
	const server = http.createServer(async (request, response) => {
		let text = "";
		for await (const part of request) text += part;
		const body = JSON.parse(text);
		bodies.push(body);
		const vector = Buffer.from(new Float32Array([3, 4, body.task === "query" ? 1 : 2, bodies.length]).buffer);
		response.setHeader("content-type", "application/json");
		response.end(JSON.stringify({ object: "list", model: body.model, usage: { prompt_tokens: 1, total_tokens: 1 },
			data: body.input.map((_, index) => ({ object: "embedding", index, embedding: vector.toString("base64") })) }));
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	return { bodies, base: `http://127.0.0.1:${server.address().port}`, stop: () => { server.closeAllConnections(); server.close(); } };
}

export function run(args, env = {}) {
	const done = spawnSync(binary, args, {
		encoding: "utf8",
		timeout: 120_000, // none takes so long: then it hangs, and the signal says so
		env: { PATH: process.env.PATH, HOME: tmpdir(), ...env },
	});
	search(`what ${args.join(" ")} said`, `${done.stdout}${done.stderr}`);
	return { code: done.status ?? done.signal, out: done.stdout, err: done.stderr };
}

// Makes keys, each by the arguments of `embed keys add`; their secrets by name.
function addKeys(home, keys = []) {
	return Object.fromEntries(keys.map(([name, ...args]) => {
		const made = run(["keys", "--home", home, "add", name, ...args]);
		if (made.code !== 0) throw new Error(made.err);
		return [name, made.out.trim()];
	}));
}

// A gateway and an upstream of its own for one test.
export async function withGateway(upstreamArgs, gatewayArgs, body, options = {}) {
	const home = newHome();
	const upstream = await startEmulator(...upstreamArgs);
	const keys = addKeys(home.path, options.keys);
	const gateway = await startGateway(upstream.base, home.path, ...gatewayArgs);
	try {
		await body({ upstream, gateway, home: home.path, keys });
	} finally {
		await gateway.stop("SIGKILL");
		await upstream.stop("SIGKILL");
		home.remove();
	}
}

// Until the upstream works on something.
export async function untilWorking(upstream, count = 1) {
	while ((await upstream.stats()).working < count);
}

// The first groups of the log's matches in order, once there are `count`: a line may come after its answer.
export async function logged(gateway, pattern, count) {
	for (;;) {
		const found = [...gateway.log().matchAll(pattern)].map((match) => match[1]);
		if (found.length >= count) return found;
		await new Promise(setImmediate);
	}
}

export async function metric(gateway, name) {
	const text = await (await fetch(`${gateway.base}/metrics`)).text();
	return Number(text.match(new RegExp(`^${name} (\\d+)$`, "m"))[1]);
}

// A signal is on its way when kill returns: a thread that runs may still answer something before it stops.
export async function holdStill(child) {
	const tasks = `/proc/${child.pid}/task`;
	const isStopped = (task) => /\) T /.test(readFileSync(join(tasks, task, "stat"), "latin1"));
	child.kill("SIGSTOP");
	while (!readdirSync(tasks).every(isStopped)) await sleep(1);
}

// Holds the upstream still and asks by `ask`.  Once `count` requests are on their way to it: what was asked, and how to let go.
export async function withHeld({ upstream, gateway }, ask, count = 1) {
	await holdStill(upstream.child);
	const asked = ask();
	while (await metric(gateway, "embed_in_flight") < count);
	return { asked, letGo: () => upstream.child.kill("SIGCONT") };
}

// Holds the upstream still with `first` under way: asks by `ask`, and lets it go on only when `isEnough` says so.  So
// what goes in which order is the gateway's choice alone, however slow the machine is.  With --max-in-flight 1.
export async function whileHeld(setting, first, ask, isEnough) {
	const plug = await withHeld(setting, first);
	const asked = ask();
	while (!await isEnough());
	plug.letGo();
	await plug.asked;
	return asked;
}

// For whileHeld: so many texts wait.
export const untilQueued = (gateway, count) => async () => await metric(gateway, "embed_queued_texts") >= count;

export const model = "text-embedding-3-small";

export async function embed(base, body, { headers = {}, path = "/v1/embeddings", signal } = {}) {
	const response = await fetch(base + path, {
		method: "POST",
		headers: { "content-type": "application/json", ...headers },
		body: typeof body === "string" ? body : JSON.stringify({ model, ...body }),
		signal,
	});
	const text = await response.text();
	search(`an answer of ${path}`, text);
	let json;
	try { json = JSON.parse(text); } catch { json = undefined; }
	return { status: response.status, headers: response.headers, text, json };
}

// Asks until the store itself answers: an answer comes a moment before its vector is on disk.
export async function embedUntilHit(base, body, options) {
	for (let i = 0; i < 500; i++) {
		const answer = await embed(base, body, options);
		if (answer.status !== 200 || answer.headers.get("x-embed-cache") === "hit") return answer;
	}
	throw new Error("never stored");
}

// The numbers of an item, whatever its encoding.
export function vectorOf(item) {
	if (Array.isArray(item.embedding)) return Float32Array.from(item.embedding);
	const bytes = Buffer.from(item.embedding, "base64");
	return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

export function cosine(a, b) {
	let ab = 0, aa = 0, bb = 0;
	for (let i = 0; i < a.length; i++) {
		ab += a[i] * b[i];
		aa += a[i] * a[i];
		bb += b[i] * b[i];
	}
	return ab / Math.sqrt(aa * bb);
}

// A small seeded generator (mulberry32): a failing seed runs again.
export function seeded(seed) {
	return () => {
		seed = (seed + 0x6d2b79f5) | 0;
		let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}
