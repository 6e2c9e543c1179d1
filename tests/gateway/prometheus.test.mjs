// SPDX-License-Identifier: MIT
// A real Prometheus scrapes the gateway and answers with what the gateway counted; its promtool judges
// metrics and alert rules, and runs the rules' own tests.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { embed, sleep, start, withGateway } from "./harness.mjs";

const missing = spawnSync("prometheus", ["--version"]).status !== 0;
const alerts = fileURLToPath(new URL("../../docs/alerts.yml", import.meta.url));
const rulesTest = fileURLToPath(new URL("alerts.test.yml", import.meta.url));
const promtool = (args, options = {}) => spawnSync("promtool", args, { encoding: "utf8", ...options });

const freePort = () => new Promise((resolve) => {
	const server = createServer().listen(0, "127.0.0.1", () => {
		const { port } = server.address();
		server.close(() => resolve(port));
	});
});

async function startPrometheus(folder, target) {
	const port = await freePort();
	copyFileSync(alerts, join(folder, "alerts.yml"));
	writeFileSync(join(folder, "prometheus.yml"), `
global: { scrape_interval: 500ms, evaluation_interval: 500ms }
rule_files: [ alerts.yml ]
scrape_configs: [ { job_name: embed, static_configs: [ { targets: [ "${target}" ] } ] } ]
`);
	const running = start([`--config.file=${join(folder, "prometheus.yml")}`, `--storage.tsdb.path=${join(folder, "data")}`,
		`--web.listen-address=127.0.0.1:${port}`, "--log.level=warn"], { command: "prometheus" });
	return { ...running, query: async (promql) => {
		const response = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(promql)}`).catch(() => undefined);
		return response?.ok ? (await response.json()).data.result : [];
	}, rules: async () => (await (await fetch(`http://127.0.0.1:${port}/api/v1/rules`)).json()).data.groups.flatMap(({ rules }) => rules) };
}

async function until(get, isGood) {
	let got;
	for (let i = 0; i < 150; i++) {
		got = await get();
		if (isGood(got)) return got;
		await sleep(200);
	}
	assert.fail(`it never came: ${JSON.stringify(got)}`);
}

test("a real Prometheus scrapes it and has its numbers", { skip: missing }, async () => {
	await withGateway([], [], async ({ upstream, gateway, home }) => {
		for (let i = 0; i < 10; i++) await embed(gateway.base, { input: [`text ${i}`, `other ${i}`] });
		const { tokens } = await upstream.stats();
		const prometheus = await startPrometheus(home, new URL(gateway.base).host);
		try {
			await until(() => prometheus.query("embed_sent_texts_total"), (result) => Number(result[0]?.value[1]) === 20);
			assert.equal(Number((await prometheus.query("embed_billed_tokens_total"))[0].value[1]), tokens);
			assert.equal(Number((await prometheus.query("embed_cost_nano_total"))[0].value[1]), tokens * 20);
			assert.equal(Number((await prometheus.query('up{job="embed"}'))[0].value[1]), 1);
			assert.equal((await prometheus.query('embed_miss_seconds{quantile="0.99"}')).length, 1);
			assert.equal((await prometheus.query('embed_request_seconds_bucket{le="0.1"}')).length, 1, "OpenMetrics' bounds are read");
			const rules = await until(prometheus.rules, (all) => all.length > 5 && all.every(({ health }) => health === "ok"));
			assert.ok(rules.every(({ state }) => state === "inactive"), "a healthy gateway raises nothing");
		} finally {
			await prometheus.stop("SIGKILL");
		}
	});
});

test("promtool accepts the alert rules", { skip: missing }, () => {
	const { status, stdout, stderr } = promtool(["check", "rules", alerts]);
	assert.equal(status, 0, stdout + stderr);
});

test("the alert rules fire when they should, and only then", { skip: missing }, () => {
	const { status, stdout, stderr } = promtool(["test", "rules", rulesTest]);
	assert.equal(status, 0, stdout + stderr);
});
