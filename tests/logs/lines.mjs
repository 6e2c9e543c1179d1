// SPDX-License-Identifier: MIT
// The log of a gateway under faults: a line for each request and attempt, floods summed up, no secrets.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { embed, logged, newHome, sleep, startEmulator, startGateway, withGateway } from "../gateway/harness.mjs";

const SECRET_TEXT = "the cat that nobody may read about";
const faults = ["html_502@10%", "overloaded@10%@retry-after-ms=5", "rate_tokens@5%@retry-after-ms=5", "nan@5%", "cut_body@5%"];

async function load(gateway, keys, count) {
	const statuses = [];
	for (let i = 0; i < count; i++) {
		const { status } = await embed(gateway.base, { input: [`${SECRET_TEXT} ${i}`, i % 7 ? "plain" : "", `${i}`] },
			{ headers: { authorization: `Bearer ${i % 5 ? keys.one : "sk-a-wrong-key-that-is-long-enough-to-echo"}`, "x-embed-partial": "true" } });
		statuses.push(status);
	}
	return statuses;
}

for (const format of ["logfmt", "json"])
	test(`${format}: requests and attempts have their lines, and no line a text, key or vector`, async () => {
		await withGateway(["--seed", "5", ...faults.flatMap((fault) => ["--fault", fault])],
			["--log-level", "debug", "--log-format", format, "--log-rate", "0", "--retry-budget", "100"], async ({ upstream, gateway, keys }) => {
				const statuses = await load(gateway, keys, 60);
				const { embeddings_requests: attempts } = await upstream.stats();
				await logged(gateway, /event"?[=:]"?(request)/g, statuses.length); // a line may come after its answer
				const log = gateway.log();
				const lines = log.split("\n").filter((line) => /event/.test(line));
				const of = (event) => lines.filter((line) => line.includes(format === "json" ? `"event":"${event}"` : `event=${event} `));
				assert.equal(of("request").length, statuses.length);
				assert.equal(of("attempt").length, attempts);
				assert.ok(of("attempt_failed").length > 3 && of("attempt_failed").every((line) => /do"?[=:]/.test(line)));
				assert.ok(!log.includes("cat that nobody"), "a text");
				assert.ok(!log.includes(keys.one) && !log.includes("sk-upstream-key") && !log.includes("sk-a-wrong-key-that"), "a key");
				assert.doesNotMatch(log, /\[-?0\.\d|(-?0\.\d+,){3}|[A-Za-z0-9+/]{200}/, "a vector");
				if (format === "json") for (const line of lines) JSON.parse(line);
			}, { keys: [["one"]] });
	});

test("of a flood so many lines are written, and one tells the rest", async () => {
	await withGateway([], ["--log-level", "info", "--log-rate", "5"], async ({ gateway }) => {
		const written = () => gateway.log().split("event=request ").length - 1;
		const told = () => [...gateway.log().matchAll(/event=lines_left_out of=request count=(\d+)/g)]
			.reduce((sum, [, count]) => sum + Number(count), 0);
		const began = performance.now();
		const most = () => 5 * (Math.floor((performance.now() - began) / 1000) + 2); // a second may have begun, another not be over
		let asked = 0;
		for (; asked < 60; asked++) await embed(gateway.base, { input: "a" });
		assert.ok(written() <= most(), `${written()} written`);
		for (; told() === 0 || written() + told() < asked; asked++) {
			await sleep(1100); // what was left out is told with the next line
			await embed(gateway.base, { input: "a" });
			await sleep(100);
		}
		assert.ok(written() <= most(), `${written()} written`);
		assert.equal(written() + told(), asked);
	});
});

test("lines of attempts begin when a reload asks for them, and end with the next", async () => {
	const home = newHome(), config = join(home.path, "embed.conf");
	const upstream = await startEmulator();
	writeFileSync(config, "log_level = info\n");
	const gateway = await startGateway(upstream.base, home.path, "--config", config);
	const count = (event) => gateway.log().split(`event=${event} `).length - 1;
	const more = async (event, cause) => {
		const before = count(event);
		await cause();
		while (count(event) === before) await sleep(20);
	};
	const change = (level) => more("setting_changed", () => {
		writeFileSync(config, `log_level = ${level}\n`);
		gateway.child.kill("SIGHUP");
	});
	// The line of a request comes after those of its attempts.
	const ask = (input) => more("request", () => embed(gateway.base, { input }));
	try {
		await ask("before");
		assert.equal(count("attempt"), 0);
		await change("debug");
		await ask("while");
		assert.equal(count("attempt"), 1);
		await change("info");
		await ask("after");
		assert.equal(count("attempt"), 1);
	} finally {
		await gateway.stop("SIGKILL");
		await upstream.stop("SIGKILL");
		home.remove();
	}
});
