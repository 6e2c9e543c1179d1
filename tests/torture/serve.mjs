// SPDX-License-Identifier: MIT
// Torture of a gateway: a call fails while it starts, and while it answers a hit, a miss, a batch, metrics, a dashboard.
//   tests/torture/run EMBED FAULTS.so serve [--most 40] [--kind KIND]     --most: calls of each kind and phase
// It may refuse, cut a connection, or not start and say why.  It may not crash, hang, answer a wrong vector, or keep a
// descriptor; when the fault is over, the same requests are answered, and store and ledger are sound.
import assert from "node:assert/strict";
import { cpSync, readdirSync, rmSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { embed, embedUntilHit, newHome, run, sleep, start, startEmulator, startGateway, vectorOf } from "../gateway/harness.mjs";
import { kinds, never, newBoard } from "./board.mjs";

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: { most: { type: "string", default: "40" }, kind: { type: "string" } },
});
const [faults] = positionals;
const most = Number(values.most);
const slowest = 20_000; // ms: an answer later than this counts as stuck
const kept = 8; // descriptors that may stay: connections to the upstream, and those that are just closed

const work = newHome();
const home = join(work.path, "home");
const board = newBoard(join(work.path, "board"));
const upstream = await startEmulator();
const truth = await startEmulator(); // what a vector should be
const complaints = [];
let cases = 0, refused = 0, ended = 0, unbooked = 0;

// ---- Requests -----------------------------------------------------------

const dimensions = 32;
const known = "a text that is stored";
let fresh = 0;

async function isRight(input, answer) {
	const right = await embed(truth.base, { input, dimensions, encoding_format: "base64" });
	return answer.json?.data?.length === input.length &&
		input.every((_, i) => Buffer.compare(Buffer.from(vectorOf(answer.json.data[i]).buffer), Buffer.from(vectorOf(right.json.data[i]).buffer)) === 0);
}

// Each request says what is wrong with its answer: "" for nothing, "refused" for an orderly no.
async function askForVectors(base, input) {
	const answer = await embed(base, { input, dimensions, encoding_format: "base64" }, { signal: AbortSignal.timeout(slowest) });
	if (answer.status === 200) return await isRight(input, answer) ? "" : `a wrong answer: ${answer.text.slice(0, 200)}`;
	return answer.status >= 400 && answer.json?.error?.message ? "refused" : `${answer.status} ${answer.text.slice(0, 200)}`;
}

async function askForMetrics(base) {
	const answer = await fetch(`${base}/metrics`, { signal: AbortSignal.timeout(slowest), headers: { connection: "close" } });
	const text = await answer.text();
	if (answer.status !== 200) return "refused";
	return /^embed_in_flight \d+$/m.test(text) ? "" : `cut metrics: ${text.slice(-200)}`;
}

const askForEvents = (base) => new Promise((resolve, reject) => {
	const request = http.get(`${base}/dashboard/events`, { agent: false, timeout: slowest }, (response) => {
		response.on("data", () => { resolve(response.statusCode === 200 ? "" : "refused"); request.destroy(); });
		response.on("end", () => resolve("refused"));
		response.on("error", reject);
	});
	request.on("timeout", () => request.destroy(new DOMException("no event", "TimeoutError")));
	request.on("error", reject);
});

const requests = {
	hit: (base) => askForVectors(base, [known]),
	miss: (base) => askForVectors(base, [`a new text, number ${fresh++}`]),
	batch: (base) => askForVectors(base, [`a new text, number ${fresh++}`, known, `a new text, number ${fresh++}`]),
	metrics: askForMetrics,
	dashboard: askForEvents,
};

// All requests, one after the other.  With `may_refuse` a connection may be cut, too, but none may be held for ever.
async function ask(gateway, what, may_refuse) {
	for (const [name, request] of Object.entries(requests)) {
		if (gateway.code !== undefined) return;
		const said = await request(gateway.base).catch((error) =>
			error.name === "TimeoutError" ? "no answer in time" : may_refuse ? "refused" : `cut: ${error.cause ?? error}`);
		if (said === "refused" && may_refuse) refused++;
		else if (said) complaints.push(`${what}, ${name}: ${said}`);
	}
}

// ---- Gateways -----------------------------------------------------------

const lay = () => {
	rmSync(home, { recursive: true, force: true });
	cpSync(join(work.path, "full"), home, { recursive: true });
};

const open = (kind) => start(["serve", "--home", home, "--base-url", `${upstream.base}/v1`, "--listen", "127.0.0.1:0"],
	{ env: { LD_PRELOAD: faults, TORTURE: kind, TORTURE_BOARD: board.path } });

// True: it serves; false: it ended.
async function serves(gateway) {
	const timer = setTimeout(() => gateway.child.kill("SIGKILL"), slowest);
	const match = await gateway.until(/serving on (http:\/\/\S+)\/v1/).catch(() => undefined);
	clearTimeout(timer);
	gateway.base = match?.[1];
	return match !== undefined;
}

const descriptors = (gateway) => readdirSync(`/proc/${gateway.child.pid}/fd`).length;

// Tokens that were sent and whose bill never came, as the gateway knows itself.
async function unsureTokens(gateway) {
	const metrics = await (await fetch(`${gateway.base}/metrics`, { headers: { connection: "close" } })).text();
	return Number(metrics.match(/^embed_unsure_tokens_total (\d+)$/m)[1]);
}

function bookedTokens() {
	const usage = run(["usage", "--home", home, "--format", "json"]);
	if (usage.code !== 0) throw new Error(`the ledger: ${usage.err}`);
	return (JSON.parse(usage.out).rows ?? JSON.parse(usage.out)).reduce((sum, row) => sum + row.billed_tokens, 0);
}

// What is left when a gateway ended must be sound, and the ledger knows of all that was billed but for what is unsure.
async function checkHome(what, unsure = 0) {
	const verified = run(["cache", "verify", "--home", home]);
	if (verified.code !== 0) complaints.push(`${what}: the store does not verify: ${verified.err}${verified.out}`);
	const booked = bookedTokens() - booksBefore;
	const billed = (await upstream.stats()).tokens;
	if (booked > billed || billed > booked + unsure)
		complaints.push(`${what}: ${booked} tokens in the ledger, ${billed} billed, ${unsure} unsure`);
	unbooked += billed - booked;
}

async function stop(gateway, what) {
	const unsure = await unsureTokens(gateway);
	const timer = setTimeout(() => gateway.child.kill("SIGKILL"), slowest);
	const code = await gateway.stop();
	clearTimeout(timer);
	if (code !== 0) complaints.push(`${what}: ended with ${code}: ${gateway.output.slice(-400)}`);
	await checkHome(what, unsure);
}

function spread(calls) {
	const step = Math.max(1, calls / most);
	const at = [];
	for (let k = 1; k <= calls; k += step) at.push(Math.floor(k));
	return at;
}

// ---- While it starts ----------------------------------------------------

async function callsOfStart(kind) {
	lay();
	board.arm(never);
	const gateway = open(kind);
	assert.ok(await serves(gateway), gateway.output);
	const calls = never - board.left();
	await gateway.stop();
	return calls;
}

async function failAtStart(kind, at) {
	const what = `start, ${kind}:${at}`;
	lay();
	await upstream.reset();
	board.arm(at);
	cases++;
	const gateway = open(kind);
	if (await serves(gateway)) {
		await ask(gateway, what, true);
		board.disarm();
		await ask(gateway, what, false);
		return stop(gateway, what);
	}
	board.disarm();
	ended++;
	if (typeof gateway.code !== "number" || gateway.code === 0 || gateway.output.trim() === "")
		complaints.push(`${what}: ended with ${gateway.code}: ${gateway.output.slice(-400)}`);
	await checkHome(what);
}

// ---- While it serves ----------------------------------------------------

async function failWhileServing(kind) {
	lay();
	await upstream.reset();
	board.disarm();
	const gateway = open(kind);
	assert.ok(await serves(gateway), gateway.output);
	await ask(gateway, "undisturbed", false);
	board.arm(never);
	await ask(gateway, "undisturbed", false);
	const before = descriptors(gateway);
	for (const at of spread(never - board.left())) {
		const what = `serving, ${kind}:${at}`;
		cases++;
		board.arm(at);
		await ask(gateway, what, true);
		board.disarm();
		await ask(gateway, what, false);
		if (gateway.code !== undefined) return complaints.push(`${what}: ended with ${gateway.code}: ${gateway.output.slice(-400)}`);
	}
	for (let i = 0; descriptors(gateway) > before + kept && i < 100; i++) await sleep(50);
	if (descriptors(gateway) > before + kept) complaints.push(`serving, ${kind}: ${before} descriptors before, ${descriptors(gateway)} after`);
	await stop(gateway, `serving, ${kind}`);
}

// ---- The run ------------------------------------------------------------

const first = await startGateway(upstream.base, home);
await embedUntilHit(first.base, { input: [known], dimensions, encoding_format: "base64" });
await first.stop();
cpSync(home, join(work.path, "full"), { recursive: true });
const booksBefore = bookedTokens();

for (const kind of kinds.filter((kind) => kind === (values.kind ?? kind))) {
	for (const at of spread(await callsOfStart(kind))) await failAtStart(kind, at);
	await failWhileServing(kind);
}
await upstream.stop("SIGKILL");
await truth.stop("SIGKILL");
work.remove();
console.log(`${cases} faults in a gateway; ${ended} times it did not start, ${refused} requests were refused, ` +
	`${unbooked} tokens were billed by answers that found no memory, and counted as unsure`);
if (complaints.length) console.log(complaints.join("\n"));
process.exit(complaints.length ? 1 : 0);
