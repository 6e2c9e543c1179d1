// SPDX-License-Identifier: MIT
// usage: node misses.mjs EMBED   what the gateway adds to a miss, and how 1,000 clients are gathered
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

const embed = process.argv[2];
const home = mkdtempSync(join(tmpdir(), "embed-bench-"));
const model = "text-embedding-3-small";
const children = [];

function start(args, pattern) {
	return new Promise((resolve, reject) => {
		const child = spawn(embed, args, { env: { PATH: process.env.PATH, OPENAI_API_KEY: "bench" } });
		let output = "";
		children.push(child);
		const look = (data) => {
			output += data;
			const match = output.match(pattern);
			if (match) resolve(match[1]);
		};
		child.stdout.on("data", look);
		child.stderr.on("data", look);
		child.on("close", () => reject(new Error(output)));
	});
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 1200 });
let serial = 0;

// Milliseconds of one request for a text that nobody asked for yet.
function ask(base) {
	const url = new URL(`${base}/v1/embeddings`);
	const body = JSON.stringify({ model, input: `miss ${process.pid} ${serial++}`, encoding_format: "base64" });
	return new Promise((resolve, reject) => {
		const before = process.hrtime.bigint();
		const request = http.request(url, { method: "POST", agent, headers: { "content-length": Buffer.byteLength(body) } }, (response) => {
			response.resume();
			response.on("end", () => response.statusCode === 200
				? resolve(Number(process.hrtime.bigint() - before) / 1e6) : reject(new Error(`status ${response.statusCode}`)));
		});
		request.on("error", reject);
		request.end(body);
	});
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

// `rate` requests a second for `seconds`, each when its time has come, whatever became of those before.
async function paced(base, rate, seconds) {
	const all = [];
	const begin = performance.now();
	for (let i = 0; i < rate * seconds; i++) {
		while (performance.now() - begin < i * 1000 / rate) await new Promise(setImmediate);
		all.push(ask(base));
	}
	return (await Promise.all(all)).sort((a, b) => a - b);
}

const listen = ["--listen", "127.0.0.1:0"];
const upstream = await start(["emulate", ...listen, "--latency", "5ms"], /(http:\/\/127\.0\.0\.1:\d+)\/v1/);
const gateway = await start(["serve", "--home", join(home, "a"), ...listen, "--workers", "1", "--base-url", `${upstream}/v1`],
	/serving on (\S+)\/v1/);
for (const rate of [200, 1000]) {
	await paced(upstream, rate, 1);
	await paced(gateway, rate, 1);
	const direct = await paced(upstream, rate, 4);
	const through = await paced(gateway, rate, 4);
	console.log(`${rate} misses/s: upstream p50 ${at(direct, 0.5).toFixed(2)} p99 ${at(direct, 0.99).toFixed(2)} ms, ` +
		`gateway p50 ${at(through, 0.5).toFixed(2)} p99 ${at(through, 0.99).toFixed(2)} ms, ` +
		`added p50 ${(at(through, 0.5) - at(direct, 0.5)).toFixed(2)} p99 ${(at(through, 0.99) - at(direct, 0.99)).toFixed(2)} ms`);
}

const slow = await start(["emulate", ...listen, "--latency", "50ms", "--slots", "10"], /(http:\/\/127\.0\.0\.1:\d+)\/v1/);
const gatherer = await start(["serve", "--home", join(home, "b"), ...listen, "--workers", "1", "--max-in-flight", "10",
	"--base-url", `${slow}/v1`], /serving on (\S+)\/v1/);
await Promise.all(Array.from({ length: 1000 }, () => ask(gatherer))); // connections are open
const first = await (await fetch(`${slow}/emulator/stats`)).json();
const times = [];
await Promise.all(Array.from({ length: 1000 }, async () => {
	for (let i = 0; i < 5; i++) times.push(await ask(gatherer));
}));
const last = await (await fetch(`${slow}/emulator/stats`)).json();
times.sort((a, b) => a - b);
console.log(`1000 clients, 50 ms, 10 slots: ${((last.texts - first.texts) / (last.embeddings_requests - first.embeddings_requests)).toFixed(1)} ` +
	`texts a request, p50 ${at(times, 0.5).toFixed(1)} p99 ${at(times, 0.99).toFixed(1)} ms`);
for (const child of children) child.removeAllListeners("close").kill();
agent.destroy();
rmSync(home, { recursive: true, force: true });
