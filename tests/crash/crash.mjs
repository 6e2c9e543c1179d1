// SPDX-License-Identifier: MIT
// Crash: `kill -9` at random instants of everything that writes, round after round on one store and ledger.
//   tests/crash/run EMBED [--rounds 1000] [--seed 1]
// After each round the store verifies.  At the end the output is the one of an undisturbed run, nothing was paid
// for twice but what was in the air, and the ledger holds no token that was not billed.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { embed, newHome, run, sleep, start, startEmulator, startGateway } from "../gateway/harness.mjs";

const { values } = parseArgs({
	options: { rounds: { type: "string", default: "1000" }, seed: { type: "string", default: "1" } },
});
const rounds = Number(values.rounds);
const pruned = Math.floor(rounds / 4); // rounds in which the store is pruned, too, so that texts are rightly paid for again
const batch = 20; // texts in a request
const slots = 4; // requests at a time
const dimensions = "64";

// A small seeded generator (mulberry32).
let state = Number(values.seed);
function random() {
	state = (state + 0x6d2b79f5) | 0;
	let z = Math.imul(state ^ (state >>> 15), 1 | state);
	z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
	return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);

const home = newHome();
const work = newHome(); // inputs and outputs
const file = (name) => join(work.path, name);
const upstream = await startEmulator("--latency", "5ms", "--jitter", "10ms");
const limits = ["--home", home.path, "--base-url", `${upstream.base}/v1`, "--batch-texts", `${batch}`, "--max-in-flight", `${slots}`];
const embedNow = (...args) => run(args, { OPENAI_API_KEY: "sk-upstream-key" });

function good(result, what) {
	assert.equal(result.code, 0, `${what}: ${result.code} ${result.err}`);
	return result.out;
}

// A window of rows that moves on from round to round, so that there is always something stored and something to pay for.
// The rounds after the pruned ones have rows of their own.
const rowCount = rounds * 10;
const firstRow = (round) => (round < pruned ? 0 : rowCount);
const textOf = (i) => `a row to be cut off, number ${i}`;
const writeLines = (name, first, count) =>
	writeFileSync(file(name), Array.from({ length: count }, (_, i) => `{"id":${first + i},"text":"${textOf(first + i)}"}\n`).join(""));
writeLines("all.jsonl", rowCount, rowCount);
const rowsArgs = (input, output, ...more) =>
	["rows", file(input), "-o", file(output), "-e", "base64", "--dimensions", dimensions, ...limits, ...more];

// ---- Victims ------------------------------------------------------------

async function killAfter(victim, milliseconds) {
	await sleep(milliseconds);
	await victim.stop("SIGKILL");
}

async function killRows(round) {
	writeLines("rows.jsonl", firstRow(round) + below(Math.min(rowCount - 400, round * 10 + 1)), 400);
	await killAfter(start(rowsArgs("rows.jsonl", "cut.jsonl")), below(100));
	if (!existsSync(file("cut.jsonl"))) return;
	assert.equal(readFileSync(file("cut.jsonl"), "utf8").split("\n").length, 401, "an output in place is whole");
	rmSync(file("cut.jsonl"));
}

// Callers keep asking until the gateway is gone; what they were answered is right or an error.
async function killServe(round) {
	const gateway = await startGateway(upstream.base, home.path, "--batch-texts", `${batch}`, "--max-in-flight", `${slots}`);
	let goes = true;
	const ask = async () => {
		while (goes) {
			const input = Array.from({ length: 1 + below(8) }, () => textOf(firstRow(round) + below(Math.min(rowCount, round * 10 + 100))));
			try {
				const answer = await embed(gateway.base, { input, dimensions: Number(dimensions), encoding_format: "base64" },
					{ signal: AbortSignal.timeout(30_000) });
				assert.ok(answer.status !== 200 || answer.json.data.length === input.length);
			} catch (error) {
				if (error instanceof assert.AssertionError) throw error;
			}
		}
	};
	const asking = Promise.all([ask(), ask(), ask()]);
	await killAfter(gateway, below(100));
	goes = false;
	await asking;
}

async function killPrune(round) {
	if (round >= pruned) return;
	await killAfter(start(["cache", "prune", "--to-size", "200k", ...limits]), below(30));
}

async function killExport() {
	await killAfter(start(["cache", "export", file("records"), ...limits]), below(40));
	if (!existsSync(file("records"))) return;
	const other = newHome();
	good(run(["cache", "import", file("records"), "--home", other.path]), "an export in place is whole");
	other.remove();
	rmSync(file("records"));
}

async function killImport() {
	if (!existsSync(file("kept"))) good(embedNow("cache", "export", file("kept"), ...limits), "export");
	await killAfter(start(["cache", "import", file("kept"), ...limits]), below(40));
	if (below(20) === 0) rmSync(file("kept"));
}

const victims = [[50, "rows", killRows], [30, "serve", killServe], [5, "prune", killPrune], [7, "export", killExport], [8, "import", killImport]];

// ---- The rounds ---------------------------------------------------------

const kills = new Map();
let repeated = 0; // texts paid for again, by the end of the rounds with prunes
for (let round = 0; round < rounds; round++) {
	let ticket = below(100);
	const [, name, kill] = victims.find(([share]) => (ticket -= share) < 0);
	if (round === pruned) repeated = (await upstream.stats()).repeated_texts;
	await kill(round);
	kills.set(name, (kills.get(name) ?? 0) + 1);
	const verified = run(["cache", "verify", "--home", home.path]);
	assert.match(good(verified, `verify after round ${round} (${name})`), /, 0 bad/);
}

good(embedNow(...rowsArgs("all.jsonl", "end.jsonl")), "the same command again");
const bill = await upstream.stats();
repeated = bill.repeated_texts - repeated;
const other = newHome();
good(embedNow(...rowsArgs("all.jsonl", "whole.jsonl", "--home", other.path, "--no-ledger")), "an undisturbed run");
const vectors = (name) => readFileSync(file(name), "utf8").trimEnd().split("\n").map((row) => JSON.parse(row));
const end = vectors("end.jsonl");
assert.equal(end.length, rowCount);
vectors("whole.jsonl").forEach((row, i) => assert.deepEqual(end[i], row));
assert.deepEqual(readdirSync(work.path).filter((name) => name.startsWith("end.") && name !== "end.jsonl"), []);

const usage = JSON.parse(good(run(["usage", "--home", home.path, "--format", "json"]), "usage"));
const ledger = (usage.rows ?? usage).reduce((sum, row) => sum + row.billed_texts, 0);
const inTheAir = rounds * slots * batch;
console.log(`${[...kills].map(([name, n]) => `${n} ${name}`).join(", ")}; ${bill.texts} texts billed, ${ledger} in the ledger, ` +
	`${repeated} paid for again after the prunes`);
assert.ok(ledger <= bill.texts, "the ledger knows of texts that nobody billed");
assert.ok(bill.texts - ledger <= inTheAir, "more is missing in the ledger than was in the air");
// The ledger is written before the store: what was between the two is in the one and not in the other.
assert.ok(repeated <= inTheAir, "a text was paid for again that was not in the air");
await upstream.stop("SIGKILL");
for (const folder of [home, work, other]) folder.remove();
