// SPDX-License-Identifier: MIT
// After a random load with faults the emulator's bill, the ledger, `embed usage`, /metrics and the
// dashboard's snapshot agree, to the token and the nano-dollar.
// SEED=n runs one seed; what an answer cost that never arrived whole nobody but upstream can know.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { embed, run, seeded, sleep, withGateway } from "./harness.mjs";

const NANO_PER_TOKEN = { "text-embedding-3-small": 20, "text-embedding-3-large": 130 };
const faults = ["html_502@6%", "reset@4%", "overloaded@4%@retry-after-ms=5", "rate_requests@3%@retry-after-ms=5",
	"cut_body@3%", "nan@2%", "missing_item@2%", "floats@5%", "out_of_order@5%"];

// Texts of which many come again, alone or in company, through keys, lanes and models, all at once.
async function load(random, gateway, keys) {
	const pick = (list) => list[Math.floor(random() * list.length)];
	const requests = Array.from({ length: 150 }, () => {
		const input = Array.from({ length: 1 + Math.floor(random() * 12) }, () => `text number ${Math.floor(random() * 500)} of some words`);
		if (random() < 0.05) input.push("");
		const headers = { "x-embed-partial": "true", "x-embed-lane": pick(["bulk", "interactive"]), authorization: `Bearer ${keys[pick(["one", "two"])]}` };
		return () => embed(gateway.base, { model: pick(Object.keys(NANO_PER_TOKEN)), input }, { headers });
	});
	const answers = { 200: 0 };
	const worker = async () => {
		for (let next; (next = requests.pop());) {
			const { status } = await next();
			answers[status] = (answers[status] ?? 0) + 1;
		}
	};
	await Promise.all(Array.from({ length: 12 }, worker));
	return answers;
}

const usage = (home, ...args) => JSON.parse(run(["usage", "--home", home, "--format", "json", ...args]).out);
const sumOf = (rows, name) => rows.reduce((sum, row) => sum + row[name], 0);

async function read(gateway, admin) {
	const headers = { authorization: `Bearer ${admin}` };
	const text = await (await fetch(`${gateway.base}/metrics`, { headers })).text();
	const metric = (name) => Number(text.match(new RegExp(`^embed_${name} (\\d+)$`, "m"))[1]);
	const snapshot = await (await fetch(`${gateway.base}/dashboard/snapshot`, { headers })).json();
	return { metric, snapshot };
}

// The snapshot is taken once a second, the ledger looked at every other one.
async function settled(gateway, admin) {
	for (let i = 0; i < 100; i++) {
		const now = await read(gateway, admin);
		const { stats, usage: { month } } = now.snapshot;
		if (stats.attempts === now.metric("attempts_total") && month.attempts === stats.attempts &&
			stats.texts === now.metric("texts_total") && month.saved_nano === stats.saved_nano) return now;
		await sleep(100);
	}
	return read(gateway, admin);
}

const NAMES = {
	billed_tokens: "billed_tokens_total", cost_nano: "cost_nano_total", attempts: "attempts_total",
	failed_attempts: "attempts_failed_total", billed_texts: "sent_texts_total", hit_texts: "hits_total", hit_tokens: "hit_tokens_total",
	joined_texts: "joined_total", joined_tokens: "joined_tokens_total", saved_nano: "saved_nano_total",
};

for (const seed of process.env.SEED ? [Number(process.env.SEED)] : [1]) {
	test(`seed ${seed}: bill, ledger, usage, metrics and dashboard agree`, async () => {
		const args = ["--seed", String(seed), ...faults.flatMap((fault) => ["--fault", fault])];
		await withGateway(args, ["--retry-budget", "100"], async ({ upstream, gateway, home, keys }) => {
			const answers = await load(seeded(seed), gateway, keys);
			assert.ok(answers[200] > 100, JSON.stringify(answers));
			const { metric, snapshot } = await settled(gateway, keys.admin);
			const bill = await upstream.stats();
			const whole = usage(home, "--by", "none")[0];
			assert.ok(bill.lost_tokens > 0 && metric("attempts_failed_total") > 3 && metric("hits_total") > 50, "faults and hits there were");

			assert.equal(whole.billed_tokens, bill.tokens - bill.lost_tokens, "the ledger has what upstream billed and delivered");
			assert.equal(metric("unsure_tokens_total"), bill.lost_tokens, "what it billed and did not deliver is told apart");
			assert.equal(snapshot.stats.unsure_tokens, bill.lost_tokens);
			const byModel = usage(home, "--by", "model");
			assert.equal(whole.cost_nano, byModel.reduce((sum, { model, billed_tokens }) => sum + billed_tokens * (NANO_PER_TOKEN[model] ?? NaN), 0));
			for (const [name, ofMetrics] of Object.entries(NAMES)) {
				assert.equal(whole[name], metric(ofMetrics), `${name}: usage against metrics`);
				assert.equal(snapshot.stats[ofMetrics.replace(/_total$/, "")], metric(ofMetrics), `${name}: dashboard against metrics`);
				assert.equal(snapshot.usage.month[name], whole[name], `${name}: dashboard's month against usage`);
				assert.equal(sumOf(snapshot.keys.map(({ month }) => month), name), whole[name], `${name}: dashboard's keys`);
				for (const by of ["hour", "day", "month", "model", "key", "upstream", "lane", "day,model,key,upstream,lane"])
					assert.equal(sumOf(usage(home, "--by", by), name), whole[name], `${name} by ${by}`);
			}
			assert.equal(metric("texts_total"), metric("hits_total") + metric("joined_total") + metric("failed_total") + answered(metric), "every text has one outcome");
			const sqlite = spawnSync("sqlite3", ["-readonly", `${home}/ledger.db`, "select sum(billed_tokens), sum(cost_nano) from hourly; select sum(tokens), sum(cost_nano) from attempt where is_billed"], { encoding: "utf8" });
			assert.deepEqual(sqlite.stdout.trim().split("\n"), Array(2).fill(`${whole.billed_tokens}|${whole.cost_nano}`), "both tables of the ledger");
		}, { keys: [["one"], ["two"], ["admin", "--admin"]] });
	});
}

// Each text that was sent and delivered answers the one that it was sent for.
const answered = (metric) => metric("sent_texts_total");
