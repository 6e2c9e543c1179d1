// SPDX-License-Identifier: MIT
// GET /metrics: well-formed, named as Prometheus wants, equal to what upstream counted; and the
// dashboard and the alerts name nothing else.  promtool judges too where it is installed.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { embed, embedUntilHit, newHome, startEmulator, startGateway } from "./harness.mjs";

const docs = (name) => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));
const promtool = (args, input) => spawnSync("promtool", args, { input, encoding: "utf8" });
const hasPromtool = promtool(["--version"]).status === 0;

let upstream, gateway, home, text, families, samples;

before(async () => {
	home = newHome();
	upstream = await startEmulator();
	gateway = await startGateway(upstream.base, home.path);
	for (let i = 0; i < 20; i++)
		assert.equal((await embed(gateway.base, { input: [`text ${i}`, `and another ${i}`] })).status, 200);
	assert.equal((await embedUntilHit(gateway.base, { input: "text 0" })).status, 200);
	assert.equal((await embed(gateway.base, { input: "" })).status, 400);
	assert.equal((await fetch(`${gateway.base}/no/such/${"path".repeat(10)}`)).status, 404);
	text = await (await fetch(`${gateway.base}/metrics`)).text();
	({ families, samples } = read(text));
});

after(async () => {
	await gateway.stop();
	await upstream.stop();
	home.remove();
});

// Every line is a HELP, the TYPE right after it, or a sample of the family last begun.
function read(metrics) {
	const families = new Map(), samples = new Map();
	let family, helped;
	assert.ok(metrics.endsWith("\n"));
	for (const line of metrics.slice(0, -1).split("\n")) {
		const help = line.match(/^# HELP ([a-z_]+) \S.*$/);
		const type = line.match(/^# TYPE ([a-z_]+) (counter|gauge|histogram|summary)$/);
		const sample = line.match(/^([a-z_]+)(?:\{((?:[a-z]+="[^"\\\n]*",?)+)\})? (\d+(?:\.\d+)?)$/);
		assert.ok(help || type || sample, `no such line: ${line}`);
		if (help) {
			assert.ok(!families.has(help[1]), `${help[1]} is there twice`);
			helped = help[1];
		} else if (type) {
			assert.equal(type[1], helped, "HELP comes right before TYPE");
			families.set(type[1], family = { name: type[1], type: type[2], samples: [] });
		} else {
			const [, name, labels = "", value] = sample;
			const suffixes = { histogram: ["_bucket", "_sum", "_count"], summary: ["", "_sum", "_count"] };
			assert.ok((suffixes[family.type] ?? [""]).some((suffix) => name === family.name + suffix),
				`${name} stands under ${family.name}`);
			assert.ok(!samples.has(`${name}{${labels}}`), `${line} is there twice`);
			samples.set(`${name}{${labels}}`, Number(value));
			family.samples.push({ name, labels: Object.fromEntries([...labels.matchAll(/([a-z]+)="([^"]*)"/g)].map((m) => [m[1], m[2]])), value: Number(value) });
		}
	}
	return { families, samples };
}

const value = (name) => {
	assert.ok(samples.has(`${name}{}`), `${name} is missing`);
	return samples.get(`${name}{}`);
};

test("names follow Prometheus: _total for counters alone, seconds and bytes, no type in a name", () => {
	assert.ok(families.size > 30);
	for (const { name, type } of families.values()) {
		assert.match(name, /^(embed|process)_[a-z]+(_[a-z]+)*$/);
		assert.equal(name.endsWith("_total"), type === "counter", name);
		assert.doesNotMatch(name, /_(count|sum|bucket|info)$/);
		assert.doesNotMatch(name, /_(counter|gauge|histogram|summary)(_|$)/);
		assert.doesNotMatch(name, /_(s|ms|us|ns|milliseconds|microseconds|minutes|hours|kb|mb|kib|mib|kilobytes|megabytes)(_|$)/);
		if (type === "histogram" || type === "summary") assert.match(name, /_seconds$|^embed_batch_(texts|tokens)$/);
	}
});

test("a histogram's buckets grow to its count", () => {
	const histograms = [...families.values()].filter(({ type }) => type === "histogram");
	assert.ok(histograms.length > 0);
	for (const { name, samples } of histograms) {
		const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
		const bounds = buckets.map(({ labels }) => Number(labels.le.replace("+Inf", "Infinity")));
		assert.equal(bounds.at(-1), Infinity);
		for (let i = 1; i < buckets.length; i++)
			assert.ok(bounds[i] > bounds[i - 1] && buckets[i].value >= buckets[i - 1].value);
		assert.ok(buckets.at(-1).value > 0);
		assert.equal(buckets.at(-1).value, value(`${name}_count`));
	}
});

test("labels are few and never a caller's words", () => {
	const allowed = new Set(["route", "answer", "le", "quantile", "code", "lane", "upstream", "state", "key", "period", "version", "alarm", "to", "outcome"]);
	for (const { samples } of families.values())
		for (const { labels } of samples)
			for (const name of Object.keys(labels)) assert.ok(allowed.has(name), name);
	assert.match(text, /answer="4xx"\} [1-9]/);
	assert.doesNotMatch(text, /no\/such/);
});

test("counters agree with what upstream counted", async () => {
	const stats = await upstream.stats();
	assert.equal(value("embed_attempts_total"), stats.embeddings_requests);
	assert.equal(value("embed_sent_texts_total"), stats.texts);
	assert.equal(value("embed_billed_tokens_total"), stats.tokens);
	assert.equal(value("embed_attempts_failed_total"), 0);
	assert.ok(stats.texts >= 40);
	assert.ok(value("embed_hits_total") >= 1);
	assert.equal(value("embed_texts_total"),
		value("embed_sent_texts_total") + value("embed_hits_total") + value("embed_joined_total"));
});

test("a miss's time is told by where it went, and batches by their size", () => {
	for (const name of ["queue", "pacing", "retry", "attempt"])
		assert.equal(value(`embed_${name}_seconds_count`), 20, name);
	assert.equal(value("embed_batch_texts_sum"), value("embed_sent_texts_total"));
	assert.equal(value("embed_batch_tokens_sum"), value("embed_billed_tokens_total"));
	assert.ok(samples.get('embed_miss_seconds{quantile="1.0"}') >= samples.get('embed_miss_seconds{quantile="0.5"}') * 0.99);
});

test("errors by code add up to the texts that failed", async () => {
	const asked = await embed(gateway.base, { input: ["good", "x".repeat(100), "word ".repeat(9000)] }, { headers: { "x-embed-partial": "true" } });
	assert.equal(asked.status, 200);
	const { samples: now } = read(await (await fetch(`${gateway.base}/metrics`)).text());
	const codes = [...now].filter(([name]) => name.startsWith("embed_errors_total{"));
	assert.ok(codes.length > 20, "every code is there from the start");
	assert.equal(now.get('embed_errors_total{code="text_too_long"}'), 1);
	assert.equal(codes.reduce((sum, [, count]) => sum + count, 0), now.get("embed_failed_total{}"));
});

test("lanes, upstreams and the process are told", () => {
	const host = new URL(upstream.base).host.split(":")[0];
	for (const lane of ["interactive", "bulk"])
		for (const name of ["queued_texts", "queued_tokens", "oldest_seconds", "wait_seconds"])
			assert.equal(samples.get(`embed_lane_${name}{lane="${lane}"}`), 0, name);
	const told = [...samples].filter(([name]) => name.startsWith("embed_upstream_")).map(([name]) => name);
	assert.ok(told.length >= 13 && told.every((name) => name.includes(`upstream="${host}`)), told.join("\n"));
	assert.equal(samples.get(told.find((name) => name.includes("attempts_total"))), 20);
	assert.equal(samples.get(told.find((name) => name.includes('state="closed"'))), 1);
	assert.ok(samples.get(told.find((name) => name.includes("tokens_limit"))) >= samples.get(told.find((name) => name.includes("tokens_left"))));
	assert.ok(value("process_resident_memory_bytes") > 1e6);
	assert.ok(value("process_threads") >= 3 && value("process_open_fds") > 5);
});

test("OpenMetrics is given to who asks for it, with the same numbers", async () => {
	const asked = async (accept) => {
		const response = await fetch(`${gateway.base}/metrics`, { headers: { accept } });
		return { type: response.headers.get("content-type"), text: await response.text() };
	};
	const open = await asked("application/openmetrics-text; version=1.0.0, text/plain; q=0.5");
	const plain = await asked("text/plain");
	assert.match(open.type, /^application\/openmetrics-text; version=1\.0\.0/);
	assert.match(plain.type, /^text\/plain; version=0\.0\.4/);
	assert.ok(open.text.endsWith("\n# EOF\n"));
	assert.match(open.text, /^# TYPE embed_jobs counter$/m);
	const numbers = (text) => text.split("\n").filter((line) => /^embed_/.test(line) && !/http_|uptime/.test(line));
	// The writer may still be at it: what two askings in a row say alike is compared.
	let first = open, second = plain;
	for (let i = 0; i < 20 && numbers(first.text).join() !== numbers(second.text).join(); i++)
		[first, second] = [await asked("application/openmetrics-text"), await asked("text/plain")];
	assert.deepEqual(numbers(first.text), numbers(second.text));
});

test("callers' words make no new series", async () => {
	const count = async () => read(await (await fetch(`${gateway.base}/metrics`)).text()).samples.size;
	const before = await count();
	for (let i = 0; i < 60; i++) {
		await fetch(`${gateway.base}/v1/models/no-such-model-${i}`);
		await embed(gateway.base, { model: `no-such-model-${i}`, input: "a", user: `user ${i}` }, { headers: { authorization: `Bearer k${i}` } });
		await fetch(`${gateway.base}/elsewhere/${i}`, { method: "PUT" });
	}
	assert.ok(await count() <= before + 6, "routes and kinds of answers at most");
});

test("promtool finds nothing to say", { skip: !hasPromtool }, () => {
	const { status, stdout, stderr } = promtool(["check", "metrics"], text);
	assert.equal(status, 0, stdout + stderr);
});

// Every metric that a text of PromQL names, without the words of the text around it.
const named = (promql) => [...promql.matchAll(/\b(?:embed|process)_[a-z_]+\b/g)].map((match) => match[0]);

function assertKnown(names) {
	const known = new Set();
	for (const { name, type } of families.values())
		for (const suffix of { histogram: ["_bucket", "_sum", "_count"], summary: ["", "_sum", "_count"] }[type] ?? [""])
			known.add(name + suffix);
	for (const name of names) assert.ok(known.has(name), `${name} is no metric`);
}

test("the dashboard names metrics that exist and shows what matters", () => {
	const dashboard = JSON.parse(readFileSync(docs("grafana/embed.json"), "utf8"));
	const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
	const names = expressions.flatMap(named);
	assert.ok(expressions.every((expression) => named(expression).length > 0));
	assertKnown([...names, ...named(JSON.stringify(dashboard.templating))]);
	for (const name of ["embed_texts_total", "embed_hits_total", "embed_request_seconds_bucket", "embed_hit_seconds",
		"embed_miss_seconds", "embed_attempt_seconds", "embed_billed_tokens_total", "embed_cost_nano_total",
		"embed_failed_total", "embed_breakers_open"])
		assert.ok(names.includes(name), `${name} is not shown`);
	assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
});

test("the dashboard shows every metric but those that say the same as another", () => {
	const shown = new Set(named(readFileSync(docs("grafana/embed.json"), "utf8")));
	const elsewhere = /^(embed_(build|uptime_seconds|jobs|text_tokens|flights|queued_tokens|attempts|stored|store_records|store_bad|upstream_(in_flight|slots)|lane_queued_tokens|batch_tokens|http_accepted|spans)(_total)?|process_.*)$/;
	const known = [...families.values()].filter(({ name }) => !elsewhere.test(name));
	const told = ({ name, type }) => shown.has(name) || (type === "histogram" && shown.has(`${name}_bucket`));
	assert.deepEqual(known.filter((family) => !told(family)).map(({ name }) => name), []);
});

test("the alerts name metrics that exist and watch what matters", () => {
	const expressions = [...readFileSync(docs("alerts.yml"), "utf8").matchAll(/^ +expr: (.+)$/gm)].map((match) => match[1]);
	const names = expressions.flatMap(named);
	assertKnown(names);
	for (const name of ["embed_breakers_open", "embed_failed_total", "embed_write_errors_total", "embed_cost_nano_total"])
		assert.ok(names.includes(name), `${name} is not watched`);
});

test("promtool accepts the alerts", { skip: !hasPromtool }, () => {
	const { status, stdout, stderr } = promtool(["check", "rules", docs("alerts.yml")]);
	assert.equal(status, 0, stdout + stderr);
});
